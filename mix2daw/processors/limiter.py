"""Limiter for the master: a brick wall at `ceiling_db`, linked channels, lookahead with compensated latency.

pedalboard's BrickwallLimiter without true peaks. At rest its ceiling is 24 dB above full scale, which no
signal reaches. signal (strips, channels, samples); every control (strips,).
"""

from __future__ import annotations

import torch
from torch import Tensor

from mix2daw.dsp.brickwall import limit
from mix2daw.dsp.rows import decibels_to_lin, stored_in_float32
from mix2daw.params import Param
from mix2daw.processors.base import Processor


def _whole(samples: Tensor) -> Tensor:
    """Samples truncated as the plugin does; the gradient passes as if they were not."""
    return samples + (samples.detach().floor() - samples.detach())


def process(
    signal: Tensor, sample_rate: int, ceiling_db: Tensor, release_ms: Tensor, lookahead_ms: Tensor
) -> Tensor:
    """The limited signal."""
    return limit(
        signal,
        decibels_to_lin(stored_in_float32(ceiling_db.double())),
        torch.exp(-1 / _whole(stored_in_float32(release_ms.double()) * sample_rate / 1000)),
        _whole(stored_in_float32(lookahead_ms.detach().double()) * sample_rate / 1000),
    )


PROCESSOR = Processor(
    name="limiter",
    params=(
        Param("ceiling_db", -24, 24, 24, step=0.2),
        Param("release_ms", 1, 2000, 100, scale="log", step=0.05),
        Param("lookahead_ms", 0.1, 20, 5, step=0.2, learnable=False),
    ),
    process=process,
    null_db=-135.0,
)
