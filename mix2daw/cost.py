"""What a recovery is likely to take: seconds of every stage, and memory, from the size of the song.

The work of a stage grows with what it plays and how much of it: a fit plays every device of the console on a
few excerpts, an analysis all channels of the stretches that are listened to, a trial of pruning one strip,
and what is written or drawn is as long as the song. A stage takes

    seconds = Σ slope × work × sample rate / 44100

over its kinds of work. `SECONDS` was fitted to songs that `benchmarks/cost.md` lists, recovered on two cores
with four sessions and a report; it also says how far the model is off, and checks it on others. Another
machine is faster or slower throughout, which a run corrects by its own pace (`eta`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from mix2daw.eta import Cost
from mix2daw.graph import Graph
from mix2daw.search.effort import FULL, QUICK
from mix2daw.search.excerpts import (
    FIRST_TRAIN_S,
    LISTENED_CHANNEL_S,
    LISTENED_LEAST_S,
    LISTENED_S,
    PRE_ROLL_S,
    STRETCH_S,
    scored_parts,
    trained_s,
)
from mix2daw.search.settings import Settings
from mix2daw.spool import ROOM_BYTES

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
        parts = scored_parts(self.seconds, self.channels)
        return self.seconds if parts is None else min(self.seconds, parts[0] * (PRE_ROLL_S + parts[1]))

    @property
    def tried_s(self) -> float:
        """What a trial of pruning is scored by."""
        if scored_parts(self.seconds, self.channels) is not None:
            return self.scored_s
        return min(self.scored_s, FULL.tried_stretches * (PRE_ROLL_S + STRETCH_S))

    def fitted_s(self, train_s: float) -> float:
        """What one step of a fit plays."""
        return min(self.seconds, trained_s(train_s, self.channels) + PRE_ROLL_S)


# Kinds of work: how much of the song (seconds) is played how often (devices, channels).
WORK: dict[str, Callable[[Size], float]] = {
    "fixed": lambda _: 1.0,
    "first fit": lambda size: (size.inserts + size.strips) * size.fitted_s(FIRST_TRAIN_S),
    "fit": lambda size: (size.inserts + size.strips) * size.fitted_s(FULL.excerpt_s),
    "analysis": lambda size: size.channels * size.listened_s,
    "trials": lambda size: (size.inserts + size.sends + size.strips) * size.tried_s,
    "scores": lambda size: (size.inserts + size.strips) * size.scored_s,
    "song": lambda size: size.seconds,
    "stems": lambda size: size.channels * size.seconds,
    "kept": lambda size: min(size.channels * size.seconds, ROOM_BYTES / (4 * size.sample_rate)),
}


# Seconds per unit of each kind of work, as `benchmarks/cost.py --fit` prints them; the final fit, which has
# become longer since, by what it took of three songs.
SECONDS: dict[str, dict[str, float]] = {
    "Reading": {"fixed": 0.662, "stems": 0.02},
    "warm start": {"fixed": 1.91, "analysis": 0.00219, "stems": 0.00339},
    "first fit": {"first fit": 0.0254},
    "space": {"fixed": 7.58},
    "console fit": {"fixed": 2.31, "fit": 0.0252, "trials": 0.00317},
    "space again": {"fixed": 1.53, "stems": 0.00114},
    "prune": {"trials": 0.00482},
    "refit": {"fit": 0.00758, "trials": 0.00673, "stems": 0.000445},
    "prune again": {"trials": 0.00309},
    "simplify": {"scores": 0.000261},
    "rounding": {"scores": 0.000261},
    "final fit": {"fit": 0.016, "trials": 0.0012, "stems": 0.00485},
    "confidence": {"scores": 0.00116},
    "Rendering": {"stems": 0.00205, "song": 0.0114},
    "Comparing": {"song": 0.0187},
    "Writing sessions": {"stems": 0.00402, "song": 0.0402},
    "Report": {"fixed": 2.34, "stems": 0.00428, "song": 0.0833},
}
MEMORY_MIB: dict[str, float] = {"fixed": 829.0, "scores": 0.529, "song": 9.4, "kept": 0.0736}
AGAIN = " again"
FITTED_FORMATS = 4
BEFORE = ("warm start", "first fit", "space", "console fit", "space again")
BEFORE_GIVEN = ("start", "console fit", "space again")  # where a graph is the console
AFTER = ("simplify", "final fit")
PRUNING: dict[str, tuple[str, ...]] = {
    "saliency": ("prune", "refit", "prune again"),
    "hybrid": (*("weigh", "prune") * WEIGHED_ROUNDS, "refit", "prune again"),
    "brute-force": ("refit", "prune"),
    "dry-wet": (*("weigh", "prune") * WEIGHED_ROUNDS, "refit"),
}
WEIGHING = FULL.weigh / FULL.console  # steps of a weighing against those of the console's fit
FITS = ("first fit", "fit")
SHORTER = (QUICK.excerpt_s + PRE_ROLL_S) / (FULL.excerpt_s + PRE_ROLL_S)
QUICK_SHARE = {  # of what each fit plays
    "first fit": QUICK.first / FULL.first,
    "console fit": QUICK.console / FULL.console * SHORTER,
    "refit": QUICK.refit / FULL.refit * SHORTER,
    "final fit": QUICK.final / FULL.final * SHORTER,
}


def expected(
    size: Size, settings: Settings, formats: int, report: bool, given: bool = False
) -> tuple[Cost, ...]:
    """The stages of a recovery in order, the reading first, and their seconds; `given`: of one that goes on
    from a graph. A budget cuts the search down in proportion."""
    before = BEFORE_GIVEN if given else BEFORE
    skipped = {f"prune{AGAIN}"} if settings.quick and settings.strategy == "saliency" else set()
    search = [
        Cost(stage.removesuffix(AGAIN), stage_s(stage, size, settings.quick))
        for stage in (*before, *_after_console(settings.strategy), "confidence")
        if stage not in skipped
    ]
    whole_s = sum(cost.seconds for cost in search)
    if settings.budget_s is not None and settings.budget_s < whole_s:
        search = [replace(cost, seconds=cost.seconds * settings.budget_s / whole_s) for cost in search]
    written = [Cost(stage, stage_s(stage, size)) for stage in ("Rendering", "Comparing")]
    written.append(Cost("Writing sessions", stage_s("Writing sessions", size) * formats / FITTED_FORMATS))
    if report:
        written.append(Cost("Report", stage_s("Report", size)))
    return (Cost("Reading", stage_s("Reading", size)), *search, *written)


def _after_console(strategy: str) -> tuple[str, ...]:
    """What follows the fit of the console, which is rounded at once where nothing is pruned."""
    return ("rounding",) if strategy == "none" else (*PRUNING[strategy], *AFTER)


def stage_s(stage: str, size: Size, quick: bool = False) -> float:
    """What a stage takes; one that comes a second time has a cost of its own, by its name and `AGAIN`.
    `quick`: with fewer steps, and without trying out settings between them."""
    if stage == "weigh":
        return WEIGHING * stage_s("console fit", size, quick)
    # A given graph is listened to as a warm start does, and nothing is set.
    kinds = dict(SECONDS["warm start" if stage == "start" else stage])
    if stage == "start":
        kinds.pop("fixed")
    if quick and stage in QUICK_SHARE:
        kinds.pop("trials", None)
        kinds |= {kind: QUICK_SHARE[stage] * kinds[kind] for kind in FITS if kind in kinds}
    seconds = sum(slope * WORK[kind](size) for kind, slope in kinds.items())
    return seconds * size.sample_rate / 44100


def memory_mib(size: Size) -> float:
    """The most memory that a recovery is likely to hold, in MiB."""
    at_rate = size.sample_rate / 44100
    return sum(
        slope * WORK[kind](size) * (1 if kind == "fixed" else at_rate) for kind, slope in MEMORY_MIB.items()
    )
