"""Is a stem in the mix at all? Not if the mix misses it no more than it would miss anything else."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mix2daw.check.filters import Filters, spectra
from mix2daw.check.song import Song
from mix2daw.search.least_squares import Summing, power_of, ridge_of, solved

# Chance: absent stems, of other songs or of a mix without them, come to 0.95 at most, where the mix is well
# explained to 1.4. Soft stems of six mixes with compressors on most tracks come to 0.1, there to 8.6.
ABSENT_TIMES, CLEARLY_ABSENT_TIMES = 1.3, 2.0
HEARD_DB = -60.0  # of a stem's power in a bin, against its loudest: below, a bin does not count
LOW_HZ = 30.0
FLOOR_DB = -60.0  # of the mix: what single precision leaves of a mix that is fully explained says nothing
NEAR_BINS, NEAR_FRAMES = 9, 5  # over which it is told how well a moment is explained
CLEAREST_DB = -30.0  # of a bin's mean: what is left of a moment counts as no less


@dataclass(frozen=True)
class Presence:
    """`times_chance`: how much more of the mix a stem's filters explain, the others' given, than those of a
    stem that is not there would; `share` of the mix's energy that is; `level_lin`: of the stem in the mix.
    `clear_times`: the same as `times_chance` where the mix is well explained; 0 if nobody asked."""

    times_chance: float
    share: float
    level_lin: float
    clear_times: float = 0.0

    @property
    def is_absent(self) -> bool:
        """Whether nothing of the stem is to be found."""
        return self.times_chance < ABSENT_TIMES and self.clear_times < CLEARLY_ABSENT_TIMES

    def measured(self) -> dict[str, float]:
        """In decibels."""
        share_db, level_db = (10 * math.log10(max(x, 1e-20)) for x in (self.share, self.level_lin**2))
        return {"times_chance": self.times_chance, "share_db": share_db, "level_db": level_db}


def measure_presence(song: Song, filters: Filters) -> list[Presence]:
    """The presence of every stem.

    What other stems' dynamics leave of the mix may hide a soft one. Stems that seem to be absent are looked
    for once more, every moment of every frequency counted by how well it is explained."""
    found = _presences(filters, song.sample_rate)
    if not any(presence.is_absent for presence in found):
        return found
    again = _presences(_by_clear_moments(song, filters), song.sample_rate)
    return [replace(one, clear_times=other.times_chance) for one, other in zip(found, again, strict=True)]


def _presences(filters: Filters, sample_rate: int) -> list[Presence]:
    responses, sums = filters.responses, filters.products
    power = responses.power
    inverse = torch.linalg.inv(sums.gram + torch.diag_embed(ridge_of(power)).to(sums.gram.dtype))
    left = torch.maximum(responses.left, 10 ** (FLOOR_DB / 10) * responses.target_power)
    chance = left / sums.alike().clamp(min=1.0)
    heard_hz = filters.frequency_hz(sample_rate) > LOW_HZ
    total = float(responses.target_power[heard_hz].sum())
    found = []
    for stem in range(max(responses.owner) + 1):
        own = responses.columns(stem)
        response = responses.response[:, own]
        missed = torch.linalg.solve(inverse[:, own][:, :, own], response)
        missed = (response.conj() * missed).real.sum((1, 2)).double()
        loud = power[:, own].sum(1)
        counts = heard_hz & (loud > 10 ** (HEARD_DB / 10) * loud[heard_hz].max())
        by_chance = chance[counts] * len(own)
        ratio = missed[counts] / by_chance.clamp(min=1e-30)
        made = (response.abs().square().sum(-1) * power[:, own]).sum(1)
        level = (made[counts].sum() / (2 * loud[counts].sum())).sqrt()
        found.append(Presence(float(ratio.mean()), float(missed[counts].sum()) / total, float(level)))
    return found


def _by_clear_moments(song: Song, filters: Filters) -> Filters:
    """The filters of the same song where moments count by the reciprocal of what is left of them."""
    responses = filters.responses
    total = Summing(len(responses.owner), 2, filters.size // 2 + 1, torch.device("cpu"))
    usual = (responses.left / filters.products.frames).float()[:, None]
    for _, inputs, mix in spectra(song, filters.size):
        rest = mix - filters.responses.played(inputs)
        left = _nearby(power_of(rest).sum(0)) + 10 ** (CLEAREST_DB / 10) * usual
        total.add(torch.cat([inputs, mix]) * (usual / left.clamp(min=1e-30)).sqrt())
    found = total.products()
    return Filters(filters.size, solved(found, responses.owner), found)


def _nearby(power: Tensor) -> Tensor:
    """Mean over neighbouring bins and frames of (bins, frames)."""
    near = (NEAR_BINS, NEAR_FRAMES)
    padding = (NEAR_BINS // 2, NEAR_FRAMES // 2)
    mean: Tensor = torch.nn.functional.avg_pool2d(power[None], near, 1, padding, count_include_pad=False)[0]
    return mean
