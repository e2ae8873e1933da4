"""The search from a session to a small graph, stage by stage."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from mix2daw.console import build_console, preset
from mix2daw.controls import SETTINGS, Controls, Key, params_of
from mix2daw.errors import FormatError
from mix2daw.graph import Graph
from mix2daw.loss import published_la
from mix2daw.play import play
from mix2daw.progress import Progress
from mix2daw.search.equalizer_match import rematch
from mix2daw.search.excerpts import scoring_excerpts, training_excerpts
from mix2daw.search.fit import Fit, Loss
from mix2daw.search.judge import Judge
from mix2daw.search.least_squares import power_spectrum
from mix2daw.search.prune import brute_force_round, dry_wet_round
from mix2daw.search.settings import Settings
from mix2daw.search.simplify import drop_bands, drop_resting, fold_faders, fold_wet, resting_bands, rounded
from mix2daw.search.warm_start import CURVE_SIZE, warm_start
from mix2daw.session import Session

FIRST_STEPS, CONSOLE_STEPS, ROUND_STEPS, FINAL_STEPS = 60, 40, 16, 40
FILTER_STEPS, DRY_WET_ROUNDS = 24, 3
FIRST_RATE, CONSOLE_RATE, REFIT_RATE, FINAL_RATE = 3.0, 1.5, 1.0, 0.6
SPARSITY = 1e-4
SLOPES = ("high_pass_slope_db", "low_pass_slope_db")
BAND_TRIALS_DB = (0.6, 0.3, 0.1)


@dataclass(frozen=True)
class Found:
    """The outcome of a search. Device counts are per type; a fader or pan at rest does not count.
    `interrupted`: stopped by the user, the graph is the best so far; `out_of_time`: stages were cut short by
    the budget."""

    graph: Graph
    la_console: float
    devices_before: dict[str, int]
    devices_after: dict[str, int]
    seconds: dict[str, float]
    interrupted: bool
    out_of_time: bool


def count_devices(graph: Graph) -> dict[str, int]:
    """Devices, sends, and faders and pans that are not at rest, per type."""
    counts: Counter[str] = Counter()
    for key in Controls(graph).all_keys():
        if key.type in SETTINGS:
            strip = graph.strip(key.strip)
            value = strip.fader_db if key.type == "fader" else strip.pan
            if value == params_of(key.type)[0].rest:
                continue
        counts[key.type] += 1
    return dict(sorted(counts.items()))


@dataclass
class _Search:
    session: Session
    settings: Settings
    progress: Progress
    sources: dict[str, Tensor]
    target: Tensor
    graph: Graph
    controls: Controls
    started: float = field(default_factory=time.monotonic)
    seconds: dict[str, float] = field(default_factory=dict)
    checkpoints: list[tuple[Graph, float]] = field(default_factory=list)
    la_console: float = float("nan")
    floor: float = float("inf")
    out_of_time: bool = False

    def __post_init__(self) -> None:
        rate = self.session.sample_rate
        self.training = training_excerpts(self.sources, self.target, rate)
        self.scoring = scoring_excerpts(self.sources, self.target, rate)
        self.generator = random.Random(self.settings.seed)
        self.console = self.graph

    @contextmanager
    def stage(self, name: str, steps: int) -> Iterator[None]:
        begun = time.monotonic()
        self.progress.stage(name, steps)
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - begun

    def late(self, share: float = 1.0) -> bool:
        """Whether that share of the budget is spent; remembered, since it makes the result depend on the
        machine."""
        budget = self.settings.budget_s
        late = budget is not None and time.monotonic() - self.started > share * budget
        self.out_of_time |= late
        return late

    def adopt(self, graph: Graph) -> None:
        self.graph, self.controls = graph, Controls(graph)

    def la(self, graph: Graph) -> float:
        """The published La of the whole song."""
        with torch.no_grad():
            mix = play(graph, Controls(graph), self.sources).out[graph.master.name]
        return published_la(mix, self.target, self.session.sample_rate)["full"]

    def checkpoint(self) -> float:
        """Remember the graph as it is, with the La of the whole song."""
        la = self.la(self.graph)
        self.checkpoints.append((self.graph, la))
        return la

    def fit(
        self,
        steps: int,
        rate: float,
        share: float,
        hold: frozenset[Key] = frozenset(),
        sparsity: float = 0.0,
        still: Collection[tuple[Key, str]] = (),
    ) -> None:
        recent: list[float] = []

        def after(_index: int, loss: Loss) -> bool:
            recent.append(loss.la)
            mean = sum(recent[-4:]) / len(recent[-4:])
            self.progress.step(f"La {mean:.3f}, waveform {loss.error:.3f}")
            return self.late(share)

        try:
            Fit(self.graph, self.controls, self.training, hold, sparsity, still).run(steps, rate, after)
        finally:
            self.adopt(self.controls.to_graph())

    def heard(self, judge: Judge) -> None:
        self.progress.step(f"La {judge.score:.3f}, {len(judge.candidates())} devices left")

    def prune(self, brute: bool, share: float) -> None:
        judge = Judge(self.graph, self.controls, self.scoring)
        self.floor = min(self.floor, judge.score)

        def limit() -> float:
            self.floor = min(self.floor, judge.score)
            return float("-inf") if self.late(share) else self.floor + self.settings.tolerance

        with self.stage("prune", len(judge.candidates())):
            if brute:
                tolerance = self.settings.tolerance
                brute_force_round(judge, limit, tolerance, self.generator, self.heard)
            else:
                dry_wet_round(judge, limit, self.heard)
            self.adopt(fold_faders(judge.shrunk()))

    def find_filters(self) -> None:
        """High-pass and low-pass filters in place of deep shelves, if a short fit finds them as good."""
        fitted = {
            (strip.name, index): device
            for strip in self.graph.of_kind("track")
            for index, device in enumerate(strip.devices)
            if device.type == "equalizer"
        }
        if not fitted:
            return
        spectra = torch.stack([power_spectrum(self.sources[name], CURVE_SIZE) for name, _ in fitted])
        again = rematch([d.values for d in fitted.values()], spectra, self.session.sample_rate)
        before, score = self.graph, Judge(self.graph, self.controls, self.scoring).score
        graph = before
        for (name, index), values in zip(fitted, again, strict=True):
            if any(values[slope] != fitted[name, index].values[slope] for slope in SLOPES):
                strip = graph.strip(name)
                devices = list(strip.devices)
                devices[index] = devices[index].model_copy(update={"values": values})
                graph = graph.replace(strip.model_copy(update={"devices": tuple(devices)}))
        if graph is before:
            return
        self.adopt(graph)
        self.fit(FILTER_STEPS, REFIT_RATE, 0.6)
        if Judge(self.graph, self.controls, self.scoring).score > score + self.settings.tolerance / 2:
            self.adopt(before)

    def simplify(self) -> None:
        """Drop small bands and inaudible filters, as long as the score hardly moves."""
        now = Judge(self.graph, self.controls, self.scoring).score
        for below_db in BAND_TRIALS_DB:
            tidy = drop_resting(drop_bands(self.graph, below_db))
            score = Judge(tidy, Controls(tidy), self.scoring).score
            self.progress.step(f"La {score:.3f}")
            if score <= now + self.settings.tolerance / 4:
                self.adopt(tidy)
                return

    def round_off(self) -> None:
        """Settings as a person would make them, with as many digits as the sound needs."""
        exact = self.graph
        now = Judge(exact, self.controls, self.scoring).score
        for finer in (0, 1, 2):
            tidy = drop_resting(rounded(exact, finer))
            score = Judge(tidy, Controls(tidy), self.scoring).score
            if score <= now + self.settings.tolerance / 4:
                self.adopt(tidy)
                return

    def best(self) -> Graph:
        """The smallest graph that keeps the promise La ≤ La of the console + tolerance."""
        allowed = self.la_console + self.settings.tolerance
        good = [graph for graph, la in self.checkpoints if la <= allowed]
        return good[-1] if good else min(self.checkpoints, key=lambda pair: pair[1])[0]

    def run(self) -> None:
        with self.stage("warm start", 1):
            warm_start(self.graph, self.controls, self.sources, self.target, self.progress)
            self.adopt(self.controls.to_graph())
            self.la_console = self.checkpoint()
        with self.stage("first fit", FIRST_STEPS):
            self.fit(FIRST_STEPS, FIRST_RATE, 0.35, self.late_starters())
        with self.stage("console fit", CONSOLE_STEPS):
            self.fit(CONSOLE_STEPS, CONSOLE_RATE, 0.5)
            self.la_console, self.console = self.checkpoint(), self.graph
        with self.stage("filters", FILTER_STEPS):
            self.find_filters()
        for _ in range(DRY_WET_ROUNDS):
            with self.stage("weigh", ROUND_STEPS):
                self.fit(ROUND_STEPS, REFIT_RATE, 0.8, sparsity=SPARSITY)
            self.prune(brute=False, share=0.8)
        with self.stage("refit", FINAL_STEPS):
            self.adopt(fold_wet(self.graph))
            self.fit(FINAL_STEPS, REFIT_RATE, 0.85)
            self.checkpoint()
        self.prune(brute=True, share=0.92)
        with self.stage("simplify", len(BAND_TRIALS_DB)):
            self.simplify()
        with self.stage("final fit", FINAL_STEPS):
            self.fit(FINAL_STEPS, FINAL_RATE, 0.97, still=resting_bands(self.graph))
            self.checkpoint()
            self.round_off()
            self.checkpoint()

    def late_starters(self) -> frozenset[Key]:
        """Devices that only repeat what the tracks' devices can do, until those have settled."""
        kinds = {strip.name: strip.kind for strip in self.graph.strips}
        return frozenset(
            key
            for key in self.controls.all_keys()
            if kinds[key.strip] in ("group", "master") and key.type in ("equalizer", "fader", "pan", "width")
        )

    def with_confidence(self, graph: Graph) -> Graph:
        """Every device with what La would lose without it."""
        judge = Judge(graph, Controls(graph), self.scoring)
        rise: dict[tuple[str, int], float] = {}
        for key in judge.candidates():
            if key.type not in (*SETTINGS, "send"):
                rise[key.strip, int(key.which)] = judge.without([key]).score - judge.score
                self.progress.step()
        strips = []
        for strip in graph.strips:
            devices = [
                device.model_copy(update={"confidence": round(rise[strip.name, index], 4)})
                if (strip.name, index) in rise
                else device
                for index, device in enumerate(strip.all_devices())
            ]
            split = len(strip.devices)
            strips.append(
                strip.model_copy(
                    update={"devices": tuple(devices[:split]), "post_devices": tuple(devices[split:])}
                )
            )
        return graph.replace(*strips)


