"""Cross spectra of stems and mix in short stretches along a song: what tells a lag that changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mix2daw.check.filters import Filters
from mix2daw.search.least_squares import power_of

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
        self._rate = sample_rate
        responses = filters.responses
        own = [responses.columns(stem) for stem in range(max(responses.owner) + 1)]
        self._stems = [slice(columns[0], columns[-1] + 1) for columns in own]
        self._response = responses.response.permute(1, 2, 0).contiguous()  # columns, channels, bins
        self._spacing_s = max(samples / sample_rate / STRETCHES, SHORTEST_S)
        self._found: dict[int, Stretch] = {}

    def add(self, columns: Tensor, rest: Tensor, when_s: Tensor) -> None:
        """Spectra of all columns `(columns, bins, frames)`, what all filters leave of the mix `(2, bins,
        frames)`, and where the frames are centred."""
        number = torch.floor(when_s / self._spacing_s).long()
        inside = (when_s >= 0) & (when_s - number * self._spacing_s < min(self._spacing_s, LONGEST_S))
        for which in np.unique(number[inside].numpy()):
            numbers = (inside & (number == int(which))).nonzero()[:, 0]
            frames = slice(int(numbers[0]), int(numbers[-1]) + 1)  # they follow each other
            if int(which) not in self._found:
                self._found[int(which)] = _empty(len(columns), columns.shape[1])
            self._sum(self._found[int(which)], columns[..., frames], rest[..., frames], when_s[frames])

    def in_order(self) -> list[Stretch]:
        """All stretches, along the song."""
        return [self._found[which] for which in sorted(self._found)]

    def _sum(self, stretch: Stretch, columns: Tensor, rest: Tensor, when_s: Tensor) -> None:
        power = power_of(columns)
        stretch.own += power.sum(-1)
        stretch.when += power @ (when_s * self._rate).float()
        stretch.frames += len(when_s)
        for own in self._stems:
            heard, response = columns[own], self._response[own]
            goal = rest + (response[..., None] * heard[:, None]).sum(0)
            stretch.goal[own] += power_of(goal).sum(-1)
            stretch.cross[own] += (heard.conj()[:, None] * goal).sum(-1)


def _empty(columns: int, bins: int) -> Stretch:
    return Stretch(
        torch.zeros(columns, 2, bins, dtype=torch.complex64),
        torch.zeros(columns, bins),
        torch.zeros(columns, 2, bins),
        torch.zeros(columns, bins),
    )
