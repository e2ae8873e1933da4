"""Random mixes are deterministic, what an engineer might set, and play what their console says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from check_helpers import write
from truth import MANNER
from typer.testing import CliRunner

from mix2daw.cli import app
from mix2daw.collection.corpus import find_songs
from mix2daw.exporters.pedalboard import render
from mix2daw.graph import Graph, read_graph
from mix2daw.processors import PROCESSORS, checked_graph
from mix2daw.synthetic.mixes import compressor, random_mix, worked_db

SONG = Path(__file__).resolve().parent.parent / "samples" / "song"
RATE = 44100


@pytest.fixture(scope="module")
def song() -> Graph:
    return read_graph(SONG / "truth.json")


@pytest.fixture(scope="module")
def mixes(song: Graph, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Graph]]:
    folder = tmp_path_factory.mktemp("mixes")
    return folder, [random_mix(song, SONG, folder, 0, number, MANNER) for number in (1, 4)]


def test_a_seed_and_a_number_give_one_mix(song: Graph, mixes: tuple[Path, list[Graph]]) -> None:
    folder, (first, second) = mixes
    assert random_mix(song, SONG, folder, 0, 1, MANNER) == first
    assert second != first


def test_a_mix_peaks_at_minus_three_decibels(mixes: tuple[Path, list[Graph]]) -> None:
    folder, graphs = mixes
    for graph in graphs:
        peak = float(np.max(np.abs(render(graph, folder))))
        assert 20 * np.log10(peak) == pytest.approx(-3, abs=0.06)


def test_controls_are_in_the_range_of_an_engineer(mixes: tuple[Path, list[Graph]]) -> None:
    for graph in mixes[1]:
        for strip in graph.of_kind("track"):
            assert -12 <= strip.fader_db <= 4
            assert abs(strip.pan) <= (0.05 if strip.name in ("kick", "bass", "lead") else 0.7)
            assert all(-18 <= send.level_db <= -6 for send in strip.sends)
        for _, device in graph.devices():
            if device.type == "equalizer":
                levels_db = [abs(v) for n, v in device.values.items() if n.startswith("bell") and "_db" in n]
                assert all(level_db == 0 or 2 <= level_db <= 7 for level_db in levels_db)
                assert 1 <= sum(level_db != 0 for level_db in levels_db) <= 3
        assert sum("reverb" in [send.target for send in strip.sends] for strip in graph.strips) in range(2, 6)
        assert [device.type for device in graph.strip("reverb").devices] == ["reverb"]


@pytest.mark.parametrize("seed", range(3))
def test_a_compressor_works_as_much_as_it_was_set_to(seed: int) -> None:
    rng = np.random.default_rng(seed)
    swell = np.sin(np.arange(4 * RATE) * np.pi / RATE) ** 2
    signal = (0.2 * swell * rng.standard_normal(4 * RATE)).astype(np.float32)[None]
    assert 1.9 <= worked_db(compressor(rng, signal, RATE), signal, RATE) <= 8.1


NAMES = ("Kick In", "LeadVox", "Gtr DI", "Gtr L", "sub bass", "reverb")


@pytest.fixture(scope="module")
def stems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six stems of three seconds, one of which is called as a return would be, and one that is silent."""
    folder = tmp_path_factory.mktemp("song") / "stems"
    rng = np.random.default_rng(5)
    for number, name in enumerate(NAMES):
        channels = 1 + number % 2
        swell = 0.2 * np.sin(np.arange(3 * RATE) * np.pi * (number + 1) / RATE) ** 2
        write(folder / f"{name}.wav", (swell * rng.standard_normal((channels, 3 * RATE))).astype(np.float32))
    write(folder / "nothing.wav", np.zeros((1, 3 * RATE), np.float32))
    return folder


def synth(stems: Path, out: Path, songs: int, *more: str) -> dict[str, object]:
    command = ["synth", str(stems), "--out", str(out), "--songs", str(songs), "--json", *more]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.stderr
    told: dict[str, object] = json.loads(done.stdout)
    return told


@pytest.fixture(scope="module")
def corpus(stems: Path) -> Path:
    out = stems.parent / "corpus"
    assert synth(stems, out, 4) == {"manifest": str(out / "manifest.jsonl"), "songs": 4}
    return out


