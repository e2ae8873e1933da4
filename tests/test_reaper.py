"""REAPER projects: what they play with every device, the effects that lie beside them, the grammar."""

from __future__ import annotations

from pathlib import Path

import rpp
import soundfile
from exporter_helpers import (
    RATE,
    decay,
    device,
    graph_of,
    native_graph,
    play,
    printed_graph,
    residual_db,
    room,
    track,
    vast_room,
    write_stems,
)
from exporter_readers import read_reaper

from mix2daw.exporters import exporter
from mix2daw.exporters.pedalboard import render
from mix2daw.exporters.reaper import effects
from mix2daw.graph import Device, Graph, Send, Strip


def project(graph: Graph, stems: Path, out: Path) -> rpp.Element:
    """The tree of the project that is written for a graph."""
    out.mkdir()
    exporter("reaper").write(graph, stems, out)
    return rpp.loads((out / "mix2daw.rpp").read_text(encoding="utf-8"))


def equalized(folder: Path, *inserts: Device, **more: object) -> Graph:
    """A graph of one stereo track with these inserts."""
    write_stems(folder, {"one": 2})
    return graph_of(track("A", "one", devices=inserts, **more), Strip(name="Master", kind="master"))


def every_device(folder: Path) -> Graph:
    """Every kind of device, at every kind of strip, blended ones among them; nothing of it is lost.

    Low bands are on tracks alone, which REAPER plays bit by bit as the render does. Its sums have 64 bits;
    behind a sum, the 32-bit noise of a filter at 35 Hz is another one: -60 dB.
    """
    write_stems(folder, {"one": 2, "two": 1, "three": 2})
    low = device(
        "equalizer", high_pass_hz=35, high_pass_slope_db=12, low_shelf_hz=60, low_shelf_db=5,
        bell_1_hz=45, bell_1_db=-9, bell_1_q=6,
    )  # fmt: skip
    high = device(
        "equalizer", bell_3_hz=2500, bell_3_db=4, high_shelf_hz=9000, high_shelf_db=3, low_pass_slope_db=6
    )
    press = device("compressor", threshold_db=-28, ratio=3.5, attack_ms=12, release_ms=240)
    glue = device("compressor", threshold_db=-24, ratio=2, attack_ms=30, release_ms=900, link=1, wet=0.6)
    gate = device("gate", threshold_db=-35, ratio=4, attack_ms=1, release_ms=150)
    narrow = device("width", 0.5, width=0.2)
    echo = device("delay", delay_ms=187.5, feedback=0.4, mix=0.35)
    hall = device("reverb", room_size=0.7, damping=0.3, wet_level=0.4, dry_level=0, width=0.8)
    wall = device("limiter", ceiling_db=-9, release_ms=350, lookahead_ms=4)
    space = room(folder, dry_level=0, pre_delay_ms=20, width=0.7)
    return graph_of(
        track("Drums", "one", "Band", devices=(gate, low, press), fader_db=-3.1, pan=-0.3,
              sends=(Send(target="Hall", level_db=-9.0),)),
        track("Vox", "two", channels=1, devices=(low, press, echo), post_devices=(high,),
              fader_db=1.5, pan=0.45, sends=(Send(target="Hall", level_db=-6.5),)),
        track("Keys", "three", post_devices=(echo, hall, press), fader_db=-6.2, pan=-0.4,
              sends=(Send(target="Hall", level_db=-15.0),)),
        track("Pads", "three", "Band", devices=(device("width", width=1.7), low, narrow),
              sends=(Send(target="Hall", level_db=-12.0, tap="pre"),)),
        Strip(name="Band", kind="group", output="Master", devices=(glue,), post_devices=(high, glue),
              fader_db=0.75, pan=0.1),
        Strip(name="Hall", kind="return", output="Master", fader_db=-2.0, devices=(echo, hall, space, high)),
        Strip(name="Master", kind="master", fader_db=-1.25, devices=(high, glue), post_devices=(wall,)),
    )  # fmt: skip


def test_session_with_every_device_loses_nothing(tmp_path: Path) -> None:
    graph = every_device(tmp_path)
    (tmp_path / "out").mkdir()
    assert exporter("reaper").write(graph, tmp_path, tmp_path / "out") == []
    strips = read_reaper(tmp_path / "out")
    kinds = {read.type for strip in strips.values() for read in strip.devices}
    assert kinds == effects.TYPES
    assert residual_db(play(strips), render(graph, tmp_path)) < -110


def test_effects_lie_beside_the_project(tmp_path: Path) -> None:
    """Those that it uses, under the names that it uses, and how to install them in three lines."""
    root = project(native_graph(tmp_path), tmp_path, tmp_path / "out")
    named = {block.attrib[0] for block in root.findall(".//JS")}
    assert named == {"mix2daw/mix2daw_equalizer.jsfx", "mix2daw/mix2daw_width.jsfx"}
    folder = tmp_path / "out" / "Effects"
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files == named
    assert len((tmp_path / "out" / "INSTALL.txt").read_text(encoding="utf-8").splitlines()) == 3


def test_project_without_devices_needs_no_effects(tmp_path: Path) -> None:
    project(equalized(tmp_path), tmp_path, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"mix2daw.rpp", "media"}


