"""What every exporter promises, whatever the format. Sessions are read back by readers of our own and played
by an independent mixer."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from exporter_helpers import (
    ODD_NAMES,
    RATE,
    SAMPLES,
    contents,
    device,
    graph_of,
    native_graph,
    play,
    printed_graph,
    residual_db,
    track,
    vast_room,
    write_stems,
)
from exporter_readers import READERS

from mix2daw.errors import FormatError
from mix2daw.exporters import FORMATS, Lost, exporter
from mix2daw.exporters.pedalboard import render
from mix2daw.exporters.words import describe
from mix2daw.graph import Device, Graph, Send, Strip

# Sessions with buses and sends, which one independent mixer can play; the others have tests of their own.
formats = pytest.mark.parametrize("name", READERS)
every_format = pytest.mark.parametrize("name", FORMATS)
# Those of them that print a convolution; Ardour plays it.
printing_formats = pytest.mark.parametrize(
    "name", [name for name in READERS if "convolution" not in exporter(name).holds]
)
DYNAMICS = (
    device("compressor", threshold_db=-30, ratio=4),
    device("compressor", threshold_db=-30, ratio=4, link=1),
    device("gate", threshold_db=-30, ratio=4),
    device("limiter", ceiling_db=-12),
)


def export(name: str, graph: Graph, stems: Path, out: Path) -> list[Lost]:
    """A session in the new folder `out`, and what it lost."""
    out.mkdir(parents=True)
    return exporter(name).write(graph, stems, out)


def ways(strips: dict[str, object], name: str) -> list[str]:
    """The strips that a signal passes from `name` to the end."""
    way = [name]
    while (output := strips[way[-1]].output) is not None:  # type: ignore[attr-defined]
        assert output not in way, f"a loop through {output}"
        way.append(output)
    return way


def test_every_format_is_found_by_name() -> None:
    for name in FORMATS:
        assert exporter(name).name == name
    with pytest.raises(FormatError, match="use one of"):
        exporter("protools")


@formats
@pytest.mark.parametrize("make", [native_graph, printed_graph])
def test_session_plays_the_render(name: str, make: object, tmp_path: Path) -> None:
    graph = make(tmp_path)  # type: ignore[operator]
    export(name, graph, tmp_path, tmp_path / "out")
    strips = READERS[name](tmp_path / "out")
    assert residual_db(play(strips), render(graph, tmp_path)) < -95


@formats
def test_settings_survive_in_human_units(name: str, tmp_path: Path) -> None:
    graph = native_graph(tmp_path)
    lost = export(name, graph, tmp_path, tmp_path / "out")
    printed = {entry.strip for entry in lost if entry.how == "printed"}
    strips = READERS[name](tmp_path / "out")
    for strip in graph.strips:
        if strip.name in printed:
            continue
        read = strips[strip.name]
        assert read.fader_db == pytest.approx(strip.fader_db, abs=1e-4)
        assert read.pan == pytest.approx(strip.pan, abs=1e-6)
        levels = {target: (20 * np.log10(level), tap) for target, (level, tap) in read.sends.items()}
        wanted = {send.target: (pytest.approx(send.level_db, abs=1e-6), send.tap) for send in strip.sends}
        assert levels == {target: wanted[target] for target in levels}
        assert read.position_samples == max(0, strip.offset_samples)
        assert read.start_samples == max(0, -strip.offset_samples)
        if read.devices:
            kept = [(read_device.type, read_device.values) for read_device in read.devices]
            assert kept == [
                (insert.type, pytest.approx({**insert.values, "wet": insert.wet})) for insert in strip.devices
            ]
            continue
        equalizers = [insert.values for insert in strip.devices if insert.type == "equalizer"]
        assert len(read.equalizers) == len(equalizers)
        for values, bands in zip(equalizers, read.equalizers, strict=True):
            kept = [control.removesuffix("_db") for control in values if control.endswith("_db")]
            kept = [control for control in kept if "slope" not in control and values[f"{control}_db"]]
            assert len(bands) == len(kept)
            for control, band in zip(kept, bands, strict=True):
                assert band.kind in control
                assert band.freq_hz == pytest.approx(values[f"{control}_hz"], rel=1e-4)
                assert band.gain_db == pytest.approx(values[f"{control}_db"], abs=1e-3)
                assert band.q == pytest.approx(values[f"{control}_q"], rel=1e-3)


@formats
@pytest.mark.parametrize("make", [native_graph, printed_graph])
def test_every_strip_reaches_the_master(name: str, make: object, tmp_path: Path) -> None:
    graph = make(tmp_path)  # type: ignore[operator]
    export(name, graph, tmp_path, tmp_path / "out")
    strips = READERS[name](tmp_path / "out")
    for strip in graph.strips:
        found = [read for read in strips if read in (strip.name, f"{strip.name} (print)")]
        assert found
        assert {ways(strips, read)[-1] for read in found} == {"Master"}
    assert {strip.output for strip in strips.values()} <= {None, *strips}


@formats
def test_everything_lost_is_listed(name: str, tmp_path: Path) -> None:
    graph = printed_graph(tmp_path)
    lost = export(name, graph, tmp_path, tmp_path / "out")
    strips = READERS[name](tmp_path / "out")
    listed = [(entry.strip, entry.device) for entry in lost if entry.how == "printed"]
    for strip in graph.strips:
        own = strips[strip.name] if strip.name in strips else strips[f"{strip.name} (print)"]
        native = len(own.equalizers) + len(own.devices) + len(own.behind)
        inserts = [insert.type for insert in strip.all_devices()]
        printed = [type_ for owner, type_ in listed if owner == strip.name and type_ in inserts]
        assert native + len(printed) == len(inserts), strip.name
        kept = strips.get(strip.name, strips.get(f"{strip.name} (print)"))
        assert kept is not None
        for send in strip.sends:
            assert (send.target in kept.sends) != ((strip.name, f"send to {send.target}") in listed)
    assert (("Pads", "fader") in listed) == (("Pads", "pan") in listed) == (name != "ardour")
    assert all(entry.residual_db is None and entry.reason for entry in lost)


@formats
def test_a_graph_that_is_held_loses_nothing(name: str, tmp_path: Path) -> None:
    write_stems(tmp_path, {"one": 2})
    bell = device("equalizer", bell_1_hz=700, bell_1_db=3)
    idle = (device("equalizer"), device("width"), device("delay"), device("compressor", threshold_db=-20))
    graph = graph_of(
        track("A", "one", devices=(bell, *idle), fader_db=-2), Strip(name="Master", kind="master")
    )
    lost = export(name, graph, tmp_path, tmp_path / "out")
    nearly = "equalizer" in exporter(name).approximate
    assert [(entry.device, entry.how) for entry in lost] == [("equalizer", "approximate")] * nearly


@printing_formats
def test_an_unheld_insert_of_the_master_is_dropped_with_its_residual(name: str, tmp_path: Path) -> None:
    write_stems(tmp_path, {"one": 2})
    inserts = (vast_room(tmp_path), device("equalizer", bell_1_hz=700, bell_1_db=3))
    graph = graph_of(track("A", "one"), Strip(name="Master", kind="master", devices=inserts))
    lost = export(name, graph, tmp_path, tmp_path / "out")
    (entry,) = (entry for entry in lost if entry.how != "approximate")
    assert (entry.strip, entry.device, entry.how) == ("Master", "convolution", "dropped")
    played = play(READERS[name](tmp_path / "out"))
    assert entry.residual_db == pytest.approx(residual_db(played, render(graph, tmp_path)), abs=0.01)


@printing_formats
def test_printed_group_can_be_opened_again(name: str, tmp_path: Path) -> None:
    """Muting the prints and unmuting what lies beneath gives the graph without what was printed."""
    write_stems(tmp_path, {"one": 2, "two": 1})
    group = Strip(name="G", kind="group", output="Master", devices=(vast_room(tmp_path),), fader_db=-2)
    tracks = (track("A", "one", "G", fader_db=-3), track("B", "two", "G", pan=0.4))
    master = Strip(name="Master", kind="master")
    export(name, graph_of(*tracks, group, master), tmp_path, tmp_path / "out")
    strips = READERS[name](tmp_path / "out")
    assert strips["A"].muted
    assert strips["B"].muted
    assert not strips["G (print)"].muted
    opened = {}
    for key, strip in strips.items():
        muted = key not in ("A", "B", "G", "Master")
        opened[key] = type(strip)(**{**vars(strip), "muted": muted})
    without = graph_of(*tracks, group.model_copy(update={"devices": ()}), master)
    assert residual_db(play(opened), render(without, tmp_path)) < -100


@formats
def test_references_are_there_and_muted(name: str, tmp_path: Path) -> None:
    write_stems(tmp_path, {"one": 2, "the mix": 2})
    graph = graph_of(track("A", "one", fader_db=-4), Strip(name="Master", kind="master"), mix="the mix.wav")
    export(name, graph, tmp_path, tmp_path / "out")
    strips = READERS[name](tmp_path / "out")
    mix = soundfile.read(str(tmp_path / "the mix.wav"), dtype="float32", always_2d=True)[0].T
    for reference, signal in (("target mix", mix), ("mix2daw render", render(graph, tmp_path))):
        assert strips[reference].muted
        assert np.array_equal(strips[reference].audio, signal)


@every_format
def test_same_graph_same_bytes(name: str, tmp_path: Path) -> None:
    graph = printed_graph(tmp_path)
    for out in ("a", "b"):
        export(name, graph, tmp_path, tmp_path / out)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


@formats
def test_odd_names_survive(name: str, tmp_path: Path) -> None:
    write_stems(tmp_path, {"one": 1})
    tracks = [
        track(odd, "one", "the <Group> & \"co\"", channels=1, fader_db=-0.5 * number)
        for number, odd in enumerate(ODD_NAMES)
    ]  # fmt: skip
    group = Strip(name='the <Group> & "co"', kind="group", output="2-Bus")
    graph = graph_of(*tracks, group, Strip(name="2-Bus", kind="master"))
    export(name, graph, tmp_path, tmp_path / "out")
    strips = READERS[name](tmp_path / "out")
    assert residual_db(play(strips), render(graph, tmp_path)) < -100
    assert len(strips) == len(graph.strips) + 1
    faders = sorted((strip.fader_db for strip in strips.values() if not strip.muted), reverse=True)
    assert faders == pytest.approx([0, 0, *(strip.fader_db for strip in tracks)], abs=1e-4)
    assert "Lead Vox" in strips
    assert "Größe 漢字 🎹" in strips
    if name == "dawproject":
        prefix = "mix2daw.zip:audio/"
        files = [key.removeprefix(prefix) for key in contents(tmp_path / "out") if key.startswith(prefix)]
    else:
        files = [path.name for path in (tmp_path / "out").rglob("*.wav")]
    assert len({file.casefold() for file in files}) == len(tracks) + 1
    for file in files:
        assert not re.search(r'[<>:"/\\|?*\x00-\x1f]|^[. ]|[. ]$', file)
        assert len(file.encode()) < 200
        assert Path(file).stem.casefold() not in ("con", "aux", "nul")


@every_format
def test_nothing_leaves_the_folder_whatever_the_names(name: str, tmp_path: Path) -> None:
    """Every file has a name that all systems take, and no file says where it was made."""
    stems = tmp_path / "secret place"
    stems.mkdir()
    write_stems(stems, {"one": 1})
    tracks = [
        track(odd, "one", "../up", channels=1) for odd in (*ODD_NAMES, "../../evil", "/etc/x", '"""', "\\")
    ]
    group = Strip(name="../up", kind="group", output="2-Bus")
    graph = graph_of(*tracks, group, Strip(name="2-Bus", kind="master"))
    export(name, graph, stems, tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} == {"secret place", "out"}
    for file, data in contents(tmp_path / "out").items():
        assert b"secret place" not in data
        parts = file.split(":")[-1].split("/")
        assert all(len(part.encode()) < 200 and not re.search(r"^[. ]|[. ]$", part) for part in parts)


