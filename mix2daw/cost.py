"""What a recovery is likely to take: seconds of every stage, and memory, from the size of the song.

The work of a stage grows with what it plays and how much of it: a fit plays every device of the console on a
few excerpts, an analysis all channels of the stretches that are listened to, a trial of pruning one strip,
and what is written or drawn is as long as the song. Each stage has a fixed part and one in proportion to its
work, at 44.1 kHz:

    seconds = (fixed + slope × work) × sample rate / 44100

`SECONDS` was fitted to the recoveries of `benchmarks/cost.md`, on two cores and with four sessions and a
report; that table also says how far the model is off. Another machine is faster or slower throughout, which a
run corrects by its own pace (`eta`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from mix2daw.eta import Cost
from mix2daw.graph import Graph
from mix2daw.search.excerpts import (
    FIRST_TRAIN_S,
    LISTENED_CHANNEL_S,
    LISTENED_LEAST_S,
    LISTENED_S,
    PRE_ROLL_S,
    STRETCH_S,
    TRAIN_S,
    TRIED_STRETCHES,
    WHOLE_SONG_S,
)
from mix2daw.search.settings import Settings

SCORED_LONG_S = 37.6  # of a song that is longer than WHOLE_SONG_S: four excerpts with their pre-roll
WEIGHED_ROUNDS = 3


@dataclass(frozen=True)
class Size:
    """What a cost depends on: the length of the song in seconds, its rate, channels of all tracks together,
    and strips, inserts and sends of the full console."""

    seconds: float
    sample_rate: int
    channels: int
    strips: int
    inserts: int
    sends: int

    @classmethod
    def of(cls, console: Graph) -> Size:
        """Of the song of a full console."""
        return cls(
            seconds=console.length_samples / console.sample_rate,
            sample_rate=console.sample_rate,
            channels=sum(strip.channels for strip in console.of_kind("track")),
            strips=len(console.strips),
            inserts=sum(1 for _ in console.devices()),
            sends=sum(len(strip.sends) for strip in console.strips),
        )

    @property
    def listened_s(self) -> float:
        """What an analysis hears (`excerpts.listening_starts`)."""
        return min(self.seconds, LISTENED_S, max(LISTENED_LEAST_S, LISTENED_CHANNEL_S / self.channels))

    @property
    def scored_s(self) -> float:
        """What a graph is scored by."""
        return self.seconds if self.seconds <= WHOLE_SONG_S else SCORED_LONG_S

    @property
    def tried_s(self) -> float:
        """What a trial of pruning is scored by."""
        return min(self.scored_s, TRIED_STRETCHES * (PRE_ROLL_S + STRETCH_S))

    def fitted_s(self, train_s: float) -> float:
        """What one step of a fit plays."""
        return min(self.seconds, train_s + PRE_ROLL_S)


# Kinds of work: how much of the song (seconds) is played how often (devices, channels).
WORK: dict[str, Callable[[Size], float]] = {
    "first fit": lambda size: (size.inserts + size.strips) * size.fitted_s(FIRST_TRAIN_S),
    "fit": lambda size: (size.inserts + size.strips) * size.fitted_s(TRAIN_S),
    "analysis": lambda size: size.channels * size.listened_s,
    "trials": lambda size: (size.inserts + size.sends + size.strips) * size.tried_s,
    "scores": lambda size: (size.inserts + size.strips) * size.scored_s,
    "song": lambda size: size.seconds,
    "stems": lambda size: size.channels * size.seconds,
}


@dataclass(frozen=True)
class Rate:
    """Of a stage: its kind of work, its fixed seconds, and its seconds per unit of work."""

    work: str
    fixed_s: float
    slope: float

    def seconds(self, size: Size) -> float:
        """What the stage takes for a song of that size."""
        return (self.fixed_s + self.slope * WORK[self.work](size)) * size.sample_rate / 44100


SECONDS: dict[str, Rate] = {
    "Reading": Rate("stems", 0.77, 0.00346),
    "warm start": Rate("analysis", 3.29, 0.00956),
    "first fit": Rate("first fit", 0.0, 0.03872),
    "space": Rate("analysis", 7.57, 0.0),
    "console fit": Rate("fit", 6.29, 0.03821),
    "space again": Rate("analysis", 0.53, 0.00683),
    "prune": Rate("trials", 0.57, 0.0068),
    "refit": Rate("fit", 0.0, 0.03608),
    "prune again": Rate("trials", 0.0, 0.00416),
    "simplify": Rate("scores", 0.2, 0.00009),
    "final fit": Rate("fit", 0.0, 0.02015),
    "confidence": Rate("scores", 0.0, 0.00097),
    "Rendering": Rate("stems", 0.0, 0.00393),
    "Comparing": Rate("song", 0.0, 0.02354),
    "Writing sessions": Rate("stems", 0.05, 0.00811),
    "Report": Rate("stems", 3.74, 0.00802),
}
FITTED_FORMATS = 4
BEFORE = ("warm start", "first fit", "space", "console fit", "space again")
AFTER = ("simplify", "final fit", "confidence")
PRUNING: dict[str, tuple[str, ...]] = {
    "saliency": ("prune", "refit", "prune again"),
    "hybrid": (*("weigh", "prune") * WEIGHED_ROUNDS, "refit", "prune again"),
    "brute-force": ("refit", "prune"),
    "dry-wet": (*("weigh", "prune") * WEIGHED_ROUNDS, "refit"),
}
WEIGHING = 16 / 52  # steps of a weighing against those of the console's fit


def expected(size: Size, settings: Settings, formats: int, report: bool) -> tuple[Cost, ...]:
    """The stages of a recovery in order, the reading first, and their seconds. A budget cuts the search down
    in proportion."""
    search = [
        Cost(stage.removesuffix(" again"), _seconds(stage, size))
        for stage in (*BEFORE, *PRUNING[settings.strategy], *AFTER)
    ]
    whole_s = sum(cost.seconds for cost in search)
    if settings.budget_s is not None and settings.budget_s < whole_s:
        search = [replace(cost, seconds=cost.seconds * settings.budget_s / whole_s) for cost in search]
    written_s = SECONDS["Writing sessions"].seconds(size) * formats / FITTED_FORMATS
    written = [Cost(stage, SECONDS[stage].seconds(size)) for stage in ("Rendering", "Comparing")]
    written.append(Cost("Writing sessions", written_s))
    if report:
        written.append(Cost("Report", SECONDS["Report"].seconds(size)))
    return (Cost("Reading", SECONDS["Reading"].seconds(size)), *search, *written)


def _seconds(stage: str, size: Size) -> float:
    if stage == "weigh":
        return WEIGHING * SECONDS["console fit"].seconds(size)
    return SECONDS[stage].seconds(size)


def memory_mib(size: Size) -> float:
    """The most memory that a recovery is likely to hold, in MiB."""
    return 900 + size.channels * size.seconds
