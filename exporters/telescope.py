"""A graph as signals that only have to be added: the sum of all parts, each times its gains, is the render.

It follows from three rules: a track and a return are printed before the fader (after everything, if they
have devices after the fader); a group's fader and pan belong to every signal that runs through it; what the
devices of a group or the master change, output less input, is a part of its own that runs on from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mix2daw.exporters.bands import is_idle
from mix2daw.exporters.names import clean_text
from mix2daw.exporters.pedalboard import OUTPUT, Tap, kept_taps, render_taps
from mix2daw.graph import Device, Graph, Strip

Sides = NDArray[np.float64]  # gains of left and right, (2,)


@dataclass(frozen=True)
class Part:
    """What one strip adds to the mix. `name`: of the strip on one line, or of what its devices change;
    `signal`: (1 or 2, samples); `sides`: its gains on the way out of the master."""

    strip: Strip
    name: str
    signal: NDArray[np.float64]
    sides: Sides


def parts(graph: Graph, folder: Path) -> Iterator[Part]:
    """The parts, strip by strip; one at a time is held. Sources lie relative to `folder`. Raises as
    `kept_taps` does."""
    buses = kept_taps(graph, folder, {tap for strip in graph.strips for tap in _bus_taps(graph, strip)})
    for strip in graph.strips:
        name = clean_text(strip.name)
        if strip.kind == "track":
            tap = _tap(graph, strip)
            signal = render_taps(graph, folder, {tap})[tap].astype(np.float64)
        elif strip.kind == "return":
            signal = buses[_tap(graph, strip)].read().astype(np.float64)
        elif active(graph, strip):
            name = processing_name(strip)
            before = own_sides(strip)[:, None] if is_whole(graph, strip) else np.ones((2, 1))
            signal = buses[_tap(graph, strip)].read() - before * buses[strip.name, 0].read()
        else:
            continue
        yield Part(strip, name, signal, path_sides(graph, strip))


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
