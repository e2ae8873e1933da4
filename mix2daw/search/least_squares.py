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
    power of the residual, corrected for what columns without any relation would have explained by chance;
    `variance` (bins, columns) of a column's response, of all channels together."""

    response: Tensor
    power: Tensor
    owner: tuple[int, ...]
    target_power: Tensor
    left: Tensor
    variance: Tensor

    def columns(self, stem: int) -> list[int]:
        """The columns of one stem."""
        return [column for column, owner in enumerate(self.owner) if owner == stem]

    def played(self, columns: Tensor) -> Tensor:
        """What they make of spectra `(columns, bins, frames)`: `(channels, bins, frames)`."""
        response = self.response.permute(2, 1, 0).contiguous().to(columns.device)
        # Laid out like short-time spectra, frame by frame, where a product of matrices would hop about: ten
        # times as fast.
        bins, frames = columns.shape[1:]
        made = columns.new_zeros(len(response), frames, bins).transpose(1, 2)
        for channel, of_columns in zip(made, response, strict=True):
            for of_column, spectrum in zip(of_columns, columns, strict=True):
                channel.addcmul_(of_column[:, None], spectrum)
        return made

    def on_cpu(self) -> Responses:
        """The same, on the CPU."""
        tensors = self.response, self.power, self.target_power, self.left, self.variance
        response, power, *others = (tensor.cpu() for tensor in tensors)
        return Responses(response, power, self.owner, *others)


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


