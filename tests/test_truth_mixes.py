"""The random mixes of the benchmark are deterministic, and what an engineer might set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from _mixes import compressor, random_mix, worked_db

from mix2daw.exporters.pedalboard import render
from mix2daw.graph import Graph, read_graph

SONG = Path(__file__).resolve().parent.parent / "samples" / "song"
RATE = 44100


@pytest.fixture(scope="module")
def song() -> Graph:
    return read_graph(SONG / "truth.json")


@pytest.fixture(scope="module")
def mixes(song: Graph, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Graph]]:
    folder = tmp_path_factory.mktemp("mixes")
    return folder, [random_mix(song, SONG, folder, 0, number) for number in (1, 4)]


def test_a_seed_and_a_number_give_one_mix(song: Graph, mixes: tuple[Path, list[Graph]]) -> None:
    folder, (first, second) = mixes
    assert random_mix(song, SONG, folder, 0, 1) == first
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
