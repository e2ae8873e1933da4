"""Where a search stands: the graph and its controls, what it is judged by, and the way back."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from mix2daw.controls import Controls, Key
from mix2daw.dsp.memory import MUCH_BYTES, freed_memory_not_kept, hand_back_freed_memory
from mix2daw.graph import Graph, Strip
from mix2daw.loss import published_la
from mix2daw.mixdown import mix_down
from mix2daw.progress import Progress
from mix2daw.search.engine import engine
from mix2daw.search.excerpts import (
    ScoringExcerpt,
    TrainingExcerpt,
    joined,
    listening_starts,
    scoring_excerpts,
    training_excerpts,
    trial_excerpts,
)
from mix2daw.search.fit import Fit, Loss
from mix2daw.search.judge import Judge
from mix2daw.search.lock import Lock
from mix2daw.search.promise import Checkpoints, Rise
from mix2daw.search.settings import Settings
from mix2daw.search.sources import Sources
from mix2daw.session import Session

SCORES_KEPT = 3
# Share of La by which a fit must fall from so many steps (every excerpt has as many) to the next.
PLATEAU, PLATEAU_STEPS = 0.005, 8


def on_plateau(losses: Sequence[float]) -> bool:
    """Whether the last losses are hardly below those before them. The first ones, in which the optimiser
    takes up speed, do not count."""
    now, before = losses[-PLATEAU_STEPS:], losses[-2 * PLATEAU_STEPS : -PLATEAU_STEPS]
    return len(losses) >= 3 * PLATEAU_STEPS and sum(now) > (1 - PLATEAU) * sum(before)


class State:
    """One search on its way. `graph` and `controls` always belong together and can be rendered.

    `full` is the console before the search; `lock` what of it is left alone; `standing` the groups (or the
    master) whose faders were up in it, and stay; `impulses` the impulse responses of all graphs so far, by
    path.
    `fitted` is the full console when pruning began; `descends` whether fits bring anything.
    `sources` and `target` are on the CPU, where the warm start measures them; `played`, the excerpts and the
    controls are on `device`.
    `la_console` is the La of the fitted full console on the whole song, `la_start` that of the warm start,
    `linear_ceiling` the share of the mix that a linear console can explain, `agreement` that share per
    frequency, once it is measured, and `shifting` the tracks whose phases do not agree with the mix;
    `descent` the La of every step of all fits, `refused` how many more there were that moved nothing, since
    no finite number came of them; `trace` every step of the search: its stage, La, and how many devices were
    left where that changes. `rises` are how far the score may rise by pruning, on the excerpts of trials and
    on those that everything else is judged by; `checkpoints` the graphs to fall back on.
    """

    def __init__(
        self,
        session: Session,
        graph: Graph,
        settings: Settings,
        progress: Progress,
        lock: Lock | None = None,
        impulses: Mapping[str, Tensor] | None = None,
    ) -> None:
        self.settings, self.progress, self.lock = settings, progress, lock or Lock()
        self.sample_rate = session.sample_rate
        self.sources = Sources(session, torch.device("cpu"))
        self.target = torch.from_numpy(session.mix)
        self.device = engine(settings.device)
        self.played = Sources(session, self.device)
        target = self.target.to(self.device)
        effort = settings.effort
        self.training = training_excerpts(self.played, target, self.sample_rate, effort.excerpt_s)
        self.scoring = scoring_excerpts(self.played, target, self.sample_rate)
        self.tried = trial_excerpts(
            self.played, target, self.sample_rate, self.scoring, effort.tried_stretches
        )
        self.generator = random.Random(settings.seed)
        self.agreement: Tensor | None = None
        self.shifting: list[str] = []
        self.impulses: dict[str, Tensor] = dict(impulses or {})
        self.full = self.graph = self.fitted = graph
        self.descends = True
        self.standing = frozenset(
            strip.name for strip in graph.strips if strip.kind in ("group", "master") and strip.fader_db != 0
        )
        self._scores: list[tuple[Graph, float]] = []
        self.adopt(graph)
        nothing = Rise(-math.inf, settings.tolerance)  # until pruning may begin
        self.rises = nothing, nothing
        self.la_start = self.la_console = self.linear_ceiling = float("nan")
        self.descent: list[float] = []
        self.refused = 0
        self.trace: list[tuple[str, float, int | None]] = []
        self.checkpoints = Checkpoints()
        self.seconds: dict[str, float] = {}
        self._stage = ""
        self.started, self.out_of_time = time.monotonic(), False

    @contextmanager
    def stage(self, name: str, steps: int) -> Iterator[None]:
        """A stage of that many steps, its seconds added to those of the same name."""
        begun = time.monotonic()
        self._stage = name
        self.progress.stage(name, steps)
        try:
            yield
        finally:
            hand_back_freed_memory(MUCH_BYTES)
            self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - begun

    def late(self, share: float = 1.0) -> bool:
        """Whether that share of the budget is spent; remembered, since it makes the result depend on the
        machine."""
        budget = self.settings.budget_s
        late = budget is not None and time.monotonic() - self.started > share * budget
        self.out_of_time |= late
        return late

    def record(self, la: float, devices: int | None = None) -> None:
        """Note a step of the current stage."""
        self.trace.append((self._stage, la, devices))
        self.progress.stands(la, devices)

    def trust(self, agreement: Tensor) -> None:
        """Listen to the waveform as far as phases agree: a share per frequency, `(bins,)`."""
        self.agreement = agreement
        self.training = [excerpt.trusting(agreement) for excerpt in self.training]

    def adopt(self, graph: Graph) -> None:
        """Go on from a graph, with what is locked as it was. One with a setting that is no finite number is
        not taken: things stay as they were."""
        if graph.is_finite:
            self.graph = self.lock.held(graph, self.graph)
        else:
            self.progress.say(f"{self._stage}: came to settings that are no numbers; they stay as they were")
        self.controls = Controls(self.graph, self.impulses, self.device)

    def score(self, graph: Graph | None = None) -> float:
        """What a judge says of the current graph, or of another one; the last few answers are remembered."""
        graph = graph or self.graph
        known = next((score for other, score in self._scores if other == graph), None)
        if known is None:
            known = self.judge(graph).score
            self._scores = [*self._scores[-SCORES_KEPT:], (graph, known)]
        return known

    def judge(self, graph: Graph | None = None) -> Judge:
        """A judge of the current graph, or of another one."""
        controls = Controls(graph, self.impulses, self.device) if graph else self.controls
        return self._judge(graph or self.graph, controls, self.scoring)

    def trial_judge(self) -> Judge:
        """A judge of the current graph that is made for many trials: it hears less of the song."""
        return self._judge(self.graph, self.controls, self.tried)

    def _judge(self, graph: Graph, controls: Controls, excerpts: Sequence[ScoringExcerpt]) -> Judge:
        return Judge(
            graph,
            controls,
            excerpts,
            spared=self.lock.kept_keys(controls),
            fixed_faders=self.lock.fixed_strips("fader"),
        )

    def allow_rise(self) -> None:
        """Pruning may begin: its measure is the console as it is now."""
        tolerance = self.settings.tolerance
        self.rises = Rise(self.trial_judge().score, tolerance), Rise(self.score(), tolerance)

    def listened(self) -> tuple[dict[str, Tensor], Tensor]:
        """Sources and target of the stretches that are analysed as a whole, joined."""
        starts, size = listening_starts(self.sources, self.target.shape[1], self.sample_rate)
        sources = {name: joined(source, starts, size) for name, source in self.sources.items()}
        return sources, joined(self.target, starts, size)

    def keep_impulse(self, name: str, impulse: Tensor) -> str:
        """Keep an impulse response (2, taps); returns the path by which graphs refer to it."""
        path = f"{name}#{len(self.impulses)}"
        self.impulses[path] = impulse.cpu().float().contiguous()
        return path

    def impulse_of(self, strip: Strip) -> Tensor:
        """The impulse response of a strip's first device."""
        return self.impulses[str(strip.devices[0].impulse)]

    def checkpoint(self) -> float:
        """Remember the graph as it is; returns the La of the whole song."""
        self.checkpoints.remember(self.graph)
        return self.checkpoints.la(-1, self._whole_la)

    def _whole_la(self, graph: Graph) -> float:
        controls = self.controls if graph is self.graph else Controls(graph, self.impulses, self.device)
        with freed_memory_not_kept():
            with torch.no_grad():
                mix = mix_down(graph, controls, self.played)
            return published_la(mix, self.target, self.sample_rate)["full"]

    def best(self) -> Graph:
        """The smallest graph that keeps the promise La ≤ La of the console + tolerance; the closest one if
        none does."""
        return self.checkpoints.best(self.la_console + self.settings.tolerance, self._whole_la)

    def fit(
        self,
        steps: int,
        rate: float,
        share: float,
        hold: Collection[Key] = (),
        sparsity: float = 0.0,
        still: Collection[tuple[Key, str]] = (),
        excerpts: Sequence[TrainingExcerpt] | None = None,
        incomplete: bool = False,
    ) -> None:
        """Descend for `steps` (see `Fit`), until the loss no longer falls, or until that share of the budget
        is spent; on `training`, or on other `excerpts`."""
        recent: list[float] = []
        before, refused_before = self.graph, self.refused

        def after(_index: int, loss: Loss) -> bool:
            if not loss.taken:
                self.refused += 1
                self.progress.step("no step: its loss or gradient is no finite number")
                return self.late(share)
            recent.append(loss.total if incomplete else loss.la)
            self.descent.append(loss.la)
            self.record(loss.la)
            last = self.descent[-min(4, len(recent)) :]
            mean = sum(last) / len(last)
            self.progress.step(f"La {mean:.3f}, waveform {loss.error:.3f}")
            return self.late(share) or on_plateau(recent)

        try:
            heard = self.training if excerpts is None else list(excerpts)
            held = frozenset(hold) | self.lock.fixed_keys(self.controls)
            Fit(self.graph, self.controls, heard, held, sparsity, still, incomplete).run(steps, rate, after)
        finally:
            stuck = self.refused > refused_before and not recent
            self.adopt(before if stuck else self.controls.to_graph())
            if stuck:
                self.progress.say(
                    f"{self._stage}: no step had a finite loss and gradient; all settings stay as they were"
                )
