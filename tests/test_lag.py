"""Stems that start earlier or later in the mix than in their files, and stems that do not."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from mix2daw.console import build_console, preset
from mix2daw.lag import Lag, find_lags
from mix2daw.mixdown import read_sources
from mix2daw.session import Session, open_session
from mix2daw.stems import Signal, write_wav

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "samples" / "song"
REAL = [ROOT.parent / "shared" / "songs" / name for name in ("leaving-tonite", "soul-foreign-plugins")]
RATE = 44100


@pytest.fixture(scope="module")
def sample() -> Session:
    return open_session(SAMPLE / "stems", SAMPLE / "mix.flac")


def moved(signal: Signal, samples: int) -> Signal:
    """Starts that many samples later; what is before the start of the file is gone."""
    return np.pad(signal[:, max(0, -samples) :], ((0, 0), (max(0, samples), 0)))


def lags(session: Session, moves: dict[str, int]) -> dict[str, int]:
    """What is found where the files of some stems start later by some samples: the stems that are moved."""
    stems = [moved(track.signal, moves.get(track.name, 0)) for track in session.tracks]
    found = find_lags(stems, session.mix, session.sample_rate)
    assert not any(lag.unsure for lag in found)
    return {t.name: lag.samples for t, lag in zip(session.tracks, found, strict=True) if lag.samples}


def test_aligned_stems_stay(sample: Session) -> None:
    assert lags(sample, {}) == {}
    assert [track.offset_samples for track in sample.tracks] == [0] * len(sample.tracks)
    assert not [line for line in sample.findings if "in the mix" in line]


@pytest.mark.parametrize("samples", [1, -1, 26, -26, 480, -480, 48000, -48000])
@pytest.mark.parametrize("name", ["bass", "hats", "pad"])
def test_one_moved_stem_is_found_to_the_sample(sample: Session, name: str, samples: int) -> None:
    assert lags(sample, {name: samples}) == {name: -samples}


@pytest.mark.parametrize(
    "moves",
    [
        {"kick": 1, "snare": -1, "lead": 26},
        {"kick": 480, "bass": 480, "guitar": -48000, "piano": 1},
        {"bass": 300000, "guitar": 48000, "hats": -2000, "kick": -1, "lead": 26, "snare": 9999},
    ],
)
def test_several_moved_stems_are_found_to_the_sample(sample: Session, moves: dict[str, int]) -> None:
    assert lags(sample, moves) == {name: -samples for name, samples in moves.items()}


def test_it_is_cheap(sample: Session) -> None:
    begun = time.process_time()
    lags(sample, {"hats": 480})
    assert time.process_time() - begun < 10


def test_a_moved_stem_is_placed_told_and_handed_on(sample: Session, tmp_path: Path) -> None:
    (tmp_path / "stems").mkdir()
    moves = {"hats": 480, "lead": -26}
    for track in sample.tracks:
        signal = moved(track.signal, moves.get(track.name, 0))
        write_wav(tmp_path / "stems" / f"{track.name}.wav", signal, sample.sample_rate)
    session = open_session(tmp_path / "stems", SAMPLE / "mix.flac")
    assert [line for line in session.findings if "in the mix" in line] == [
        "hats: starts 480 samples earlier in the mix",
        "lead: starts 26 samples later in the mix",
    ]
    graph = build_console(session, preset("studio"), tmp_path)
    sources = read_sources(graph, tmp_path)
    for track, before in zip(session.tracks, sample.tracks, strict=True):
        assert track.offset_samples == graph.strip(track.name).offset_samples == -moves.get(track.name, 0)
        assert np.array_equal(track.signal, sources[track.name].numpy())
        assert track.signal.shape == before.signal.shape
        assert np.array_equal(track.signal[:, 26:], before.signal[:, 26:])


def bursts(seed: int, starts: list[int]) -> Signal:
    """The same burst of noise at some places of eight seconds, `(1, samples)`."""
    burst = (
        0.3 * np.random.default_rng(seed).standard_normal(RATE // 5) * np.exp(-np.arange(RATE // 5) / 2000)
    )
    signal = np.zeros((1, 8 * RATE), np.float32)
    for start in starts:
        signal[0, start : start + len(burst)] += burst.astype(np.float32)
    return signal


def test_repetition_is_no_proof() -> None:
    """A stem of one bar, played twice in the mix, has two places there; a stem at one of them has one."""
    other = bursts(1, [3000, 100000, 200000])
    twice = bursts(2, [2 * RATE, 6 * RATE])
    mix = np.repeat(0.7 * other + 0.5 * twice, 2, axis=0)
    once = bursts(2, [4 * RATE])
    assert find_lags([other, once], mix, RATE) == [Lag(), Lag(0, unsure=True)]
    assert find_lags([other, bursts(2, [2 * RATE])], mix, RATE) == [Lag(), Lag()]


def test_what_is_not_in_the_mix_has_no_place_there() -> None:
    noise = np.random.default_rng(3).uniform(-0.3, 0.3, (5, 2, 2 * RATE)).astype(np.float32)
    assert find_lags(list(noise[:4]), noise[4], RATE) == [Lag()] * 4


@pytest.mark.parametrize("song", REAL, ids=lambda song: song.name)
def test_filters_compressors_and_echoes_are_no_lags(song: Path) -> None:
    if not song.is_dir():
        pytest.skip(f"{song} is not there")
    session = open_session(song / "stems", song / "mix.flac")
    assert [track.name for track in session.tracks if track.offset_samples] == []
    assert not [line for line in session.findings if "in the mix" in line]