def search(session: Session, folder: Path, settings: Settings, progress: Progress) -> Found:
    """Recover the graph of a session. Sources in the graph are relative to `folder`.

    Ctrl-C ends the search early with the best graph so far. The same session, settings and seed give the
    same graph, unless the budget runs out (`Found.out_of_time`).
    """
    if settings.device == "cuda":
        raise FormatError("--device cuda", "the search runs on the CPU in this version", "use cpu or auto")
    chosen = preset(settings.preset, settings.processors)
    graph = build_console(session, chosen, folder)
    sources = {track.name: torch.from_numpy(track.signal) for track in session.tracks}
    target = torch.from_numpy(session.mix)
    state = _Search(session, settings, progress, sources, target, graph, Controls(graph))
    interrupted = False
    try:
        state.run()
    except KeyboardInterrupt:
        interrupted = True
        progress.say("stopped: going on with the best graph so far")
        state.checkpoint()
    found = state.best()
    if not interrupted and not state.late():
        with state.stage("confidence", sum(1 for _ in found.devices())):
            found = state.with_confidence(found)
    return Found(
        graph=found,
        la_console=state.la_console,
        devices_before=count_devices(state.console),
        devices_after=count_devices(found),
        seconds={name: round(s, 2) for name, s in state.seconds.items()},
        interrupted=interrupted,
        out_of_time=state.out_of_time,
    )
