"""What counts as silence."""

from __future__ import annotations

import numpy as np

from mix2daw.stems import Signal

SILENCE_DBFS = -90.0  # RMS over the whole file


def is_silent(signal: Signal) -> bool:
    """Whether its RMS over all channels and samples is below −90 dBFS."""
    return bool(np.mean(np.square(signal), dtype=np.float64) < 10 ** (SILENCE_DBFS / 10))
