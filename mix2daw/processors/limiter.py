"""Limiter for the master: a brick wall with lookahead, channels linked, its latency compensated.

    C = 10^(ceiling_db/20)
    L = floor(lookahead_ms · f_s / 1000)
    k = exp(−1 / floor(release_ms · f_s / 1000))
    g[−1] = 1
    p[n] = max(|x_L[n]|, |x_R[n]|)
    t[n] = C / max(C, p[n])
    g[n] = t[n] if t[n] < g[n − 1], else g[n − 1] if p[n] > C or h[n − 1] > 0, else 1 − k · (1 − g[n − 1])
    h[n] = L if p[n] > C, else max(0, h[n − 1] − 1)
    y_L[n] = x_L[n] · g[n + L]
    y_R[n] = x_R[n] · g[n + L]

t is the gain that the peak p demands. The gain g falls to it at once, is held for L samples after the last
peak above the ceiling, and then recovers. At rest the ceiling is 24 dB above full scale, which no signal
reaches.

Source: pedalboard's `BrickwallLimiter`, without true peaks.
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
    """The limited signal, (strips, channels, samples); every control (strips,)."""
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
