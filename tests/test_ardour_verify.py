"""Ardour itself, where it is installed: every kind of device on every kind of strip against pedalboard."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from exporter_helpers import device
from exporter_readers import ardour_is_installed
from typer.testing import CliRunner

from mix2daw.cli import app
from mix2daw.exporters.ardour.verify import Verification, null_db, verify
from mix2daw.graph import Device, Graph, Send, Strip
from mix2daw.output import check_folder
from mix2daw.processors import PROCESSORS, checked_graph

needs_ardour = pytest.mark.skipif(
    not ardour_is_installed(), reason="Ardour 7 or later (ardourN-lua) is not installed"
)
# Of every strip at all three rates, some 10 dB above what was measured. Sums of Ardour are rounded otherwise
# than those of the render; a reverb by its impulse response has no floor where small values are cleared.
BOUNDS_DB = {
    "compressor": -155, "linked": -160, "gate": -190, "delay": -200, "limiter": -160, "wide": -135,
    "ace": -100, "low": -100, "high": -105, "reverb": -100, "two": -120, "four": -120, "blended": -110,
    "narrow": -125, "behind": -100, "all": -92, "mono": -105, "turned": -155,
    "turned mono": -130, "Band": -95, "Hall": -90, "Pre": -100,
    "Master": -100,
}  # fmt: skip
# Ardour glides to the gain −1 of its phase switch by steps of 156.8 / rate of what is missing, in 32 bits.
# Above 52 kHz they are rounded to nothing before its own limit of 1e-5: at 96 kHz 1.8e-5 of the level stay.
GLIDES_HZ, GLIDED_DB = 52000, -88


def in_file(name: str, wet: float = 1.0, **values: float) -> Device:
    return device("convolution", wet, **values).model_copy(update={"impulse": f"{name}.wav"})


def every_device(folder: Path, rate: int) -> Graph:
    """One track a device, one with all, mono and stereo; a group, returns, a master, all with inserts."""
    rng = np.random.default_rng(7)
    samples = 3 * rate // 2
    envelope = np.exp(-(np.arange(samples) % (rate // 3)) / (0.06 * rate))[:, None]
    for name, channels in (("stereo", 2), ("mono", 1)):
        signal = 0.2 * envelope * rng.standard_normal((samples, channels))
        soundfile.write(str(folder / f"{name}.wav"), signal.clip(-1, 1), rate, subtype="PCM_24")
    decay = np.geomspace(0.1, 1e-4, rate // 2)[:, None]
    for name, ears in (("two", 2), ("four", 4)):
        taps = decay * rng.standard_normal((rate // 2, ears))
        soundfile.write(str(folder / f"{name}.wav"), taps, rate, subtype="FLOAT")
    press = device("compressor", threshold_db=-28, ratio=3.5, attack_ms=12, release_ms=240)
    linked = device("compressor", threshold_db=-28, ratio=3.5, attack_ms=3, release_ms=500, link=1)
    gate = device("gate", threshold_db=-35, ratio=4, attack_ms=1, release_ms=150)
    wall = device("limiter", ceiling_db=-14, release_ms=350, lookahead_ms=4)
    echo = device("delay", delay_ms=187.5, feedback=0.4, mix=0.35)
    hall = device("reverb", room_size=0.7, damping=0.3, wet_level=0.4, dry_level=0.1, width=0.8)
    low = device(
        "equalizer", high_pass_hz=35, high_pass_slope_db=12, low_shelf_hz=60, low_shelf_db=5,
        bell_1_hz=45, bell_1_db=-9, bell_1_q=6,
    )  # fmt: skip
    high = device(
        "equalizer", bell_3_hz=2500, bell_3_db=4, high_shelf_hz=9000, high_shelf_db=3, low_pass_slope_db=6
    )
    ace = device("equalizer", bell_1_hz=900, bell_1_db=-6, high_shelf_hz=8000, high_shelf_db=3,
                 high_shelf_q=0.5**0.5)  # fmt: skip
    wide, narrow = device("width", width=1.7), device("width", 0.8, width=0.3)
    room = in_file("two", wet_level=0.5, dry_level=0.6, width=1.4, pre_delay_ms=11)
    inserts = {
        "compressor": (press,), "linked": (linked,), "gate": (gate,), "delay": (echo,), "limiter": (wall,),
        "wide": (wide,), "ace": (ace,), "low": (low,), "high": (high,), "reverb": (hall,), "two": (room,),
        "four": (in_file("four", wet_level=0.5, dry_level=0.5),), "narrow": (narrow,), "turned": (press,),
        "blended": tuple(d.model_copy(update={"wet": 0.6}) for d in (press, gate, echo, high, wide)),
        "all": (low, gate, press, echo, wide, hall, high, narrow),
    }  # fmt: skip
    to_hall = Send(target="Hall", level_db=-9)
    strips = [_track(name, 2, "Master", devices=chain, fader_db=-8) for name, chain in inserts.items()]
    strips = [s.model_copy(update={"polarity": "inverted"}) if s.name == "turned" else s for s in strips]
    strips += [
        _track("behind", 2, "Band", devices=(ace,), post_devices=(press, echo), fader_db=-3, pan=-0.4,
               sends=(to_hall, Send(target="Pre", level_db=-6, tap="pre"))),
        _track("turned mono", 1, "Band", devices=(gate,), polarity="inverted", fader_db=-3, pan=-0.2,
               sends=(Send(target="Pre", level_db=-15, tap="pre"),)),
        _track("muted", 2, "Master", devices=(ace,), muted=True, sends=(to_hall,)),
        _track("mono", 1, "Band", devices=(low, gate, press, echo), post_devices=(high, wall), fader_db=2,
               pan=0.45, sends=(to_hall, Send(target="Pre", level_db=-12, tap="pre"))),
        Strip(name="Band", kind="group", output="Master", devices=(linked, high, wide),
              post_devices=(linked,), fader_db=0.75, pan=0.1, sends=(to_hall,)),
        Strip(name="Hall", kind="return", output="Master", fader_db=-2.0, pan=-0.2,
              devices=(echo, hall, high)),
        Strip(name="Pre", kind="return", output="Master", fader_db=-2.0, devices=(narrow,)),
        Strip(name="Master", kind="master", fader_db=-6, devices=(high, linked), post_devices=(wall,)),
    ]  # fmt: skip
    graph = Graph(sample_rate=rate, length_samples=samples, strips=tuple(strips))
    return checked_graph(graph, PROCESSORS)


def _track(name: str, channels: int, output: str, **more: object) -> Strip:
    source = "mono.wav" if channels == 1 else "stereo.wav"
    fields = {"name": name, "kind": "track", "source": source, "channels": channels, "output": output}
    return Strip.model_validate({**fields, **more})


def explain(found: Verification) -> str:
    return "\n".join(f"{null.strip}: {null.null_db} dB, late by {null.lag_samples}" for null in found.strips)


@needs_ardour
@pytest.mark.parametrize("rate", [44100, 48000, 96000])
def test_ardour_plays_every_device_of_the_graph(rate: int, tmp_path: Path) -> None:
    graph = every_device(tmp_path, rate)
    found = verify(graph, tmp_path)
    assert found.complaints == ()
    nulls = {null.strip: null for null in found.strips}
    assert nulls.pop("muted").null_db is None
    assert set(nulls) == set(BOUNDS_DB)
    turned = {"turned", "turned mono", "Band", "Hall", "Pre", "Master"} if rate > GLIDES_HZ else set()
    for name, bound_db in BOUNDS_DB.items():
        bound_db = max(bound_db, GLIDED_DB) if name in turned else bound_db
        level_db = nulls[name].null_db
        assert level_db is not None, explain(found)
        assert level_db < bound_db, explain(found)
    assert found.mix == nulls["Master"]
    assert {null.lag_samples for null in nulls.values()} == {0}  # lookaheads are taken back


@pytest.fixture
def graph_file(tmp_path: Path) -> Path:
    tone = 0.1 * np.random.default_rng(3).standard_normal(44100)
    soundfile.write(str(tmp_path / "one.wav"), tone, 44100, subtype="PCM_24")
    strips = (
        _track("A <1>", 1, "M", devices=(device("delay", delay_ms=30, mix=0.4),)).model_copy(
            update={"source": "one.wav"}
        ),
        Strip(name="M", kind="master", fader_db=-3),
    )
    path = tmp_path / "graph.json"
    path.write_text(Graph(sample_rate=44100, length_samples=44100, strips=strips).to_json(), encoding="utf-8")
    return path


@needs_ardour
def test_command_prints_and_keeps_the_nulls(graph_file: Path) -> None:
    out = graph_file.with_name("verify.json")
    printed = CliRunner().invoke(app, ["verify", str(graph_file), "--daw", "ardour", "--out", str(out)])
    assert printed.exit_code == 0, printed.output
    assert "A <1> (track)" in printed.stdout
    assert "loads without a complaint" in printed.stdout
    kept = json.loads(out.read_text(encoding="utf-8"))
    assert [strip["strip"] for strip in kept["strips"]] == ["A <1>", "M"]
    assert kept["mix"]["null_db"] < -120
    assert kept["complaints"] == []
    assert kept["export_s"] > 0
    again = CliRunner().invoke(app, ["verify", str(graph_file), "--out", str(out)])
    assert again.exit_code == 2
    assert "exists already" in again.stderr


def test_what_it_keeps_is_no_stranger_in_the_folder_of_a_result(tmp_path: Path) -> None:
    for name in ("graph.json", "verify.json"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    check_folder(tmp_path, force=True)


def test_without_ardour_one_line_says_what_to_install(
    graph_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(graph_file.parent))
    refused = CliRunner().invoke(app, ["verify", str(graph_file), "--json"])
    assert refused.exit_code == 2
    (line,) = refused.stderr.splitlines()
    assert "apt install ardour" in line
    assert refused.stdout == ""


def test_an_ardour_that_does_not_run_is_told_in_one_line(
    graph_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = graph_file.with_name("ardour7-lua")
    tool.write_text("#!/bin/sh\necho it fell over\nexit 134\n", encoding="utf-8")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{graph_file.parent}:/usr/bin:/bin")
    refused = CliRunner().invoke(app, ["verify", str(graph_file), "--json"])
    assert refused.exit_code == 2
    (line,) = refused.stderr.splitlines()
    assert "ardour7-lua: failed 8 times (it fell over)" in line


def test_a_daw_that_does_not_exist_is_refused(graph_file: Path) -> None:
    refused = CliRunner().invoke(app, ["verify", str(graph_file), "--daw", "protools"])
    assert refused.exit_code == 2
    assert "ardour" in refused.stderr


@pytest.mark.parametrize("lag", [-37, 0, 240])
def test_null_takes_a_latency_back(lag: int) -> None:
    reference = np.random.default_rng(2).standard_normal((2, 20000))
    shifted = np.roll(reference, lag, axis=1)
    assert null_db(1.001 * shifted, reference)[1] == lag
    assert null_db(1.001 * shifted, reference)[0] == pytest.approx(-60, abs=0.2)
    assert null_db(reference, 0 * reference) == (None, 0)
    assert null_db(reference, reference) == (-300, 0)
