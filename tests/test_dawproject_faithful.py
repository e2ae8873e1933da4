"""The faithful DAWproject: prints that add up to the render, whatever is at the faders of the graph."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from exporter_helpers import (
    ODD_NAMES,
    SAMPLES,
    ReadStrip,
    device,
    graph_of,
    native_graph,
    play,
    printed_graph,
    residual_db,
    track,
    write_stems,
)
from exporter_readers import read_archive

from mix2daw.exporters import exporter
from mix2daw.exporters.pedalboard import render
from mix2daw.graph import Graph, Send, Strip, read_graph
from mix2daw.processors import PROCESSORS, checked_graph

SONG = Path(__file__).resolve().parent.parent / "samples" / "song"


def faithful(graph: Graph, stems: Path, out: Path) -> dict[str, ReadStrip]:
    """The strips of the faithful archive of a graph."""
    out.mkdir()
    exporter("dawproject").write(graph, stems, out)
    return read_archive(out / "mix2daw-faithful.dawproject", graph.sample_rate)


def heavy_graph(folder: Path) -> Graph:
    """Dynamics before and behind the faders of nested groups and the master, a return into a group, a source
    that is louder than full scale."""
    write_stems(folder, {"one": 2, "two": 1, "three": 2})
    press = device("compressor", threshold_db=-30, ratio=4, link=1)
    delay = device("delay", delay_ms=120, feedback=0.3, mix=0.4)
    limit = device("limiter", ceiling_db=-9)
    return graph_of(
        track("A", "one", "In", devices=(press,), fader_db=-3.1, pan=-0.3,
              sends=(Send(target="R", level_db=-9),)),
        track("B", "two", "In", channels=1, post_devices=(delay,), fader_db=24, pan=0.9),
        track("C", "three", "Out", pan=1.0, offset_samples=-900,
              sends=(Send(target="R", level_db=-3, tap="pre"),)),
        Strip(name="In", kind="group", output="Out", post_devices=(press,), pan=0.2),
        Strip(name="Out", kind="group", output="Master", devices=(press, delay), fader_db=-2, pan=-0.4),
        Strip(name="Plain", kind="group", output="Master", fader_db=-60),
        Strip(name="R", kind="return", output="In", devices=(delay,), fader_db=-5),
        Strip(name="Master", kind="master", devices=(press,), post_devices=(limit,), fader_db=1.5, pan=0.1),
    )  # fmt: skip


@pytest.mark.parametrize("make", [native_graph, printed_graph, heavy_graph])
def test_prints_add_up_to_the_render(make: Callable[[Path], Graph], tmp_path: Path) -> None:
    graph = make(tmp_path)
    strips = faithful(graph, tmp_path, tmp_path / "out")
    # Prints and render are 32-bit; in the heavy graph they are 30 dB louder than what the limiter leaves.
    assert residual_db(play(strips), render(graph, tmp_path)) < (-110 if make is heavy_graph else -130)
    for strip in strips.values():
        assert np.array_equal(strip.matrix, np.eye(2))
        assert not strip.equalizers
        assert not strip.sends
        assert strip.audio is None or strip.audio.shape == (2, SAMPLES)


def test_prints_of_the_sample_song_add_up_to_its_render(tmp_path: Path) -> None:
    graph = checked_graph(read_graph(SONG / "truth.json"), PROCESSORS)
    strips = faithful(graph, SONG, tmp_path / "out")
    heard = [strip.audio for strip in strips.values() if strip.audio is not None and not strip.muted]
    total = np.sum([audio.astype(np.float64) for audio in heard], axis=0)
    assert residual_db(total, render(graph, SONG)) < -120
    assert [name for name, strip in strips.items() if strip.muted] == ["target mix", "mix2daw render"]


def test_groups_are_folders_and_returns_are_tracks(tmp_path: Path) -> None:
    strips = faithful(heavy_graph(tmp_path), tmp_path, tmp_path / "out")
    assert {name: strip.output for name, strip in strips.items()} == {
        "A": "In",
        "B": "In",
        "C": "Out",
        "In": "Out",
        "In (processing)": "In",
        "Out": "Master",
        "Out (processing)": "Out",
        "Plain": "Master",
        "R": "In",
        "Master": None,
        "Master (processing)": "Master",
        "mix2daw render": "Master",
    }
    folders = [name for name, strip in strips.items() if strip.audio is None]
    assert sorted(folders) == ["In", "Master", "Out", "Plain"]


def test_odd_and_long_names_are_tracks_of_their_own(tmp_path: Path) -> None:
    write_stems(tmp_path, {"one": 1})
    delay = device("delay", delay_ms=50, mix=0.25)
    names = (*ODD_NAMES, "target mix", "mix2daw render", "Bus (processing)", "../../up", "Kick\x00", "]]>")
    groups = [Strip(name=name, kind="group", output="\x01", devices=(delay,)) for name in ("Bus", "g" * 200)]
    tracks = [track(name, "one", "Bus", channels=1, fader_db=-number) for number, name in enumerate(names)]
    graph = graph_of(*tracks, *groups, Strip(name="\x01", kind="master", devices=(delay,)))
    strips = faithful(graph, tmp_path, tmp_path / "out")
    assert len(strips) == len(names) + 2 * len(groups) + 2 + 1
    assert "Bus (processing) (2)" in strips
    assert residual_db(play(strips), render(graph, tmp_path)) < -120
