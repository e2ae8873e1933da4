"""Is a stem in the mix at all? Not if the mix misses it no more than it would miss anything else."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from mix2daw.check.filters import Filters
from mix2daw.search.least_squares import ridge_of

HEARD_DB = -60.0  # of a stem's power in a bin, against its loudest: below, a bin does not count
LOW_HZ = 30.0
FLOOR_DB = -60.0  # of the mix: what single precision leaves of a mix that is fully explained says nothing


@dataclass(frozen=True)
class Presence:
    """`times_chance`: how much more of the mix a stem's filters explain, the others' given, than those of a
    stem that is not there would; `share` of the mix's energy that is; `level_lin`: of the stem in the mix."""

    times_chance: float
    share: float
    level_lin: float

    def measured(self) -> dict[str, float]:
        """In decibels."""
        share_db, level_db = (10 * math.log10(max(x, 1e-20)) for x in (self.share, self.level_lin**2))
        return {"times_chance": self.times_chance, "share_db": share_db, "level_db": level_db}


def measure_presence(filters: Filters, sample_rate: int) -> list[Presence]:
    """The presence of every stem."""
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
