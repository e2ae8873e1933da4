"""Pruning on a console whose idle devices are known: what matters is ranked first, promises are kept."""

from __future__ import annotations

import random

import pytest
import torch
from search_helpers import bursts, mono_track, state_of
from torch import Tensor

from mix2daw.controls import Controls, Key
from mix2daw.errors import FormatError
from mix2daw.graph import Device, Graph, Send, Strip
from mix2daw.play import play
from mix2daw.processors import PROCESSORS, checked_graph
from mix2daw.search import Settings
from mix2daw.search.excerpts import scoring_excerpts, training_excerpts
from mix2daw.search.judge import Judge
from mix2daw.search.prune import brute_force_round, saliency_round
from mix2daw.search.saliency import saliency
from mix2daw.search.stages import prune

RATE, SECONDS = 22050, 8
TOLERANCE = 0.01
BELL = Device(type="equalizer", values={"bell_2_db": 9})
HARD = Device(type="compressor", values={"threshold_db": -40, "ratio": 5})
IDLE = Device(type="compressor", values={"threshold_db": 0, "ratio": 2})
FLAT = Device(type="equalizer", values={"bell_1_db": 0.01})
NEEDED = {Key("one", "equalizer", "0"), Key("two", "compressor", "1"), Key("one", "send", "room")}


def console() -> Graph:
    def track(name: str, *devices: Device, level_db: float, pan: float = 0.0) -> Strip:
        send = Send(target="room", level_db=level_db)
        return mono_track(name, devices, (send,)).model_copy(update={"pan": pan})

    room = Device(type="reverb", values={"wet_level": 1 / 3, "dry_level": 0})
    strips = (
        track("one", BELL, IDLE, level_db=-6, pan=0.4),
        track("two", FLAT, HARD, level_db=-80),
        Strip(name="room", kind="return", output="master", devices=(room,)),
        Strip(name="master", kind="master", devices=(FLAT,)),
    )
    graph = Graph(sample_rate=RATE, length_samples=SECONDS * RATE, strips=strips)
    return checked_graph(graph, PROCESSORS)


def sources() -> dict[str, Tensor]:
    return bursts(RATE, SECONDS)


def mix() -> Tensor:
    with torch.no_grad():
        return play(console(), Controls(console()), sources()).out["master"]


def judge() -> Judge:
    return Judge(console(), Controls(console()), scoring_excerpts(sources(), mix(), RATE))


def salient() -> dict[Key, float]:
    # Against a slightly different mix: at the optimum itself a magnitude has no slope.
    target = mix() + 0.003 * torch.randn(2, SECONDS * RATE, generator=torch.Generator().manual_seed(2))
    return saliency(console(), Controls(console()), training_excerpts(sources(), target, RATE, 7.0))


def test_what_is_heard_is_more_salient_than_what_is_not() -> None:
    found = salient()
    idle = {Key("one", "compressor", "1"), Key("two", "equalizer", "0"), Key("two", "send", "room")}
    assert min(found[key] for key in NEEDED) > 3 * max(found[key] for key in idle)


@pytest.mark.parametrize("way", ["saliency", "brute-force"])
def test_a_round_takes_out_what_is_idle_and_keeps_what_is_heard(way: str) -> None:
    judged, trials = judge(), []

    def limit() -> float:
        return TOLERANCE

    if way == "saliency":
        saliency_round(judged, salient(), limit, TOLERANCE, trials.append)
    else:
        brute_force_round(judged, limit, TOLERANCE, random.Random(0), trials.append)
    assert judged.score < TOLERANCE
    assert {(d.type, s.name) for s, d in judged.shrunk().devices()} == {
        ("equalizer", "one"),
        ("compressor", "two"),
        ("reverb", "room"),
    }
    assert set(judged.candidates()) >= NEEDED
    assert len(trials) <= 2 * len(judge().candidates())


def test_a_way_of_pruning_that_does_not_exist_is_refused() -> None:
    with pytest.raises(FormatError, match="saliency"):
        Settings(strategy="by hand")


@pytest.mark.parametrize("way", ["saliency", "brute-force"])
def test_a_graph_on_the_way_is_fallen_back_on_where_the_end_breaks_the_promise(way: str) -> None:
    # Trials may spend more than the whole song allows, as where excerpts tell less than it loses.
    state, allowed = state_of(console(), console(), sources()), 0.1
    state.settings = Settings(tolerance=0.5)
    state.la_console = state.checkpoint()
    state.allow_rise()
    prune(state, way, 1.0)
    pruned = len(state.judge().left())
    assert state.checkpoint() > allowed
    state.settings = Settings(tolerance=allowed)
    state.adopt(state.best())
    assert pruned < len(state.judge().left()) < len(judge().left())
    assert state.checkpoint() <= allowed
