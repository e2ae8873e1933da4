"""A third way down: damped Gauss-Newton on the waveform, without its Jacobian."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from _descents import Knobs, TimeUp, Trace, until_time_is_up
from torch import Tensor

from mix2daw.play import play
from mix2daw.search.excerpts import TrainingExcerpt
from mix2daw.search.state import State

PROBE = 0.1  # raw units of the largest control by which a direction is followed to see what it does
CONJUGATE_STEPS = 5
DAMPING, SOFTER, HARDER = 0.1, 1 / 3, 4.0  # times the curvature along the gradient; after success and failure
FARTHEST = 10.0  # raw units that a control may move at once


class _Residual:
    """The whitened waveform error of all training excerpts, a sum of squares, linearised where it stands."""

    def __init__(self, state: State, knobs: Knobs) -> None:
        self._state, self._knobs = state, knobs
        self._mixes = [self._mix(excerpt) for excerpt in state.training]
        self._pulls = [
            self._pull(e, mix.detach()) for e, mix in zip(state.training, self._mixes, strict=True)
        ]
        self.here = knobs.vector()
        self.gradient = self._back(self._pulls)

    def _mix(self, excerpt: TrainingExcerpt) -> Tensor:
        signals = play(self._state.graph, self._state.controls, excerpt.sources)
        return signals.out[self._state.graph.master.name][:, excerpt.skip :]

    def _pull(self, excerpt: TrainingExcerpt, mix: Tensor) -> Tensor:
        """Slope of half the error by the mix: linear in it."""
        mix = mix.detach().requires_grad_(True)
        (slope,) = torch.autograd.grad(excerpt.waveform(mix).square() / 2, mix)
        return slope

    def _back(self, pulls: list[Tensor]) -> Tensor:
        """Through the console to the knobs; its linearisation is kept for the next time."""
        for leaf in self._knobs.leaves:
            leaf.grad = None
        for mix, pull in zip(self._mixes, pulls, strict=True):
            mix.backward(pull, retain_graph=True)
        return self._knobs.masked().clone()

    def error(self, knobs: Tensor) -> float:
        """Half the error with the knobs elsewhere."""
        self._knobs.put(knobs)
        with torch.no_grad():
            found = sum(float(e.waveform(self._mix(e))) ** 2 / 2 for e in self._state.training)
        self._knobs.put(self.here)
        return found

    def curved(self, direction: Tensor) -> Tensor:
        """JᵀWJ · direction: forwards by a small move, back by the gradient."""
        small = PROBE / float(direction.abs().max())
        self._knobs.put(self.here + small * direction)
        with torch.no_grad():
            moved = [self._mix(excerpt) for excerpt in self._state.training]
        self._knobs.put(self.here)
        pulls = []
        for excerpt, new, old, pull in zip(
            self._state.training, moved, self._mixes, self._pulls, strict=True
        ):
            change = (new - old.detach()) / small
            pulls.append(self._pull(excerpt, old.detach() + change) - pull)
        return self._back(pulls)


def gauss_newton(state: State, budget_s: float) -> Trace:
    """Levenberg-Marquardt on the waveform residual of all training excerpts, without its Jacobian: some
    hundred columns would cost a render each. Its products go forwards by a small move of all knobs at once
    and back by the gradient, so that conjugate gradients solve the damped step."""
    knobs = Knobs(state)
    trace = Trace(state, budget_s)
    damping = math.nan

    def stop() -> None:
        if trace.looked():
            raise TimeUp

    def descend() -> None:
        nonlocal damping
        while True:
            residual = _Residual(state, knobs)
            now = residual.error(residual.here)
            trace.evaluations += 1
            stop()
            while True:
                step, curvature = _damped_step(residual, damping, stop)
                if not step.any():
                    return
                damping = DAMPING * curvature if math.isnan(damping) else damping
                there = residual.here + step.clamp(-FARTHEST, FARTHEST)
                trace.evaluations += 1
                better = residual.error(there) < now
                damping *= SOFTER if better else HARDER
                if better:
                    knobs.put(there)
                stop()
                if better:
                    break

    return until_time_is_up(descend, trace, knobs, knobs.vector)


def _damped_step(residual: _Residual, damping: float, stop: Callable[[], None]) -> tuple[Tensor, float]:
    """A few conjugate gradients on (JᵀWJ + damping) step = −gradient, and the curvature along the gradient.
    NaN as damping: a share of that curvature."""
    step = torch.zeros_like(residual.gradient)
    rest = -residual.gradient
    direction, energy, along = rest.clone(), float(rest @ rest), math.nan
    first = energy
    for _ in range(CONJUGATE_STEPS):
        if energy <= 1e-12 * first or energy == 0:
            break
        curved = residual.curved(direction)
        if math.isnan(along):
            along = max(0.0, float(direction @ curved)) / energy
            damping = DAMPING * along if math.isnan(damping) else damping
        curved = curved + damping * direction
        bend = float(direction @ curved)
        if bend <= 0:
            break  # the small move left the range in which it says anything
        length = energy / bend
        step, rest = step + length * direction, rest - length * curved
        energy, before = float(rest @ rest), energy
        direction = rest + energy / before * direction
        stop()
    return step, along
