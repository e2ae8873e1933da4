"""A graph as tracks that only have a gain and a place: what is printed, and with which gains it is summed.

With every track's signal times its gains, the sum is the render of the graph. It follows from three rules:
a track and a return are printed before the fader (after everything, if they have devices after the fader); a
group's fader and pan belong to every signal that runs through it; what its devices change, output less input,
is a print of its own that runs on from there.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mix2daw.exporters.bands import is_idle
from mix2daw.exporters.names import clean_text, unique
from mix2daw.exporters.pedalboard import OUTPUT, Tap, render_taps
from mix2daw.graph import Device, Graph, Strip

Samples = NDArray[np.int32]
Sides = NDArray[np.float64]  # gains of left and right, (2,)

FULL_SCALE = 1 << 23


@dataclass(frozen=True)
class Print:
    """A mono track that plays a strip or one side of it. `samples`: (samples,), 24-bit integers; `gain_lin`:
    of the clip; `pan`: −1 to 1, a balance at 0 dB."""

    strip: str
    name: str
    samples: Samples
    gain_lin: float
    pan: float


def prints(graph: Graph, folder: Path) -> Iterator[Print]:
    """The tracks, strip by strip; a stereo strip is two, `NAME.L` and `NAME.R`, at the sides. Sources lie
    relative to `folder`. Raises as `render_taps` does."""
    taken: list[str] = []
    buses = render_taps(graph, folder, {tap for strip in graph.strips for tap in _bus_taps(graph, strip)})
    for strip in graph.strips:
        name = clean_text(strip.name)
        if strip.kind == "track":
            tap = _tap(graph, strip)
            signal = render_taps(graph, folder, {tap})[tap].astype(np.float64)
        elif strip.kind == "return":
            signal = buses[_tap(graph, strip)].astype(np.float64)
        elif active(graph, strip):
            name = processing_name(strip)
            before = buses[strip.name, 0] * (own_sides(strip)[:, None] if is_whole(graph, strip) else 1.0)
            signal = buses[_tap(graph, strip)] - before
        else:
            continue
        gained = _tracks(name, signal, path_sides(graph, strip), taken)
        for track, samples, gain_lin, pan in gained:
            taken.append(track)
            yield Print(strip.name, track, samples, gain_lin, pan)


def processing_name(strip: Strip) -> str:
    """The name of the track that holds what the devices of a group or the master change."""
    return f"{clean_text(strip.name)} (processing)"


def active(graph: Graph, strip: Strip) -> tuple[Device, ...]:
    """The devices of a strip that are not set to do nothing."""
    return tuple(device for device in strip.all_devices() if not is_idle(device, graph.sample_rate))


def is_whole(graph: Graph, strip: Strip) -> bool:
    """Whether fader and pan are in the print, because a device stands behind them."""
    return any(not is_idle(device, graph.sample_rate) for device in strip.post_devices)


def own_sides(strip: Strip) -> Sides:
    """What fader and pan of a strip do to left and right."""
    fader_lin = 10.0 ** (strip.fader_db / 20)
    return np.array([fader_lin * min(1.0, 1 - strip.pan), fader_lin * min(1.0, 1 + strip.pan)])


def path_sides(graph: Graph, strip: Strip) -> Sides:
    """What is left to be done to the print of a strip on its way out of the master."""
    sides = np.ones(2) if is_whole(graph, strip) else own_sides(strip)
    while strip.output is not None:
        strip = graph.strip(strip.output)
        sides = sides * own_sides(strip)
    return sides


def _tap(graph: Graph, strip: Strip) -> Tap:
    return (strip.name, OUTPUT if is_whole(graph, strip) else len(strip.devices))


def _bus_taps(graph: Graph, strip: Strip) -> tuple[Tap, ...]:
    if strip.kind == "return":
        return (_tap(graph, strip),)
    if strip.kind != "track" and active(graph, strip):
        return ((strip.name, 0), _tap(graph, strip))
    return ()


def _tracks(
    name: str, signal: NDArray[np.float64], sides: Sides, taken: Collection[str]
) -> list[tuple[str, Samples, float, float]]:
    """A signal (1 or 2, samples) as one mono track, or as two at the sides if its channels differ; each with
    its name, samples, gain and pan."""
    samples, scale_lin = _in_24_bits(signal)
    left_lin, right_lin = (float(side) * scale_lin for side in sides)
    if len(samples) == 1 or np.array_equal(samples[0], samples[1]):
        loud_lin = max(left_lin, right_lin)
        pan = 0.0 if loud_lin == 0 else (right_lin - left_lin) / loud_lin
        return [(unique(name, taken), samples[0], loud_lin, pan)]
    # A number that one side needs goes to both, so that they stay a pair.
    bases = [*taken, *(track[:-2] for track in taken if track.endswith((".L", ".R")))]
    pair = unique(name, bases)
    return [(f"{pair}.L", samples[0], left_lin, -1.0), (f"{pair}.R", samples[1], right_lin, 1.0)]


def _in_24_bits(signal: NDArray[np.float64]) -> tuple[Samples, float]:
    """24-bit integers, and what they are to be multiplied by: 1, or a power of two for more than full
    scale."""
    scale_lin = 1.0
    while True:
        samples = np.rint(signal * (FULL_SCALE / scale_lin))
        if samples.min() >= -FULL_SCALE and samples.max() < FULL_SCALE:
            return samples.astype(np.int32), scale_lin
        scale_lin *= 2 ** max(1, math.floor(math.log2(np.abs(samples).max() / FULL_SCALE)))
