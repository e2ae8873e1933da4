"""What is left of the mix, told for every strip: where a strip is what is heard, how far is the render off?

The song is cut into cells, a third of an octave (31 Hz to 16 kHz) by a frame of about 90 ms; the energy of a
cell is that of mid and side together. A strip's part in the mix is the energy of its output, changed by every
bus on its way to the master as that bus changes what runs into it in this cell. A cell belongs to the track
or return whose part in it is largest, to a group if it belongs to what runs into it, and always to the
master.

    residual of a strip = 10 lg (energy of the difference in its cells / energy of its part in them)

Every cell belongs to one track or return, so nothing of the difference is counted twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mix2daw.exporters.pedalboard import OUTPUT, each_tap
from mix2daw.graph import Graph
from mix2daw.report.measure import Floats, band_energies
from mix2daw.stems import Signal

SILENT = 1e-9  # energy of a cell, against the loudest
MOST_CHANGE = 100.0  # of energy by a bus in one cell; what is beyond is the tail of earlier cells


@dataclass(frozen=True)
class Energies:
    """Energy per cell (bands, frames): of the output of every strip, and of what runs into every bus."""

    out: dict[str, Floats]
    into: dict[str, Floats]


def render_measured(graph: Graph, folder: Path) -> tuple[Signal, Energies]:
    """The song as pedalboard plays it, (2, length_samples), and what is heard on every strip on the way.
    Raises as `each_tap` does."""
    buses = {strip.name for strip in graph.strips if strip.kind != "track"}
    taps = {(strip.name, OUTPUT) for strip in graph.strips} | {(name, 0) for name in buses}
    found = Energies({}, {})
    master: Signal | None = None
    for (name, tap), signal in each_tap(graph, folder, taps):
        kept = found.out if tap == OUTPUT else found.into
        kept[name] = band_energies(signal, graph.sample_rate).sum(0)
        if (name, tap) == (graph.master.name, OUTPUT):
            master = signal
    assert master is not None  # every graph has one
    return master, found


def residuals_db(graph: Graph, energies: Energies, difference: Signal) -> dict[str, float | None]:
    """The residual of every strip, by name; None for one to which no cell belongs. `difference`: mix − render
    `(2, samples)`."""
    left = band_energies(difference, graph.sample_rate).sum(0)
    parts = {strip.name: _part(graph, energies, strip.name) for strip in graph.strips}
    sounding = [strip.name for strip in graph.strips if strip.kind in ("track", "return")]
    stacked = np.stack([parts[name] for name in sounding])
    owner = np.where(stacked.max(0) > SILENT * stacked.max(), stacked.argmax(0), -1)
    cells = {name: owner == number for number, name in enumerate(sounding)}
    found: dict[str, float | None] = {}
    for strip in graph.strips:
        own = cells.get(strip.name)
        if own is None:
            beneath = [cells[name] for name in sounding if strip.name in _way(graph, name)]
            own = np.any(beneath, axis=0) if beneath else np.zeros_like(owner, bool)
        if strip.kind == "master":
            own = np.ones_like(owner, bool)
        found[strip.name] = _ratio_db(float(left[own].sum()), float(parts[strip.name][own].sum()))
    return found


def _way(graph: Graph, name: str) -> list[str]:
    """The buses that the output of a strip runs through, up to the master."""
    way: list[str] = []
    while (output := graph.strip(name).output) is not None:
        way.append(output)
        name = output
    return way


def _part(graph: Graph, energies: Energies, name: str) -> Floats:
    part = energies.out[name]
    for bus in _way(graph, name):
        into = energies.into[bus]
        change = np.divide(energies.out[bus], into, out=np.zeros_like(into), where=into > 0)
        part = part * np.minimum(change, MOST_CHANGE)
    return part


def _ratio_db(left: float, part: float) -> float | None:
    if part <= 0:
        return None
    return round(10 * float(np.log10(max(left / part, 1e-20))), 2)
