"""A brick wall at the top of a spectrum, as lossy formats and lower sample rates leave it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from mix2daw.check.findings import Finding, finding
from mix2daw.stems import Signal

Floats = NDArray[np.float64]

BIN_HZ = 10.0
FRAMES_AT_ONCE = 64
LOWEST_HZ, HIGHEST_HZ = 6000.0, 20300.0
# The mean level (of decibels, so that single tones do not count) of so many hertz at so many from the wall.
GAP_HZ, SIDE_HZ, BESIDE_HZ = 300.0, 700.0, 1700.0
FALL_DB, SLOPE_SHARE, COMES_BACK_SHARE = 20.0, 0.35, 0.3
# Above this part of half the sample rate converters and resampling fall as steeply.
BAND_SHARE = 0.9
# Samples that come from a lower rate end in this part of it.
RATES_HZ, RATE_LOW_SHARE, RATE_HIGH_SHARE = (16000, 22050, 24000, 32000, 44100, 48000), 0.43, 0.5
LOSSY_HZ = 14500.0
SMOOTH_HZ = 200.0
HEARD_DB = -110.0  # below the wall, against the loudest bin


@dataclass(frozen=True)
class Wall:
    """`hz`: where the level is halfway down; `fall_db`: by how much it falls."""

    hz: float
    fall_db: float


def band_findings(path: Path, signal: Signal, sample_rate: int) -> Iterator[Finding]:
    """The wall of a file, if it has one."""
    wall = find_wall(mean_spectrum_db(signal, sample_rate), sample_rate)
    if wall is not None:
        source = _source(wall.hz, sample_rate)
        yield finding("band-limit", [path], {"wall_hz": wall.hz, "fall_db": wall.fall_db, "source": source})


def mean_spectrum_db(signal: Signal, sample_rate: int) -> Floats:
    """Mean power per bin of all channels, dB, 0 Hz to half the rate; bins of about 10 Hz."""
    size = int(2 ** np.ceil(np.log2(sample_rate / BIN_HZ)))
    window = np.hanning(size).astype(np.float32)
    total = np.zeros(size // 2 + 1)
    for channel in signal:
        padded = np.pad(channel, (0, -len(channel) % size)).reshape(-1, size)
        for first in range(0, len(padded), FRAMES_AT_ONCE):
            spectra = fft.rfft(padded[first : first + FRAMES_AT_ONCE] * window, axis=-1)
            total += np.square(np.abs(spectra)).sum(0)
    level: Floats = 10 * np.log10(total / signal.shape[1] + 1e-30)
    return level


def find_wall(level_db: Floats, sample_rate: int) -> Wall | None:
    """The steepest fall of a spectrum, None if it is no wall."""
    bin_hz = sample_rate / 2 / (len(level_db) - 1)
    sums = np.concatenate(([0.0], np.cumsum(level_db)))

    def mean(low_hz: Floats, high_hz: Floats) -> Floats:
        low, high = (np.clip((hz / bin_hz).astype(int), 0, len(level_db)) for hz in (low_hz, high_hz))
        mean_db: Floats = (sums[high] - sums[low]) / np.maximum(high - low, 1)
        return mean_db

    highest = min(HIGHEST_HZ, BAND_SHARE * sample_rate / 2, sample_rate / 2 - GAP_HZ - SIDE_HZ - SMOOTH_HZ)
    if highest <= LOWEST_HZ:
        return None
    centre = np.arange(LOWEST_HZ, highest, bin_hz)
    below = mean(centre - GAP_HZ - SIDE_HZ, centre - GAP_HZ)
    above = mean(centre + GAP_HZ, centre + GAP_HZ + SIDE_HZ)
    best = int((below - above).argmax())
    at, fall = centre[best : best + 1], float(below[best] - above[best])
    slope = float(mean(at - GAP_HZ - BESIDE_HZ, at - GAP_HZ - SIDE_HZ)[0] - below[best])
    rest = level_db[int((at[0] + GAP_HZ + SIDE_HZ) / bin_hz) :]
    width = round(SMOOTH_HZ / bin_hz)
    highest_db = np.convolve(rest, np.ones(width) / width, "valid").max()
    comes_back = highest_db > above[best] + COMES_BACK_SHARE * fall
    heard = below[best] > level_db.max() + HEARD_DB
    inside = best < len(centre) - 1
    if not (fall > FALL_DB and heard and inside) or abs(slope) > SLOPE_SHARE * fall or comes_back:
        return None
    near = np.abs(np.arange(len(level_db)) * bin_hz - at[0]) < GAP_HZ
    smooth = np.convolve(level_db, np.ones(5) / 5, "same")
    down = near & (smooth < (below[best] + above[best]) / 2)
    return Wall(float(np.flatnonzero(down)[0] * bin_hz) if down.any() else float(at[0]), fall)


def _source(hz: float, sample_rate: int) -> str:
    """What usually leaves such a wall."""
    lossy = ["of MP3, AAC or Vorbis"] if hz > LOSSY_HZ else []
    rates = [
        f"of a sample rate of {rate} Hz"
        for rate in RATES_HZ
        if rate < sample_rate and RATE_LOW_SHARE * rate < hz < RATE_HIGH_SHARE * rate
    ]
    return " or ".join([*lossy, *rates]) or "of a low-pass"
