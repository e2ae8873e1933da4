"""The mix's level: loudness, true peak, crest factor, and whether a limiter holds its peaks at a ceiling."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from mix2daw.check.findings import Finding, finding
from mix2daw.check.samples import clipped, decibels, find_clipping, offset_findings, rms
from mix2daw.compare import integrated_loudness
from mix2daw.session import same_channels
from mix2daw.stems import Signal, stereo

OVERSAMPLING = 4
PIECE_S, EDGE_S = 10.0, 0.05
TOP_DB, BELOW_DB = (
    0.1,
    1.0,
)  # peaks this far from the highest, and those further down that they are held against
LEAST_PEAKS, LEAST_PER_S, LEAST_PILE_UP = 20, 0.5, 2.0


def level_findings(path: Path, mix: Signal, sample_rate: int) -> Iterator[Finding]:
    """How loud a mix is, and what was done to its peaks."""
    peak = true_peak(mix, sample_rate)
    crest_db = decibels(float(np.abs(mix).max())) - decibels(rms(mix))
    level = {
        "loudness_lufs": integrated_loudness(mix, sample_rate),
        "true_peak_dbtp": decibels(peak),
        "crest_db": crest_db,
    }
    yield finding("mix-level", [path], level)
    yield from offset_findings(path, mix, sample_rate)
    if mix.shape[0] == 1 or same_channels(mix):
        yield finding("mix-mono", [path], {})
    if peak > 1:
        yield finding("true-peak", [path], {"true_peak_dbtp": decibels(peak)})
    ceiling, clipping = find_ceiling(mix, sample_rate), find_clipping(mix)
    if ceiling is not None:
        measured = {
            "peaks_per_s": ceiling.peaks_per_s,
            "ceiling_dbfs": decibels(ceiling.level_lin),
            "pile_up": ceiling.pile_up,
            "flat_tops": 0 if clipping is None else clipping.runs,
            "crest_db": crest_db,
        }
        yield finding("mix-limited", [path], measured)
    elif clipping is not None:
        yield clipped(path, clipping, sample_rate)


def true_peak(signal: Signal, sample_rate: int) -> float:
    """The highest magnitude between samples, oversampled four times (ITU-R BS.1770-4, annex 2), of full
    scale."""
    piece, edge = round(PIECE_S * sample_rate), round(EDGE_S * sample_rate)
    highest = float(np.abs(signal).max())
    for channel in stereo(signal):
        for first in range(0, len(channel), piece):
            part = channel[max(0, first - edge) : first + piece + edge]
            finer = soxr.resample(part, sample_rate, OVERSAMPLING * sample_rate, quality="HQ")
            highest = max(highest, float(np.abs(finer).max()))
    return highest


@dataclass(frozen=True)
class Ceiling:
    """`level_lin`: the highest peak; `peaks_per_s` within a tenth of a decibel of it; `pile_up`: how many
    times as many there are as in a tenth of a decibel below."""

    level_lin: float
    peaks_per_s: float
    pile_up: float


def find_ceiling(mix: Signal, sample_rate: int) -> Ceiling | None:
    """The ceiling that peaks pile up at. Left alone, peaks are the rarer, the higher they are."""
    highest = float(np.abs(mix).max())
    level_db = 20 * np.log10(np.concatenate([_peaks(channel) for channel in mix]) / highest)
    top = int((level_db > -TOP_DB).sum())
    below = int((level_db > -BELOW_DB).sum()) - top
    pile_up = top / max(1.0, below * TOP_DB / (BELOW_DB - TOP_DB))
    per_s = top / (mix.shape[1] / sample_rate)
    enough = top >= LEAST_PEAKS and per_s >= LEAST_PER_S
    return Ceiling(highest, per_s, pile_up) if enough and pile_up >= LEAST_PILE_UP else None


def _peaks(channel: NDArray[np.float32]) -> NDArray[np.float32]:
    """The heights of a channel's local maxima of magnitude; of a flat one the first sample."""
    height = np.abs(channel)
    here = height[1:-1]
    return here[(here > height[:-2]) & (here >= height[2:])]
