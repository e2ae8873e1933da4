"""Stereo width: the side signal times `width`; 0 is mono, 1 as it was, 2 twice as wide.

    s[n] = (x_L[n] − x_R[n]) / 2
    y_L[n] = x_L[n] + (width − 1) · s[n]
    y_R[n] = x_R[n] − (width − 1) · s[n]

Written this way, a width of 1 changes no bit.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mix2daw.dsp.rows import as_stereo, per_sample
from mix2daw.params import Param
from mix2daw.processors.base import Processor


def process(signal: Tensor, sample_rate: int, width: Tensor) -> Tensor:
    """The signal (strips, 1 or 2, samples) with another width, (strips, 2, samples); `width` (strips,)."""
    del sample_rate
    left, right = as_stereo(signal).unbind(1)
    change = per_sample(width.double() - 1)[:, 0] * ((left - right) * 0.5)
    return torch.stack([left + change, right - change], 1)


PROCESSOR = Processor(
    name="width",
    params=(Param("width", 0, 2, 1, step=0.02),),
    process=process,
    stereo=True,
    null_db=-140.0,
)
