"""Fades of the mix: its level against its own stems, at both ends of the song.

The gain is that of the mix on its reconstruction by the filters, so that a song that comes to its end by
itself is none: its stems do so, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mix2daw.check.findings import Finding, finding
from mix2daw.check.remains import Remains

Floats = NDArray[np.float64]

SMOOTH_S = 0.3
HEARD_DB = -35.0  # of the reconstruction against the median of the song: below, the gain is not known
BEGUN_DB, DEEP_DB = -1.0, -12.0
SHORTEST_S, LONGEST_SHARE = 0.5, 0.5  # of the song
STEADY = -0.9  # correlation of the gain in dB with time
FLOOR_DB = -60.0


@dataclass(frozen=True)
class Fade:
    """A fade at the end of a song: from so many seconds before its end on, to `last_s` before it, where stems
    are last heard and the gain is `depth_db`."""

    first_s: float
    last_s: float
    depth_db: float


@dataclass(frozen=True)
class Fades:
    """The fades of a mix of `duration_s`: at its start, seen backwards, and at its end."""

    duration_s: float
    start: Fade | None
    end: Fade | None

    def covers(self, from_s: float, to_s: float) -> bool:
        """Whether a part of the song is in a fade."""
        starts = self.start is not None and from_s < self.start.first_s
        return starts or (self.end is not None and to_s > self.duration_s - self.end.first_s)


def find_fades(remains: Remains) -> Fades:
    """The fades of a mix."""
    start, end = (
        find_fade(remains.together[::step], remains.made[::step], remains.hop_s) for step in (-1, 1)
    )
    return Fades(len(remains.made) * remains.hop_s, start, end)


def fade_findings(path: Path, fades: Fades) -> Iterator[Finding]:
    """Fades as findings."""
    if fades.start is not None:
        times = {"from_s": fades.start.last_s, "to_s": fades.start.first_s}
        yield finding("fade-in", [path], {**times, "depth_db": fades.start.depth_db})
    if fades.end is not None:
        from_s, to_s = fades.duration_s - fades.end.first_s, fades.duration_s - fades.end.last_s
        yield finding("fade-out", [path], {"from_s": from_s, "to_s": to_s, "depth_db": fades.end.depth_db})


def find_fade(together: Floats, made: Floats, hop_s: float) -> Fade | None:
    """The fade at the end of frames, None where there is none."""
    width = min(len(made), max(1, round(SMOOTH_S / hop_s)))
    box = np.ones(width) / width
    together, made = (np.convolve(values, box, "same") for values in (together, made))
    sounding = made > 0
    if not sounding.any():
        return None
    heard = made > 10 ** (HEARD_DB / 10) * np.median(made[sounding])
    gain_db = 20 * np.log10(np.maximum(together / np.maximum(made, 1e-30), 10 ** (FLOOR_DB / 20)))
    middle = heard.copy()
    middle[: len(heard) // 4] = middle[-(len(heard) // 4) :] = False
    if not middle.any():
        return None
    gain_db -= np.median(gain_db[middle])
    last = int(np.flatnonzero(heard)[-1])
    full = np.flatnonzero(heard[: last + 1] & (gain_db[: last + 1] > BEGUN_DB))
    if not len(full) or gain_db[last] > DEEP_DB:
        return None
    first = int(full[-1])
    seconds = (last - first) * hop_s
    if not SHORTEST_S <= seconds <= LONGEST_SHARE * len(heard) * hop_s:
        return None
    inside = np.arange(first, last + 1)[heard[first : last + 1]]
    steady = float(np.corrcoef(inside, np.maximum(gain_db[inside], -40))[0, 1])
    if steady > STEADY:
        return None
    ends = len(heard)
    return Fade((ends - first) * hop_s, (ends - last) * hop_s, float(gain_db[last]))