def test_values_are_written_in_full_and_in_the_order_of_the_sliders(tmp_path: Path) -> None:
    press = device("compressor", 0.25, threshold_db=-12.3456789, ratio=2, release_ms=1e-5 + 5, link=1)
    root = project(equalized(tmp_path, press), tmp_path, tmp_path / "out")
    (block,) = root.findall(".//JS")
    (line,) = list(block)
    assert line == ["-12.3456789", "2", "10", "5.00001", "1", "0.25", *["-"] * 58]


def test_a_fader_with_devices_behind_it_is_an_effect(tmp_path: Path) -> None:
    """But not where one of them is printed: then all of the strip is."""
    echo = device("delay", delay_ms=50, mix=0.3)
    wide = device("width", width=1.5)
    write_stems(tmp_path, {"one": 2})
    graph = graph_of(
        track("A", "one", devices=(wide,), post_devices=(wide, echo), fader_db=-3, pan=0.5),
        track("B", "one", devices=(wide,), post_devices=(wide, vast_room(tmp_path)), fader_db=-3, pan=0.5),
        Strip(name="Master", kind="master"),
    )
    (tmp_path / "out").mkdir()
    lost = exporter("reaper").write(graph, tmp_path, tmp_path / "out")
    assert [(entry.strip, entry.device) for entry in lost] == [
        ("B", "width"), ("B", "width"), ("B", "convolution"), ("B", "fader"), ("B", "pan"),
    ]  # fmt: skip
    strips = read_reaper(tmp_path / "out")
    assert [read.type for read in strips["A"].devices] == ["width", "fader", "pan", "width", "delay"]
    assert strips["A"].fader_db == strips["A"].pan == 0
    assert strips["B"].devices == ()
    assert residual_db(play(strips), render(graph, tmp_path)) < -120


def test_impulse_responses_lie_beside_their_effects(tmp_path: Path) -> None:
    """At the rate of the song, once each, under names that no other song has; played as the render does."""
    write_stems(tmp_path, {"one": 2, "two": 1})
    near, far = room(tmp_path, pre_delay_ms=7), room(tmp_path, wet_level=0.1, dry_level=0)
    soundfile.write(str(tmp_path / "hall.wav"), decay(9000, 4), 44100, subtype="FLOAT")
    hall = far.model_copy(update={"impulse": "hall.wav"})
    graph = graph_of(
        track("A", "one", devices=(near,), sends=(Send(target="Hall", level_db=-3),)),
        track("B", "two", channels=1, devices=(near.model_copy(update={"wet": 0.4}),)),
        Strip(name="Hall", kind="return", output="Master", devices=(hall,)),
        Strip(name="Master", kind="master", post_devices=(far,)),
    )
    (tmp_path / "out").mkdir()
    assert exporter("reaper").write(graph, tmp_path, tmp_path / "out") == []
    effects_folder = tmp_path / "out" / "Effects" / "mix2daw"
    names = {path.name for path in effects_folder.iterdir()}
    assert len(names) == 4
    for path in effects_folder.glob("*.jsfx"):
        digest = path.stem.split("_")[2]
        assert f"mix2daw_impulse_{digest}.wav" in names
        assert f"filename:0,mix2daw_impulse_{digest}.wav\n" in path.read_text(encoding="utf-8")
    assert {soundfile.info(str(path)).samplerate for path in effects_folder.glob("*.wav")} == {RATE}
    assert {path.name for path in (tmp_path / "out" / "media").iterdir()} == {
        "A.wav", "B.wav", "mix2daw render.wav",
    }  # fmt: skip
    told = (tmp_path / "out" / "INSTALL.txt").read_text(encoding="utf-8")
    assert "impulse responses" in told
    assert len(told.splitlines()) == 3
    assert residual_db(play(read_reaper(tmp_path / "out")), render(graph, tmp_path)) < -120


def test_an_impulse_response_that_is_too_long_is_printed(tmp_path: Path) -> None:
    graph = equalized(tmp_path, vast_room(tmp_path), device("equalizer", bell_1_db=3))
    (tmp_path / "out").mkdir()
    (lost,) = exporter("reaper").write(graph, tmp_path, tmp_path / "out")
    assert (lost.device, lost.how) == ("convolution", "printed")
    assert "'impulse of A.wav'" in lost.reason
    assert (tmp_path / "out" / "media" / "impulse of A.wav").read_bytes() == (
        tmp_path / "vast.wav"
    ).read_bytes()


def test_file_is_the_same_when_read_and_written_again(tmp_path: Path) -> None:
    project(printed_graph(tmp_path), tmp_path, tmp_path / "out")
    text = (tmp_path / "out" / "mix2daw.rpp").read_text(encoding="utf-8")
    assert rpp.dumps(rpp.loads(text)) == text


def test_fades_are_written_as_none_and_rate_is_forced(tmp_path: Path) -> None:
    root = project(native_graph(tmp_path), tmp_path, tmp_path / "out")
    items = root.findall(".//ITEM")
    assert items
    for item in items:
        assert float(item.find("FADEIN")[2]) == float(item.find("FADEOUT")[2]) == 0
        assert item.find("LOOP")[1] == "0"
    assert root.find("SAMPLERATE")[1:3] == [str(RATE), "1"]


def test_notes_say_what_is_set(tmp_path: Path) -> None:
    root = project(native_graph(tmp_path), tmp_path, tmp_path / "out")
    notes = list(root.find("NOTES"))
    assert "|Drums" in notes
    assert "|  post send to Room -9.00 dB" in notes
    assert any("bell 900 Hz -6.0 dB Q 2.00" in line for line in notes)
