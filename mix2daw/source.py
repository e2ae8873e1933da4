"""The audio that a track plays: its file as the graph has it, resampled, stretched and turned over."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soxr

from mix2daw.graph import Strip
from mix2daw.stems import Signal, read_audio


def stretched(signal: Signal, ppm: float) -> Signal:
    """A signal `(channels, samples)` that is longer by so many millionths: soxr VHQ, no delay."""
    if ppm == 0:
        return signal
    frames = soxr.resample(np.ascontiguousarray(signal.T), 1.0, 1 + ppm * 1e-6, quality="VHQ")
    return np.ascontiguousarray(frames.T, dtype=np.float32)


def read_source(strip: Strip, folder: Path, sample_rate: int) -> Signal:
    """The source of a track, `(1 or 2, samples)`, with its stretch and its polarity, not yet in its place.

    `folder`: what its path is relative to. Raises InputError for a file that cannot be read.
    """
    signal = stretched(read_audio(folder / str(strip.source), sample_rate), strip.stretch_ppm)
    return -signal if strip.polarity == "inverted" else signal
