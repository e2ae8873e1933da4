"""Random mixes of the sample's stems, as an engineer might have made them: a console per seed and number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from _truth_scores import frame_levels_db, heard_power, reduction_db, working_frames

from mix2daw.console import return_device
from mix2daw.exporters.chains import apply_device
from mix2daw.exporters.pedalboard import render, render_taps
from mix2daw.graph import Device, Graph, Send, Strip, relative_source
from mix2daw.processors import PROCESSORS, checked_graph, complete_device
from mix2daw.stems import Signal, read_audio

PEAK_DB = -3.0
EQUALIZER_SHARE, COMPRESSOR_SHARE, GLUE_SHARE, SHELF_SHARE, DELAY_SHARE = 0.6, 0.4, 0.3, 0.3, 0.5
CENTRED = ("kick", "bass", "lead")
GLUED = ("drums", "keys")
TO_REVERB = ("snare", "hats", "guitar", "piano", "pad", "lead")
TO_DELAY = ("snare", "guitar", "piano", "lead")
WORKING_PERCENTILE = 10  # the deepest tenth of the frames: where a compressor is said to work
THRESHOLD_STEPS = 12


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Between `low` and `high`, every octave alike, to three digits."""
    return float(f"{math.exp(rng.uniform(math.log(low), math.log(high))):.3g}")


def _uniform(rng: np.random.Generator, low: float, high: float, digits: int) -> float:
    return round(float(rng.uniform(low, high)), digits) + 0.0  # a rounded −0 becomes 0


def _frequency_hz(signal: Signal, sample_rate: int, share: float, exponent: float) -> float:
    """Below it lies a share of a signal's amplitudes (exponent 0.5) or power (1)."""
    grown = np.cumsum(heard_power(signal, sample_rate) ** exponent)
    return float(np.searchsorted(grown, share * grown[-1])) * sample_rate / 2 / (len(grown) - 1)


def _bells_hz(rng: np.random.Generator, low_hz: float, high_hz: float) -> list[float]:
    """One to three frequencies, ascending, an octave or more apart: nobody sets two bells for one thing."""
    chosen: list[float] = []
    for _ in range(rng.integers(1, 4)):
        frequency_hz = _log_uniform(rng, low_hz, high_hz)
        if all(abs(math.log2(frequency_hz / other_hz)) >= 1 for other_hz in chosen):
            chosen.append(frequency_hz)
    return sorted(chosen)


def equalizer(rng: np.random.Generator, stem: Signal, sample_rate: int) -> Device:
    """One to three bells where the stem sounds, maybe a shelf, maybe a high-pass below it."""
    low_hz, high_hz = (_frequency_hz(stem, sample_rate, share, 0.5) for share in (0.02, 0.9))
    values: dict[str, float] = {}
    if rng.random() < 0.5:
        highest_hz = min(250.0, max(40.0, _frequency_hz(stem, sample_rate, 0.1, 1)))
        values |= {"high_pass_hz": _log_uniform(rng, 30, highest_hz), "high_pass_slope_db": 12}
    for index, bell_hz in enumerate(_bells_hz(rng, max(40.0, low_hz), min(14000.0, high_hz)), 1):
        values[f"bell_{index}_hz"] = bell_hz
        values[f"bell_{index}_db"] = float(rng.choice([-1, 1])) * _uniform(rng, 2, 7, 1)
        values[f"bell_{index}_q"] = _log_uniform(rng, 0.5, 3)
    if rng.random() < SHELF_SHARE:
        name, range_hz = (("low_shelf", (80, 300)), ("high_shelf", (3000, 10000)))[rng.integers(2)]
        values[f"{name}_hz"] = _log_uniform(rng, *range_hz)
        values[f"{name}_db"] = float(rng.choice([-1, 1])) * _uniform(rng, 2, 5, 1)
    return complete_device(Device(type="equalizer", values=values), PROCESSORS)


def worked_db(compressor: Device, signal: Signal, sample_rate: int) -> float:
    """How far a compressor turns the signal down where it works most, dB ≥ 0."""
    working = working_frames(frame_levels_db(signal, sample_rate))
    reduced_db = reduction_db(signal, apply_device(signal, compressor, sample_rate), sample_rate)
    return -float(np.percentile(reduced_db[working], WORKING_PERCENTILE))


