"""A device that was pruned although it is heard comes back; one that is not heard does not."""

from __future__ import annotations

import pytest
from search_helpers import bursts, state_of

from mix2daw.controls import Key
from mix2daw.graph import Device, Graph, Strip
from mix2daw.processors import PROCESSORS, checked_graph
from mix2daw.search.revive import revive
from mix2daw.search.state import State, on_plateau

RATE, SECONDS = 22050, 8
HARD = Device(type="compressor", values={"threshold_db": -40, "ratio": 6, "attack_ms": 1, "release_ms": 80})
DEAF = Device(type="compressor", values={"threshold_db": 0, "ratio": 2})
BELL = Device(type="equalizer", values={"bell_2_hz": 900, "bell_2_db": 3})


def console(one: tuple[Device, ...], two: tuple[Device, ...]) -> Graph:
    strips = (
        Strip(name="one", kind="track", source="one.wav", channels=1, output="master", devices=one),
        Strip(name="two", kind="track", source="two.wav", channels=1, output="master", devices=two),
        Strip(name="master", kind="master"),
    )
    graph = Graph(sample_rate=RATE, length_samples=SECONDS * RATE, strips=strips)
    return checked_graph(graph, PROCESSORS)


def state(truth: Graph) -> State:
    """A search that stands at the console that the mix was made with."""
    return state_of(truth, truth, bursts(RATE, SECONDS))


def test_only_what_is_missed_comes_back_in_its_place() -> None:
    full = console((BELL, HARD), (BELL, DEAF))
    search = state(full)
    judge = search.judge()
    judge.accept(judge.without([Key("one", "compressor", "1"), Key("two", "compressor", "1")]))
    search.adopt(judge.shrunk())
    before = search.judge().score
    revive(search, full, 1.0)
    types = {s.name: [d.type for d in s.devices] for s in search.graph.of_kind("track")}
    assert types == {"one": ["equalizer", "compressor"], "two": ["equalizer"]}
    assert search.graph.strip("one").devices[1].values == pytest.approx(HARD.values | {"link": 0})
    assert search.judge().score < before - search.settings.tolerance / 2


def test_what_is_not_missed_stays_away() -> None:
    full = console((BELL, HARD), (BELL, DEAF))
    search = state(full)
    judge = search.judge()
    judge.accept(judge.without([Key("two", "compressor", "1")]))
    search.adopt(judge.shrunk())
    graph = search.graph
    revive(search, full, 1.0)
    assert search.graph == graph


@pytest.mark.parametrize(
    ("losses", "flat"),
    [
        ([1.0] * 24, True),
        ([1.0] * 23, False),
        ([0.99**step for step in range(40)], False),
        ([1.0] * 8 + [0.999**step for step in range(16)], False),
        ([1.0] * 8 + [0.9999**step for step in range(16)], True),
    ],
)
def test_a_descent_ends_where_it_is_flat(losses: list[float], flat: bool) -> None:
    assert on_plateau(losses) is flat
