"""Which linear filters, one per stem and channel, explain the mix best? Solved in closed form.

Stems are usually aligned with the mix to the sample, so a regularised least-squares fit per frequency bin
over all stems at once gives the complex response of every track. Stereo stems enter as mid and side, which
keeps nearly-mono stems well conditioned.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

RIDGE_OWN, RIDGE_BIN, RIDGE_FLOOR = 1e-3, 1e-7, 1e-6
# Hann frames a quarter apart repeat one another: so many of them hold one frame's worth of news.
FRAMES_PER_NEWS = 1.925
FREE_SHARE = 0.1  # of the frames that must be left over when the columns are counted off
AT_ONCE, OF_ONE_AT_ONCE = 1 << 24, 1 << 22  # complex numbers in memory at a time, of all signals and of one


@dataclass(frozen=True)
class Responses:
    """`response` (bins, columns, channels) complex, `power` (bins, columns) of each column,
    `owner` (columns,) the stem of each column: one (mono) or two (mid, side) per stem;
    `target_power` (bins,) of all channels of the target, `left` (bins,) what no filter explains of it: the
    power of the residual, corrected for what columns without any relation would have explained by chance."""

    response: Tensor
    power: Tensor
    owner: tuple[int, ...]
    target_power: Tensor
    left: Tensor

    def columns(self, stem: int) -> list[int]:
        """The columns of one stem."""
        return [column for column, owner in enumerate(self.owner) if owner == stem]


def mid_side_columns(sources: Sequence[Tensor]) -> tuple[list[Tensor], tuple[int, ...]]:
    """One column for a mono stem, mid and half-difference side for a stereo one."""
    columns: list[Tensor] = []
    owner: list[int] = []
    for stem, source in enumerate(sources):
        if source.shape[0] == 1:
            columns.append(source[0])
        else:
            columns += [0.5 * (source[0] + source[1]), 0.5 * (source[0] - source[1])]
        owner += [stem] * source.shape[0]
    return columns, tuple(owner)


def short_time_spectra(signals: Tensor, size: int) -> Iterator[Tensor]:
    """Short-time spectra `(signals, bins, frames)` in blocks of frames; hop a quarter, Hann."""
    hop = size // 4
    window = torch.hann_window(size)
    padded = torch.nn.functional.pad(signals, (size - hop, size))
    per_block = max(1, min(OF_ONE_AT_ONCE, AT_ONCE // len(signals)) // size)
    frames = (padded.shape[1] - size) // hop + 1
    for first in range(0, frames, per_block):
        last = min(frames, first + per_block)
        block = padded[:, first * hop : (last - 1) * hop + size].unfold(1, size, hop)
        yield torch.fft.rfft(block * window, dim=-1).transpose(1, 2)


def power_spectrum(signal: Tensor, size: int) -> Tensor:
    """Mean power per bin of a signal `(channels, samples)`, all channels together: `(size // 2 + 1,)`."""
    total = torch.zeros(size // 2 + 1, dtype=torch.float64)
    for block in short_time_spectra(signal, size):
        total += block.abs().square().sum((0, 2))
    return total


def least_squares(
    columns: Sequence[Tensor],
    owner: tuple[int, ...],
    target: Tensor,
    size: int,
) -> Responses:
    """Per-bin ridge regression of the target's channels `(channels, samples)` on the columns.

    `size`: of the FFT, samples. The ridge is relative to each column's own power and to the strongest column
    of the bin.
    """
    count, bins = len(columns), size // 2 + 1
    signals = torch.cat([torch.stack(list(columns)), target])
    gram = torch.zeros(bins, count, count, dtype=torch.complex64)
    cross = torch.zeros(bins, count, target.shape[0], dtype=torch.complex64)
    target_power, fourth_power, frames = torch.zeros(bins).double(), torch.zeros(bins).double(), 0
    for block in short_time_spectra(signals, size):
        inputs = block[:count].permute(1, 2, 0)
        loud = block[count:].abs().double().square().sum(0)
        target_power += loud.sum(1)
        fourth_power += loud.square().sum(1)
        frames += loud.shape[1]
        adjoint = inputs.mH
        gram += adjoint @ inputs
        cross += adjoint @ block[count:].permute(1, 2, 0)
    power = gram.diagonal(dim1=-2, dim2=-1).real.clone()
    load = RIDGE_OWN * power + RIDGE_BIN * power.amax(-1, keepdim=True) + RIDGE_FLOOR
    loaded = gram + torch.diag_embed(load).to(gram.dtype)
    solved = torch.linalg.solve(loaded, torch.cat([cross, torch.diag_embed(load).to(gram.dtype)], -1))
    response, held = solved[..., : target.shape[0]], solved[..., target.shape[0] :]
    explained = (response.conj() * (2 * cross - gram @ response)).real.sum((1, 2)).double()
    # Loud frames decide: as many frames count as would have the same fourth power if they were alike.
    alike = (2 * target_power.square() / fourth_power.clamp(min=1e-30)).clamp(max=frames) / FRAMES_PER_NEWS
    freedom = count - held.diagonal(dim1=-2, dim2=-1).real.sum(-1)
    free = (1 - freedom / alike.clamp(min=1.0)).clamp(min=FREE_SHARE)
    left = torch.minimum((target_power - explained).clamp(min=0) / free, target_power)
    return Responses(response, power, owner, target_power, left)
