"""The moments at which the render is furthest from the mix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mix2daw.report.measure import BLOCK_S, Floats, a_weighting, decibels, lufs, octave_hz, octaves, sliding

WINDOW_BLOCKS = 10
APART_S, MOST = 3.0, 5
ONE_SIDED = 0.6
FAINT_LU = 40.0  # so far below the mix a moment is not worth hearing


@dataclass(frozen=True)
class Moment:
    """A second that is far off. `start_s`; `level_lu`: the loudness of the difference against that of the mix
    in that second; `hz`: the octave that holds most of it, A-weighted; `where`: mid, side or both."""

    start_s: float
    level_lu: float
    hz: tuple[float, float]
    where: str


def worst_moments(
    target_blocks: Floats, difference_blocks: Floats, difference: Floats, length_s: float
) -> tuple[Moment, ...]:
    """The loudest seconds of the difference, apart from one another, the loudest first.

    `target_blocks`, `difference_blocks`: K-weighted blocks; `difference`: energies (mid and side, bands,
    frames).
    """
    loud = lufs(sliding(difference_blocks, WINDOW_BLOCKS))
    mix = lufs(sliding(target_blocks, WINDOW_BLOCKS))
    free = np.ones(len(loud), dtype=bool)
    apart = round(min(APART_S, length_s / (2 * MOST)) / BLOCK_S)
    found: list[Moment] = []
    while free.any() and len(found) < MOST:
        middle = int(np.where(free, loud, -np.inf).argmax())
        free[max(0, middle - apart) : middle + apart + 1] = False
        if loud[middle] < mix.max() - FAINT_LU:
            break
        start_s = max(0.0, (middle - WINDOW_BLOCKS // 2) * BLOCK_S)
        found.append(_moment(start_s, float(loud[middle] - mix[middle]), difference, length_s))
    return tuple(found)


def _moment(start_s: float, level_lu: float, difference: Floats, length_s: float) -> Moment:
    frames = difference.shape[-1]
    first = min(frames - 1, int(start_s / length_s * frames))
    last = max(first + 1, int((start_s + WINDOW_BLOCKS * BLOCK_S) / length_s * frames))
    part = octaves(difference[..., first:last]).sum(-1)
    best = int((part.sum(0) * a_weighting()).argmax())
    sides = part[1, best] / max(part[:, best].sum(), 1e-20)
    where = "side" if sides > ONE_SIDED else "mid" if sides < 1 - ONE_SIDED else "mid and side"
    return Moment(round(start_s, 1), level_lu, octave_hz(best, best), where)


def residual_cells(target: Floats, difference: Floats) -> Floats:
    """What is left per band and time, in dB against the mix there, (mid and side, bands, columns).

    A cell of the mix counts as at least 40 dB below the band's mean (of mid and side together), so that what
    nobody hears does not look bad.
    """
    floor = 1e-4 * target.sum(0).mean(-1, keepdims=True)
    cells: Floats = decibels(difference / np.maximum(target, floor + 1e-20))
    return cells