@formats
def test_moved_session_finds_its_media(name: str, tmp_path: Path) -> None:
    stems = tmp_path / "stems"
    stems.mkdir()
    graph = native_graph(stems)
    reference = render(graph, stems)
    export(name, graph, stems, tmp_path / "first" / "out")
    (tmp_path / "first" / "out").rename(tmp_path / "moved")
    for path in stems.iterdir():
        path.unlink()
    assert residual_db(play(READERS[name](tmp_path / "moved")), reference) < -95


@formats
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT", "DOUBLE"])
def test_sources_are_copied_without_loss(name: str, subtype: str, tmp_path: Path) -> None:
    write_stems(tmp_path, {"one": 2}, subtype)
    graph = graph_of(track("A", "one"), Strip(name="Master", kind="master"))
    export(name, graph, tmp_path, tmp_path / "out")
    source = soundfile.read(str(tmp_path / "one.wav"), dtype="float32", always_2d=True)[0].T
    assert np.array_equal(READERS[name](tmp_path / "out")["A"].audio, source)


@formats
def test_source_at_another_rate_is_resampled(name: str, tmp_path: Path) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(SAMPLES) / 44100)
    soundfile.write(str(tmp_path / "one.wav"), tone, 44100, subtype="PCM_16")
    graph = graph_of(track("A", "one"), Strip(name="Master", kind="master"))
    export(name, graph, tmp_path, tmp_path / "out")
    audio = READERS[name](tmp_path / "out")["A"].audio
    assert audio is not None
    wanted = 0.5 * np.sin(2 * np.pi * 440 * np.arange(audio.shape[1]) / RATE)
    middle = slice(RATE // 10, -RATE // 10)
    assert residual_db(audio[:, middle], wanted[None, middle]) < -80


@printing_formats
def test_starved_return_is_printed(name: str, tmp_path: Path) -> None:
    """A live return keeps sounding when a printed group mutes the track that fed it."""
    write_stems(tmp_path, {"one": 2, "two": 1})
    graph = graph_of(
        track("A", "one", "G", sends=(Send(target="Room", level_db=-3),)),
        track("B", "two", sends=(Send(target="Room", level_db=-6),)),
        Strip(name="G", kind="group", output="Master", devices=(vast_room(tmp_path),)),
        Strip(name="Room", kind="return", output="Master", devices=(), fader_db=-1),
        Strip(name="Master", kind="master"),
    )
    lost = export(name, graph, tmp_path, tmp_path / "out")
    strips = READERS[name](tmp_path / "out")
    assert residual_db(play(strips), render(graph, tmp_path)) < -100
    assert {(entry.strip, entry.device) for entry in lost} == {
        ("A", "send to Room"),
        ("B", "send to Room"),
        ("G", "convolution"),
        ("Room", "return"),
    }


@printing_formats
def test_impulse_responses_come_with_the_session(name: str, tmp_path: Path) -> None:
    """The reverberation is printed, and its impulse response is there for a convolver of the user's own."""
    stems = tmp_path / "stems"
    (stems / "rooms").mkdir(parents=True)
    write_stems(stems, {"one": 2, "two": 1})
    decay = np.geomspace(0.3, 1e-4, 9000)[:, None]
    rng = np.random.default_rng(4)
    for file, channels, rate in (("hall", 4, 44100), ("plate", 2, RATE)):
        impulse = decay * rng.standard_normal((9000, channels))
        soundfile.write(str(stems / "rooms" / f"{file}.wav"), impulse, rate, subtype="FLOAT")

    def in_room(file: str, **values: float) -> Device:
        return device("convolution", **values).model_copy(update={"impulse": f"rooms/{file}.wav"})

    hall = in_room("hall", wet_level=0.5, dry_level=0, pre_delay_ms=15)
    inserts = (in_room("plate", wet_level=0.2), in_room("hall", wet_level=0.1), in_room("plate"))
    to_hall = (Send(target="Hall", level_db=-6),)
    graph = graph_of(
        track("A", "one", devices=inserts, fader_db=-2),
        track("B", "two", channels=1, sends=to_hall),
        Strip(name="Hall", kind="return", output="Master", devices=(hall,), fader_db=-3),
        Strip(name="Master", kind="master", post_devices=(in_room("plate", wet_level=0.05),)),
    )
    lost = export(name, graph, stems, tmp_path / "out")
    entries = [entry for entry in lost if entry.device == "convolution"]
    told = [re.findall(r"'(impulse of [^']*)'", entry.reason) for entry in entries]
    assert [(entry.strip, entry.how, *files) for entry, files in zip(entries, told, strict=True)] == [
        ("A", "printed", "impulse of A.wav"),
        ("A", "printed", "impulse of A (2).wav"),
        ("Hall", "printed", "impulse of Hall.wav"),
        ("Master", "dropped", "impulse of Master.wav"),
    ]
    found = {Path(key).name: data for key, data in contents(tmp_path / "out").items()}
    for (file,), source in zip(told, ("plate", "hall", "hall", "plate"), strict=True):
        assert found[file] == (stems / "rooms" / f"{source}.wav").read_bytes()
    held = graph.replace(graph.master.model_copy(update={"post_devices": ()}))
    assert residual_db(play(READERS[name](tmp_path / "out")), render(held, stems)) < -100


@formats
@pytest.mark.parametrize("insert", DYNAMICS, ids=lambda insert: describe(insert, RATE))
def test_dynamics_are_never_passed_over(name: str, insert: Device, tmp_path: Path) -> None:
    write_stems(tmp_path, {"one": 2})
    graph = graph_of(track("A", "one", devices=(insert,)), Strip(name="Master", kind="master"))
    lost = export(name, graph, tmp_path, tmp_path / "out")
    assert {(entry.strip, entry.device) for entry in lost} <= {("A", insert.type)}
    if not lost:
        assert insert.type in exporter(name).holds
    if "approximate" not in {entry.how for entry in lost}:
        assert residual_db(play(READERS[name](tmp_path / "out")), render(graph, tmp_path)) < -100
