"""The main job on whole songs: the sample, whose truth is known, and a real session where it is present.

Minutes, not seconds: `pytest --ignore tests/test_songs.py` leaves them out.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from mix2daw.compare import compare, residual_db
from mix2daw.graph import Graph, read_graph
from mix2daw.render import render_graph

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "samples" / "song"
REAL = ROOT.parent / "shared" / "songs" / "leaving-tonite"
SONGS = {"sample": SAMPLE, "leaving-tonite": REAL}


@pytest.fixture(scope="module", params=SONGS)
def recovery(request, tmp_path_factory) -> tuple[str, Path, dict[str, Any]]:
    """Name, folder and result of a song, recovered by the command line."""
    name = request.param
    song = SONGS[name]
    if not song.is_dir():
        pytest.skip(f"{song} is not there")
    out = tmp_path_factory.mktemp(name) / "out"
    command = [sys.executable, "-m", "mix2daw", "recover", str(song / "stems"), str(song / "mix.flac")]
    if (song / "groups.yaml").exists():
        command += ["--groups", str(song / "groups.yaml")]
    done = subprocess.run(
        [*command, "--out", str(out), "--json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result == json.loads((out / "result.json").read_text(encoding="utf-8"))
    return name, out, result


def heard(path: Path) -> np.ndarray:
    signal, _ = soundfile.read(path, dtype="float32", always_2d=True)
    return signal.T


def test_it_is_close_to_the_mix(recovery):
    name, _, result = recovery
    assert result["la"]["full"] <= {"sample": 0.10, "leaving-tonite": 0.75}[name]
    assert result["la"]["full"] < 0.5 * result["la_sum_of_stems"]
    assert abs(result["loudness_difference_lu"]) < 0.5


def test_at_least_half_of_the_devices_went_within_the_tolerance(recovery):
    _, out, result = recovery
    assert result["devices_after"]["total"] <= result["devices_before"]["total"] / 2
    assert result["la"]["full"] <= result["la_console"] + result["tolerance"]
    graph = read_graph(out / "graph.json")
    inserts = sum(1 for _ in graph.devices())
    settings = sum(s.fader_db != 0 or s.pan != 0 for s in graph.strips)
    sends = sum(len(s.sends) for s in graph.strips)
    assert result["devices_after"]["total"] == inserts + settings + sends


def test_both_engines_play_the_same(recovery):
    _, out, result = recovery
    graph = read_graph(out / "graph.json")
    torch_render = render_graph(graph, out, "torch")
    assert residual_db(torch_render, heard(out / "render.wav")) <= -80
    assert result["null_db"]["torch_pedalboard"] <= -80


def test_the_numbers_are_those_of_the_files(recovery):
    name, out, result = recovery
    mix, render = heard(SONGS[name] / "mix.flac"), heard(out / "render.wav")
    rate = soundfile.info(out / "render.wav").samplerate
    measured = compare(render, mix, rate)
    assert measured["la.full"] == pytest.approx(result["la"]["full"], rel=1e-6)
    assert measured["sdr_db"] == pytest.approx(result["sdr_db"], abs=1e-6)
    assert np.array_equal(heard(out / "difference.wav"), mix - render)


def test_silent_stems_are_named_and_set_aside(recovery):
    name, out, result = recovery
    expected = {"sample": [], "leaving-tonite": ["rodes", "vocals-verse"]}[name]
    assert result["silent"] == expected
    assert not set(expected) & {strip.name for strip in read_graph(out / "graph.json").strips}


def test_faders_and_pans_are_those_of_the_truth(recovery):
    name, out, _ = recovery
    if name != "sample":
        return
    truth: Graph = read_graph(SAMPLE / "truth.json")
    graph = read_graph(out / "graph.json")
    for strip in truth.of_kind("track"):
        again = graph.strip(strip.name)
        assert again.fader_db == pytest.approx(strip.fader_db, abs=1.5), strip.name
        assert again.pan == pytest.approx(strip.pan, abs=0.1), strip.name


def test_every_session_is_there(recovery):
    _, out, result = recovery
    assert set(result["lost"]) == {"dawproject", "reaper", "ardour", "recall"}
    for file in ("dawproject/mix2daw.dawproject", "reaper/mix2daw.rpp", "ardour/mix2daw/mix2daw.ardour"):
        assert (out / "sessions" / file).stat().st_size > 1000
