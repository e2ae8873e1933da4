"""Stems that are made of one another or of the mix, at static gains: copies, bounces of groups, plain sums.

All inner products of all channels say it, by least squares of one file's channels on those of others.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from mix2daw.check.findings import Finding, finding
from mix2daw.check.song import Song, Stem
from mix2daw.spool import Kept

Floats = NDArray[np.float64]

BLOCK_SAMPLES = 1 << 17
EQUAL_DB, MADE_DB = -90.0, -40.0
# A member of a sum may be left out if what is not explained stays below this, or below so many times as much.
LEFT_OUT_DB, LEFT_OUT_TIMES = -80.0, 4.0
ABSENT_DB = -70.0  # the gain of a stem that has no part in a sum
LOAD = 1e-11


@dataclass(frozen=True)
class Gram:
    """`products` (rows, rows) of all channels; `rows`: those of each stem, then of the mix."""

    products: Floats
    rows: tuple[tuple[int, ...], ...]

    def energy(self, which: int) -> float:
        """Of all channels of a stem or the mix."""
        rows = list(self.rows[which])
        return float(self.products[rows, rows].sum())

    def fitted(self, which: int, others: Sequence[int]) -> tuple[Floats, float]:
        """Gains (others' rows, own rows) that make a file of others, and the energy that they leave of it,
        relative to its own."""
        own, from_ = list(self.rows[which]), [row for other in others for row in self.rows[other]]
        return self._solved(own, from_)

    def summed(self, others: Sequence[int]) -> tuple[Floats, float]:
        """Gains (others, 2) of stems that make the mix, each channel of that channel, and what they leave."""
        mix = self.rows[-1]
        gains, left = [], 0.0
        for channel, row in enumerate(mix):
            from_ = [self.rows[other][min(channel, len(self.rows[other]) - 1)] for other in others]
            gain, share = self._solved([row], from_)
            gains.append(gain[:, 0])
            left += share * float(self.products[row, row])
        return np.stack(gains, 1), left / self.energy(len(self.rows) - 1)

    def at_unity(self, others: Sequence[int]) -> float:
        """What the plain sum of stems leaves of the mix."""
        left = 0.0
        for channel, row in enumerate(self.rows[-1]):
            rows = [self.rows[other][min(channel, len(self.rows[other]) - 1)] for other in others] + [row]
            sign = np.array([1.0] * len(others) + [-1.0])
            left += float(sign @ self.products[np.ix_(rows, rows)] @ sign)
        return max(left, 0.0) / self.energy(len(self.rows) - 1)

    def _solved(self, own: list[int], from_: list[int]) -> tuple[Floats, float]:
        inner = self.products[np.ix_(from_, from_)]
        cross, total = self.products[np.ix_(from_, own)], self.products[own, own]
        loaded = inner + np.diag(LOAD * inner.diagonal() + np.finfo(np.float64).tiny)
        gains: Floats = np.linalg.solve(loaded, cross).astype(np.float64)
        left = total.sum() - (gains * (2 * cross - inner @ gains)).sum()
        return gains, max(float(left), 0.0) / float(total.sum())


def measure_gram(song: Song) -> Gram:
    """Inner products of a song whose stems may be longer or shorter than the mix."""
    kept: list[Kept | None] = [*(stem.audio for stem in song.stems), None]
    counts = [2 if one is None else one.channels for one in kept]
    firsts = np.cumsum([0, *counts])
    samples = max([song.samples, *(stem.audio.shape[1] for stem in song.stems)])
    products = torch.zeros(int(firsts[-1]), int(firsts[-1]), dtype=torch.float64)
    for start in range(0, samples, BLOCK_SAMPLES):
        block = torch.zeros(int(firsts[-1]), BLOCK_SAMPLES, dtype=torch.float64)
        for one, first, count in zip(kept, firsts, counts, strict=False):
            end = start + BLOCK_SAMPLES
            part = song.mix[:, start:end] if one is None else one.part(start, end)
            block[first : first + count, : part.shape[1]] = torch.from_numpy(part)
        products += block @ block.T
    rows = tuple(tuple(range(first, first + count)) for first, count in zip(firsts, counts, strict=False))
    return Gram(products.numpy(), rows)


@dataclass(frozen=True)
class Kin:
    """`findings`, and the `spare` stems: those that are made of others, or are the mix."""

    findings: tuple[Finding, ...]
    spare: frozenset[int]


def find_kin(song: Song, gram: Gram) -> Kin:
    """Stems that are the mix, copies of others, sums of others."""
    found: list[Finding] = []
    alive = list(range(len(song.stems)))
    if len(alive) > 1 and song.samples:
        for stem in list(alive):
            gains, left = gram.fitted(len(song.stems), [stem])
            if level_db(left) < MADE_DB:
                measured = {"gain_db": _gain_db(gains), "residual_db": level_db(left)}
                found.append(finding("mix-among-stems", [song.stems[stem].path], measured))
                alive.remove(stem)
    found += _copies(song, gram, alive)
    found += _sums(song, gram, alive)
    return Kin(tuple(found), frozenset(range(len(song.stems))) - frozenset(alive))


def sum_finding(song: Song, gram: Gram) -> Iterator[Finding]:
    """Whether the mix is a plain sum of the stems."""
    everyone = range(len(song.stems))
    gains, left = gram.summed(everyone)
    words, residual_db, levels_db = "unity", level_db(gram.at_unity(everyone)), [0.0]
    if residual_db > MADE_DB:
        residual_db = level_db(left)
        levels_db = [20 * math.log10(max(1e-10, float(np.abs(gain).max()))) for gain in gains]
        levels_db = [level for level in levels_db if level > ABSENT_DB] or levels_db
        words = f"static gains from {min(levels_db):+.1f} to {max(levels_db):+.1f} dB"
    if residual_db < MADE_DB:
        ends = {"low_db": min(levels_db), "high_db": max(levels_db)}
        yield finding("mix-is-sum", [song.mix_path], {"gains": words, "residual_db": residual_db, **ends})


def level_db(share: float) -> float:
    """A share of energy in dB; −200 for nothing."""
    return 10 * math.log10(max(share, 1e-20))


def _copies(song: Song, gram: Gram, alive: list[int]) -> Iterator[Finding]:
    """Pairs of which one is the other at a gain; the later one is no longer `alive`."""
    for later in list(alive):
        for earlier in alive[: alive.index(later)]:
            gains, left = gram.fitted(later, [earlier])
            if level_db(left) < MADE_DB:
                yield _copy(song, earlier, later, gains, left)
                alive.remove(later)
                break


def _copy(song: Song, earlier: int, later: int, gains: Floats, left: float) -> Finding:
    stem, other = song.stems[later], song.stems[earlier]
    measured = {"residual_db": level_db(left)}
    same = gains.shape[0] == gains.shape[1] and float(np.abs(gains - np.eye(len(gains))).max()) < 1e-4
    if same and level_db(left) < EQUAL_DB:
        return finding("stems-equal", [stem.path, other.path], measured)
    inverted = float(gains.sum()) < 0
    words = {**measured, "gain_db": _gain_db(gains), "polarity": ", inverted" if inverted else ""}
    return finding("stems-scaled", [stem.path, other.path], words)


def _sums(song: Song, gram: Gram, alive: list[int]) -> Iterator[Finding]:
    """Stems that are sums of others. Of a sum and its members each is made of the others: that one is the sum
    which takes the fewest negative gains, and of those the loudest."""
    while True:
        made = []
        for stem in alive:
            others = [other for other in alive if other != stem]
            if len(others) > 1 and level_db(gram.fitted(stem, others)[1]) < MADE_DB:
                members = _members(gram, stem, others)
                negative = sum(_gain(gram, stem, members, member) < 0 for member in members)
                made.append((negative, -gram.energy(stem), stem, members))
        if not made:
            return
        _, _, stem, members = min(made)
        measured = {"residual_db": level_db(gram.fitted(stem, members)[1])}
        yield finding("stem-is-sum", [song.stems[stem].path, *_paths(song.stems, members)], measured)
        alive.remove(stem)


def _paths(stems: Sequence[Stem], which: Sequence[int]) -> list[Path]:
    return [stems[one].path for one in which]


def _members(gram: Gram, stem: int, others: list[int]) -> list[int]:
    """The fewest of the others that make a stem as well as all do, the least one left out first."""
    members = list(others)
    allowed = max(gram.fitted(stem, members)[1] * LEFT_OUT_TIMES, 10 ** (LEFT_OUT_DB / 10))
    while len(members) > 1:
        without = [(gram.fitted(stem, [m for m in members if m != one])[1], one) for one in members]
        left, least = min(without)
        if left > allowed:
            break
        members.remove(least)
    return members


def _gain(gram: Gram, stem: int, members: list[int], member: int) -> float:
    """The gain of a member in a sum, all channels together."""
    gains, _ = gram.fitted(stem, members)
    first = sum(len(gram.rows[one]) for one in members[: members.index(member)])
    return float(gains[first : first + len(gram.rows[member])].sum())


def _gain_db(gains: Floats) -> float:
    """The level of the loudest channel."""
    return 20 * math.log10(max(1e-10, float(np.sqrt(np.square(gains).sum(0).max()))))
