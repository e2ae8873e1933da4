"""What counts as silence."""

from __future__ import annotations

import numpy as np

from mix2daw.stems import Signal

SILENCE_DBFS = -90.0  # RMS over the whole file
BLOCK_SAMPLES = 1 << 20


def is_silent(signal: Signal) -> bool:
    """Whether its RMS over all channels and samples is below −90 dBFS."""
    return mean_square(signal) < 10 ** (SILENCE_DBFS / 10)


def mean_square(signal: Signal) -> float:
    """Of all samples `(channels, samples)`, a block at a time: a song of hours is not copied for it."""
    blocks = (signal[:, first : first + BLOCK_SAMPLES] for first in range(0, signal.shape[1], BLOCK_SAMPLES))
    total = sum(float(np.sum(np.square(block), dtype=np.float64)) for block in blocks)
    return total / max(1, signal.size)
