"""Random mixes of given stems, as an engineer might have made them: a console per seed and number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mix2daw.console import return_device, unique
from mix2daw.exporters.chains import apply_device
from mix2daw.exporters.pedalboard import render, render_taps
from mix2daw.graph import Device, Graph, Send, Strip, relative_source
from mix2daw.processors import PROCESSORS, checked_graph, complete_device
from mix2daw.stems import Signal, read_audio
from mix2daw.synthetic.levels import frame_levels_db, heard_power, reduction_db, working_frames
from mix2daw.synthetic.manner import Manner

PEAK_DB = -3.0
EQUALIZER_SHARE, COMPRESSOR_SHARE, GLUE_SHARE, SHELF_SHARE, DELAY_SHARE = 0.6, 0.4, 0.3, 0.3, 0.5
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


def _track(rng: np.random.Generator, strip: Strip, stem: Signal, sample_rate: int, manner: Manner) -> Strip:
    """The strip with devices, fader and pan; no sends yet."""
    devices: list[Device] = []
    signal = stem
    if rng.random() < EQUALIZER_SHARE:
        devices.append(equalizer(rng, stem, sample_rate))
        signal = apply_device(stem, devices[0], sample_rate)
    if rng.random() < COMPRESSOR_SHARE:
        devices.append(compressor(rng, signal, sample_rate))
    widest = 0.05 if strip.name in manner.centred else 0.7
    changes = {
        "devices": tuple(devices),
        "fader_db": _uniform(rng, -12, 4, 1),
        "pan": _uniform(rng, -widest, widest, 2),
        "sends": (),
    }
    return strip.model_copy(update=changes)


def _sends(rng: np.random.Generator, names: tuple[str, ...], low: int, high: int) -> dict[str, float]:
    """Levels in dB by track: `low` to `high` of the names, or all if there are fewer."""
    chosen = rng.choice(sorted(names), min(len(names), int(rng.integers(low, high + 1))), replace=False)
    return {str(name): _uniform(rng, -18, -6, 1) for name in chosen}


def _with_returns(
    rng: np.random.Generator, tracks: list[Strip], manner: Manner, taken: set[str]
) -> tuple[list[Strip], list[Strip]]:
    """The tracks with their sends, and the returns; `taken`: names of strips, to which theirs are added."""
    settings: dict[str, Mapping[str, float]] = {
        "reverb": {"room_size": _uniform(rng, 0.3, 0.85, 2), "damping": _uniform(rng, 0.2, 0.7, 2)}
    }
    levels = {"reverb": _sends(rng, manner.to_reverb, 2, 5)}
    if rng.random() < DELAY_SHARE:
        settings["delay"] = {"delay_ms": _uniform(rng, 120, 600, 1), "feedback": _uniform(rng, 0.1, 0.5, 2)}
        levels["delay"] = _sends(rng, manner.to_delay, 1, 2)
    names = {type_: unique(type_, taken) for type_ in settings if levels[type_]}
    returns = []
    for type_, name in names.items():
        device = return_device(type_)
        device = device.model_copy(update={"values": {**device.values, **settings[type_]}})
        returns.append(Strip(name=name, kind="return", devices=(device,), output=manner.master))

    def sends(strip: Strip) -> dict[str, Any]:
        fed = [(name, levels[type_]) for type_, name in names.items() if strip.name in levels[type_]]
        return {"sends": tuple(Send(target=name, level_db=level[strip.name]) for name, level in fed)}

    return [strip.model_copy(update=sends(strip)) for strip in tracks], returns


def _master_devices(rng: np.random.Generator, mix: Signal, sample_rate: int) -> tuple[Device, ...]:
    """Glue, and a limiter that takes 1 to 4 dB off the highest peak."""
    glue = compressor(rng, mix, sample_rate, most_db=3, most=3)
    glued = apply_device(mix, glue, sample_rate)
    ceiling_db = round(_peak_db(glued) - _uniform(rng, 1, 4, 1), 1)
    limiter = Device(
        type="limiter", values={"ceiling_db": ceiling_db, "release_ms": _log_uniform(rng, 50, 300)}
    )
    return glue, limiter


def _peak_db(signal: Signal) -> float:
    return 20 * math.log10(float(np.max(np.abs(signal))))


def random_mix(song: Graph, song_folder: Path, folder: Path, seed: int, number: int, manner: Manner) -> Graph:
    """A complete console for tracks and groups of `song`, whose sources lie relative to `song_folder`; its
    own are written relative to `folder`. It peaks at −3 dBFS by the master's fader."""
    rng = np.random.default_rng([seed, number])
    rate = song.sample_rate
    tracks = []
    for strip in song.of_kind("track"):
        source = song_folder / str(strip.source)
        moved = strip.model_copy(update={"source": relative_source(source, folder)})
        tracks.append(_track(rng, moved, read_audio(source, rate), rate, manner))
    groups = [strip.model_copy(update={"devices": ()}) for strip in song.of_kind("group")]
    taken = {strip.name for strip in (*tracks, *groups)} | {manner.master}
    tracks, returns = _with_returns(rng, tracks, manner, taken)
    master = Strip(name=manner.master, kind="master")
    strips = (*tracks, *groups, *returns, master)
    graph = Graph(sample_rate=rate, length_samples=song.length_samples, mix="mix.flac", strips=strips)
    graph = checked_graph(graph, PROCESSORS)
    for name in manner.glued:
        if rng.random() < GLUE_SHARE:
            signal = render_taps(graph, folder, {(name, 0)})[name, 0]
            glue = compressor(rng, signal, rate, most_db=4, most=4)
            graph = graph.replace(graph.strip(name).model_copy(update={"devices": (glue,)}))
    mix = render(graph, folder)
    if manner.mastered and rng.random() < manner.mastered:
        devices = tuple(complete_device(d, PROCESSORS) for d in _master_devices(rng, mix, rate))
        graph = graph.replace(graph.master.model_copy(update={"devices": devices}))
        mix = render(graph, folder)
    fader_db = round(PEAK_DB - _peak_db(mix), 1)
    return graph.replace(graph.master.model_copy(update={"fader_db": fader_db}))
