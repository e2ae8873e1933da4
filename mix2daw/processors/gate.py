"""Noise gate, a downward expander: below the threshold a level falls `ratio` times as fast; unlinked.

    t = 10^(threshold_db/20)
    w = exp(−2·π · 1000 / (50 · f_s))
    a = exp(−2·π · 1000 / (attack_ms · f_s))
    r = exp(−2·π · 1000 / (release_ms · f_s))
    p[n] = max(x[n]^2, x[n]^2 + w · (p[n − 1] − x[n]^2))
    v[n] = √(p[n])
    c[n] = a if v[n] > e[n − 1], else r
    e[n] = v[n] + c[n] · (e[n − 1] − v[n])
    y[n] = x[n] if e[n] > t, else x[n] · (e[n] / t)^(ratio − 1)

p is a mean square that rises at once and falls within 50 ms; then come attack and release. Times are JUCE's:
100 ms is a time constant of 100/2π = 15.9 ms.

Source: `juce::dsp::NoiseGate`, which pedalboard's `NoiseGate` is made of.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mix2daw.dsp.ballistics import RMS_RELEASE_MS, coefficient
from mix2daw.dsp.gating import gate
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
) -> Tensor:
    """The gated signal, (strips, channels, samples); every control (strips,)."""
    return gate(
        signal,
        coefficient(attack_ms, sample_rate),
        coefficient(release_ms, sample_rate),
        stored_in_float32(threshold_db.double()) * (math.log(10) / 20),
        stored_in_float32(ratio.double()) - 1,
        coefficient(torch.full_like(attack_ms, RMS_RELEASE_MS), sample_rate),
    )


PROCESSOR = Processor(
    name="gate",
    params=(
        Param("threshold_db", -90, 0, -90, step=0.25),
        Param("ratio", 1, 20, 1, scale="log", step=0.03),
        Param("attack_ms", 0.1, 300, 10, scale="log", step=0.05),
        Param("release_ms", 5, 3000, 100, scale="log", step=0.05),
    ),
    process=process,
    by_channel=True,
    null_db=-140.0,
)
