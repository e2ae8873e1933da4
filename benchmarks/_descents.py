"""Ways down from the same console, and how they are timed: Adam as the search has it, and L-BFGS.

All move the raw controls that `search.fit.Fit` would move, within their ranges, and tell a `Trace` when they
may be looked at.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from mix2daw.loss import SongScore, WaveformLoss
from mix2daw.play import play
from mix2daw.search.course import FIRST_RATE
from mix2daw.search.excerpts import PRE_ROLL_S, TrainingExcerpt
from mix2daw.search.fit import RANGES, WAVEFORM_DEAF, Fit
from mix2daw.search.state import State

MARKS = (0.25, 0.5, 0.75, 1.0)  # shares of the time at which the song is scored
TIMED_STEPS = 8
HISTORY = 20  # pairs that L-BFGS remembers


class TimeUp(Exception):  # noqa: N818  # no error: the way out of a line search
    """The time of a descent is spent."""


@dataclass(frozen=True)
class Point:
    """How far a descent is: seconds of its own, La and whitened waveform error of the song."""

    seconds: float
    la: float
    error: float


@dataclass
class Trace:
    """Looks at a descent now and then; the time that this takes is not counted."""

    state: State
    budget_s: float
    points: list[Point] = field(default_factory=list)
    evaluations: int = 0

    def __post_init__(self) -> None:
        state = self.state
        skip = round(PRE_ROLL_S * state.sample_rate)
        self._la = SongScore(state.target, state.sample_rate, skip)
        self._waveform = WaveformLoss(state.target, state.sample_rate, skip)
        self._begun, self._marks = time.perf_counter(), [share * self.budget_s for share in MARKS]
        self.look()

    @property
    def spent_s(self) -> float:
        """Seconds of the descent so far."""
        return time.perf_counter() - self._begun

    def look(self) -> None:
        """Score the song as it is."""
        begun = time.perf_counter()
        state = self.state
        with torch.no_grad():
            mix = play(state.graph, state.controls, state.played).out[state.graph.master.name]
            la, error = float(self._la(mix).mean()), float(self._waveform(mix)) ** 2
        self.points.append(Point(begun - self._begun, la, error))
        self._begun += time.perf_counter() - begun

    def due(self) -> bool:
        """Whether it is time to look."""
        return bool(self._marks) and self.spent_s >= self._marks[0]

    def looked(self) -> bool:
        """Look if it is time to; whether the whole time is spent."""
        if self.due():
            self.look()
            while self.due():
                self._marks.pop(0)
        return not self._marks


class Knobs:
    """All controls that a fit would move, as one vector `(knobs,)` float64 in raw units."""

    def __init__(self, state: State) -> None:
        self._fit = Fit(state.graph, state.controls, state.training)
        self.leaves = [leaf for _, _, leaf in self._fit.leaves]
        self._masks = self._fit.masks

    def vector(self) -> Tensor:
        """Where they stand."""
        return torch.cat([leaf.detach() for leaf in self.leaves])

    def put(self, vector: Tensor) -> None:
        """Move them, as far as their ranges go."""
        parts = vector.split([len(leaf) for leaf in self.leaves])
        with torch.no_grad():
            for (type_, name, leaf), part in zip(self._fit.leaves, parts, strict=True):
                leaf.copy_(part.clamp(*RANGES[type_, name]))

    def masked(self) -> Tensor:
        """The gradient, 0 for rows that do not move; the leaves keep it so."""
        for leaf, mask in zip(self.leaves, self._masks, strict=True):
            leaf.grad = torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
            leaf.grad.nan_to_num_(0.0, 0.0, 0.0).mul_(mask)
        return torch.cat([leaf.grad for leaf in self.leaves if leaf.grad is not None])

    def rest(self) -> None:
        """Follow no gradients any more."""
        for leaf in self.leaves:
            leaf.requires_grad_(False)


def adam(state: State, budget_s: float) -> Trace:
    """As the search has it: one excerpt per step, and as many steps as the time allows."""
    begun = time.perf_counter()
    Fit(state.graph, state.controls, state.training).run(TIMED_STEPS, FIRST_RATE)
    steps = max(1, round(budget_s * TIMED_STEPS / (time.perf_counter() - begun)))
    state.adopt(state.graph)  # the steps were for the clock only
    trace = Trace(state, budget_s)

    def after(_index: int, _loss: object) -> bool:
        trace.evaluations += 1
        return trace.looked()

    Fit(state.graph, state.controls, state.training).run(steps, FIRST_RATE, after)
    if trace.points[-1].seconds < MARKS[-1] * budget_s:
        trace.look()  # it was a little faster than it had been
    return trace


def _total(state: State, excerpt: TrainingExcerpt, trust: float) -> tuple[Tensor, float]:
    """The loss of the search on one excerpt, and the trust in the waveform that belongs to it."""
    mix = play(state.graph, state.controls, excerpt.sources).out[state.graph.master.name][:, excerpt.skip :]
    root_error = excerpt.waveform(mix)
    trust = trust if math.isfinite(trust) else max(0.0, 1 - float(root_error.detach()) ** 2 / WAVEFORM_DEAF)
    return excerpt.spectral(mix)["full"] + trust * root_error, trust


def l_bfgs(state: State, budget_s: float) -> Trace:
    """On the sum over all training excerpts, with a line search. The trust in the waveform stays as it is at
    the start: what changes from step to step has no curvature to learn."""
    knobs, trust = Knobs(state), [math.nan] * len(state.training)
    best, lowest = knobs.vector(), math.inf
    trace = Trace(state, budget_s)
    optimiser = torch.optim.LBFGS(
        knobs.leaves, max_iter=10_000, max_eval=100_000, history_size=HISTORY, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        nonlocal best, lowest
        here = knobs.vector()
        if trace.due():
            knobs.put(best)
            done = trace.looked()
            knobs.put(here)
            if done:
                raise TimeUp
        knobs.put(here)
        optimiser.zero_grad()
        total = torch.zeros((), dtype=torch.float64)
        for index, excerpt in enumerate(state.training):
            loss, trust[index] = _total(state, excerpt, trust[index])
            torch.autograd.backward(loss)
            total += loss.detach().double()
        knobs.masked()
        trace.evaluations += 1
        if float(total) < lowest:
            lowest, best = float(total), knobs.vector()
        return total

    return until_time_is_up(lambda: optimiser.step(closure), trace, knobs, lambda: best)


def until_time_is_up(
    descend: Callable[[], object], trace: Trace, knobs: Knobs, best: Callable[[], Tensor]
) -> Trace:
    """Descend until the time is spent or nothing moves; leave the controls at their best."""
    try:
        descend()
    except TimeUp:
        pass
    else:
        knobs.put(best())
        trace.look()
    knobs.put(best())
    knobs.rest()
    return trace
