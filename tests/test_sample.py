"""The sample song agrees with its truth: files, levels, routing, and the mix that the graph makes."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml
from numpy.typing import NDArray

from mix2daw.exporters.pedalboard import render
from mix2daw.graph import Graph, read_graph
from mix2daw.processors import PROCESSORS, checked_graph

SAMPLES = Path(__file__).parent.parent / "samples"
SONG = SAMPLES / "song"
STEMS = sorted((SONG / "stems").glob("*.flac"))


def _read(path: Path) -> NDArray[np.float64]:
    """(channels, samples)."""
    return np.asarray(soundfile.read(path, always_2d=True)[0].T)


def _db(ratio: float) -> float:
    return 20 * math.log10(ratio) if ratio else -math.inf


@pytest.fixture(scope="module")
def graph() -> Graph:
    return checked_graph(read_graph(SONG / "truth.json"), PROCESSORS)


@pytest.fixture(scope="module")
def rendered(graph: Graph) -> NDArray[np.float32]:
    return render(graph, SONG)


def test_stems_are_the_tracks_of_the_truth(graph: Graph) -> None:
    sources = [track.source for track in graph.of_kind("track")]
    assert sorted(map(str, sources)) == [path.relative_to(SONG).as_posix() for path in STEMS]
    for track in graph.of_kind("track"):
        info = soundfile.info(SONG / str(track.source))
        assert info.samplerate == graph.sample_rate
        assert (info.frames, info.channels) == (graph.length_samples, track.channels)


def test_mix_has_the_format_of_the_truth(graph: Graph) -> None:
    info = soundfile.info(SONG / str(graph.mix))
    assert (info.samplerate, info.frames, info.channels) == (graph.sample_rate, graph.length_samples, 2)
    assert info.subtype == "PCM_24"


def test_mix_is_what_the_truth_renders_within_its_rounding(
    graph: Graph, rendered: NDArray[np.float32]
) -> None:
    error = rendered - _read(SONG / str(graph.mix))
    assert _db(float(np.sqrt(np.mean(error**2)))) < -140
    assert np.max(np.abs(error)) <= 2.0**-23


def test_mix_peaks_near_minus_three_decibels(rendered: NDArray[np.float32]) -> None:
    assert -4 < _db(float(np.max(np.abs(rendered)))) < -2


@pytest.mark.parametrize("path", STEMS, ids=lambda path: path.stem)
def test_stem_is_a_sound_recording(path: Path) -> None:
    stem = _read(path)
    assert -13 < _db(float(np.max(np.abs(stem)))) < -3
    assert _db(abs(float(np.mean(stem)))) < -90  # no direct current
    assert np.max(np.abs(stem[:, -1])) <= 2.0**-15  # it ends in silence
    if len(stem) == 2:  # stereo, not two copies
        assert _db(float(np.std(stem[0] - stem[1]) / np.std(stem))) > -20


@pytest.mark.parametrize("path", STEMS, ids=lambda path: path.stem)
def test_every_stem_is_audible_in_the_mix(path: Path, graph: Graph) -> None:
    """In the stem's loudest second, its level behind its fader is within 18 dB of the mix."""
    track = graph.strip(path.stem)
    mix = _read(SONG / str(graph.mix))
    dry = _read(path) * 10 ** (track.fader_db / 20)
    second = graph.sample_rate
    power = [float(np.mean(dry[:, at : at + second] ** 2)) for at in range(0, dry.shape[1] - second, second)]
    at = int(np.argmax(power)) * second
    assert 10 * math.log10(max(power) / np.mean(mix[:, at : at + second] ** 2)) > -18


def test_groups_file_gives_the_groups_of_the_truth(graph: Graph) -> None:
    groups = yaml.safe_load((SONG / "groups.yaml").read_text(encoding="utf-8"))
    assert groups == {group.name: list(graph.inputs(group.name)) for group in graph.of_kind("group")}


def test_groups_and_master_rest_so_that_track_faders_have_one_answer(graph: Graph) -> None:
    for strip in graph.strips:
        if strip.kind != "track":
            assert (strip.fader_db, strip.pan) == (0, 0)


def test_script_makes_the_kick_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SAMPLES))
    from make_sample import STEMS as INSTRUMENTS
    from make_sample import record

    seed, (name, instrument, peak_db) = next(
        (seed, entry) for seed, entry in enumerate(INSTRUMENTS) if entry[0] == "kick"
    )
    again = record(instrument, peak_db, seed)
    stored = _read(SONG / "stems" / f"{name}.flac")
    assert np.max(np.abs(again - stored)) <= 1.5 * 2.0**-15  # one rounding to 16 bit
