"""Stems whose phases do not agree with the mix, although its level follows theirs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from mix2daw.check.filters import Filters
from mix2daw.check.findings import Finding, finding
from mix2daw.check.presence import Presence
from mix2daw.check.song import Song, Sounds
from mix2daw.search.equalizer_match import match_bands
from mix2daw.search.excerpts import joined, listening_starts
from mix2daw.search.least_squares import least_squares, mid_side_columns
from mix2daw.search.magnitudes import Powers, band_powers, measure_magnitudes, power_factors

# What is left of a mix that lacks a stem may follow another one a little: such came to 0.41 (one that plays
# together with the missing one to 0.91, but 15 times chance), most stems with moved phases to 0.6 and more,
# and to 3.9 times chance at most.
FOLLOWS, COHERENT_TIMES = 0.5, 8.0


def phase_findings(song: Song, filters: Filters, presences: Sequence[Presence]) -> Iterator[Finding]:
    """Stems for which magnitudes have to take over, on the stretches that the search analyses as well."""
    if all(presence.times_chance >= COHERENT_TIMES for presence in presences):
        return
    sounds = Sounds(song)
    starts, length = listening_starts(sounds, song.samples, song.sample_rate)
    columns, owner = mid_side_columns([joined(sound, starts, length) for sound in sounds.values()])
    target, responses = joined(torch.from_numpy(song.mix), starts, length), filters.responses
    if length < song.samples:
        responses = least_squares(columns, owner, target, filters.size)
    bands = match_bands(filters.size, song.sample_rate)[1]
    stems, rest = band_powers(columns, target, responses, bands)
    magnitudes = measure_magnitudes(stems, rest, responses, bands)
    if magnitudes is None:
        return
    for stem in magnitudes.stems():
        bad = (magnitudes.instead[stem] & magnitudes.known[stem]).nonzero()[:, 0].tolist()
        follows = float(
            np.median([_following(stem, stems[:, s, b], rest[s, b]) for b in bad for s in range(2)])
        )
        if follows > FOLLOWS and presences[stem].times_chance < COHERENT_TIMES:
            measured = {
                "bands": len(bad),
                "heard_bands": int(magnitudes.known[stem].sum()),
                "follows": follows,
            }
            yield finding("phases-disagree", [song.stems[stem].path], measured)


def _following(stem: int, stems: Powers, rest: Powers) -> float:
    """How far the level of what is left of a band (frames,) follows that of a stem, one of (stems, frames):
    their correlation; 0 if the stem has no part in it."""
    if power_factors(stems, rest)[stem] <= 0:
        return 0.0
    level, follower = np.sqrt(stems[stem]), np.sqrt(rest)
    if not (level.std() > 0 and follower.std() > 0):
        return 0.0
    return float(np.corrcoef(level, follower)[0, 1])
