"""Levels and curves of stems whose phases do not agree with the mix; those that agree stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.interpolate import CubicSpline
from scipy.signal import istft, stft

from mix2daw.console import build_console, cut_down, preset
from mix2daw.controls import Controls
from mix2daw.graph import Graph, Strip
from mix2daw.progress import Silence
from mix2daw.search import Settings
from mix2daw.search import warm_start as module
from mix2daw.search.equalizer_descent import equalizer_response
from mix2daw.search.magnitudes import power_factors
from mix2daw.search.returns import without_returns
from mix2daw.selection import Selection
from mix2daw.session import Session, Track
from mix2daw.spool import Spool
from mix2daw.stems import Signal, read_audio

SAMPLE = Path(__file__).resolve().parent.parent / "samples" / "song"
RATE, SECONDS = 44100, 20
TILT_DB = 2.0  # per octave, 0 at 1 kHz
LEVELS_DB = {"bass": -4.0, "lead": -7.0, "pad": -5.0, "piano": -6.0, "snare": -3.0}


def wobble(signal: Signal, seed: int) -> Signal:
    """A delay of 0 to 6 ms that wanders four times a second."""
    samples = signal.shape[1]
    points = np.random.default_rng(seed).uniform(0, 0.006 * RATE, 8 * SECONDS)
    time = np.arange(samples)
    late = time - CubicSpline(np.linspace(0, samples, len(points)), points)(time)
    return np.stack([np.interp(late, time, channel) for channel in signal]).astype(np.float32)


def scramble(signal: Signal, seed: int) -> Signal:
    """Other phases in each frame of 46 ms, at the same energy."""
    spectra = stft(signal, nperseg=2048, noverlap=1536)[2]
    turns = np.random.default_rng(seed).random(spectra.shape[1:])
    turned = istft(spectra * np.exp(2j * np.pi * turns), nperseg=2048, noverlap=1536)[1][:, : signal.shape[1]]
    return (turned * np.sqrt(np.square(signal).sum() / np.square(turned).sum())).astype(np.float32)


def tilted(signal: Signal) -> Signal:
    """Louder by TILT_DB per octave, from 60 Hz to 12 kHz; linear phase."""
    octaves = np.log2(np.fft.rfftfreq(signal.shape[1], 1 / RATE).clip(60, 12000) / 1000)
    return np.fft.irfft(np.fft.rfft(signal) * 10 ** (TILT_DB * octaves / 20), signal.shape[1]).astype(
        np.float32
    )


def stereo(signal: Signal) -> Signal:
    return np.broadcast_to(signal, (2, signal.shape[1]))


@pytest.fixture(scope="module")
def stems() -> dict[str, Signal]:
    return {
        name: read_audio(SAMPLE / "stems" / f"{name}.flac")[:, : SECONDS * RATE] for name in sorted(LEVELS_DB)
    }


def mixed(stems: dict[str, Signal], moved: dict[str, Callable[[Signal, int], Signal]]) -> Session:
    """A mix of the stems at LEVELS_DB, some tilted and with other phases."""
    mix = np.zeros((2, SECONDS * RATE), np.float32)
    for seed, (name, signal) in enumerate(stems.items()):
        heard = moved[name](tilted(signal), seed) if name in moved else signal
        mix += np.float32(10 ** (LEVELS_DB[name] / 20)) * stereo(heard)
    tracks = tuple(
        Track(name, Path(f"{name}.wav"), Spool().keep(signal), None, "") for name, signal in stems.items()
    )
    return Session(RATE, mix, Path("mix.wav"), tracks, (), {}, ())


def started(session: Session) -> Graph:
    only = Settings(only=Selection.of("--only", ["equalizer"]))
    console = cut_down(build_console(session, preset("studio"), Path()), only.allows)
    controls = Controls(without_returns(console))
    sources = {track.name: torch.from_numpy(track.signal) for track in session.tracks}
    module.warm_start(controls.graph, controls, sources, torch.from_numpy(session.mix), Silence())
    return controls.to_graph()


def curve_db(strip: Strip, frequency_hz: np.ndarray) -> np.ndarray:
    """Level of a strip in the mix, both sides together, at some frequencies."""
    total = np.full(len(frequency_hz), strip.fader_db)
    sides = [min(1.0, 1 - strip.pan), min(1.0, 1 + strip.pan)]
    total += 10 * np.log10(np.mean(np.square(sides)))
    if strip.devices:
        values = {n: torch.tensor([v], dtype=torch.float64) for n, v in strip.devices[0].values.items()}
        response = equalizer_response(values, torch.from_numpy(frequency_hz), RATE)
        total += 20 * np.log10(response.abs().numpy()[0])
    return total


def spectrum(signal: Signal) -> np.ndarray:
    return np.square(np.abs(np.fft.rfft(stereo(signal)))).sum(0)


def errors_db(strip: Strip, stems: dict[str, Signal], moved: Collection[str]) -> tuple[float, float]:
    """Of a stem's level in the mix, dB, and of its curve's slope where it is heard there, dB per octave.
    `moved`: the stems that are tilted."""
    power, bins = spectrum(stems[strip.name]), np.fft.rfftfreq(SECONDS * RATE, 1 / RATE)
    tilt_db = TILT_DB * np.log2(bins.clip(60, 12000) / 1000)
    true_db = LEVELS_DB[strip.name] + tilt_db
    grid = np.geomspace(20, 20000, 400)
    found_db = np.interp(bins.clip(20, 20000), grid, curve_db(strip, grid))
    level = 10 * np.log10((power * 10 ** (found_db / 10)).sum() / (power * 10 ** (true_db / 10)).sum())
    own = power * 10 ** (true_db / 10)
    total = sum(
        spectrum(signal) * 10 ** ((LEVELS_DB[name] + tilt_db * (name in moved)) / 10)
        for name, signal in stems.items()
    )
    centres = np.geomspace(50, 12000, 60)
    near = [np.abs(np.log2(bins.clip(1) / centre)) < 1 / 12 for centre in centres]
    share = np.array([own[band].sum() / total[band].sum() for band in near])
    heard_hz = centres[share > 0.05]
    slope = np.polyfit(np.log2(heard_hz), curve_db(strip, heard_hz), 1)[0]
    return float(level), float(slope - TILT_DB)


@pytest.mark.parametrize(
    "moved",
    [
        {"piano": wobble},
        {"lead": wobble, "bass": wobble},
        {"piano": scramble},
        {"lead": scramble, "snare": scramble},
    ],
    ids=lambda moved: " ".join(f"{name}-{how.__name__}" for name, how in moved.items()),
)
def test_magnitudes_find_what_phases_do_not(stems, moved, monkeypatch) -> None:
    session = mixed(stems, moved)
    graph = started(session)
    monkeypatch.setattr(module, "measure_magnitudes", lambda *_: None)
    coherent = started(session)
    for name in moved:
        level, slope = errors_db(graph.strip(name), stems, moved)
        before, _ = errors_db(coherent.strip(name), stems, moved)
        assert abs(level) < 1.5
        assert abs(slope) < 1.0
        assert before < -10.0
    for name in set(stems) - set(moved):
        assert graph.strip(name).fader_db == pytest.approx(coherent.strip(name).fader_db, abs=0.5)


def test_phases_that_agree_are_left_alone(stems, monkeypatch) -> None:
    session = mixed(stems, {})
    graph = started(session)
    monkeypatch.setattr(module, "measure_magnitudes", lambda *_: None)
    assert graph.to_json() == started(session).to_json()


def test_factors_of_powers_are_found() -> None:
    generator = np.random.default_rng(1)
    powers = generator.exponential(1.0, (3, 2000)) * np.repeat(generator.random((3, 40)), 50, 1)
    rest = (np.array([0.0, 0.5, 2.0]) @ powers + 0.1) * generator.gamma(20, 1 / 20, 2000)
    assert power_factors(powers, rest) == pytest.approx([0.0, 0.5, 2.0], abs=0.05)
    assert power_factors(np.zeros((2, 10)), np.ones(10)) == pytest.approx([0, 0])
