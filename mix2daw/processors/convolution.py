"""Convolution reverb: the space that a measured impulse response h holds; h comes from a file.

y = dry_level · x + wet_level · wide(h * x), later by pre_delay_ms: a whole number of samples, which has no
gradient. `width` multiplies the side (L − R)/2 of the two ears. Layouts of h: see `dsp.convolution`.
At rest (wet 0, dry 1) the signal passes unchanged. signal (strips, 2, samples); impulse (strips, 2 or 4,
taps), at the sample rate of the signal and as loud as the file says; every control (strips,).
"""

from __future__ import annotations

import torch
from torch import Tensor

from mix2daw.dsp.convolution import convolved, delayed
from mix2daw.dsp.rows import as_stereo, per_sample, wants_gradient
from mix2daw.params import Param
from mix2daw.processors.base import Processor
from mix2daw.processors.width import process as widened


def process(
    signal: Tensor,
    sample_rate: int,
    impulse: Tensor,
    pre_delay_ms: Tensor,
    width: Tensor,
    wet_level: Tensor,
    dry_level: Tensor,
) -> Tensor:
    """The signal in the space of the impulse response."""
    signal = as_stereo(signal)
    dry = signal * per_sample(dry_level)
    if not wants_gradient(wet_level) and not bool(wet_level.any()):
        return dry
    lag_samples = torch.round(pre_delay_ms.detach().double() * sample_rate / 1000)
    ears = delayed(convolved(signal, impulse), lag_samples)
    return widened(ears, sample_rate, width) * per_sample(wet_level) + dry


PROCESSOR = Processor(
    name="convolution",
    params=(
        Param("pre_delay_ms", 0, 250, 0, step=1, learnable=False),
        Param("width", 0, 2, 1, step=0.02),
        Param("wet_level", 0, 4, 0, step=0.01),
        Param("dry_level", 0, 1, 1, step=0.01, learnable=False),
    ),
    process=process,
    stereo=True,
    impulse=True,
    null_db=-120.0,
    rounding_db=-120.0,
)
