"""What is wrong with the samples of one file: silence, clipping, DC, channels that are no two channels.

Signals are float32 `(1 or 2, samples)` as they are in the file, at its own rate.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mix2daw.check.findings import Finding, finding
from mix2daw.session import same_channels
from mix2daw.silence import SILENCE_DBFS, is_silent
from mix2daw.stems import Signal

DENORMAL_DBFS = -200.0
OPPOSED_DB = -60.0
DC_DBFS, DC_BLOCK_S, DC_STEADY = -50.0, 1.0, 0.9  # share of the blocks with the mean's sign
# A flat top: so many samples, equal to a step and a half of the file; the signal jumps by so many steps
# before and after it. A smooth peak that is rounded to equal samples changes by up to three steps there.
FLAT_SAMPLES, FLAT_STEPS, JUMP_STEPS = 3, 1.5, 8.0
# Samples beyond the first two of all tops together; a square wave spends more than this share at its peak,
# and in audio that holds its samples there are flat places everywhere.
CLIPPED_SAMPLES, SQUARE_SHARE, HELD_RUNS = 4, 0.2, 2.0


def decibels(amplitude: float) -> float:
    """An amplitude against full scale in dB; −inf for nothing."""
    return 20 * math.log10(amplitude) if amplitude > 0 else -math.inf


def rms(signal: NDArray[np.float32]) -> float:
    """Root of the mean square of all samples."""
    return math.sqrt(float(np.mean(np.square(signal), dtype=np.float64)))


def silence(path: Path, signal: Signal) -> Finding | None:
    """A stem that does not sound."""
    if not is_silent(signal):
        return None
    peak_dbfs = decibels(float(np.abs(signal).max()))
    if -math.inf < peak_dbfs < DENORMAL_DBFS:
        return finding("stem-denormal", [path], {"peak_dbfs": peak_dbfs})
    return finding("stem-silent", [path], {"rms_dbfs": decibels(rms(signal)), "peak_dbfs": peak_dbfs})


def sample_findings(path: Path, signal: Signal, sample_rate: int) -> Iterator[Finding]:
    """What is found in a stem that sounds."""
    clipping = find_clipping(signal)
    if clipping is not None:
        yield clipped(path, clipping, sample_rate)
    yield from offset_findings(path, signal, sample_rate)
    if signal.shape[0] == 2:
        yield from _channel_findings(path, signal)


def offset_findings(path: Path, signal: Signal, sample_rate: int) -> Iterator[Finding]:
    """A DC offset."""
    offset = steady_offset(signal, sample_rate)
    if decibels(abs(offset)) > DC_DBFS:
        yield finding("dc-offset", [path], {"offset_lin": offset, "offset_dbfs": decibels(abs(offset))})


def _channel_findings(path: Path, signal: Signal) -> Iterator[Finding]:
    levels = [decibels(rms(channel)) for channel in signal]
    if min(levels) < SILENCE_DBFS:
        silent = levels.index(min(levels))
        words = {
            "silent": ("left", "right")[silent],
            "silent_dbfs": levels[silent],
            "other_dbfs": max(levels),
        }
        yield finding("channel-silent", [path], words)
        return
    sum_db = decibels(rms(signal[0] + signal[1]) / (2 * rms(signal)))
    if sum_db < OPPOSED_DB:
        yield finding("channels-opposed", [path], {"sum_db": sum_db})
    if same_channels(signal):
        yield finding("dual-mono", [path], {})


def steady_offset(signal: Signal, sample_rate: int) -> float:
    """The mean of the channel where it is farthest from zero, if it is there all the time; else 0."""
    size = min(signal.shape[1], round(DC_BLOCK_S * sample_rate))
    offsets = [0.0]
    for channel in signal:
        blocks = channel[: len(channel) // size * size].reshape(-1, size).mean(1, dtype=np.float64)
        mean = float(np.median(blocks))
        if np.mean(np.sign(blocks) == np.sign(mean)) >= DC_STEADY:
            offsets.append(mean)
    return max(offsets, key=abs)


@dataclass(frozen=True)
class Clipping:
    """How many flat tops, at which level of full scale, how long the longest is, and where the first begins
    (a sample)."""

    runs: int
    ceiling_lin: float
    longest_samples: int
    first: int


def clipped(path: Path, clipping: Clipping, sample_rate: int) -> Finding:
    """Flat tops as a finding."""
    measured = {
        "runs": clipping.runs,
        "ceiling_dbfs": decibels(clipping.ceiling_lin),
        "longest_samples": clipping.longest_samples,
        "first_s": clipping.first / sample_rate,
    }
    return finding("clipped", [path], measured)


def find_clipping(signal: Signal) -> Clipping | None:
    """Flat tops at the highest or lowest value of any channel, None where there are too few."""
    ceiling, starts, lengths, held = 0.0, list[int](), list[int](), 0
    for channel in signal:
        step = _step(channel)
        for side in (1, -1):
            peak = float((side * channel).max())
            if peak <= 0:
                continue
            top = side * channel >= peak - FLAT_STEPS * step
            first, length = _runs(top)
            if length.sum() > SQUARE_SHARE * len(channel):
                continue
            flat = (length >= FLAT_SAMPLES) & _jumps(channel, first, length, step)
            starts += first[flat].tolist()
            lengths += length[flat].tolist()
            ceiling = max(ceiling, peak if flat.any() else 0.0)
        equal, length = _runs(np.diff(channel) == 0)
        long = length + 1 >= FLAT_SAMPLES
        loud = np.abs(channel[equal]) > JUMP_STEPS * step
        held += int((long & loud & _jumps(channel, equal, length + 1, step)).sum())
    beyond = sum(length - 2 for length in lengths)
    if beyond < CLIPPED_SAMPLES or held > HELD_RUNS * len(lengths):
        return None
    return Clipping(len(lengths), ceiling, max(lengths), min(starts))


def _step(channel: NDArray[np.float32]) -> float:
    """The step of a channel: the least difference of two samples, no less than what float32 can hold."""
    moves = np.abs(np.diff(channel))
    moves = moves[moves > 0]
    least = float(np.finfo(np.float32).eps) * float(np.abs(channel).max())
    return max(least, float(moves.min()) if moves.size else 0.0)


def _runs(which: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where runs of True begin, and how long they are."""
    edges = np.diff(np.concatenate(([0], which.astype(np.int8), [0])))
    first = np.flatnonzero(edges == 1)
    return first, np.flatnonzero(edges == -1) - first


def _jumps(
    channel: NDArray[np.float32], first: NDArray[np.int64], length: NDArray[np.int64], step: float
) -> NDArray[np.bool_]:
    """Whether the signal jumps before and after each run, towards zero; a run at an end of the file does not
    count."""
    last = first + length
    inside = (first > 0) & (last < len(channel))
    level = np.abs(channel[first])
    before = level - np.sign(channel[first]) * channel[np.maximum(first - 1, 0)]
    after = level - np.sign(channel[first]) * channel[np.minimum(last, len(channel) - 1)]
    jumps: NDArray[np.bool_] = inside & (np.minimum(before, after) > JUMP_STEPS * step)
    return jumps
