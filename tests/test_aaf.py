"""AAF files read back: tracks, gains, places and samples against the graph, their sum against the render."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import aaf2
import numpy as np
import pytest
import soundfile
from aaf_reader import STEP, ReadTrack, read, total
from exporter_helpers import (
    ODD_NAMES,
    RATE,
    SAMPLES,
    device,
    graph_of,
    native_graph,
    printed_graph,
    residual_db,
    track,
    write_stems,
)
from numpy.typing import NDArray

from mix2daw.errors import InputError, OutputError
from mix2daw.exporters import Lost, exporter
from mix2daw.exporters.pedalboard import render, render_taps
from mix2daw.graph import Graph, Send, Strip, read_graph
from mix2daw.processors import PROCESSORS, checked_graph

SONG = Path(__file__).resolve().parent.parent / "samples" / "song"


def export(graph: Graph, stems: Path, out: Path) -> list[Lost]:
    out.mkdir()
    return exporter("aaf").write(graph, stems, out)


def check_sum(tracks: dict[str, ReadTrack], expected: NDArray[np.float32]) -> None:
    """The sum is the render but for rounding.

    A sample is at most half a step off, and evenly so, times the gain of its track; the errors of the tracks
    are independent. The render itself is rounded to float32 at every device, fader and sum: 32 roundings of
    the largest sample are more than any, and one of the mean level is more than their mean.
    """
    error = total(tracks) - expected
    gains = np.array([track.sides for track in tracks.values()])
    peak, level = np.abs(expected).max(), np.sqrt(np.mean(np.square(expected, dtype=np.float64)))
    assert np.all(np.abs(error).max(axis=1) <= gains.sum(axis=0) * STEP / 2 + 32 * 2.0**-24 * peak)
    expected_rms = np.sqrt(np.square(gains).sum(axis=0).mean() / 12) * STEP
    assert np.sqrt(np.mean(error**2)) <= 1.05 * expected_rms + 2.0**-23 * level


def buses(folder: Path) -> Graph:
    """Inserts before and behind faders on nested groups, a return into a group, a master with everything."""
    write_stems(folder, {"one": 2, "two": 1, "three": 2})
    press = device("compressor", threshold_db=-30, ratio=4, link=1)
    delay = device("delay", delay_ms=120, feedback=0.3, mix=0.4)
    wide = device("width", width=1.4)
    return graph_of(
        track("A", "one", "In", devices=(press,), fader_db=-3.1, pan=-0.3,
              sends=(Send(target="R", level_db=-9),)),
        track("B", "two", "In", channels=1, post_devices=(delay,), fader_db=2, pan=0.9),
        track("C", "three", "Out", pan=1.0, sends=(Send(target="R", level_db=-3, tap="pre"),)),
        Strip(name="In", kind="group", output="Out", devices=(wide,), post_devices=(press,), pan=0.2),
        Strip(name="Out", kind="group", output="Master", devices=(press, delay), fader_db=-2, pan=-0.4),
        Strip(name="Plain", kind="group", output="Master", fader_db=-60),
        Strip(name="R", kind="return", output="In", devices=(delay,), post_devices=(wide,), fader_db=-5),
        Strip(name="Master", kind="master", devices=(press,), post_devices=(wide,), fader_db=1.5, pan=0.1),
    )  # fmt: skip


@pytest.mark.parametrize("make", [native_graph, printed_graph, buses])
def test_sum_of_the_tracks_is_the_render(make: Callable[[Path], Graph], tmp_path: Path) -> None:
    graph = make(tmp_path)
    export(graph, tmp_path, tmp_path / "out")
    check_sum(read(tmp_path / "out"), render(graph, tmp_path))


def test_sum_of_the_sample_song_is_its_render(tmp_path: Path) -> None:
    graph = checked_graph(read_graph(SONG / "truth.json"), PROCESSORS)
    export(graph, SONG, tmp_path / "out")
    tracks, expected = read(tmp_path / "out"), render(graph, SONG)
    check_sum(tracks, expected)
    assert residual_db(total(tracks), expected.astype(np.float64)) < -115


def test_tracks_carry_prints_faders_and_pans(tmp_path: Path) -> None:
    graph = native_graph(tmp_path)
    export(graph, tmp_path, tmp_path / "out")
    tracks = read(tmp_path / "out")
    band_db, inner_db, master_db = 0.75, -1.0, -1.25
    assert list(tracks) == [
        "Drums.L", "Drums.R", "Vox", "Pads.L", "Pads.R", "Bass", "Inner (processing).L",
        "Inner (processing).R", "Band (processing).L", "Band (processing).R", "Wide.L", "Wide.R", "Room.L",
        "Room.R", "Slap.L", "Slap.R", "Master (processing).L", "Master (processing).R",
    ]  # fmt: skip
    assert 20 * np.log10(tracks["Vox"].gain_lin) == pytest.approx(1.5 + master_db, abs=1e-6)
    assert tracks["Vox"].pan == pytest.approx(0.45, abs=1e-9)
    assert 20 * np.log10(tracks["Bass"].gain_lin) == pytest.approx(
        -4 + inner_db + band_db + master_db, abs=1e-6
    )
    assert tracks["Bass"].pan == pytest.approx(0.1, abs=1e-9)
    left, right = tracks["Drums.L"], tracks["Drums.R"]
    assert (left.pan, right.pan) == (-1, 1)
    assert 20 * np.log10(left.gain_lin) == pytest.approx(-3.1 + band_db + master_db, abs=1e-6)
    assert right.gain_lin / left.gain_lin == pytest.approx(0.7, abs=1e-9)
    taps = render_taps(graph, tmp_path, {("Drums", 1), ("Vox", 2), ("Bass", 0), ("Room", 1)})
    for name, tap, channel in (
        ("Drums.L", "Drums", 0), ("Drums.R", "Drums", 1), ("Vox", "Vox", 0), ("Bass", "Bass", 0),
        ("Room.R", "Room", 1),
    ):  # fmt: skip
        (printed,) = (signal for (strip, _), signal in taps.items() if strip == tap)
        assert np.abs(tracks[name].signal - printed[channel]).max() <= STEP / 2


def test_a_24_bit_source_is_carried_whole(tmp_path: Path) -> None:
    write_stems(tmp_path, {"one": 2})
    graph = graph_of(track("A", "one"), Strip(name="Master", kind="master"))
    assert export(graph, tmp_path, tmp_path / "out") == []
    source = soundfile.read(str(tmp_path / "one.wav"), always_2d=True)[0].T
    tracks = read(tmp_path / "out")
    assert np.array_equal(source, [tracks["A.L"].signal, tracks["A.R"].signal])


@pytest.mark.parametrize("peak", [0.0, 1.0, 1.000001, 9.3, 4096.0])
def test_more_than_full_scale_is_turned_down_and_up_again(peak: float, tmp_path: Path) -> None:
    wave = np.random.default_rng(1).uniform(-1, 1, (SAMPLES, 2)).astype(np.float32)
    wave[7], wave[8] = 1, -1
    soundfile.write(str(tmp_path / "one.wav"), peak * wave, RATE, subtype="FLOAT")
    graph = graph_of(track("A", "one", fader_db=-6), Strip(name="Master", kind="master"))
    export(graph, tmp_path, tmp_path / "out")
    tracks = read(tmp_path / "out")
    check_sum(tracks, render(graph, tmp_path))
    if peak:
        louder = np.log2(tracks["A.L"].gain_lin / 10 ** (-6 / 20))
        assert louder == pytest.approx(np.ceil(np.log2(peak + STEP)), abs=1e-6)
        assert np.abs(tracks["A.L"].signal).max() >= 0.5
    else:
        assert list(tracks) == ["A"]


def test_everything_lost_is_listed(tmp_path: Path) -> None:
    graph = buses(tmp_path)
    lost = export(graph, tmp_path, tmp_path / "out")
    found = [(entry.strip, entry.device, entry.how) for entry in lost]
    for strip in graph.strips:
        printed = [insert for owner, insert, how in found if owner == strip.name and how == "printed"]
        for insert in strip.all_devices():
            printed.remove(insert.type)
        for send in strip.sends:
            printed.remove(f"send to {send.target}")
        whole = {"B": ["fader", "pan"], "R": ["fader", "return"]}
        assert sorted(printed) == whole.get(strip.name, []), strip.name
    assert [entry for entry in found if entry[2] != "printed"] == [
        ("A", "pan", "dropped"),
        ("C", "pan", "dropped"),
        ("In", "pan", "dropped"),
        ("In", "group", "dropped"),
        ("Out", "fader", "dropped"),
        ("Out", "pan", "dropped"),
        ("Out", "group", "dropped"),
        ("Plain", "fader", "dropped"),
        ("Plain", "group", "dropped"),
        ("Master", "fader", "dropped"),
        ("Master", "pan", "dropped"),
    ]
    mono = graph_of(track("M", "two", channels=1), Strip(name="Master", kind="master"))
    (entry,) = export(mono, tmp_path, tmp_path / "mono")
    assert (entry.strip, entry.device, entry.how) == ("M", "pan", "approximate")


def test_odd_and_equal_names_are_tracks_of_their_own(tmp_path: Path) -> None:
    write_stems(tmp_path, {"one": 2, "two": 1})
    names = (*ODD_NAMES, "Kick.L", "Kick\x00", "Kick ", "Master (processing).L")
    tracks = [track(name, "two", "\x01", channels=1, fader_db=-number) for number, name in enumerate(names)]
    tracks += [track(name, "one", "\x01") for name in ("Kick\t", "kick.R", "kick\n", "Lead Vox\t")]
    bell = device("equalizer", bell_1_db=3)
    graph = graph_of(*tracks, Strip(name="\x01", kind="master", devices=(bell,)))
    export(graph, tmp_path, tmp_path / "out")
    found = read(tmp_path / "out")
    check_sum(found, render(graph, tmp_path))
    assert len(found) == len(names) + 2 * 5
    assert {"Größe 漢字 🎹", 'a<b>&"c" \'d', "n" * 200, "Kick", "Kick (2)", "Kick (3)"} <= set(found)
    for name in found:
        base, side = name[:-2], name[-2:]
        assert (
            side not in (".L", ".R") or abs(found[name].pan) < 1 or base + ".LR".replace(side[1], "") in found
        )


def test_file_says_what_wrote_it_and_has_a_timecode(tmp_path: Path) -> None:
    graph = native_graph(tmp_path)
    export(graph, tmp_path, tmp_path / "out")
    with aaf2.open(str(tmp_path / "out" / "mix2daw.aaf")) as file:
        (identification,) = file.header["IdentificationList"].value
        said = {prop.name: prop.value for prop in identification.properties()}
        (composition,) = file.content.toplevel()
        timecode = [slot.segment for slot in composition.slots if slot.media_kind == "Timecode"]
        mobs = list(file.content.mobs)
        assert {str(mob["CreationTime"].value) for mob in mobs} == {"1980-01-01 00:00:00"}
        assert len({str(mob.mob_id) for mob in mobs}) == 1 + 2 * (len(composition.slots) - 1)
        assert [(code.start, code.fps, code.length) for code in timecode] == [(0, 25, 50)]
    assert (said["ProductName"], said["CompanyName"]) == ("mix2daw", "mix2daw")
    assert said["ProductVersion"]["minor"] == 1
    assert said["ToolkitVersion"]["major"] == 1


def test_same_bytes_from_another_process(tmp_path: Path) -> None:
    graph = printed_graph(tmp_path)
    (tmp_path / "graph.json").write_text(graph.to_json(), encoding="utf-8")
    code = "import sys; from pathlib import Path; from mix2daw.exporters.aaf import EXPORTER; "
    code += "from mix2daw.graph import read_graph; stems, out = map(Path, sys.argv[1:]); out.mkdir(); "
    code += "EXPORTER.write(read_graph(stems / 'graph.json'), stems, out)"
    for out in ("a", "b"):
        subprocess.run([sys.executable, "-c", code, str(tmp_path), str(tmp_path / out)], check=True)
    first, second = ((tmp_path / out / "mix2daw.aaf").read_bytes() for out in ("a", "b"))
    assert first == second


@pytest.mark.parametrize("name", ["aaf", "pedalboard"])
def test_a_folder_that_is_not_there_is_said(name: str, tmp_path: Path) -> None:
    graph = native_graph(tmp_path)
    with pytest.raises(OutputError, match="missing"):
        exporter(name).write(graph, tmp_path, tmp_path / "missing")


def test_nothing_is_left_of_a_file_that_cannot_be_finished(tmp_path: Path) -> None:
    write_stems(tmp_path, {"one": 2})
    graph = graph_of(track("A", "one"), track("B", "missing"), Strip(name="Master", kind="master"))
    with pytest.raises(InputError, match=r"missing\.wav"):
        export(graph, tmp_path, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
