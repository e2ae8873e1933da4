"""Compressor: feed-forward, peak detector, hard knee, no make-up gain; channels apart or linked.

    t = 10^(threshold_db/20)
    a = exp(−2·π · 1000 / (attack_ms · f_s))
    r = exp(−2·π · 1000 / (release_ms · f_s))
    v[n] = |x[n]|
    c[n] = a if v[n] > e[n − 1], else r
    e[n] = v[n] + c[n] · (e[n − 1] − v[n])
    y[n] = x[n] · (e[n] / t)^(1/ratio − 1) if e[n] ≥ t, else x[n]

With `link` 0 each channel has a detector of its own. With 1 there is one, which hears the louder channel, and
both get its gain, so that the stereo image stands still, as most compressors do:

    v[n] = max(|x_L[n]|, |x_R[n]|)

The coefficients are JUCE's: a time of 100 ms is a time constant of 100/2π = 15.9 ms. In a program whose times
are time constants, divide by 2π.

Source: `juce::dsp::Compressor` and `juce::dsp::BallisticsFilter`, which pedalboard's `Compressor` is made of;
it has no link.
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
    """The compressed signal, (strips, channels, samples); every control (strips,)."""
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
