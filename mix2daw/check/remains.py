"""What the filters of a whole song leave of the mix, and how that goes along the song."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mix2daw.check.filters import Filters, spectra
from mix2daw.check.song import Song
from mix2daw.check.stretches import Stretch, Stretches
from mix2daw.search.least_squares import power_of
from mix2daw.search.whitening import whitening

Floats = NDArray[np.float64]

LOWEST_HZ, BANDS, PER_OCTAVE = 31.25, 30, 3
SHORTEST_S, LONGEST_S, WINDOWS = 3.0, 10.0, 8


@dataclass(frozen=True)
class Remains:
    """`mix`, `left` (windows, bands): energy of the mix and of what filters leave of it, in windows of
    `window_s`; `together`, `made` (frames,): inner product of the mix with its reconstruction, and the energy
    of that, in frames `hop_s` apart; `stretches` along the song."""

    mix: Floats
    left: Floats
    window_s: float
    hop_s: float
    together: Floats
    made: Floats
    stretches: list[Stretch]


def band_edges_hz() -> Floats:
    """Edges of the bands, thirds of octaves from 31.25 Hz on."""
    edges: Floats = LOWEST_HZ * 2.0 ** (np.arange(BANDS + 1) / PER_OCTAVE)
    return edges


def measure_remains(song: Song, filters: Filters, step: Callable[[], None]) -> Remains:
    """Hear a song a second time, with its filters. `step` is called now and then."""
    rate, hop_s = song.sample_rate, filters.hop / song.sample_rate
    duration_s = song.samples / rate
    windows = max(1, int(duration_s / min(LONGEST_S, max(SHORTEST_S, duration_s / WINDOWS))))
    bands = _bands(filters, rate)
    weight = torch.from_numpy(whitening(filters.responses.target_power.numpy(), rate)).float()
    cells = np.zeros((2, windows, BANDS))
    stretches = Stretches(filters, song.samples, rate)
    gains = []
    for first, columns, target in spectra(song, filters.size):
        made = filters.responses.played(columns)
        rest = target - made
        when_s = (torch.arange(first, first + columns.shape[-1], dtype=torch.float64) - 1) * hop_s
        place = (when_s * windows / duration_s).clamp(0, windows - 1).long().numpy()
        for sums, signal in zip(cells, (target, rest), strict=True):
            np.add.at(sums, place, (power_of(signal).sum(0).T @ bands).double().numpy())
        gains.append(torch.stack([weight @ _inner(target, made), weight @ _inner(made, made)]).double())
        stretches.add(columns, rest, when_s)
        step()
    together, energy = torch.cat(gains, 1).numpy()
    mix, left = cells
    return Remains(mix, left, duration_s / windows, hop_s, together, energy, stretches.in_order())


def _bands(filters: Filters, sample_rate: int) -> Tensor:
    """Which bin is in which band, (bins, bands), 0 or 1."""
    edges = torch.from_numpy(band_edges_hz())
    hz = filters.frequency_hz(sample_rate)[:, None]
    return ((hz >= edges[:-1]) & (hz < edges[1:])).float()


def _inner(one: Tensor, other: Tensor) -> Tensor:
    """Real inner product over channels, (bins, frames)."""
    return (one.real * other.real + one.imag * other.imag).sum(0)
