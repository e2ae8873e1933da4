"""Whether the confidence of a recovered device tells how likely it is in the truth.

A confidence is by how much La rises without the device: no probability. What share of the devices of about
one confidence is in the truth is counted in bins; a monotone map from the one to the other is fitted by
isotonic regression, and judged on songs that it was not fitted to.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression
from scipy.stats import binomtest, rankdata

Array = NDArray[np.float64]

EDGES = (-math.inf, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, math.inf)  # of bins, La
PROBABILITY_EDGES = tuple(np.linspace(0, 1, 11))
FOLDS = 5


class Case(NamedTuple):
    """A recovered device: its song, its confidence (La), and whether the truth has it."""

    song: str
    confidence: float
    true: bool


@dataclass(frozen=True)
class Bin:
    """Devices with a confidence in low..high (low included): how many, their mean confidence, the share that
    is in the truth, and the bounds that it has with 95 % certainty (Wilson)."""

    low: float
    high: float
    count: int
    confidence: float
    share: float
    share_low: float
    share_high: float


@dataclass(frozen=True)
class MonotoneMap:
    """Confidence to the share that is in the truth; linear between points, level beyond them."""

    confidence: tuple[float, ...]
    share: tuple[float, ...]

    def at(self, confidence: float | Sequence[float]) -> Array:
        """The share at a confidence, or at several, 0..1."""
        return np.asarray(np.interp(confidence, self.confidence, self.share))


@dataclass(frozen=True)
class Calibration:
    """What the confidences of some devices are worth. `ranks`: the chance that of a true and a false device
    the true one has the higher confidence (NaN without both). Errors (`ece`: expected calibration error;
    `brier`: mean squared error), 0..1: of the bare confidence, taken as a probability; of the map, on songs
    that it was not fitted to; of one and the same share for all, likewise (NaN with one song)."""

    bins: tuple[Bin, ...]
    fitted: MonotoneMap
    ranks: float
    ece_bare: float
    ece_mapped: float
    brier_bare: float
    brier_mapped: float
    brier_base: float


def binned(cases: Sequence[Case], edges: Sequence[float] = EDGES) -> tuple[Bin, ...]:
    """The bins that hold any."""
    bins = []
    for low, high in pairwise(edges):
        inside = [case for case in cases if low <= case.confidence < high]
        if inside:
            true = sum(case.true for case in inside)
            certain = binomtest(true, len(inside)).proportion_ci(method="wilson")
            mean = sum(case.confidence for case in inside) / len(inside)
            share = true / len(inside)
            bins.append(Bin(low, high, len(inside), mean, share, float(certain.low), float(certain.high)))
    return tuple(bins)


def calibration_error(probability: Array, true: Array) -> float:
    """Expected calibration error: |mean probability − share that is true| of ten even bins, by their size."""
    which = np.clip(np.digitize(probability, PROBABILITY_EDGES) - 1, 0, len(PROBABILITY_EDGES) - 2)
    inside = [which == index for index in np.unique(which)]
    return float(sum(abs((probability[mask] - true[mask]).sum()) for mask in inside) / len(true))


def fitted_map(cases: Sequence[Case]) -> MonotoneMap:
    """The monotone map with the least squared error. Alike confidences are one point."""
    points, index, counts = np.unique(
        [case.confidence for case in cases], return_inverse=True, return_counts=True
    )
    shares = np.bincount(index, weights=[case.true for case in cases]) / counts
    level = isotonic_regression(shares, weights=counts).x
    return MonotoneMap(tuple(points.tolist()), tuple(level.tolist()))


def held_out(cases: Sequence[Case], folds: int = FOLDS) -> tuple[Array, Array]:
    """What the map and what the mere share of all say of every case, (cases,) each, fitted to the songs of
    other folds. There are as many folds as songs, `folds` at most. ValueError for cases of one song."""
    songs = sorted({case.song for case in cases})
    folds = min(folds, len(songs))
    if folds < 2:
        raise ValueError("to hold some out, there must be two songs and more")
    fold_of = {song: index % folds for index, song in enumerate(songs)}
    mapped, base = np.zeros(len(cases)), np.zeros(len(cases))
    for fold in range(folds):
        others = [case for case in cases if fold_of[case.song] != fold]
        here = [index for index, case in enumerate(cases) if fold_of[case.song] == fold]
        mapped[here] = fitted_map(others).at([cases[index].confidence for index in here])
        base[here] = sum(case.true for case in others) / len(others)
    return mapped, base


def rank_share(confidence: Array, true: Array) -> float:
    """The area under the ROC curve: how often a true one is above a false one; equal ones count half."""
    hits = int(true.sum())
    pairs = hits * (len(true) - hits)
    if not pairs:
        return math.nan
    return float((rankdata(confidence)[true == 1].sum() - hits * (hits + 1) / 2) / pairs)


def calibrated(cases: Sequence[Case]) -> Calibration:
    """The calibration of at least one device."""
    confidence = np.array([case.confidence for case in cases], float)
    true = np.array([case.true for case in cases], float)
    bare = np.clip(confidence, 0, 1)
    nothing = np.full(len(cases), np.nan)
    several = len({case.song for case in cases}) > 1
    mapped, base = held_out(cases) if several else (nothing, nothing)
    return Calibration(
        bins=binned(cases),
        fitted=fitted_map(cases),
        ranks=rank_share(confidence, true),
        ece_bare=calibration_error(bare, true),
        ece_mapped=calibration_error(mapped, true) if several else math.nan,
        brier_bare=float(np.mean((bare - true) ** 2)),
        brier_mapped=float(np.mean((mapped - true) ** 2)),
        brier_base=float(np.mean((base - true) ** 2)),
    )
