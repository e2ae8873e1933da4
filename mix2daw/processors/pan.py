"""Pan: a balance at 0 dB. In the middle nothing changes; to one side, the other channel falls, linearly.

    y_L[n] = min(1, 1 − pan) · x_L[n]
    y_R[n] = min(1, 1 + pan) · x_R[n]

−1 is left, 1 is right. In the middle the law has a corner: one channel falls on either side. The gradient
there is the mean of the two sides: what a central difference gives, and enough to leave the middle in the
better direction.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mix2daw.dsp.rows import as_stereo
from mix2daw.params import Param
from mix2daw.processors.base import Processor


def process(signal: Tensor, sample_rate: int, pan: Tensor) -> Tensor:
    """The signal (strips, 1 or 2, samples) at another place, (strips, 2, samples); `pan` (strips,)."""
    del sample_rate
    pan = pan.double()
    # torch.minimum splits the gradient of equal values in halves, which makes the mean of the two sides.
    sides_lin = torch.minimum(torch.stack([1 - pan, 1 + pan], 1), torch.ones_like(pan)[:, None])
    return as_stereo(signal) * sides_lin.float()[:, :, None]


PROCESSOR = Processor(
    name="pan",
    params=(Param("pan", -1, 1, 0, step=0.02),),
    process=process,
    stereo=True,
    null_db=-140.0,
)
