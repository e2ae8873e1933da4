"""Echo: a delay line with feedback, of a whole number of samples.

    D = max(1, round(delay_ms · f_s / 1000))
    d[n] = x[n − D] + feedback · d[n − D]
    y[n] = (1 − mix) · x[n] + mix · d[n]

A number of samples has no gradient: the search finds the time by deconvolution.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mix2daw.dsp.echo import echo
from mix2daw.dsp.rows import may_hold, per_sample, wants_gradient
from mix2daw.params import Param
from mix2daw.processors.base import Processor


def process(signal: Tensor, sample_rate: int, delay_ms: Tensor, feedback: Tensor, mix: Tensor) -> Tensor:
    """The signal (strips, channels, samples) with its echoes; every control (strips,). The delay may stay on
    the host."""
    if not wants_gradient(mix) and not may_hold(mix != 0):
        return signal
    lag_samples = torch.round(delay_ms.detach().double() * sample_rate / 1000).clamp(min=1)
    wet = per_sample(mix)
    return (1 - wet) * signal + wet * echo(signal, lag_samples, feedback)


PROCESSOR = Processor(
    name="delay",
    params=(
        Param("delay_ms", 1, 2000, 250, scale="log", step=0.01, learnable=False),
        Param("feedback", 0, 0.95, 0, step=0.02),
        Param("mix", 0, 1, 0, step=0.01),
    ),
    process=process,
    null_db=-140.0,
)
