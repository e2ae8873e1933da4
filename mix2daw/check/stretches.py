"""Cross spectra of stems and mix in short stretches along a song: what tells a lag that changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mix2daw.check.filters import Filters

STRETCHES, SHORTEST_S, LONGEST_S = 48, 1.0, 2.0


@dataclass
class Stretch:
    """Sums over the `frames` of a stretch: `cross` (columns, 2, bins) complex, of a column with what the
    other stems leave of the mix; `own` (columns, bins) power of the column; `goal` (columns, 2, bins) power
    of what they leave; `when` (columns, bins): own times the sample at which it sounds."""

    cross: Tensor
    own: Tensor
    goal: Tensor
    when: Tensor
    frames: int = 0


class Stretches:
    """Gathers the stretches of a song of `samples`: some second or two each, up to `STRETCHES` of them."""

    def __init__(self, filters: Filters, samples: int, sample_rate: int) -> None:
        self._responses, self._rate = filters.responses, sample_rate
        self._spacing_s = max(samples / sample_rate / STRETCHES, SHORTEST_S)
        self._found: dict[int, Stretch] = {}

    def add(self, columns: Tensor, rest: Tensor, when_s: Tensor) -> None:
        """Spectra of all columns `(columns, bins, frames)`, what all filters leave of the mix `(2, bins,
        frames)`, and where the frames are centred."""
        number = torch.floor(when_s / self._spacing_s).long()
        inside = (when_s >= 0) & (when_s - number * self._spacing_s < min(self._spacing_s, LONGEST_S))
        for which in np.unique(number[inside].numpy()):
            frames = (inside & (number == int(which))).nonzero()[:, 0]
            if int(which) not in self._found:
                self._found[int(which)] = _empty(len(columns), columns.shape[1])
            self._sum(self._found[int(which)], columns[..., frames], rest[..., frames], when_s[frames])

    def in_order(self) -> list[Stretch]:
        """All stretches, along the song."""
        return [self._found[which] for which in sorted(self._found)]

    def _sum(self, stretch: Stretch, columns: Tensor, rest: Tensor, when_s: Tensor) -> None:
        power = columns.abs().square()
        stretch.own += power.sum(-1)
        stretch.when += power @ (when_s * self._rate).float()
        stretch.frames += len(when_s)
        for stem in range(max(self._responses.owner) + 1):
            own = self._responses.columns(stem)
            response = self._responses.response[:, own].permute(1, 2, 0)
            goal = rest + (response[..., None] * columns[own][:, None]).sum(0)
            stretch.goal[own] += goal.abs().square().sum(-1)
            stretch.cross[own] += (columns[own].conj()[:, None] * goal).sum(-1)


def _empty(columns: int, bins: int) -> Stretch:
    return Stretch(
        torch.zeros(columns, 2, bins, dtype=torch.complex64),
        torch.zeros(columns, bins),
        torch.zeros(columns, 2, bins),
        torch.zeros(columns, bins),
    )