def test_a_mix_is_what_its_console_plays(corpus: Path) -> None:
    for number in range(1, 5):
        folder = corpus / f"song-{number:04d}"
        truth = checked_graph(read_graph(folder / "truth.json"), PROCESSORS)
        mix, rate = soundfile.read(folder / "mix.flac", dtype="float32", always_2d=True)
        assert (rate, len(mix)) == (truth.sample_rate, truth.length_samples)
        np.testing.assert_allclose(mix.T, render(truth, folder), atol=1.2 / 2**23)
        assert 20 * np.log10(np.max(np.abs(mix))) == pytest.approx(-3, abs=0.06)


def test_names_tell_what_is_centred_dry_and_grouped(corpus: Path) -> None:
    returns: set[str] = set()
    for number in range(1, 5):
        truth = read_graph(corpus / f"song-{number:04d}" / "truth.json")
        assert {strip.name for strip in truth.of_kind("track")} == set(NAMES)
        assert [strip.name for strip in truth.of_kind("group")] == ["guitars"]
        assert truth.strip("Gtr L").output == "guitars"
        for name in ("Kick In", "sub bass"):
            assert not truth.strip(name).sends
        for name in ("Kick In", "sub bass", "LeadVox"):
            assert abs(truth.strip(name).pan) <= 0.05
        returns |= {strip.name for strip in truth.of_kind("return")}
    assert "reverb" not in returns  # a track has that name
    assert "reverb 2" in returns


def test_collect_takes_the_manifest(corpus: Path, stems: Path) -> None:
    songs = find_songs(corpus / "manifest.jsonl").songs
    assert [song.name for song in songs] == [f"song-{number:04d}" for number in range(1, 5)]
    assert all(song.stems.samefile(stems) and song.mix.is_file() for song in songs)
    assert songs[0].groups is not None
    assert songs[0].groups.read_text() == '"guitars": ["Gtr DI", "Gtr L"]\n'


def test_same_seed_same_bytes_and_fewer_songs_are_the_first_ones(corpus: Path, stems: Path) -> None:
    again, other = stems.parent / "again", stems.parent / "other"
    synth(stems, again, 2)
    synth(stems, other, 1, "--seed", "1")
    for name in ("song-0001/mix.flac", "song-0002/truth.json", "groups.yaml"):
        assert (again / name).read_bytes() == (corpus / name).read_bytes()
    assert (other / "song-0001/mix.flac").read_bytes() != (corpus / "song-0001/mix.flac").read_bytes()


def test_some_masters_are_glued_and_limited(song: Graph, tmp_path: Path) -> None:
    mastered = replace(MANNER, mastered=1.0)
    truth = random_mix(song, SONG, tmp_path, 0, 1, mastered)
    assert [device.type for device in truth.master.devices] == ["compressor", "limiter"]
    without = truth.master.model_copy(update={"devices": truth.master.devices[:1]})
    limited, free = render(truth, tmp_path), render(truth.replace(without), tmp_path)
    assert 1 <= 20 * np.log10(np.abs(free).max() / np.abs(limited).max()) <= 4.1


@pytest.mark.parametrize("case", ["empty", "silent", "short", "there"])
def test_what_makes_no_mix_is_refused_and_leaves_nothing(stems: Path, tmp_path: Path, case: str) -> None:
    folder, out = tmp_path / "stems", tmp_path / "out"
    folder.mkdir()
    if case == "silent":
        write(folder / "kick.wav", np.zeros((1, 3 * RATE), np.float32))
    elif case == "short":
        write(folder / "kick.wav", np.full((1, RATE), 0.1, np.float32))
    elif case == "there":
        folder = stems
        out.mkdir()
        (out / "mine.txt").write_text("mine")
    done = CliRunner().invoke(app, ["synth", str(folder), "--out", str(out)])
    assert done.exit_code == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert [path.name for path in tmp_path.rglob("*") if path.suffix in (".json", ".jsonl", ".part")] == []
    assert not out.exists() or [path.name for path in out.iterdir()] == ["mine.txt"]
