"""Fader: signal · 10^(dB/20). signal (strips, channels, samples); every control (strips,)."""

from __future__ import annotations

from torch import Tensor

from mix2daw.dsp.rows import decibels_to_lin, per_sample
from mix2daw.params import Param
from mix2daw.processors.base import Processor


def process(signal: Tensor, sample_rate: int, fader_db: Tensor) -> Tensor:
    """The signal at another level."""
    del sample_rate
    return signal * per_sample(decibels_to_lin(fader_db.double()))


PROCESSOR = Processor(
    name="fader",
    params=(Param("fader_db", -96, 24, 0, step=0.2),),
    process=process,
    null_db=-140.0,
)
