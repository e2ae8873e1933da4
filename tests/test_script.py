"""The script of the format `pedalboard`: run with nothing of ours, it makes the bytes of our own render."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from exporter_helpers import (
    ODD_NAMES,
    RATE,
    SAMPLES,
    device,
    graph_of,
    native_graph,
    printed_graph,
    track,
    write_stems,
)

from mix2daw.errors import GraphError, InputError
from mix2daw.exporters import exporter
from mix2daw.exporters.pedalboard import render
from mix2daw.graph import Device, Graph, Send, Strip, read_graph
from mix2daw.processors import PROCESSORS, checked_graph
from mix2daw.stems import write_wav

SONG = Path(__file__).resolve().parent.parent / "samples" / "song"
# Runs a script in a Python that has numpy, pedalboard and soundfile, and refuses whatever else we build on.
ALONE = """
import runpy, sys
REFUSED = {"mix2daw", "torch", "scipy", "soxr", "numba", "pydantic", "lxml"}
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in REFUSED:
            raise ImportError(f"{name} must not be needed")
sys.meta_path.insert(0, Refuse())
script, *sys.argv[1:] = sys.argv[1:]
runpy.run_path(script, run_name="__main__")
assert not REFUSED & {name.split(".")[0] for name in sys.modules}
"""


def run(script: Path, *arguments: str) -> None:
    """Run a script alone; what it says to stderr is the message if it fails."""
    command = [sys.executable, "-I", "-c", ALONE, str(script), *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=script.parent.parent)
    assert ended.returncode == 0, ended.stderr


def check(graph: Graph, folder: Path, out: Path) -> str:
    """Export, run, compare all bytes with render.wav; returns the text of the script."""
    out.mkdir()
    assert exporter("pedalboard").write(graph, folder, out) == []
    run(out / "render.py")
    write_wav(out / "expected.wav", render(graph, folder), graph.sample_rate)
    assert (out / "render.wav").read_bytes() == (out / "expected.wav").read_bytes()
    return (out / "render.py").read_text(encoding="utf-8")


def room(file: str, wet: float = 1.0, **values: float) -> Device:
    return device("convolution", wet, **values).model_copy(update={"impulse": f"rooms/{file}.wav"})


def every_device(folder: Path) -> Graph:
    """Every device on mono and on stereo, whole, blended and at rest; sources of all kinds; two rooms."""
    write_stems(folder, {"one": 2, "two": 1, "three": 2})
    (folder / "rooms").mkdir()
    rng = np.random.default_rng(4)
    for file, channels, taps, rate in (
        ("hall", 4, 9000, 44100),
        ("plate", 2, 5000, RATE),
        ("tap", 2, 5, RATE),
    ):
        impulse = np.geomspace(0.3, 1e-4, taps)[:, None] * rng.standard_normal((taps, channels))
        soundfile.write(str(folder / "rooms" / f"{file}.wav"), impulse, rate, subtype="FLOAT")
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(SAMPLES) / 44100)
    soundfile.write(str(folder / "slow.wav"), tone, 44100, subtype="PCM_16")
    inserts = (
        device("equalizer", low_shelf_hz=120, low_shelf_db=4, bell_4_hz=20000, bell_4_db=-3),
        device("equalizer", high_pass_hz=90, high_pass_slope_db=6, low_pass_hz=9000, low_pass_slope_db=12),
        device("compressor", threshold_db=-33.3, ratio=4),
        device("compressor", threshold_db=-30, ratio=3, link=1),
        device("gate", threshold_db=-45, ratio=4),
        device("delay", delay_ms=120.01, feedback=0.3, mix=0.4),
        device("reverb", wet_level=0.3, dry_level=0.7),
        device("width", width=0.6),
        device("limiter", ceiling_db=-9),
        room("hall", wet_level=0.5, dry_level=0.25, pre_delay_ms=15, width=0.8),
        room("plate", wet_level=0.2),
        room("tap", wet_level=0.2),
        room("hall"),
    )
    blended = tuple(insert.model_copy(update={"wet": 1 / 3}) for insert in inserts)
    rests = tuple(device(name, wet) for name in PROCESSORS if name != "convolution" for wet in (1.0, 0.3))
    sends = (Send(target="R", level_db=-9.1, tap="pre"), Send(target="S", level_db=-3))
    return graph_of(
        track("stereo", "one", "G", devices=inserts, fader_db=-3.1, pan=-0.3, sends=sends),
        track("mono", "two", "G", channels=1, devices=inserts, post_devices=blended, sends=sends),
        *(
            track(f"{source} {number}", source, channels=2 - (source == "two"), devices=(insert,), pan=0.1)
            for number, insert in enumerate(blended)
            for source in ("one", "two")
        ),
        track("rests", "two", channels=1, devices=rests, offset_samples=-700),
        track("late", "three", post_devices=rests, offset_samples=1200),
        track("never", "three", devices=inserts[:7], offset_samples=SAMPLES),
        track("slow", "slow", channels=1, offset_samples=33),
        Strip(
            name="G", kind="group", output="H", devices=inserts[2:4], fader_db=-1, pan=0.2, sends=sends[1:]
        ),
        Strip(name="H", kind="group", output="Master", post_devices=inserts[6:8]),
        Strip(name="empty", kind="group", output="Master", devices=inserts[:3]),
        Strip(name="R", kind="return", output="H", devices=inserts[9:10], sends=sends[1:]),
        Strip(name="S", kind="return", output="Master", post_devices=inserts[6:7], fader_db=-5.05),
        Strip(name="Master", kind="master", devices=inserts[3:4], post_devices=inserts[8:9], fader_db=1.7),
    )


@pytest.mark.parametrize("make", [native_graph, printed_graph, every_device])
def test_script_makes_the_bytes_of_the_render(make: object, tmp_path: Path) -> None:
    text = check(make(tmp_path), tmp_path, tmp_path / "out")  # type: ignore[operator]
    assert str(tmp_path) not in text
    assert max(map(len, text.splitlines())) <= 110


def test_script_plays_the_sample_song(tmp_path: Path) -> None:
    check(checked_graph(read_graph(SONG / "truth.json"), PROCESSORS), SONG, tmp_path / "out")


@pytest.mark.parametrize("samples", [1, 15, 16])
def test_shortest_songs(samples: int, tmp_path: Path) -> None:
    graph = every_device(tmp_path).model_copy(update={"length_samples": samples})
    check(graph, tmp_path, tmp_path / "out")


def test_script_takes_the_place_to_write_to_and_may_be_moved(tmp_path: Path) -> None:
    graph = native_graph(tmp_path)
    (tmp_path / "out").mkdir()
    exporter("pedalboard").write(graph, tmp_path, tmp_path / "out")
    (tmp_path / "out").rename(tmp_path / "a place")
    for stem in tmp_path.glob("*.wav"):
        stem.unlink()
    run(tmp_path / "a place" / "render.py", str(tmp_path / "mix.wav"))
    assert soundfile.info(str(tmp_path / "mix.wav")).frames == SAMPLES
    assert not (tmp_path / "a place" / "render.wav").exists()


def test_names_are_no_code(tmp_path: Path) -> None:
    """Names that end strings, comments or lines, are keywords, empty in ASCII, alike, or turn the text."""
    write_stems(tmp_path, {"one": 1})
    names = (
        *ODD_NAMES,
        '"""',
        "'''",
        "\\",
        "\\N{DIGIT ONE}",
        "import",
        "1",
        "漢",
        "\u202ex",
        "k-i",
        "k i",
        "{0}",
    )
    tracks = [track(name, "one", '"up"', channels=1, fader_db=-number) for number, name in enumerate(names)]
    group = Strip(name='"up"', kind="group", output="\nx = 1 / 0")
    text = check(
        graph_of(*tracks, group, Strip(name="\nx = 1 / 0", kind="master")), tmp_path, tmp_path / "out"
    )
    assert "\u202e" not in text


def test_only_what_is_used_is_written(tmp_path: Path) -> None:
    write_stems(tmp_path, {"one": 1})
    graph = graph_of(track("A", "one", channels=1), Strip(name="Master", kind="master"))
    text = check(graph, tmp_path, tmp_path / "out")
    assert not [word for word in ("Convolution", "widen", "blend", "play") if word in text]
    assert not (tmp_path / "out" / "impulses").exists()


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    graph = graph_of(track("A", "one"), Strip(name="Master", kind="master"))
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match=r"one\.wav"):
        exporter("pedalboard").write(graph, tmp_path, tmp_path / "out")
    write_stems(tmp_path, {"one": 2})
    bare = track("A", "one", devices=(Device(type="compressor"),))
    with pytest.raises(GraphError, match="has no value"):
        exporter("pedalboard").write(graph.replace(bare), tmp_path, _new(tmp_path / "other"))


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder
