"""Equalizers of the master that only make up for others, or undo them, go; those that are in the mix stay."""

from __future__ import annotations

import pytest
from search_helpers import bursts, mono_track, state_of

from mix2daw.graph import Device, Graph, Strip
from mix2daw.processors import PROCESSORS, checked_graph
from mix2daw.search.lock import Lock
from mix2daw.search.plainer import refit_plainer, refit_without_faint
from mix2daw.search.simplify import BANDS
from mix2daw.search.state import State

RATE, SECONDS = 22050, 8
STEPS, RATE_OF_FIT = 6, 0.6


def bells(*levels_db: float) -> tuple[Device, ...]:
    """An equalizer with bells at 300, 900 and 2700 Hz."""
    values = {f"bell_{n}_hz": 100.0 * 3**n for n in (1, 2, 3)} | {f"bell_{n}_q": 0.9 for n in (1, 2, 3)}
    levels = {f"bell_{number}_db": level_db for number, level_db in enumerate(levels_db, 1)}
    return (Device(type="equalizer", values={**values, **levels}),)


def console(one: tuple[Device, ...], two: tuple[Device, ...], master: tuple[Device, ...]) -> Graph:
    strips = (
        mono_track("one", one),
        mono_track("two", two),
        Strip(name="master", kind="master", devices=master),
    )
    return checked_graph(Graph(sample_rate=RATE, length_samples=SECONDS * RATE, strips=strips), PROCESSORS)


def search_at(start: Graph, truth: Graph, lock: Lock | None = None) -> State:
    return state_of(truth, start, bursts(RATE, SECONDS), lock)


def locked(strip: str, fixed: bool) -> Lock:
    """What holds a strip's equalizer, with its settings or without."""
    place = frozenset({(strip, "equalizer")})
    return Lock(place, place if fixed else frozenset())


def equalized(graph: Graph) -> list[str]:
    return [strip.name for strip in graph.strips if any(d.type == "equalizer" for d in strip.devices)]


def test_a_faint_equalizer_of_the_master_goes() -> None:
    search = search_at(console((), (), bells(0.0, 0.2)), console((), (), ()))
    refit_without_faint(search, STEPS, RATE_OF_FIT, 1.0)
    assert equalized(search.graph) == []


def test_tracks_take_over_what_the_master_does_and_what_it_undid_goes_too() -> None:
    truth = console(bells(4.0, 0.0, -3.0), (), ())
    start = console(bells(4.0, -2.0, -3.0), bells(0.0, -2.0), bells(0.0, 2.0))
    search = search_at(start, truth)
    assert search.score() < 0.005  # the one is as good as the other, to the ear
    refit_without_faint(search, STEPS, RATE_OF_FIT, 1.0)
    assert equalized(search.graph) == ["one"]
    assert search.score() < 0.01
    values = search.graph.strip("one").devices[0].values
    levels_db = sorted(values[f"{band}_db"] for band in BANDS if values[f"{band}_db"] != 0)
    assert levels_db == pytest.approx([-3.0, 4.0], abs=0.5)


def test_what_tracks_take_over_their_group_does_not() -> None:
    def grouped(one: tuple[Device, ...], master: tuple[Device, ...]) -> Graph:
        graph = console(one, (), master)
        group = Strip(name="both", kind="group", devices=bells(0.0, 0.0, -6.0), output="master")
        one_strip, two, last = graph.strips
        tracks = (strip.model_copy(update={"output": "both"}) for strip in (one_strip, two))
        strips = (group, *tracks, last)
        return checked_graph(Graph.model_validate({**dict(graph), "strips": strips}), PROCESSORS)

    truth = grouped(bells(4.0), ())
    search = search_at(grouped(bells(4.0, -0.3), bells(0.0, 0.3)), truth)
    refit_without_faint(search, 1, 1e-6, 1.0)
    assert equalized(search.graph) == ["both", "one"]
    values = search.graph.strip("both").devices[0].values
    assert {band: values[f"{band}_db"] for band in BANDS if values[f"{band}_db"] != 0} == pytest.approx(
        {"bell_3": -6.0}, abs=1e-3
    )
    assert values["bell_3_hz"] == pytest.approx(2700.0, rel=1e-3)


@pytest.mark.parametrize("level_db", [0.9, 2.0, 3.0])
def test_an_equalizer_of_the_master_that_is_heard_stays(level_db: float) -> None:
    truth = console(bells(4.0), (), bells(0.0, level_db))
    search = search_at(truth, truth)
    refit_without_faint(search, STEPS, RATE_OF_FIT, 1.0)
    assert "master" in equalized(search.graph)
    assert search.score() < 0.01


@pytest.mark.parametrize("fixed", [True, False])
def test_an_equalizer_that_is_locked_stays(fixed: bool) -> None:
    start = console(bells(3.0), (), bells(0.0, 0.2))
    search = search_at(start, console(bells(3.0), (), ()), locked("master", fixed))
    refit_without_faint(search, STEPS, RATE_OF_FIT, 1.0)
    assert equalized(search.graph) == ["one", "master"]
    if fixed:
        was = start.master.devices[0].values
        assert search.graph.master.devices[0].values == pytest.approx(was)
    assert search.graph.strip("one").devices[0].values["bell_1_db"] == pytest.approx(3.0, abs=0.3)


def test_bands_that_undo_each_other_are_said_plainly() -> None:
    start = console(bells(6.0, -6.0, 3.0), (), ())
    undone = start.strip("one").devices[0].values | {"bell_2_hz": 300.0, "bell_2_q": 0.9}
    start = console((Device(type="equalizer", values=undone),), (), ())
    search = search_at(start, start)
    refit_plainer(search, STEPS, RATE_OF_FIT, 1.0)
    values = search.graph.strip("one").devices[0].values
    assert sum(abs(values[f"bell_{n}_db"]) for n in (1, 2, 3)) < 5.0
    assert search.score() < 0.01
