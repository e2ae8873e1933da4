"""A step of a descent whose loss or gradient is no finite number changes nothing, and is told."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from far_device import FAR, far_device
from search_helpers import session_of
from test_gpu_step import console, descent, sources
from test_lock import console as small_console
from test_lock import settings as small_settings
from test_lock import sources as small_sources
from torch import Tensor

from mix2daw.controls import Controls, Key
from mix2daw.graph import Graph
from mix2daw.loss import SegmentLoss
from mix2daw.progress import Silence
from mix2daw.search import plan
from mix2daw.search.adam import BETAS, Adam
from mix2daw.search.equalizer_descent import fit_equalizers
from mix2daw.search.equalizer_match import band_weights, match_bands
from mix2daw.search.fit import Fit
from mix2daw.search.state import State

HOST = torch.device("cpu")
STEPS = 6


class Poisoned:
    """An excerpt's La, or what `spoil` makes of it at the calls numbered `at`."""

    def __init__(self, loss: SegmentLoss, at: set[int], spoil: Callable[[Tensor], Tensor]) -> None:
        self.loss, self.at, self.spoil, self.calls = loss, at, spoil, 0

    def __call__(self, estimate: Tensor) -> dict[str, Tensor]:
        value = self.loss(estimate)
        self.calls += 1
        return {name: self.spoil(la) for name, la in value.items()} if self.calls - 1 in self.at else value


SPOILS: dict[str, Callable[[Tensor], Tensor]] = {
    "a loss that is NaN": lambda value: value * math.nan,
    "a loss that is infinite": lambda value: value * math.inf,
    "a gradient that is NaN": lambda value: value + (0 * value).sqrt(),
    "a gradient that is infinite": lambda value: value + 1e300 * (value - value.detach()).double(),
}


def spoilt(fit: Fit, at: set[int], spoil: Callable[[Tensor], Tensor]) -> None:
    excerpt = fit.excerpts[0]
    fit.excerpts = [replace(excerpt, spectral=Poisoned(excerpt.spectral, at, spoil))]


def settings_of(fit: Fit) -> list[Tensor]:
    return [leaf.detach().clone() for _, _, leaf in fit.leaves] + [
        w.detach().clone() for w in fit.weights.values()
    ]


@pytest.mark.parametrize("name", SPOILS)
def test_a_step_that_is_not_finite_is_as_if_it_had_not_been(name: str) -> None:
    """Controls and the optimiser's memory go on from the step before: the outcome is that of a descent
    without the spoilt steps."""
    clean, adam = descent(HOST)
    for _ in range(3):
        clean._step(adam, 0)
    fit, adam = descent(HOST)
    spoilt(fit, {0, 2, 3}, SPOILS[name])
    taken = [bool(fit._step(adam, 0)[-1]) for _ in range(STEPS)]
    assert taken == [False, True, False, False, True, True]
    for one, other in zip(settings_of(fit), settings_of(clean), strict=True):
        assert torch.equal(one, other)


