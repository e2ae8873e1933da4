"""Residuals: what is left is told of the strip in whose place in time and frequency it is."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mix2daw.exporters.pedalboard import render
from mix2daw.graph import Device, Graph, Send, Strip
from mix2daw.processors import PROCESSORS, checked_graph
from mix2daw.report.measure import band_energies
from mix2daw.report.residual import render_measured, residuals_db

RATE, SECONDS = 44100, 4.0
TIME = np.arange(int(RATE * SECONDS)) / RATE


def tone(frequency_hz: float) -> np.ndarray:
    return (0.2 * np.sin(2 * np.pi * frequency_hz * TIME)).astype(np.float32)


def both(signal: np.ndarray) -> np.ndarray:
    return np.stack([signal, signal]).astype(np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three tracks: a low tone, a high tone, and a faint copy of the high one that is nowhere the loudest."""
    for name, signal in {"low": tone(100), "high": tone(3000), "faint": 0.1 * tone(3000)}.items():
        soundfile.write(tmp_path / f"{name}.wav", signal, RATE, subtype="FLOAT")
    return tmp_path


def track(name: str, output: str = "master", fader_db: float = 0.0, *sends: Send) -> Strip:
    return Strip(
        name=name,
        kind="track",
        source=f"{name}.wav",
        channels=1,
        output=output,
        fader_db=fader_db,
        sends=sends,
    )


def graph_of(*strips: Strip) -> Graph:
    graph = Graph(sample_rate=RATE, length_samples=len(TIME), strips=strips)
    return checked_graph(graph, PROCESSORS)


def residuals(graph: Graph, folder: Path, difference: np.ndarray) -> dict[str, float | None]:
    _, energies = render_measured(graph, folder)
    return residuals_db(graph, energies, difference.astype(np.float32))


def test_a_gain_that_is_off_is_the_residual_of_its_track(folder: Path) -> None:
    graph = graph_of(track("low"), track("high"), track("faint"), Strip(name="master", kind="master"))
    off = 10 ** (-1 / 20) - 1  # the mix has the high tone a decibel softer
    found = residuals(graph, folder, both(off * tone(3000)))
    assert found["high"] == pytest.approx(20 * math.log10(abs(off)), abs=0.2)
    assert found["low"] is not None
    assert found["low"] < -60
    assert found["faint"] is None
    whole = 10 * math.log10(off**2 / (1.1**2 + 1))
    assert found["master"] == pytest.approx(whole, abs=0.2)


def test_the_level_that_counts_is_the_one_in_the_mix(folder: Path) -> None:
    """Behind a group that is turned down, the louder of two tracks is no longer the one that is heard."""
    quiet = Strip(name="quiet", kind="group", output="master", fader_db=-40)
    graph = graph_of(quiet, track("high", "quiet"), track("faint"), Strip(name="master", kind="master"))
    found = residuals(graph, folder, both(0.01 * tone(3000)))
    assert found["high"] is None
    assert found["quiet"] is None
    assert found["faint"] == pytest.approx(-20, abs=0.2)


def test_a_group_has_the_cells_of_its_tracks(folder: Path) -> None:
    group = Strip(name="group", kind="group", output="master", fader_db=-6)
    strips = (group, track("low", "group"), track("high", "group"), Strip(name="master", kind="master"))
    found = residuals(graph_of(*strips), folder, both(0.01 * (tone(100) + tone(3000))))
    for name in ("low", "high", "group", "master"):
        assert found[name] == pytest.approx(-40 + 6, abs=0.3)


def test_what_a_return_plays_is_its_own(folder: Path) -> None:
    """An echo of the low track comes when that is silent: what lacks there is the return's."""
    burst = np.where(TIME < 1, tone(100), 0).astype(np.float32)
    soundfile.write(folder / "low.wav", burst, RATE, subtype="FLOAT")
    echo = Device(type="delay", values={"delay_ms": 2000.0, "feedback": 0.0, "mix": 1.0})
    strips = (
        track("low", "master", 0.0, Send(target="echo", level_db=0)),
        Strip(name="echo", kind="return", devices=(echo,), output="master"),
        Strip(name="master", kind="master"),
    )
    late = np.roll(burst, 2 * RATE)
    found = residuals(graph_of(*strips), folder, both(0.1 * late))
    assert found["echo"] == pytest.approx(-20, abs=0.3)
    assert found["low"] is not None
    assert found["low"] < -60


def test_every_cell_is_counted_once(folder: Path) -> None:
    """The parts of the difference in the cells of the tracks add up to all of it, if they sound all over."""
    random = np.random.default_rng(5)
    early, late = (np.where((TIME < 2) == first, 1.0, 0.1) for first in (True, False))
    for name, envelope in {"low": early, "high": late}.items():
        noise = 0.1 * envelope * random.standard_normal(len(TIME))
        soundfile.write(folder / f"{name}.wav", noise, RATE, subtype="FLOAT")
    difference = (1e-3 * random.standard_normal((2, len(TIME)))).astype(np.float32)
    graph = graph_of(track("low"), track("high"), Strip(name="master", kind="master"))
    played, energies = render_measured(graph, folder)
    np.testing.assert_array_equal(played, render(graph, folder))
    found = residuals_db(graph, energies, difference)
    louder = energies.out["low"] > energies.out["high"]
    left = sum(
        10 ** (float(found[name] or 0) / 10) * energies.out[name][cells].sum()
        for name, cells in (("low", louder), ("high", ~louder))
    )
    assert left == pytest.approx(band_energies(difference, RATE).sum(), rel=0.005)


def test_a_perfect_render_leaves_nothing(folder: Path) -> None:
    graph = graph_of(track("low"), track("high"), Strip(name="master", kind="master"))
    found = residuals(graph, folder, np.zeros((2, len(TIME))))
    assert all(value == -200 for value in found.values())
