"""Would a gain on one strip explain what is left of the mix? In least squares, per second and band.

For every strip `s` and the difference `d = mix − render`: the inner products ⟨s, d⟩ and ⟨s, s⟩. A change g of
the gain of `s` takes 2 g ⟨s, d⟩ − g² ⟨s, s⟩ of the energy of `d` away. With g that is best in every second,
slowly varying, that is a fader ride; with one g for the whole song, a fader that stands wrong. A second has
thousands of bins and one g, so that hardly anything is explained by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mix2daw.report.measure import Floats, Frames, frames_of, hop_samples, in_bands, octaves
from mix2daw.stems import Signal

RIDE_SHARE, RIDE_MORE, RIDE_DB = 0.5, 0.25, 1.0
STILL_SHARE, STILL_DB = 0.5, 0.3
LOWEST_GAIN = 0.1


@dataclass(frozen=True)
class Overlap:
    """Of one strip: `inner` ⟨s, d⟩ and `power` ⟨s, s⟩ per octave and second (octaves, seconds), of mid and
    side together."""

    strip: str
    inner: Floats
    power: Floats


@dataclass(frozen=True)
class Region:
    """A part of the song: octaves and seconds, each a half-open range."""

    octaves: tuple[int, int]
    seconds: tuple[int, int]

    def of(self, energies: Floats) -> Floats:
        """What lies in it of (octaves, seconds)."""
        (low, high), (first, last) = self.octaves, self.seconds
        return energies[low:high, first:last]


@dataclass(frozen=True)
class GainChange:
    """A gain that would explain `share` (0 to 1) of what is left in a region. `moves`: whether it must be
    another one than in the rest of the song; `from_db`, `to_db`: its range there, equal if it does not."""

    strip: str
    share: float
    moves: bool
    from_db: float
    to_db: float


def second_starts(frames: int, sample_rate: int) -> NDArray[np.int64]:
    """The first frame of every second."""
    hop_s = hop_samples(sample_rate) / sample_rate
    seconds = max(1, round(frames * hop_s))
    return np.unique(np.minimum(frames - 1, np.round(np.arange(seconds) / hop_s)).astype(int))


def per_second(energies: Floats, sample_rate: int) -> Floats:
    """Energies (…, frames) added up per second."""
    starts = second_starts(energies.shape[-1], sample_rate)
    summed: Floats = np.add.reduceat(energies, starts, axis=-1)
    return summed


def overlap(strip: str, signal: Signal, difference: Sequence[Frames], sample_rate: int) -> Overlap:
    """The inner products of a strip's output with the difference, whose frames are given."""
    inner, power = [], []
    for ours, rest in zip(frames_of(signal, sample_rate), difference, strict=True):
        product = (ours.spectra.conj() * rest.spectra).real.astype(np.float32)
        inner.append(in_bands(product, sample_rate).sum(0).T)
        power.append(in_bands(np.square(np.abs(ours.spectra)), sample_rate).sum(0).T)
    both = (octaves(np.concatenate(parts, axis=-1)) for parts in (inner, power))
    summed = [per_second(part, sample_rate) for part in both]
    return Overlap(strip, summed[0], summed[1])


def explaining(region: Region, overlaps: list[Overlap], left: Floats) -> GainChange | None:
    """The one change of a gain that explains most of what is left in a region, None if none explains enough.

    `left`: energy of the difference (octaves, seconds).
    """
    found = [change for each in overlaps if (change := _change(region, each, left)) is not None]
    return max(found, key=lambda change: change.share, default=None)


def _change(region: Region, of: Overlap, left: Floats) -> GainChange | None:
    energy = float(region.of(left).sum())
    inner, power = region.of(of.inner).sum(0), region.of(of.power).sum(0)
    low, high = region.octaves
    whole_inner, whole_power = of.inner[low:high].sum(), of.power[low:high].sum()
    if energy <= 0 or power.sum() <= 0 or whole_power <= 0:
        return None
    still = max(LOWEST_GAIN - 1, float(whole_inner / whole_power))
    moving = np.maximum(LOWEST_GAIN - 1, _smooth(inner) / np.maximum(_smooth(power), 1e-12 * power.max()))
    by_still = float((2 * still * inner - still**2 * power).sum()) / energy
    by_moving = float((2 * moving * inner - moving**2 * power).sum()) / energy
    levels = 20 * np.log10(1 + moving[power > 0.05 * power.max()])
    outside = 20 * np.log10(1 + still)
    is_better = by_moving >= RIDE_SHARE and by_moving - by_still >= RIDE_MORE
    if is_better and np.abs(levels - outside).max() >= RIDE_DB:
        return GainChange(of.strip, by_moving, True, float(levels.min()), float(levels.max()))
    if by_still >= STILL_SHARE and abs(outside) >= STILL_DB:
        return GainChange(of.strip, by_still, False, float(outside), float(outside))
    return None


def _smooth(values: Floats) -> Floats:
    """Every second with a half of its neighbours: a hand on a fader is not faster."""
    padded = np.pad(values, 1)
    smoothed: Floats = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
    return smoothed
