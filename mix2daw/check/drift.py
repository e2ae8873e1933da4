"""Does a stem's clock run like the mix's? From how the phases between both turn along the song.

Whatever a filter does to phases, it does alike everywhere; a lag that grows turns them more and more, and the
higher the frequency, the more. The lag of each stretch is the peak of its phases' correlation with those of
the clearest stretch, then with those of all, each moved to where the line through all lags has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import theilslopes
from torch import Tensor

from mix2daw.check.filters import Filters
from mix2daw.check.remains import Remains
from mix2daw.check.song import Song
from mix2daw.check.stretches import Stretch
from mix2daw.search.least_squares import FRAMES_PER_NEWS

Floats = NDArray[np.float64]

# Of an amplitude's square over its variance: what counts; and none is taken to be better known than CAP.
CLEAR, CAP = 6.0, 20.0
LEAST_FRAMES = 20  # of a stretch: of a few, anything is coherent with anything
FINER = 8  # places between two samples
LOW_HZ, HIGH_SHARE = 40.0, 0.45
# A stretch counts from so much evidence and agreement on; so many must count, over so much of the song.
EVIDENCE, AGREED, LEAST_STRETCHES, LEAST_SHARE = 200.0, 0.4, 6, 0.4
# Of what they span: two groups of stretches have a line through them whatever they are.
WIDEST_GAP = 0.5
# A drift is told from so many ppm and standard errors on, if most lags lie on a line: to a part of what it
# rises, and some samples.
LEAST_PPM, SURE, AGREEING, STRAIGHT, SLACK_SAMPLES = 2.0, 8.0, 0.75, 0.15, 0.3


@dataclass(frozen=True)
class Drift:
    """`ppm` by which the mix falls behind a stem as it plays, its standard error, and `samples` of that from
    the start of the song to its end."""

    ppm: float
    error_ppm: float
    samples: float

    @property
    def clear(self) -> bool:
        """Whether it is one at all."""
        return abs(self.ppm) > max(LEAST_PPM, SURE * self.error_ppm)


@dataclass(frozen=True)
class _Phases:
    """What a stretch tells of a stem: `phases` (columns × 2, bins) as complex numbers of the length that each
    counts, and the sample `at` which it sounds."""

    phases: Tensor
    at: float

    def moved(self, late: float) -> Tensor:
        """The phases as they would be without a lag of so many samples."""
        bins = self.phases.shape[-1]
        turn = torch.arange(bins, dtype=torch.float64) * (np.pi * late / (bins - 1))
        return self.phases * torch.polar(torch.ones_like(turn), turn).to(self.phases.dtype)


def find_drifts(filters: Filters, remains: Remains, song: Song) -> dict[Path, Drift]:
    """The drifts of the stems of a song, clear ones and about none; those that are not known are left out."""
    found = {}
    for number, stem in enumerate(song.stems):
        columns = filters.responses.columns(number)
        drift = find_drift(remains.stretches, columns, song.sample_rate, song.samples)
        if drift is not None:
            found[stem.path] = drift
    return found


def find_drift(
    stretches: Sequence[Stretch], columns: Sequence[int], sample_rate: int, samples: int
) -> Drift | None:
    """The drift of the stem of these columns in a song of `samples`, a clear one or about none; None where
    that cannot be seen."""
    enough = [stretch for stretch in stretches if stretch.frames >= LEAST_FRAMES]
    known = [_known(stretch, columns, sample_rate) for stretch in enough]
    known = [phases for phases in known if float(phases.phases.abs().sum()) > EVIDENCE]
    if len(known) < LEAST_STRETCHES:
        return None
    clearest = max(known, key=lambda phases: float(phases.phases.abs().sum())).phases
    at, lag = _lags(known, [clearest] * len(known))
    if len(at) < LEAST_STRETCHES or np.ptp(at) < LEAST_SHARE * samples:
        return None
    slope, start = theilslopes(lag, at, method="joint")[:2]
    near = np.abs(lag - start - slope * at) <= _allowed(slope, at)
    if near.mean() < AGREEING:
        return None
    moved = [phases.moved(start + slope * phases.at) for phases in known]
    total = sum(moved, torch.zeros_like(clearest))
    # None is compared with itself: it would always find itself where the line has it.
    at, lag = _lags(known, [total - own for own in moved])
    return _line(at, lag, samples)


def _lags(known: Sequence[_Phases], references: Sequence[Tensor]) -> tuple[Floats, Floats]:
    """When each stretch sounds, and its lag against its reference, of those that tell."""
    pairs = [(one.at, _lag(one.phases, other)) for one, other in zip(known, references, strict=True)]
    told = np.array([(at, lag) for at, lag in pairs if lag is not None]).reshape(-1, 2)
    return told[:, 0], told[:, 1]


def _allowed(slope: float, at: Floats) -> float:
    """How far a lag may be off a line, samples."""
    return STRAIGHT * abs(slope) * float(np.ptp(at)) + SLACK_SAMPLES


def _known(stretch: Stretch, columns: Sequence[int], sample_rate: int) -> _Phases:
    cross, goal, own = stretch.cross[columns], stretch.goal[columns], stretch.own[columns]
    share = (cross.abs().square() / (goal * own[:, None]).clamp(min=1e-30)).clamp(max=1 - 1e-6)
    clear = share / (1 - share) * (stretch.frames / FRAMES_PER_NEWS)
    counted = clear * CAP / (clear + CAP) * (clear > CLEAR)
    hz = torch.linspace(0, sample_rate / 2, cross.shape[-1])
    counted[..., (hz < LOW_HZ) | (hz > HIGH_SHARE * sample_rate)] = 0
    phases = (cross / cross.abs().clamp(min=1e-30) * counted).flatten(0, 1)
    when = stretch.when[columns] / own.clamp(min=1e-30)
    at = float((when[:, None] * counted).sum() / counted.sum().clamp(min=1e-30))
    return _Phases(phases, at)


def _lag(phases: Tensor, reference: Tensor) -> float | None:
    """Samples by which phases are later than those of a reference; None if they do not tell."""
    counted = phases * reference.conj() / reference.abs().clamp(min=1e-30)
    evidence = float(counted.abs().sum())
    if evidence < EVIDENCE:
        return None
    size = 2 * (phases.shape[-1] - 1) * FINER
    height = np.fft.irfft(counted.sum(0).numpy(), size) * (size / 2)
    best = int(height.argmax())
    if height[best] < AGREED * evidence:
        return None
    before, here, after = (float(height[(best + step) % size]) for step in (-1, 0, 1))
    vertex = 0.5 * (before - after) / min(before - 2 * here + after, -1e-30)
    place = best - size if best > size // 2 else best
    return (place + vertex) / FINER


def _line(at: Floats, lag: Floats, samples: int) -> Drift | None:
    """The straight line through lags, if it is one. Single lags may lie elsewhere."""
    if len(at) < LEAST_STRETCHES:
        return None
    slope, start = theilslopes(lag, at, method="joint")[:2]
    near = np.abs(lag - start - slope * at) <= _allowed(slope, at)
    if near.mean() < AGREEING or near.sum() < LEAST_STRETCHES or np.ptp(at[near]) < LEAST_SHARE * samples:
        return None
    if np.diff(at[near]).max() > WIDEST_GAP * np.ptp(at[near]):
        return None
    centred = at[near] - at[near].mean()
    slope = float(centred @ lag[near] / (centred @ centred))
    off = lag[near] - lag[near].mean() - slope * centred
    error = float(np.sqrt(off @ off / (len(off) - 2) / (centred @ centred)))
    return Drift(1e6 * slope, 1e6 * error, slope * samples)
