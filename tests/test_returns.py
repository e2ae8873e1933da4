"""Returns that the search adds where the residual shows them, at first and once more after a fit."""

from __future__ import annotations

import pytest
from search_helpers import bursts, state_of

from mix2daw.console import return_device
from mix2daw.graph import Graph, Send, Strip
from mix2daw.search.returns import find_returns, look_again, without_returns
from mix2daw.search.state import State

RATE, SECONDS, DELAY_SAMPLES = 22050, 8, 5003
SENDS_DB = {"one": {"echo": -12.0}, "two": {"hall": -9.0}}
ROOM = {"room_size": 0.6, "damping": 0.3}


def console() -> Graph:
    """Two tracks, a delay and a reverb that one of them sends to each."""
    tracks = [
        Strip(
            name=name,
            kind="track",
            source=f"{name}.wav",
            output="master",
            sends=tuple(Send(target=target, level_db=level_db) for target, level_db in sends.items()),
        )
        for name, sends in SENDS_DB.items()
    ]
    echo = return_device("delay", {"delay_ms": 1000 * DELAY_SAMPLES / RATE, "feedback": 0.3})
    returns = [
        Strip(name="hall", kind="return", devices=(return_device("reverb", ROOM),), output="master"),
        Strip(name="echo", kind="return", devices=(echo,), output="master"),
    ]
    strips = (*tracks, *returns, Strip(name="master", kind="master"))
    return Graph(sample_rate=RATE, length_samples=RATE * SECONDS, strips=strips)


def without(graph: Graph, name: str) -> Graph:
    """The graph without a return and what is sent to it."""
    strips = tuple(
        strip.model_copy(update={"sends": tuple(send for send in strip.sends if send.target != name)})
        for strip in graph.strips
        if strip.name != name
    )
    return Graph.model_validate({**dict(graph), "strips": strips})


def state_at(graph: Graph, truth: Graph) -> State:
    """A search with the whole console at hand, that stands at `graph`, for what `truth` plays."""
    state = state_of(truth, console(), bursts(RATE, SECONDS))
    state.adopt(graph)
    return state


def returns(graph: Graph) -> set[str]:
    return {strip.name for strip in graph.of_kind("return")}


def test_both_are_found_in_what_a_dry_console_leaves() -> None:
    state = state_at(without_returns(console()), console())
    find_returns(state)
    assert returns(state.graph) == {"hall", "echo"}
    assert state.score() < 0.1


@pytest.mark.parametrize("missing", ["hall", "echo"])
def test_the_one_that_is_missing_is_found_at_a_second_look(missing: str) -> None:
    truth, there = console(), without(console(), missing)
    state = state_at(there, truth)
    before = state.graph
    look_again(state, 0.03)
    assert returns(state.graph) == returns(truth)
    found, true = state.graph.strip(missing).devices[0].values, truth.strip(missing).devices[0].values
    if missing == "echo":
        assert round(found["delay_ms"] * RATE / 1000) == DELAY_SAMPLES
        assert found["feedback"] == pytest.approx(true["feedback"], abs=0.02)
    else:
        assert found["room_size"] == pytest.approx(true["room_size"], abs=0.03)
    sender = next(name for name, sends in SENDS_DB.items() if missing in sends)
    sends = {send.target: send.level_db for send in state.graph.strip(sender).sends}
    assert sends[missing] == pytest.approx(SENDS_DB[sender][missing], abs=0.5)
    # What was there stays as it was.
    kept = next(iter(returns(there)))
    for name, value in before.strip(kept).devices[0].values.items():
        assert state.graph.strip(kept).devices[0].values[name] == pytest.approx(value)


@pytest.mark.parametrize("missing", ["hall", "echo"])
def test_what_is_not_in_the_mix_is_not_found(missing: str) -> None:
    truth = without(console(), missing)
    state = state_at(truth, truth)
    before = state.graph
    look_again(state, 0.03)
    assert state.graph == before


def test_a_find_that_brings_less_than_was_asked_for_is_not_taken() -> None:
    state = state_at(without(console(), "echo"), console())
    before = state.graph
    look_again(state, 1.0)
    assert state.graph == before