def test_a_step_that_is_not_finite_does_not_wait_for_the_device() -> None:
    with far_device() as device:
        fit, adam = descent(FAR)
        spoilt(fit, {1}, SPOILS["a gradient that is NaN"])
        seen = [fit._step(adam, 0)]
        device.strict = True
        before = [leaf.near.clone() for _, _, leaf in fit.leaves]
        seen.append(fit._step(adam, 0))
        assert all(torch.equal(leaf.near, old) for (_, _, leaf), old in zip(fit.leaves, before, strict=True))
        seen.append(fit._step(adam, 0))
    assert [bool(one.near[-1]) for one in seen] == [True, False, True]
    assert not all(torch.equal(leaf.near, old) for (_, _, leaf), old in zip(fit.leaves, before, strict=True))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_what_is_finite_is_torchs_adam_to_the_bit(dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(5)
    shapes, factors = [(), (1,), (7,), (64,)], [1.0, 0.04, 0.3, 2.0]
    start = [torch.randn(shape, generator=generator).to(dtype) for shape in shapes]
    ours, theirs = ([leaf.clone().requires_grad_() for leaf in start] for _ in range(2))
    adam = Adam(list(zip(ours, factors, strict=True)), 50)
    reference = torch.optim.Adam([{"params": [leaf]} for leaf in theirs], betas=BETAS)
    for step in range(50):
        adam.rate = 3.0 / (step + 1)
        slopes = [torch.randn(shape, generator=generator).to(dtype) for shape in shapes]
        assert adam.step(torch.tensor(1.0), [slope.clone() for slope in slopes])
        for leaf, slope, group, factor in zip(theirs, slopes, reference.param_groups, factors, strict=True):
            leaf.grad, group["lr"] = slope, adam.rate * factor
        reference.step()
        assert all(torch.equal(one, other) for one, other in zip(ours, theirs, strict=True))


def test_a_gradient_whose_square_is_infinite_is_refused() -> None:
    """Nothing would ever move again."""
    leaf = torch.ones(2, dtype=torch.float64, requires_grad=True)
    adam = Adam([(leaf, 1.0)], 2)
    adam.rate = 0.1
    assert not adam.step(torch.tensor(1.0), [torch.tensor([1e200, 1.0]).double()])
    assert leaf.tolist() == [1.0, 1.0]
    assert adam.step(torch.tensor(1.0), [torch.ones(2).double()])
    torch.testing.assert_close(leaf.detach(), torch.full((2,), 0.9).double())


class Told(Silence):
    """Remembers what was said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def state_at(graph: Graph, progress: Silence) -> State:
    session = session_of(console(), sources())
    return State(session, graph, small_settings(), progress)


def test_a_fit_without_a_finite_step_keeps_its_start_and_says_so() -> None:
    told = Told()
    state = state_at(console(), told)
    never = [
        replace(e, spectral=Poisoned(e.spectral, set(range(99)), SPOILS["a loss that is NaN"]))
        for e in state.training
    ]
    before = state.graph
    state.fit(3, 1.0, 1.0, excerpts=never)
    assert state.graph == before
    assert (state.refused, state.descent, state.trace) == (3, [], [])
    assert len(told.lines) == 1
    assert "no step" in told.lines[0]


def test_a_graph_with_a_setting_that_is_no_number_is_not_taken() -> None:
    told = Told()
    state = state_at(console(), told)
    before = state.graph
    for change in ({"fader_db": math.nan}, {"pan": math.inf}):
        state.adopt(before.replace(before.strip("drum").model_copy(update=change)))
        assert state.graph == before
    assert len(told.lines) == 2


def test_a_search_tells_how_many_steps_it_refused() -> None:
    planned = plan(session_of(small_console(band_db=-1.5), small_sources()), Path(), small_settings())
    told = Told()

    def spoil_first_fit(state: State) -> None:
        excerpts = [
            replace(e, spectral=Poisoned(e.spectral, {0, 1}, SPOILS["a gradient that is NaN"]))
            for e in state.training
        ]
        state.fit(STEPS, 1.0, 1.0, excerpts=excerpts)

    found = replace(planned, steps=(planned.steps[0], spoil_first_fit)).run(told)
    assert found.refused_steps > 0
    assert sum(f"{found.refused_steps} of" in line for line in told.lines) == 1
    assert found.graph.is_finite


def test_a_control_is_not_set_to_what_is_no_number() -> None:
    controls = Controls(console())
    key = Key("drum", "fader")
    before = controls.value(key, "fader_db")
    controls.set_value(key, "fader_db", math.nan)
    assert controls.value(key, "fader_db") == before


def test_an_equalizer_that_nothing_is_known_of_is_flat_and_spoils_no_other() -> None:
    centres, _ = match_bands(4096, 44100)
    curve_db = torch.stack(
        [4 * torch.exp(-((centres.log() - math.log(800)) ** 2)), torch.full_like(centres, math.nan)]
    )
    weight = band_weights(torch.ones(2, len(centres)).double(), torch.ones(2, len(centres)).double())
    both, level_db = fit_equalizers(curve_db, weight, centres, 44100)
    alone, alone_db = fit_equalizers(curve_db[:1], weight[:1], centres, 44100)
    assert all(torch.equal(value[:1], alone[name]) for name, value in both.items())
    assert torch.equal(level_db[:1], alone_db)
    assert all(float(both[name][1]) == 0 for name in both if name.endswith("_db"))


def test_a_stem_that_is_not_heard_weighs_nothing() -> None:
    heard = torch.tensor([[1.0, 2.0], [0.0, 0.0]]).double()
    weight = band_weights(heard, torch.ones_like(heard))
    assert weight.isfinite().all()
    assert band_weights(heard, torch.zeros_like(heard)).isfinite().all()


def test_a_run_says_which_steps_were_taken() -> None:
    fit, _ = descent(HOST)
    spoilt(fit, {1, 4}, SPOILS["a loss that is infinite"])
    seen = fit.run(STEPS, 1.0)
    assert [loss.taken for loss in seen] == [True, False, True, True, False, True]
    assert fit.controls.to_graph().is_finite
