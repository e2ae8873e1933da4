"""Fader: a level.

    y[n] = 10^(fader_db/20) · x[n]

It never mutes: the end of its range is −96 dB.
"""

from __future__ import annotations

from torch import Tensor

from mix2daw.dsp.rows import decibels_to_lin, per_sample
from mix2daw.params import Param
from mix2daw.processors.base import Processor


def process(signal: Tensor, sample_rate: int, fader_db: Tensor) -> Tensor:
    """The signal (strips, channels, samples) at another level; `fader_db` (strips,)."""
    del sample_rate
    return signal * per_sample(decibels_to_lin(fader_db.double()))


PROCESSOR = Processor(
    name="fader",
    params=(Param("fader_db", -96, 24, 0, step=0.2),),
    process=process,
    null_db=-140.0,
)
