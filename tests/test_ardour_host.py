"""Ardour itself, where it is installed: it aligns what has latency; a session that it saved is the same."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
from exporter_helpers import (
    RATE,
    SAMPLES,
    device,
    graph_of,
    native_graph,
    printed_graph,
    track,
    write_stems,
)
from exporter_readers import ardour_is_installed
from lxml import etree

from mix2daw.exporters import exporter
from mix2daw.exporters.ardour import verify as verifying
from mix2daw.exporters.ardour.tools import TRIES, installed
from mix2daw.exporters.ardour.verify import null_db, verify
from mix2daw.exporters.pedalboard import render
from mix2daw.graph import Device, Send, Strip

pytestmark = pytest.mark.skipif(
    not ardour_is_installed(), reason="Ardour 7 or later (ardourN-lua) is not installed"
)
SAVE = """
AudioEngine:set_backend ("None (Dummy)", "", "")
session = load_session ("{folder}", "mix2daw")
assert (0 == session:save_state ("", false, false, false, false, false))
print ("SAVED")
close_session ()
quit ()
"""


def late(lookahead_ms: float) -> Device:
    """A limiter that delays by its lookahead."""
    return device("limiter", ceiling_db=-14, lookahead_ms=lookahead_ms)


def test_latencies_are_aligned_on_every_way(tmp_path: Path) -> None:
    """Of tracks, nested groups, returns and the master; all of it starts with the session."""
    write_stems(tmp_path, {"one": 2, "two": 1})
    sends = (Send(target="R", level_db=-6), Send(target="P", level_db=-6, tap="pre"))
    graph = graph_of(
        track("A", "one", "In", devices=(late(4),), sends=sends),
        track("B", "two", "Out", channels=1, post_devices=(late(2),), sends=sends),
        track("C", "one", fader_db=-3),
        Strip(name="In", kind="group", output="Out", devices=(late(7),)),
        Strip(name="Out", kind="group", output="Master", post_devices=(late(3),)),
        Strip(name="R", kind="return", output="Master", devices=(late(9),)),
        Strip(name="P", kind="return", output="Master"),
        Strip(name="Master", kind="master", devices=(late(5),)),
    )
    found = verify(graph, tmp_path)
    assert {null.lag_samples for null in found.strips} == {0}, found
    assert all(null.null_db is not None and null.null_db < -140 for null in found.strips), found


def test_many_strips_are_heard_in_several_exports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifying, "PROBE_BYTES", 8 * SAMPLES * 6)
    graph = native_graph(tmp_path)
    found = verify(graph, tmp_path)
    assert [null.strip for null in found.strips] == [strip.name for strip in graph.strips]
    assert all(null.null_db is not None and null.null_db < -90 for null in found.strips), found


def test_settings_of_the_user_stay_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    write_stems(tmp_path, {"one": 2})
    verify(graph_of(track("A", "one"), Strip(name="Master", kind="master")), tmp_path)
    assert not list(home.rglob("*"))


def save(folder: Path, scratch: Path) -> None:
    """Have Ardour load and save a session; it may abort."""
    script = scratch / "save.lua"
    script.write_text(SAVE.format(folder=folder), encoding="utf-8")
    command = [
        *(["taskset", "-c", "0"] if shutil.which("taskset") else []),
        installed().lua_tool,
        str(script),
    ]
    for _ in range(TRIES):
        if b"SAVED" in subprocess.run(command, capture_output=True, timeout=120, check=False).stdout:
            return
    raise AssertionError("not saved")


def routes(file: Path) -> dict[str, etree._Element]:
    """The routes of a session by name."""
    found = etree.parse(str(file)).getroot().iterfind("Routes/Route")
    return {route.get("name"): route for route in found}


def shown(route: etree._Element) -> list[object]:
    """What a person sees of a strip: devices and sends by name, comment, colour, place, mute."""
    chain = [
        p.get("name") for p in route.iterfind("Processor") if p.get("type") in ("luaproc", "lv2", "intsend")
    ]
    info, mute = route.find("PresentationInfo"), route.find("MuteMaster")
    muted = mute is not None and mute.get("muted") == "1"
    return [*chain, info.get("color"), info.get("order"), route.findtext("Comment"), muted]


def controls(route: etree._Element) -> list[dict[str, float]]:
    """The values of each device, by number or symbol."""
    return [
        {port.get("id") or port.get("symbol"): float(port.get("value")) for port in p.iterfind("*/Port")}
        for p in route.iterfind("Processor")
        if p.get("type") in ("luaproc", "lv2")
    ]


def test_a_session_that_ardour_saved_is_the_same(tmp_path: Path) -> None:
    graph = printed_graph(tmp_path)
    (tmp_path / "out").mkdir()
    exporter("ardour").write(graph, tmp_path, tmp_path / "out")
    session = tmp_path / "out" / "mix2daw"
    written = routes(session / "mix2daw.ardour")
    for _ in range(2):
        save(session, tmp_path)
    assert (session / "mix2daw.ardour.bak").is_file()
    saved = routes(session / "mix2daw.ardour")
    assert {name: shown(route) for name, route in saved.items()} == {
        name: shown(route) for name, route in written.items()
    }
    for name, route in written.items():
        for wanted, found in zip(controls(route), controls(saved[name]), strict=True):
            assert {key: found[key] for key in wanted} == pytest.approx(wanted, rel=1e-6)
    assert installed().complaints(session, "mix2daw") == ()
    installed().export(session, "mix2daw", tmp_path / "saved.wav", SAMPLES / RATE)
    played = soundfile.read(str(tmp_path / "saved.wav"), dtype="float32", always_2d=True)[0].T
    level_db, lag = null_db(np.ascontiguousarray(played), render(graph, tmp_path))
    assert (level_db is not None and level_db < -95, lag) == (True, 0)
