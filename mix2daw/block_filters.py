"""Filters from stems to a mix over a whole song, constant over some 20 Hz, by least squares on its spectra.

One transform holds the whole song, so a lag of any length is a turn of its bins. A filter that is constant
over a block of bins reaches some 25 ms to both sides of where its stem is placed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy import fft
from torch import Tensor

from mix2daw.stems import Signal

BLOCK_HZ, BINS_PER_STEM = 21.5, 4  # of a block: its width, and bins that it has at least
ALL_BELOW_HZ = 5500.0  # above, a long song does without some blocks
HELD_BINS = 64_000_000  # complex numbers in memory
BLOCKS_AT_ONCE = 64
LOAD_OWN, LOAD_BIN = 1e-5, 1e-13


class SongSpectra:
    """Spectra of stems `(1 or 2, samples)` and mix `(2, samples)`, in blocks of bins.

    `length`: of the transform; `bins` in a block; `index` (blocks,) which blocks are held, the first `below`
    without a gap; `frequency_hz` (blocks,) their centres.
    """

    def __init__(self, stems: Sequence[Signal], mix: Signal, sample_rate: int, longest_samples: int) -> None:
        self.sample_rate = sample_rate
        self.length = fft.next_fast_len(mix.shape[1] + longest_samples, real=True)
        share = mix.shape[1] / self.length
        self.bins = max(
            round(BLOCK_HZ * self.length / sample_rate), round(BINS_PER_STEM * len(stems) / share), 1
        )
        self.free = self.bins * share - len(stems)  # independent numbers in a block, beyond the unknown ones
        blocks = (self.length // 2 + 1) // self.bins
        self.below = min(blocks, round(ALL_BELOW_HZ * self.length / sample_rate / self.bins))
        channels = sum(stem.shape[0] for stem in stems) + 2
        room = max(self.below // 4, HELD_BINS // (channels * self.bins) - self.below, 1)
        step = max(1, -(-(blocks - self.below) // room))
        self.index = np.concatenate([np.arange(self.below), np.arange(self.below, blocks, step)])
        self.frequency_hz = (self.index + 0.5) * self.bins * sample_rate / self.length
        self.mix = self._of(mix)
        self.rows = [self._of(stem) for stem in stems]

    def _of(self, signal: Signal) -> Tensor:
        """(channels, blocks, bins)."""
        rows = (fft.rfft(channel[: self.length], self.length).astype(np.complex64) for channel in signal)
        whole = (self.length // 2 + 1) // self.bins * self.bins
        return torch.from_numpy(np.stack([row[:whole].reshape(-1, self.bins)[self.index] for row in rows]))

    def placed(self, stem: int, channel: int, lag: int, blocks: slice) -> Tensor:
        """(blocks, bins) of a stem's channel (a mono stem has one) that starts `lag` samples later."""
        row = self.rows[stem][min(channel, len(self.rows[stem]) - 1), blocks]
        if lag == 0:
            return row
        bins = self.index[blocks, None] * self.bins + np.arange(self.bins)
        turns = bins * (lag % self.length) % self.length / self.length
        return row * torch.from_numpy(np.exp(-2j * np.pi * turns).astype(np.complex64))


@dataclass(frozen=True)
class BlockFilters:
    """`response` (channels, blocks, stems) complex, its `variance`, and the `power` of each stem; `left`
    (channels, blocks) of the mix."""

    response: Tensor
    variance: Tensor
    power: Tensor
    left: Tensor


def block_filters(spectra: SongSpectra, lags: Sequence[int]) -> BlockFilters:
    """Least squares of each channel of the mix on that channel of all stems, at these lags, per block."""
    stems, count = len(spectra.rows), len(spectra.index)
    channels = []
    for channel in range(2):
        parts = []
        for first in range(0, count, BLOCKS_AT_ONCE):
            blocks = slice(first, min(count, first + BLOCKS_AT_ONCE))
            rows = [spectra.placed(stem, channel, lags[stem], blocks) for stem in range(stems)]
            inputs = torch.stack([*rows, spectra.mix[channel, blocks]], 1)
            gram = torch.bmm(inputs.conj(), inputs.transpose(1, 2)).to(torch.complex128)
            parts.append(_solved(gram, spectra.free))
        channels.append([torch.cat(values) for values in zip(*parts, strict=True)])
    response, variance, power, left = (torch.stack(values) for values in zip(*channels, strict=True))
    return BlockFilters(response, variance, power, left)


def _solved(gram: Tensor, free: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The parts of BlockFilters from products `(blocks, stems + 1, stems + 1)`, the mix last."""
    inner, cross, total = gram[:, :-1, :-1], gram[:, :-1, -1], gram[:, -1, -1].real
    power = inner.diagonal(dim1=1, dim2=2).real
    load = LOAD_OWN * power + LOAD_BIN * power.amax(1, keepdim=True) + torch.finfo(torch.float32).tiny
    inverse = torch.linalg.inv(inner + torch.diag_embed(load).to(inner.dtype))
    response = (inverse @ cross[..., None])[..., 0]
    explained = (response.conj() * (2 * cross - (inner @ response[..., None])[..., 0])).real.sum(1)
    left = torch.maximum(total - explained, 1e-9 * total)
    variance = inverse.diagonal(dim1=1, dim2=2).real * (left / max(1.0, free))[:, None]
    return response, variance, power, left
