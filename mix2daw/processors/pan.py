"""Pan: a balance at 0 dB, left · min(1, 1 − pan), right · min(1, 1 + pan).

signal (strips, 2, samples); every control (strips,). In the middle the law has a corner: one channel falls
on either side. The gradient there is the mean of the two sides, (∂right − ∂left)/2: what a central
difference gives, and enough to leave the middle in the better direction.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mix2daw.dsp.rows import as_stereo
from mix2daw.params import Param
from mix2daw.processors.base import Processor


def process(signal: Tensor, sample_rate: int, pan: Tensor) -> Tensor:
    """The signal at another place: −1 is left, 1 is right."""
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
