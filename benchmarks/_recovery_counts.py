"""How much of known consoles comes back: parts found, missed and invented, and errors of settings, each with
its type and with whose it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from _calibration import Case
from _truth_parts import Part, Parts, all_parts, places, rated_inserts
from _truth_scores import Score
from _truth_ways import equalizers

from mix2daw.graph import Graph

KNOBS = {  # in the order of tables: name → digits
    "fader dB": 2,
    "level dB": 2,
    "pan": 3,
    "EQ curve dB": 2,
    "gain reduction dB": 2,
    "send dB": 2,
    "decay %": 0,
}


@dataclass(frozen=True)
class Tally:
    """Parts that the truth and the recovery have, `false` ones that only the recovery has, and `missed` ones
    that only the truth has; `audible`: those of the truth that are heard, of which `unheard` are missed."""

    true: int = 0
    false: int = 0
    missed: int = 0
    audible: int = 0
    unheard: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.true + other.true,
            self.false + other.false,
            self.missed + other.missed,
            self.audible + other.audible,
            self.unheard + other.unheard,
        )

    @property
    def precision(self) -> float | None:
        """The share of what was recovered that is in the truth; None for nothing."""
        return self.true / (self.true + self.false) if self.true + self.false else None

    @property
    def recall(self) -> float | None:
        """The share of the truth that was recovered."""
        return self.true / (self.true + self.missed) if self.true + self.missed else None

    @property
    def audible_recall(self) -> float | None:
        """The share that was recovered of what is heard of the truth."""
        return 1 - self.unheard / self.audible if self.audible else None

    @property
    def f1(self) -> float | None:
        """The harmonic mean of precision and recall."""
        some = 2 * self.true + self.false + self.missed
        return 2 * self.true / some if some else None


def tallies(truth: Graph, audible: Parts, recovered: Graph) -> dict[Part, Tally]:
    """Of every part that either console has. Of two devices of one type at one place each needs a
    counterpart; a convolution is a reverb, and a group of one track is its track."""
    wanted, found = all_parts(truth), all_parts(recovered)
    return {
        part: Tally(
            true=min(wanted[part], found[part]),
            false=max(0, found[part] - wanted[part]),
            missed=max(0, wanted[part] - found[part]),
            audible=audible[part],
            unheard=max(0, audible[part] - found[part]),
        )
        for part in sorted(wanted | found)
    }


def rated_cases(song: str, truth: Graph, recovered: Graph) -> list[Case]:
    """Every recovered insert that has a confidence. Of two alike at a place where the truth has
    one, the surer one is true."""
    left = Counter(all_parts(truth))
    cases = []
    for part, confidence in sorted(rated_inserts(recovered), key=lambda rated: -rated[1]):
        cases.append(Case(song, confidence, left[part] > 0))
        left[part] -= 1
    return cases


@dataclass(frozen=True)
class SongScore:
    """One song. `whose`: of every place (`places`); `turned`: the tracks on whose way either console has an
    equalizer; `cases`: for the calibration."""

    song: str
    score: Score
    tallies: Mapping[Part, Tally]
    whose: Mapping[str, str]
    turned: frozenset[str]
    cases: Sequence[Case]


def song_score(
    song: str, truth: Graph, audible: Parts, recovered: Graph, score: Score, instruments: Mapping[str, str]
) -> SongScore:
    """Of two consoles that `score` compares; `instruments`: by the names of tracks."""
    turned = (
        strip.name
        for strip in truth.of_kind("track")
        if equalizers(truth, strip.name) or equalizers(recovered, strip.name)
    )
    return SongScore(
        song,
        score,
        tallies(truth, audible, recovered),
        {**places(recovered, instruments), **places(truth, instruments)},
        frozenset(turned),
        rated_cases(song, truth, recovered),
    )


def kind_of(part: Part) -> str:
    """The type of a part, as tables name it: a return by its effect."""
    return f"return: {part.place}" if part.type == "return" else part.type


def summed(songs: Iterable[SongScore], key: Callable[[SongScore, Part], str]) -> dict[str, Tally]:
    """Tallies of parts that `key` gives one name, sorted by it."""
    sums: dict[str, Tally] = {}
    for song in songs:
        for part, tally in song.tallies.items():
            name = key(song, part)
            sums[name] = sums.get(name, Tally()) + tally
    return dict(sorted(sums.items()))


def whose(song: SongScore, part: Part) -> str:
    """The instrument that a part belongs to, "several", "master" or "returns"."""
    return song.whose[part.place]


def knob_errors(song: SongScore) -> list[tuple[str, str, float]]:
    """Every error of a setting, without its sign: which (of `KNOBS`), whose, how much. Equalizers: tracks
    with one on their way in either console; gain reduction: places where either has a compressor; sends that
    both have."""
    errors = []
    for name, track in song.score.tracks.items():
        mine = song.whose[name]
        errors += [("fader dB", mine, track.fader_db), ("level dB", mine, track.level_db)]
        errors.append(("pan", mine, track.pan))
        if name in song.turned:
            errors.append(("EQ curve dB", mine, track.equalizer_db))
    reductions = song.score.reduction_db.items()
    errors += [("gain reduction dB", song.whose[where], error_db) for where, error_db in reductions]
    sends = song.score.send_db.items()
    errors += [("send dB", song.whose[part.rpartition(": ")[0]], error_db) for part, error_db in sends]
    if song.score.decay_percent is not None:
        errors.append(("decay %", "returns", song.score.decay_percent))
    return [(knob, mine, abs(error)) for knob, mine, error in errors]