def compressor(
    rng: np.random.Generator, signal: Signal, sample_rate: int, *, most_db: float = 8.0, most: float = 6.0
) -> Device:
    """A compressor that turns its input down by 2 to `most_db` dB where it works; ratio 2 to `most`."""
    values = {
        "ratio": _uniform(rng, 2, most, 1),
        "attack_ms": _log_uniform(rng, 3, 40),
        "release_ms": _log_uniform(rng, 60, 500),
    }
    wanted_db = float(rng.uniform(2, most_db))

    def at(threshold_db: float) -> Device:
        return Device(type="compressor", values={**values, "threshold_db": threshold_db})

    low_db, high_db = -60.0, 0.0
    for _ in range(THRESHOLD_STEPS):
        middle_db = (low_db + high_db) / 2
        if worked_db(at(middle_db), signal, sample_rate) > wanted_db:
            low_db = middle_db
        else:
            high_db = middle_db
    return at(round(high_db, 1))


def _track(rng: np.random.Generator, strip: Strip, stem: Signal, sample_rate: int) -> Strip:
    """The strip with devices, fader and pan; no sends yet."""
    devices: list[Device] = []
    signal = stem
    if rng.random() < EQUALIZER_SHARE:
        devices.append(equalizer(rng, stem, sample_rate))
        signal = apply_device(stem, devices[0], sample_rate)
    if rng.random() < COMPRESSOR_SHARE:
        devices.append(compressor(rng, signal, sample_rate))
    widest = 0.05 if strip.name in CENTRED else 0.7
    changes = {
        "devices": tuple(devices),
        "fader_db": _uniform(rng, -12, 4, 1),
        "pan": _uniform(rng, -widest, widest, 2),
        "sends": (),
    }
    return strip.model_copy(update=changes)


def _sends(rng: np.random.Generator, names: tuple[str, ...], low: int, high: int) -> dict[str, float]:
    """Levels in dB by track: `low` to `high` of the names."""
    chosen = rng.choice(sorted(names), rng.integers(low, high + 1), replace=False)
    return {str(name): _uniform(rng, -18, -6, 1) for name in chosen}


def _with_returns(rng: np.random.Generator, tracks: list[Strip]) -> tuple[list[Strip], list[Strip]]:
    """The tracks with their sends, and the returns."""
    settings: dict[str, Mapping[str, float]] = {
        "reverb": {"room_size": _uniform(rng, 0.3, 0.85, 2), "damping": _uniform(rng, 0.2, 0.7, 2)}
    }
    levels = {"reverb": _sends(rng, TO_REVERB, 2, 5)}
    if rng.random() < DELAY_SHARE:
        settings["delay"] = {"delay_ms": _uniform(rng, 120, 600, 1), "feedback": _uniform(rng, 0.1, 0.5, 2)}
        levels["delay"] = _sends(rng, TO_DELAY, 1, 2)
    returns = []
    for name, values in settings.items():
        device = return_device(name)
        device = device.model_copy(update={"values": {**device.values, **values}})
        returns.append(Strip(name=name, kind="return", devices=(device,), output="master"))

    def sends(strip: Strip) -> dict[str, Any]:
        fed = [(name, to[strip.name]) for name, to in levels.items() if strip.name in to]
        return {"sends": tuple(Send(target=name, level_db=level_db) for name, level_db in fed)}

    return [strip.model_copy(update=sends(strip)) for strip in tracks], returns


def random_mix(song: Graph, song_folder: Path, folder: Path, seed: int, number: int) -> Graph:
    """A complete console for tracks and groups of `song`, whose sources lie relative to `song_folder`; its
    own are written relative to `folder`. It peaks at −3 dBFS by the master's fader."""
    rng = np.random.default_rng([seed, number])
    rate = song.sample_rate
    tracks = []
    for strip in song.of_kind("track"):
        source = song_folder / str(strip.source)
        moved = strip.model_copy(update={"source": relative_source(source, folder)})
        tracks.append(_track(rng, moved, read_audio(source, rate), rate))
    groups = [strip.model_copy(update={"devices": ()}) for strip in song.of_kind("group")]
    tracks, returns = _with_returns(rng, tracks)
    master = Strip(name="master", kind="master")
    strips = (*tracks, *groups, *returns, master)
    graph = Graph(sample_rate=rate, length_samples=song.length_samples, mix="mix.flac", strips=strips)
    graph = checked_graph(graph, PROCESSORS)
    for name in GLUED:
        if rng.random() < GLUE_SHARE:
            signal = render_taps(graph, folder, {(name, 0)})[name, 0]
            glue = compressor(rng, signal, rate, most_db=4, most=4)
            graph = graph.replace(graph.strip(name).model_copy(update={"devices": (glue,)}))
    peak_db = 20 * math.log10(float(np.max(np.abs(render(graph, folder)))))
    return graph.replace(graph.master.model_copy(update={"fader_db": round(PEAK_DB - peak_db, 1)}))
