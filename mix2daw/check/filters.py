"""One linear filter per stem and channel for the whole song, by least squares, and how surely it is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from mix2daw.check.song import Song
from mix2daw.search.least_squares import (
    FRAMES_PER_NEWS,
    Products,
    Responses,
    mid_side_columns,
    products,
    short_time_spectra,
    solved,
)

FRAME_S = 0.09
FRAMES_AT_ONCE = 512
LEAST_NEWS = 2.0  # independent frames per column


@dataclass(frozen=True)
class Filters:
    """`size`: of a frame, samples; `responses` and the `products` they were solved from."""

    size: int
    responses: Responses
    products: Products

    @property
    def hop(self) -> int:
        """Samples from frame to frame."""
        return self.size // 4

    def frequency_hz(self, sample_rate: int) -> Tensor:
        """Of each bin."""
        return torch.arange(self.size // 2 + 1) * (sample_rate / self.size)


def frame_size(sample_rate: int) -> int:
    """Samples of a frame: a power of two, 4096 at 44.1 and 48 kHz."""
    return int(2 ** round(math.log2(FRAME_S * sample_rate)))


def solve_filters(song: Song, step: Callable[[], None]) -> Filters | None:
    """The filters of a song; None if it is too short for so many stems. `step` is called now and then."""
    size = frame_size(song.sample_rate)
    columns = sum(stem.audio.channels for stem in song.stems)
    if song.samples < max(LEAST_NEWS * columns * FRAMES_PER_NEWS * size / 4, 2 * size):
        return None
    total, owner = list[Products](), tuple[int, ...]()
    for _, stems, target in _parts(song, size):
        inputs, owner = mid_side_columns(stems)
        own = products(inputs, target, size, whole=True)
        total = [total[0] + own] if total else [own]
        step()
    return Filters(size, solved(total[0], owner), total[0])


def parts_of(song: Song) -> int:
    """How often `solve_filters` and `spectra` step."""
    hop = frame_size(song.sample_rate) // 4
    return max(1, -(-(song.samples // hop + 4) // FRAMES_AT_ONCE))


def spectra(song: Song, size: int) -> Iterator[tuple[int, Tensor, Tensor]]:
    """The frames of a song, some at a time: the number of the first, spectra of all columns `(columns, bins,
    frames)` and of the mix `(2, bins, frames)`. Frame n is centred on sample (n − 1) · size / 4."""
    for first, stems, target in _parts(song, size):
        columns, _ = mid_side_columns(stems)
        for block in short_time_spectra(torch.cat([torch.stack(columns), target]), size, whole=True):
            yield first, block[: len(columns)], block[len(columns) :]
            first += block.shape[-1]


def _parts(song: Song, size: int) -> Iterator[tuple[int, list[Tensor], Tensor]]:
    """Stretches of so many frames, of which neighbours share the samples that frames of both hear."""
    hop = size // 4
    frames = song.samples // hop + 4
    for first in range(0, frames, FRAMES_AT_ONCE):
        last = min(frames, first + FRAMES_AT_ONCE)
        start, end = (first - 3) * hop, (last - 4) * hop + size
        stems, target = song.part(max(0, start), min(end, song.samples))
        ends = (max(0, -start), max(0, end - song.samples))
        padded = [torch.nn.functional.pad(signal, ends) for signal in (*stems, target)]
        yield first, padded[:-1], padded[-1]
