"""One pass through the console: what is heard on every strip, with the signals of two strips in memory."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mix2daw.exporters.pedalboard import OUTPUT, Tap, each_tap
from mix2daw.graph import Graph, Strip
from mix2daw.report.audio import Clip, strip_clips, strip_seconds, strips_in_flac
from mix2daw.report.curves import DYNAMICS, TAILS, level_change, tail
from mix2daw.report.measure import BLOCK_S, Floats, Frames, frames_of, integrated_lufs, loudest_start
from mix2daw.report.rides import Overlap, overlap
from mix2daw.stems import Signal, read_impulse, stereo

NEAR_ITS_LOUDEST_DB = 12.0


@dataclass(frozen=True)
class Heard:
    """What is heard on a strip. `dry`: before its first device, None where that is the same; `wet`: behind
    fader and pan; both None if the strip is silent or the page has no room; `match_db`: what brings the dry
    one to the loudness of the wet one. `changes`: of its dynamics, by their place among the inserts, the mean
    and the furthest change of level in dB over time; `tails`: how its reverbs and delays die away."""

    dry: Clip | None
    wet: Clip | None
    match_db: float
    changes: dict[int, tuple[Floats, Floats]]
    tails: dict[int, tuple[Floats, Floats]]
    overlap: Overlap


def listen(
    graph: Graph, folder: Path, difference: Signal, loudest_s: float, heard: Callable[[str], None]
) -> tuple[dict[str, Heard], Signal]:
    """What is heard on every strip by name, and the plain sum of the stems `(2, samples)`.

    `difference`: mix − render; `loudest_s`: where the song is loudest: excerpts begin there, if the strip is
    loud there too; `heard` is called after every strip. Raises as `each_tap` does.
    """
    rest = list(frames_of(difference, graph.sample_rate))
    length_s = graph.length_samples / graph.sample_rate
    seconds = strip_seconds(2 * len(graph.strips), length_s)
    flac = strips_in_flac(sum(len(_ways(s)) for s in graph.strips), seconds, length_s, graph.sample_rate)
    numbers = {strip.name: number for number, strip in enumerate(graph.strips)}
    taps = {tap for strip in graph.strips for tap in _taps(strip)}
    total = np.zeros((2, graph.length_samples), np.float32)
    jobs: dict[str, Future[Heard]] = {}
    # A strip is played while the one before it is measured; of more than two there are no signals in memory.
    with ThreadPoolExecutor(1) as worker:
        for name, group in itertools.groupby(each_tap(graph, folder, taps), key=lambda pair: pair[0][0]):
            signals = {tap[1]: signal for tap, signal in group}
            strip = graph.strip(name)
            if strip.kind == "track":
                total += signals[0]
            tails = _tails(strip, folder, graph.sample_rate)
            wait(jobs.values())
            jobs[name] = worker.submit(
                _heard,
                strip,
                signals,
                tails,
                graph.sample_rate,
                numbers[name],
                rest,
                loudest_s,
                seconds,
                flac,
            )
            heard(name)
    return {name: job.result() for name, job in jobs.items()}, total


def _taps(strip: Strip) -> set[Tap]:
    around = {
        tap
        for index, device in enumerate(strip.devices)
        if device.type in DYNAMICS
        for tap in (index, index + 1)
    }
    return {(strip.name, tap) for tap in (0, OUTPUT, *around)}


def _ways(strip: Strip) -> tuple[str, ...]:
    """What there is to compare: with a fader alone, dry at the loudness of wet is the same."""
    return ("dry", "wet") if strip.all_devices() or strip.pan else ("wet",)


def _tails(strip: Strip, folder: Path, sample_rate: int) -> dict[int, tuple[Floats, Floats]]:
    found = {}
    for index, device in enumerate(strip.all_devices()):
        if device.type in TAILS:
            path = device.impulse
            impulse = None if path is None else read_impulse(folder / path, sample_rate)
            found[index] = tail(device, sample_rate, impulse)
    return found


def _heard(
    strip: Strip,
    signals: dict[int, Signal],
    tails: dict[int, tuple[Floats, Floats]],
    sample_rate: int,
    number: int,
    difference: Sequence[Frames],
    loudest_s: float,
    seconds: float,
    flac: bool,
) -> Heard:
    changes = {
        index: level_change(stereo(signals[index]), stereo(signals[index + 1]), sample_rate)
        for index, device in enumerate(strip.devices)
        if device.type in DYNAMICS
    }
    dry, wet = signals[0], signals[OUTPUT]
    clips: list[Clip | None] = [None, None]
    match_db = 0.0
    if seconds > 0 and wet.any():
        start_s = _start(wet, sample_rate, loudest_s, seconds)
        first = round(start_s * sample_rate)
        part = slice(first, first + round(seconds * sample_rate))
        loudness = [integrated_lufs(signal[:, part], sample_rate) for signal in (wet, dry)]
        match_db = loudness[0] - loudness[1] if all(map(math.isfinite, loudness)) else 0.0
        ways = _ways(strip)
        named = {f"s{number}-{way}": {"dry": dry, "wet": wet}[way] for way in ways}
        clips = [None] * (2 - len(ways)) + list(strip_clips(named, sample_rate, start_s, seconds, flac))
    shared = overlap(strip.name, wet, difference, sample_rate)
    return Heard(clips[0], clips[1], round(match_db, 2), changes, tails, shared)


def _start(signal: Signal, sample_rate: int, loudest_s: float, seconds: float) -> float:
    """Where an excerpt begins: at the loudest part of the song, or of the strip if it is faint there."""
    size = round(BLOCK_S * sample_rate)
    blocks = np.add.reduceat(np.square(signal).sum(0, dtype=np.float64), np.arange(0, signal.shape[1], size))
    count = max(1, round(seconds / BLOCK_S))
    own = loudest_start(blocks, count)
    length_s = signal.shape[1] / sample_rate
    there = int(min(loudest_s, length_s - seconds) / BLOCK_S)
    loud = blocks[own : own + count].sum()
    if blocks[there : there + count].sum() >= loud * 10 ** (-NEAR_ITS_LOUDEST_DB / 10):
        own = there
    return float(min(own * BLOCK_S, length_s - seconds))
