"""Compressor: feed-forward, peak detector, hard knee, no make-up gain (JUCE's), channels linked or not.

`link` 0: each channel has a detector of its own, as JUCE's has. 1: one detector hears the larger |x| of both
channels, and both get its gain, so that the stereo image stands still, as most compressors do. A mono signal
sounds the same with either.

A time of 100 ms is a time constant of 100/2π = 15.9 ms. signal (strips, channels, samples); every control
(strips,).
"""

from __future__ import annotations

import math

from torch import Tensor

from mix2daw.dsp.ballistics import coefficient
from mix2daw.dsp.compression import compress
from mix2daw.dsp.rows import stored_in_float32
from mix2daw.params import Param
from mix2daw.processors.base import Processor


def process(
    signal: Tensor,
    sample_rate: int,
    threshold_db: Tensor,
    ratio: Tensor,
    attack_ms: Tensor,
    release_ms: Tensor,
    link: Tensor,
) -> Tensor:
    """The compressed signal."""
    return compress(
        signal,
        coefficient(attack_ms, sample_rate),
        coefficient(release_ms, sample_rate),
        stored_in_float32(threshold_db.double()) * (math.log(10) / 20),
        1 / stored_in_float32(ratio.double()) - 1,
        link,
    )


PROCESSOR = Processor(
    name="compressor",
    params=(
        Param("threshold_db", -60, 0, 0, step=0.25),
        Param("ratio", 1, 20, 1, scale="ratio", step=0.01),
        Param("attack_ms", 0.1, 300, 10, scale="log", step=0.05),
        Param("release_ms", 5, 3000, 100, scale="log", step=0.05),
        Param("link", 0, 1, 0, scale="choice", choices=(0, 1)),
    ),
    process=process,
    null_db=-140.0,
)
