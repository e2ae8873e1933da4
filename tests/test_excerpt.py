"""The loudest part of a session: the right one, and a session whose graph plays just that part."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from mix2daw.console import build_console, preset
from mix2daw.errors import InputError
from mix2daw.excerpt import loudest
from mix2daw.graph import Graph
from mix2daw.reopen import moved_graph, reopen
from mix2daw.session import Session, open_session

RATE, SECONDS = 8000, 12


@pytest.fixture
def song(tmp_path: Path) -> Path:
    """Two stems: one all through and loudest from 5 to 9 s, one in the first 3 s; and their mix."""
    random = np.random.default_rng(2)
    level = np.full(SECONDS * RATE, 0.05)
    level[5 * RATE : 9 * RATE] = 0.3
    through = level * random.standard_normal(SECONDS * RATE)
    early = np.zeros(SECONDS * RATE)
    early[: 3 * RATE] = 0.05 * random.standard_normal(3 * RATE)
    (tmp_path / "stems").mkdir()
    for name, signal in {"through": through, "early": early}.items():
        soundfile.write(tmp_path / f"stems/{name}.wav", signal, RATE, subtype="FLOAT")
    soundfile.write(tmp_path / "mix.wav", np.stack([through + early] * 2, 1), RATE, subtype="FLOAT")
    return tmp_path


def opened(song: Path) -> Session:
    return open_session(song / "stems", song / "mix.wav")


def test_the_loudest_part_is_found(song: Path) -> None:
    session = opened(song)
    part = loudest(session, 4)
    assert part.mix.shape == (2, 4 * RATE)
    (track,) = part.tracks
    assert track.name == "through"
    assert track.offset_samples == pytest.approx(-5 * RATE, abs=RATE // 10)
    start = -track.offset_samples
    np.testing.assert_array_equal(part.mix, session.mix[:, start : start + 4 * RATE])
    assert "early" in part.silent
    assert any("0:05.0 to 0:09.0" in line for line in part.findings)


def test_a_short_session_stays_whole(song: Path) -> None:
    session = opened(song)
    assert loudest(session, SECONDS) is session


def test_stems_that_are_silent_in_it_are_refused(song: Path) -> None:
    (song / "stems/through.wav").unlink()
    with pytest.raises(InputError, match="--preview"):
        loudest(opened(song), 4)


def graph_of(session: Session, folder: Path) -> Graph:
    return build_console(session, preset("studio"), folder)


def test_a_graph_of_the_part_reopens_as_the_part(song: Path) -> None:
    """Its sources are the whole files; offsets cut them."""
    part = loudest(opened(song), 4)
    graph = graph_of(part, song)
    soundfile.write(song / "part.wav", part.mix.T, RATE, subtype="FLOAT")
    again = reopen(graph, song, song / "part.wav")
    np.testing.assert_array_equal(again.tracks[0].signal, part.tracks[0].signal)
    np.testing.assert_array_equal(again.mix, part.mix)


def test_a_session_reopens_from_its_graph(song: Path) -> None:
    (song / "out").mkdir()
    session = opened(song)
    graph = graph_of(session, song / "out")
    again = reopen(graph, song / "out")
    assert [track.name for track in again.tracks] == [track.name for track in session.tracks]
    for track, before in zip(again.tracks, session.tracks, strict=True):
        np.testing.assert_array_equal(track.signal, before.signal)
    (song / "a" / "b").mkdir(parents=True)
    elsewhere = moved_graph(graph, again, song / "a" / "b")
    np.testing.assert_array_equal(reopen(elsewhere, song / "a" / "b").mix, session.mix)


def test_a_changed_source_is_told(song: Path) -> None:
    graph = graph_of(opened(song), song)
    signal, _ = soundfile.read(song / "stems/early.wav")
    soundfile.write(song / "stems/early.wav", 0.5 * signal, RATE, subtype="FLOAT")
    assert reopen(graph, song).findings == ("early: its file has changed since",)


def test_another_mix_is_refused(song: Path) -> None:
    graph = graph_of(opened(song), song)
    soundfile.write(song / "short.wav", np.zeros(100), RATE)
    with pytest.raises(InputError, match="100 samples"):
        reopen(graph, song, song / "short.wav")
    with pytest.raises(InputError, match="--mix"):
        reopen(graph.model_copy(update={"mix": None}), song)
