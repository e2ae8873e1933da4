"""The fit before echo and reverb are known: by the waveform, which lacks nothing of what the tracks play."""

from __future__ import annotations

import pytest
from search_helpers import bursts, mono_track, state_of
from torch import Tensor

from mix2daw.graph import Device, Graph, Send, Strip
from mix2daw.processors import PROCESSORS, checked_graph
from mix2daw.search.course import first_fit
from mix2daw.search.returns import without_returns
from mix2daw.search.state import State

RATE, SECONDS = 22050, 8
FADERS_DB = {"one": -4.0, "two": -7.0}
EQUALIZER = Device(type="equalizer", values={"bell_2_db": 0.0})


def console(faders_db: dict[str, float]) -> Graph:
    tracks = (
        mono_track(name, (EQUALIZER,), (Send(target="room", level_db=-12),), fader_db)
        for name, fader_db in faders_db.items()
    )
    reverb = Device(type="reverb", values={"room_size": 0.9, "wet_level": 1 / 3, "dry_level": 0})
    room = Strip(name="room", kind="return", output="master", devices=(reverb,))
    strips = (*tracks, room, Strip(name="master", kind="master"))
    graph = Graph(sample_rate=RATE, length_samples=SECONDS * RATE, strips=strips)
    return checked_graph(graph, PROCESSORS)


def sources() -> dict[str, Tensor]:
    return bursts(RATE, SECONDS)


def dry(faders_db: dict[str, float]) -> State:
    """A search for a mix with reverb, that stands at the console without one."""
    return state_of(console(FADERS_DB), without_returns(console(faders_db)), sources())


def off_db(state: State) -> float:
    """How far the worst fader is off."""
    return max(abs(state.graph.strip(name).fader_db - fader_db) for name, fader_db in FADERS_DB.items())


def test_tracks_do_not_make_up_for_a_reverb_that_is_missing() -> None:
    magnitudes, waveform = dry(FADERS_DB), dry(FADERS_DB)
    magnitudes.fit(30, 3.0, 1.0)
    waveform.fit(30, 3.0, 1.0, incomplete=True)
    assert off_db(waveform) < 0.25
    assert off_db(magnitudes) > 4 * off_db(waveform)


def test_levels_are_found_although_a_reverb_is_missing() -> None:
    state = dry({"one": -5.5, "two": -6.0})
    first_fit(state)
    assert off_db(state) < 0.5  # of 1.5 dB


@pytest.mark.parametrize("shifting", [[], ["two"]])
def test_a_track_whose_phases_do_not_agree_waits(shifting: list[str]) -> None:
    state = dry({"one": -5.5, "two": -6.0})
    state.shifting = shifting
    before = state.graph
    first_fit(state)
    moved = {
        name
        for name in FADERS_DB
        if abs(state.graph.strip(name).fader_db - before.strip(name).fader_db) > 0.1
    }
    assert moved == set(FADERS_DB) - set(shifting)
