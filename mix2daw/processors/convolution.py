"""Convolution reverb: the space that a measured impulse response h holds; h comes from a file.

    D = round(pre_delay_ms · f_s / 1000)

With a file of two channels, both ears hear the mean of both channels, m = (x_L + x_R) / 2:

    e_L[n] = Σ h_L[i] · m[n − D − i]
    e_R[n] = Σ h_R[i] · m[n − D − i]

With one of four channels, in the order L→L, L→R, R→L, R→R, each ear hears both (true stereo):

    e_L[n] = Σ h_LL[i] · x_L[n − D − i] + Σ h_RL[i] · x_R[n − D − i]
    e_R[n] = Σ h_LR[i] · x_L[n − D − i] + Σ h_RR[i] · x_R[n − D − i]

And the blend, with `width` on the wet signal alone:

    s[n] = (e_L[n] − e_R[n]) / 2
    y_L[n] = dry_level · x_L[n] + wet_level · (e_L[n] + (width − 1) · s[n])
    y_R[n] = dry_level · x_R[n] + wet_level · (e_R[n] − (width − 1) · s[n])

h is as loud as its file, and resampled to the rate of the song at the same loudness. The pre-delay is a whole
number of samples, which has no gradient. At rest (`wet_level` 0, `dry_level` 1) the signal passes unchanged.
pedalboard's `Convolution` scales every response to an energy of its own, which is undone.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mix2daw.dsp.convolution import convolved, delayed
from mix2daw.dsp.rows import as_stereo, beside, may_hold, per_sample, wants_gradient
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
    """The signal (strips, 1 or 2, samples) in the space of the impulse response, (strips, 2, samples).

    impulse: (strips, 2 or 4, taps) at the sample rate of the signal, layouts as in `dsp.convolution`; every
    control (strips,).
    """
    signal = as_stereo(signal)
    dry = signal * per_sample(beside(dry_level, signal))
    if not wants_gradient(wet_level) and not may_hold(wet_level != 0):
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