def short_time_spectra(signals: Tensor, size: int, whole: bool = False) -> Iterator[Tensor]:
    """Short-time spectra `(signals, bins, frames)` in blocks of frames; hop a quarter, Hann. `whole`: only
    frames that lie wholly in the signals, for parts of longer ones."""
    hop = size // 4
    window = torch.hann_window(size).to(signals.device)
    padded = signals if whole else torch.nn.functional.pad(signals, (size - hop, size))
    per_block = max(1, min(OF_ONE_AT_ONCE, AT_ONCE // len(signals)) // size)
    frames = (padded.shape[1] - size) // hop + 1
    for first in range(0, frames, per_block):
        last = min(frames, first + per_block)
        block = padded[:, first * hop : (last - 1) * hop + size].unfold(1, size, hop)
        yield torch.fft.rfft(block * window, dim=-1).transpose(1, 2)


def power_of(spectrum: Tensor) -> Tensor:
    """Of complex values; a magnitude would take a square root first, and as long as all the rest."""
    return spectrum.real.square() + spectrum.imag.square()


def power_spectrum(signal: Tensor, size: int) -> Tensor:
    """Mean power per bin of a signal `(channels, samples)`, all channels together: `(size // 2 + 1,)`."""
    total = torch.zeros(size // 2 + 1, dtype=torch.float64)
    for block in short_time_spectra(signal, size):
        total += power_of(block).sum((0, 2))
    return total


@dataclass(frozen=True)
class Products:
    """What least squares need of short-time spectra, summed over frames: `gram` (bins, columns, columns) and
    `cross` (bins, columns, channels) complex, `power` (bins,) and `fourth_power` (bins,) of the target, and
    of how many frames. Those of two stretches add up to those of both."""

    gram: Tensor
    cross: Tensor
    power: Tensor
    fourth_power: Tensor
    frames: int

    def __add__(self, other: Products) -> Products:
        return Products(
            self.gram + other.gram,
            self.cross + other.cross,
            self.power + other.power,
            self.fourth_power + other.fourth_power,
            self.frames + other.frames,
        )

    def alike(self) -> Tensor:
        """How many independent frames there are `(bins,)`. Loud ones decide: as many count as would have the
        same fourth power if they were alike."""
        loud = 2 * self.power.square() / self.fourth_power.clamp(min=1e-30)
        return loud.clamp(max=self.frames) / FRAMES_PER_NEWS


class Summing:
    """Products of spectra that come a few frames at a time, of so many columns and channels of a target."""

    def __init__(self, columns: int, channels: int, bins: int, device: torch.device) -> None:
        self._columns = columns
        self._gram = torch.zeros(bins, columns, columns, dtype=torch.complex64, device=device)
        self._cross = torch.zeros(bins, columns, channels, dtype=torch.complex64, device=device)
        self._power = torch.zeros(bins, dtype=torch.float64, device=device)
        self._fourth_power, self._frames = torch.zeros_like(self._power), 0

    def add(self, block: Tensor) -> None:
        """Spectra `(columns and then channels, bins, frames)` of some more frames."""
        loud = power_of(block[self._columns :]).double().sum(0)
        self._power += loud.sum(1)
        self._fourth_power += loud.square().sum(1)
        self._frames += loud.shape[1]
        # Bin by bin and contiguous: four times as fast as products of strided matrices.
        heard = block.transpose(0, 1).contiguous()
        inputs = heard[:, : self._columns]
        self._gram.baddbmm_(inputs.conj(), inputs.transpose(1, 2))
        self._cross.baddbmm_(inputs.conj(), heard[:, self._columns :].transpose(1, 2))

    def products(self) -> Products:
        """Of all frames so far."""
        return Products(self._gram, self._cross, self._power, self._fourth_power, self._frames)


def products(columns: Sequence[Tensor], target: Tensor, size: int, whole: bool = False) -> Products:
    """Products of columns `(samples,)` and the target's channels `(channels, samples)`; `size`, `whole`: see
    `short_time_spectra`."""
    signals = torch.cat([torch.stack(list(columns)), target])
    total = Summing(len(columns), len(target), size // 2 + 1, signals.device)
    for block in short_time_spectra(signals, size, whole):
        total.add(block)
    return total.products()


def least_squares(
    columns: Sequence[Tensor],
    owner: tuple[int, ...],
    target: Tensor,
    size: int,
) -> Responses:
    """Per-bin ridge regression of the target's channels `(channels, samples)` on the columns.

    `size`: of the FFT, samples. The ridge is relative to each column's own power and to the strongest column
    of the bin. Computed where the signals are; the answer is on the CPU.
    """
    return solved(products(columns, target, size), owner).on_cpu()


def solved(found: Products, owner: tuple[int, ...]) -> Responses:
    """The regression whose products these are."""
    columns = found.gram.shape[-1]
    power = found.gram.diagonal(dim1=-2, dim2=-1).real.clone()
    ridge = ridge_of(power)
    # What a bin takes grows with the square of the columns: a few bins at a time.
    at_once = max(1, AT_ONCE // columns**2)
    blocks = zip(*(torch.split(part, at_once) for part in (found.gram, found.cross, ridge)), strict=True)
    parts = [_solved_bins(*block) for block in blocks]
    response, held, explained = (torch.cat(part) for part in zip(*parts, strict=True))
    freedom, alike = columns - held.sum(-1), found.alike().clamp(min=1.0)
    free = (1 - freedom / alike).clamp(min=FREE_SHARE)
    left = torch.minimum((found.power - explained).clamp(min=0) / free, found.power)
    variance = (left / alike)[:, None].float() * held / ridge
    return Responses(response, power, owner, found.power, left, variance)


def _solved_bins(gram: Tensor, cross: Tensor, ridge: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Responses `(bins, columns, channels)`; how much of each column the ridge holds back `(bins, columns)`;
    the power that the responses explain `(bins,)`."""
    loaded = gram + torch.diag_embed(ridge).to(gram.dtype)
    root, failed = torch.linalg.cholesky_ex(loaded)
    # The inverse is for its diagonal alone: a response by it has a thousand times the error.
    inverse, response = torch.cholesky_inverse(root), torch.cholesky_solve(cross, root)
    if bool(failed.any()):  # by rounding, or for values that are not finite
        broken = failed != 0
        inverse[broken] = torch.linalg.inv_ex(loaded[broken])[0]
        response[broken] = torch.linalg.solve_ex(loaded[broken], cross[broken])[0]
    held = inverse.diagonal(dim1=-2, dim2=-1).real * ridge
    explained = (response.conj() * (2 * cross - gram @ response)).real.sum((1, 2)).double()
    return response, held, explained


def ridge_of(power: Tensor) -> Tensor:
    """What is added to the power of each column `(bins, columns)` before it is solved."""
    return RIDGE_OWN * power + RIDGE_BIN * power.amax(-1, keepdim=True) + RIDGE_FLOOR
