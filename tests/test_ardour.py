"""Ardour sessions: the formulas of its panners and equalizer, and Ardour itself where it is installed."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from exporter_helpers import (
    ODD_NAMES,
    RATE,
    device,
    graph_of,
    native_graph,
    printed_graph,
    track,
    write_stems,
)
from exporter_readers import ardour_is_installed, ardour_law
from lxml import etree

from mix2daw.errors import FormatError
from mix2daw.exporters import exporter
from mix2daw.exporters.ardour import ace_eq, panner
from mix2daw.exporters.ardour.tools import installed
from mix2daw.exporters.ardour.verify import verify
from mix2daw.exporters.bands import Band
from mix2daw.graph import Graph, Send, Strip

needs_ardour = pytest.mark.skipif(
    not ardour_is_installed(), reason="Ardour 7 or later (ardourN-lua) is not installed"
)
# As long as a graph has them, in one, three and four bytes a character, alike but for the end.
LONG_NAMES = tuple(letter * 199 + end for letter in ("n", "漢", "🎹") for end in "12")


def write(graph: Graph, stems: Path, out: Path) -> Path:
    """The folder of a new session."""
    out.mkdir()
    exporter("ardour").write(graph, stems, out)
    return out / "mix2daw"


@needs_ardour
@pytest.mark.parametrize("make", [native_graph, printed_graph])
def test_ardour_plays_the_render(make: object, tmp_path: Path) -> None:
    """Every strip of it, and the mix."""
    graph = make(tmp_path)  # type: ignore[operator]
    found = verify(graph, tmp_path)
    assert found.complaints == ()
    assert found.mix.null_db is not None
    assert found.mix.null_db < -95
    assert [null.strip for null in found.strips] == [strip.name for strip in graph.strips]
    for null in found.strips:
        assert null.null_db is not None
        assert null.null_db < -90, null
        assert null.lag_samples == 0


@needs_ardour
def test_ardour_loads_without_a_complaint(tmp_path: Path) -> None:
    """Whatever the names; one track has nothing to play, one group nothing to sum."""
    write_stems(tmp_path, {"one": 1})
    bell = device("equalizer", bell_1_hz=700, bell_1_db=3)
    hall = device("reverb", wet_level=0.2, dry_level=0.3)
    send = Send(target="Fx: A/B", level_db=-3)
    names = (*ODD_NAMES, *LONG_NAMES)
    tracks = [track(name, "one", 'G <1> & "2"', devices=(bell,), sends=(send,)) for name in names]
    graph = graph_of(
        *tracks,
        track("漢" * 150, "one", "Main", devices=(hall,)),
        track("too late", "one", "Main", offset_samples=10 * RATE, sends=(send,)),
        Strip(name="empty", kind="group", output="Main", devices=(hall,)),
        Strip(name='G <1> & "2"', kind="group", output="Main", devices=(bell,)),
        Strip(name="Fx: A/B", kind="return", output="Main"),
        Strip(name="Main", kind="master"),
    )
    session = write(graph, tmp_path, tmp_path / "out")
    assert installed().complaints(session, "mix2daw") == ()


def test_names_of_ports_have_room_in_jack(tmp_path: Path) -> None:
    """256 bytes with the name of the program and an end. Names that are alike as far as they go differ."""
    write_stems(tmp_path, {"one": 1})
    tracks = [track(name, "one", "🎹" * 200) for name in LONG_NAMES]
    buses = (Strip(name="🎹" * 200, kind="group", output="Master"), Strip(name="Master", kind="master"))
    session = write(graph_of(*tracks, *buses), tmp_path, tmp_path / "out")
    root = etree.parse(str(session / "mix2daw.ardour")).getroot()
    ports = [port.get("name") for port in root.iterfind("Routes/Route/IO/Port")]
    assert len(ports) == len(set(ports))
    assert all(len(f"ardour:{port}".encode()) < 256 for port in ports)
    connected = {connection.get("other") for connection in root.iterfind("Routes/Route/IO/Port/Connection")}
    assert {name for name in connected if not name.startswith("system:")} <= set(ports)


def test_a_track_without_a_sample_inside_the_session_has_an_empty_playlist(tmp_path: Path) -> None:
    write_stems(tmp_path, {"one": 2})
    graph = graph_of(track("A", "one", offset_samples=10 * RATE), Strip(name="Master", kind="master"))
    session = etree.parse(str(write(graph, tmp_path, tmp_path / "out") / "mix2daw.ardour")).getroot()
    route, playlist = session.find("Routes/Route[@name='A']"), session.find("Playlists/Playlist[@name='A']")
    assert route.get("audio-playlist") == playlist.get("id")
    assert playlist.get("orig-track-id") == route.get("id")
    assert len(playlist) == 0


@pytest.mark.parametrize(
    ("left_lin", "right_lin"), [(1, 1), (0.3, 0.8), (0.8, 0.3), (0, 1), (1, 0), (2.5, 2.4)]
)
def test_panners_give_the_gains(left_lin: float, right_lin: float) -> None:
    mono = panner.mono(left_lin, right_lin)
    assert mono.fader_lin * ardour_law(1 - mono.azimuth) == pytest.approx(left_lin, abs=1e-8)
    assert mono.fader_lin * ardour_law(mono.azimuth) == pytest.approx(right_lin, abs=1e-8)
    stereo = panner.balance(left_lin, right_lin)
    assert stereo.fader_lin * min(1, 2 - 2 * stereo.azimuth) == pytest.approx(left_lin)
    assert stereo.fader_lin * min(1, 2 * stereo.azimuth) == pytest.approx(right_lin)


@pytest.mark.parametrize("side_lin", [0.0, 0.25, 0.6, 0.99, 1.0])
def test_width_scales_the_side_alone(side_lin: float) -> None:
    position = panner.narrowed(0.7, side_lin)
    own, cross = ardour_law(0.5 + position.width / 2), ardour_law(0.5 - position.width / 2)
    assert position.fader_lin * (own + cross) == pytest.approx(0.7)
    assert position.fader_lin * (own - cross) == pytest.approx(0.7 * side_lin, abs=1e-8)


@pytest.mark.parametrize("rate", [44100, 48000, 96000, 192000])
@pytest.mark.parametrize(("value", "stop"), [(1000.0, 0.1), (-6.0, 0.05), (1.3, 0.001), (0.0, 0.1)])
def test_smoother_comes_to_rest_on_the_value(value: float, stop: float, rate: int) -> None:
    rest, _ = smoothed(ace_eq.aimed(value, stop, rate), stop, rate)
    assert rest == pytest.approx(value, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("value_db", [0.001, 0.009, 0.02, -0.05, 0.11, -0.2, 0.7])
def test_smoother_comes_as_near_as_it_can(value_db: float) -> None:
    rest, share = smoothed(ace_eq.aimed(value_db, 0.05, RATE), 0.05, RATE)
    assert abs(rest - value_db) <= 0.05 * share / 2 + 1e-5


def smoothed(target: float, stop: float, rate: int) -> tuple[float, float]:
    """Where a smoother of ACE EQ comes to rest, and the share of the way that each of its steps goes."""
    share = 1 - math.exp(-2 * math.pi * 64 * 25 / rate)
    state = 0.0
    while abs(target - state) >= stop:
        state += share * (target - state)
    return state, share


@pytest.mark.parametrize(
    "band",
    [
        Band("high_pass", 80, slope_db=12),
        Band("low_shelf", 100, 3, q=1),
        Band("bell", 1000, 20.5, q=1),
        Band("bell", 1000, 3, q=15),
        Band("bell", 20500, 3, q=1),
        Band("bell", 200, 3, q=1),
        Band("low_shelf", 20.5, 12),
    ],
)
def test_equalizer_refuses_what_it_cannot_play(band: Band) -> None:
    assert ace_eq.refusal([band], RATE)


def test_positions_are_whole_ticks(tmp_path: Path) -> None:
    write_stems(tmp_path, {"one": 2})
    graph = graph_of(track("A", "one", offset_samples=12345), Strip(name="Master", kind="master"))
    session = etree.parse(str(write(graph, tmp_path, tmp_path / "out") / "mix2daw.ardour")).getroot()
    (region,) = session.iterfind("Playlists/Playlist[@name='A']/Region")
    length, position = (int(text.removeprefix("a")) for text in region.get("length").split("@"))
    ticks = 282240000 / RATE
    assert (position, length) == (12345 * ticks, (2 * RATE - 12345) * ticks)


def test_rate_that_the_clock_does_not_hold_is_refused(tmp_path: Path) -> None:
    write_stems(tmp_path, {"one": 2})
    graph = graph_of(track("A", "one"), Strip(name="Master", kind="master"))
    with pytest.raises(FormatError, match="44101"):
        exporter("ardour").write(graph.model_copy(update={"sample_rate": 44101}), tmp_path, tmp_path)


def test_ids_are_unique_and_below_the_counter(tmp_path: Path) -> None:
    graph = printed_graph(tmp_path)
    session = etree.parse(str(write(graph, tmp_path, tmp_path / "out") / "mix2daw.ardour")).getroot()
    ports = set(session.iterfind(".//luaproc/Port"))  # numbered from 0 in each script
    ids = [int(element.get("id")) for element in session.iter() if element.get("id") and element not in ports]
    shared = [int(e.get("id")) for e in session.iterfind("Config//*[@id]")]
    assert len(ids) == len(set(ids)) + len(shared)
    assert max(ids) < int(session.get("id-counter"))
