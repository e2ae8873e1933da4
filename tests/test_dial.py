"""Compressors are dialled in where a descent does not get: along the valley of settings, linked or not."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from search_helpers import state_of

from mix2daw.graph import Device, Graph, Strip
from mix2daw.processors import PROCESSORS, checked_graph
from mix2daw.search.dial import dial_compressors
from mix2daw.search.retouch import retouch
from mix2daw.search.revive import revive
from mix2daw.search.state import State

RATE, SECONDS = 22050, 8
TRUTH = {"threshold_db": -24.0, "ratio": 4.0, "attack_ms": 10.0, "release_ms": 150.0, "link": 0.0}


def console(compressor: dict[str, float], fader_db: float = 0.0) -> Graph:
    strips = (
        Strip(
            name="one",
            kind="track",
            source="one.wav",
            output="master",
            fader_db=fader_db,
            devices=(Device(type="compressor", values=compressor),),
        ),
        Strip(name="two", kind="track", source="two.wav", channels=1, output="master"),
        Strip(name="master", kind="master"),
    )
    graph = Graph(sample_rate=RATE, length_samples=SECONDS * RATE, strips=strips)
    return checked_graph(graph, PROCESSORS)


def sources() -> dict[str, torch.Tensor]:
    """A stereo track whose sides are hit at different times, and a mono one."""
    generator = torch.Generator().manual_seed(1)
    t = torch.arange(SECONDS * RATE) / RATE
    noise = 0.3 * torch.randn(3, len(t), generator=generator)
    sides = [noise[i] * torch.exp(-5 * (t % period_s)) for i, period_s in enumerate((0.5, 0.7))]
    return {"one": torch.stack(sides), "two": (noise[2] * torch.exp(-8 * (t % 1.1)))[None]}


def state(truth: Graph, start: Graph) -> State:
    """A search for `truth` that stands at `start`."""
    return state_of(truth, start, sources())


def compressor_of(graph: Graph) -> dict[str, float]:
    return graph.strip("one").devices[0].values


@pytest.mark.parametrize("link", [0.0, 1.0])
def test_whether_channels_are_linked_is_found(link: float) -> None:
    search = state(console(TRUTH | {"link": link}), console(TRUTH | {"link": 1 - link}))
    dial_compressors(search, 1.0)
    assert compressor_of(search.graph)["link"] == link
    assert search.judge().score < 0.002


def test_a_compressor_goes_along_its_valley() -> None:
    """A low threshold with a low ratio and a louder fader is near; a descent alone is long in coming back."""
    start = console(TRUTH | {"threshold_db": -32.0, "ratio": 1.7}, fader_db=2.5)
    alone, search = state(console(TRUTH), start), state(console(TRUTH), start)
    alone.fit(16, 1.0, 1.0)
    dial_compressors(search, 1.0)
    search.fit(16, 1.0, 1.0)
    assert search.judge().score < 0.6 * alone.judge().score
    wanted = TRUTH["threshold_db"]
    off_db = [abs(compressor_of(s.graph)["threshold_db"] - wanted) for s in (search, alone)]
    assert off_db[0] < 0.6 * off_db[1]


def test_what_is_right_is_left_alone() -> None:
    search = state(console(TRUTH), console(TRUTH))
    dial_compressors(search, 1.0)
    assert compressor_of(search.graph) == pytest.approx(TRUTH)


def test_a_spent_budget_ends_what_is_tried_out() -> None:
    truth, start = console(TRUTH), console(TRUTH | {"link": 1.0, "ratio": 1.7}, fader_db=6.0)
    search = state(truth, start)
    search.settings = replace(search.settings, budget_s=1e-6)
    for tried in (dial_compressors, retouch):
        tried(search, 0.5)
    revive(search, truth, 0.5)
    assert search.out_of_time
    assert compressor_of(search.graph) == pytest.approx(compressor_of(start))
    assert search.graph.strip("one").fader_db == pytest.approx(6.0)
