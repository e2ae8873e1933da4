"""Errors that are whitened by the mix, so that every octave counts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

LOW_HZ, HIGH_HZ = 25.0, 16000.0
WHITENING, WHITE_FLOOR = 0.8, 1e-5


def smoothed(power: npt.NDArray[np.floating], share: float) -> npt.NDArray[np.float64]:
    """Mean of a spectrum over bins from (1 − share) to (1 + share) times each bin, and a few at least."""
    bins = np.arange(len(power))
    first = (bins * (1 - share)).astype(np.int64)
    last = np.minimum((bins * (1 + share)).astype(np.int64) + 8, len(power) - 1)
    total = np.concatenate([[0.0], np.cumsum(power, dtype=np.float64)])
    mean: npt.NDArray[np.float64] = (total[last + 1] - total[first]) / (last + 1 - first)
    return mean


def whitening(power: npt.NDArray[np.floating], sample_rate: int) -> npt.NDArray[np.float64]:
    """Weights (bins,) by which every octave of a mix from 25 Hz to 16 kHz counts nearly alike, from its power
    per bin, 0 Hz to half the rate; times that power they sum to one (to zero for silence)."""
    white = smoothed(power, 0.22) ** WHITENING
    frequency_hz = np.linspace(0, sample_rate / 2, len(power))
    heard = (frequency_hz > LOW_HZ) & (frequency_hz < HIGH_HZ)
    tiny = np.finfo(np.float32).tiny
    weight = heard / (white + WHITE_FLOOR * white.max() + tiny)
    whitened: npt.NDArray[np.float64] = weight / max(float((power * weight).sum(dtype=np.float64)), tiny)
    return whitened
