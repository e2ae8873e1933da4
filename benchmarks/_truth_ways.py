"""The way of a strip to the master, and what its faders, pans and equalizers are together."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from _truth_parts import tracks_through

from mix2daw.exporters.chains import sides_lin
from mix2daw.graph import Device, Graph, Strip
from mix2daw.synthetic.levels import Array


def way(graph: Graph, name: str) -> tuple[Strip, ...]:
    """The strips that the direct sound of one passes, from itself to the master."""
    strip = graph.strip(name)
    return (strip,) if strip.output is None else (strip, *way(graph, strip.output))


def sides_of(strips: Iterable[Strip]) -> Array:
    """Faders and pans in a row as amplitudes of the left and the right side, (2,): balances multiply."""
    sides = np.ones(2)
    for strip in strips:
        sides = sides * sides_lin(strip.pan)[:, 0] * 10 ** (strip.fader_db / 20)
    return sides


def gain_and_pan(strips: Iterable[Strip]) -> tuple[float, float]:
    """Faders and pans in a row as one fader (dB) and one pan (−1..1)."""
    left, right = (float(side) for side in sides_of(strips))
    loud = max(left, right)
    return (20 * math.log10(loud), (right - left) / loud) if loud > 0 else (-math.inf, 0.0)


def own_way(graph: Graph, name: str) -> tuple[Strip, ...]:
    """The strips on a track's way that it shares with no other track: itself, and groups of one."""
    strips = way(graph, name)
    return tuple(s for s in strips if s.kind != "master" and tracks_through(graph, s.name) == (name,))


def equalizers(graph: Graph, name: str) -> tuple[Device, ...]:
    """All equalizers on a track's way to the master."""
    devices = (device for strip in way(graph, name) for device in strip.all_devices())
    return tuple(device for device in devices if device.type == "equalizer")
