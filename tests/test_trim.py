"""What a last fit can make up for goes before it; what is heard, and what is locked, stays."""

from __future__ import annotations

import pytest
from search_helpers import bursts, mono_track, state_of

from mix2daw.graph import Device, Graph, Send, Strip
from mix2daw.processors import PROCESSORS, checked_graph
from mix2daw.search import Settings
from mix2daw.search.lock import Lock
from mix2daw.search.state import State
from mix2daw.search.trim import trim

RATE, SECONDS = 22050, 8


def equalizer(level_db: float) -> tuple[Device, ...]:
    return (Device(type="equalizer", values={"bell_2_hz": 900.0, "bell_2_db": level_db}),)


def console(one_db: float, two_db: float, send_db: float | None) -> Graph:
    """Two equalizers, and an echo that one track may send to."""
    sends = () if send_db is None else (Send(target="echo", level_db=send_db),)
    echo = Device(type="delay", values={"delay_ms": 150.0, "feedback": 0.0, "mix": 1.0})
    strips = [
        mono_track(name, equalizer(level_db) if level_db else (), sends if name == "one" else ())
        for name, level_db in (("one", one_db), ("two", two_db))
    ]
    if sends:
        strips.append(Strip(name="echo", kind="return", devices=(echo,), output="master"))
    strips.append(Strip(name="master", kind="master"))
    return checked_graph(
        Graph(sample_rate=RATE, length_samples=SECONDS * RATE, strips=tuple(strips)), PROCESSORS
    )


def search_at(start: Graph, truth: Graph, lock: Lock | None = None) -> State:
    return state_of(truth, start, bursts(RATE, SECONDS), lock)


def left(graph: Graph) -> list[str]:
    """Strips with an equalizer, and returns."""
    return [strip.name for strip in graph.strips if strip.devices]


def test_what_is_worth_little_goes_and_what_is_heard_stays() -> None:
    search = search_at(console(6.0, 0.02, -45.0), console(6.0, 0.0, None))
    assert trim(search, search.score() + 0.01)
    assert left(search.graph) == ["one"]
    assert search.score() < 0.001


def test_nothing_goes_where_everything_is_heard() -> None:
    search = search_at(graph := console(6.0, -4.0, -10.0), graph)
    before = search.graph
    assert not trim(search, search.score() + 1.0)
    assert search.graph == before


def test_no_more_goes_than_a_fit_can_make_up_for() -> None:
    truth = console(0.3, 0.3, None)
    search = search_at(truth, truth)
    alone = search.score(console(0.0, 0.3, None))
    search.settings = Settings(tolerance=2.2 * alone)  # either is worth little, both together are not
    assert trim(search, search.score() + 0.6 * alone)
    assert len(left(search.graph)) == 1


@pytest.mark.parametrize("type_", ["equalizer", "send"])
def test_what_is_locked_stays(type_: str) -> None:
    strip = "two" if type_ == "equalizer" else "one"
    search = search_at(console(6.0, 0.02, -45.0), console(6.0, 0.0, None), Lock(frozenset({(strip, type_)})))
    assert trim(search, search.score() + 0.01)
    assert left(search.graph) == (["one", "two"] if type_ == "equalizer" else ["one", "echo"])
