"""The graph played by pedalboard and numpy: the reference that torch and the DAWs are compared with.

Devices are played by `chains`; faders, pans, sums and sends are numpy. Signals are (channels, samples)
float32. A mono source stays mono until something makes it stereo, which sounds the same as playing it twice
and takes half the time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np

from mix2daw.errors import GraphError
from mix2daw.exporters.chains import Signal, apply_device, level_lin, sides_lin, stereo
from mix2daw.graph import Device, Graph, Strip
from mix2daw.source import read_source
from mix2daw.spool import Kept, Spool
from mix2daw.stems import read_impulse

Tap = tuple[str, int]

OUTPUT = -1  # the tap after fader, pan and post devices


def _source(graph: Graph, folder: Path, strip: Strip) -> Signal:
    """The source of a track on the time line of the song: shifted, cut and filled up with silence."""
    audio = read_source(strip, folder, graph.sample_rate)
    start = strip.offset_samples
    signal = np.zeros((audio.shape[0], graph.length_samples), np.float32)
    first, last = max(start, 0), min(start + audio.shape[1], graph.length_samples)
    if first < last:
        signal[:, first:last] = audio[:, first - start : last - start]
    return signal


def _through(signal: Signal, device: Device, graph: Graph, folder: Path) -> Signal:
    """The signal behind a device, whose impulse response, if it has one, lies relative to `folder`."""
    impulse = read_impulse(folder / device.impulse, graph.sample_rate) if device.impulse else None
    return apply_device(signal, device, graph.sample_rate, impulse)


def _upstream(graph: Graph, names: Collection[str]) -> set[str]:
    """Strips that must be played in full because they feed one of `names`."""
    feeders: set[str] = set()
    found = set(names)
    while found:
        found = {
            strip.name
            for strip in graph.strips
            if strip.name not in feeders and ({strip.output} | {send.target for send in strip.sends}) & found
        }
        feeders |= found
    return feeders


def render_taps(graph: Graph, folder: Path, taps: Collection[Tap]) -> dict[Tap, Signal]:
    """The signals of `each_tap`, all at once."""
    return dict(each_tap(graph, folder, taps))


def each_tap(graph: Graph, folder: Path, taps: Collection[Tap]) -> Iterator[tuple[Tap, Signal]]:
    """Signals inside the console, for strips by name; the taps of one strip follow one another, and no more
    than those are held for the reader.

    A tap (name, k) is the strip's signal after its first k devices: (name, 0) its source or the sum of its
    inputs, (name, len(devices)) what reaches the fader; (name, −1) is its output, after fader, pan and
    post devices; that of a muted track is silence. Signals are (1 or 2, length_samples); an output always has
    2 channels. Sources and impulse responses lie relative to `folder`. Only the strips that are needed are
    played. Raises GraphError for a tap that the graph does not have, and as `chain`, `read_source` and
    `read_impulse` do.
    """
    names = {strip.name: len(strip.devices) for strip in graph.strips}
    for name, k in taps:
        if name not in names or not OUTPUT <= k <= names[name]:
            raise GraphError(
                f"tap {name!r}, {k}", "is not in the graph", "name a strip and one of its devices"
            )
    feeders = _upstream(graph, {name for name, _ in taps})
    sums: dict[str, Signal] = {}
    for level in graph.levels():
        for strip in level:
            wanted = {k for name, k in taps if name == strip.name}
            if strip.name in feeders or wanted:
                found = _play(graph, folder, strip, wanted, strip.name in feeders, sums)
                yield from (((strip.name, k), signal) for k, signal in found.items())


def kept_taps(graph: Graph, folder: Path, taps: Collection[Tap]) -> dict[Tap, Kept]:
    """As `render_taps`, for many taps of a long song: those that memory is too dear for lie in a temporary
    file. Raises OutputError, too, if that cannot be written."""
    spool = Spool()
    return {tap: spool.keep(signal) for tap, signal in each_tap(graph, folder, taps)}


def _play(
    graph: Graph,
    folder: Path,
    strip: Strip,
    wanted: set[int],
    feeds: bool,
    sums: dict[str, Signal],
) -> dict[int, Signal]:
    """Play one strip: take its input from `sums`, and, if it `feeds` a strip that is needed, add its output
    and sends to `sums`. Returns the wanted taps by their numbers."""
    found: dict[int, Signal] = {}
    if strip.kind == "track":
        signal = _source(graph, folder, strip)
    else:
        signal = sums.pop(strip.name, np.zeros((2, graph.length_samples), np.float32))
    in_full = feeds or OUTPUT in wanted
    devices = strip.devices if in_full else strip.devices[: max(wanted)]
    if 0 in wanted:
        found[0] = signal
    for index, device in enumerate(devices, 1):
        signal = _through(signal, device, graph, folder)
        if index in wanted:
            found[index] = signal
    if not in_full:
        return found
    before_fader = signal
    # Fader and pan are one factor, so that the result rounds as the torch engine's does.
    signal = stereo(signal) * (level_lin(strip.fader_db) * sides_lin(strip.pan))
    for device in strip.post_devices:
        signal = _through(signal, device, graph, folder)
    if strip.muted:
        signal = np.zeros_like(signal)
    if OUTPUT in wanted:
        found[OUTPUT] = signal
    if not feeds or strip.muted:
        return found
    for send in strip.sends:
        tapped = signal if send.tap == "post" else stereo(before_fader)
        _add(sums, send.target, tapped * level_lin(send.level_db))
    if strip.output is not None:
        _add(sums, strip.output, signal)
    return found


def _add(sums: dict[str, Signal], target: str, signal: Signal) -> None:
    sums[target] = sums[target] + signal if target in sums else signal


def render(graph: Graph, folder: Path) -> Signal:
    """The whole song, (2, length_samples) float32; sources and impulse responses lie relative to `folder`.
    Raises as `render_taps` does."""
    master: Tap = (graph.master.name, OUTPUT)
    return render_taps(graph, folder, {master})[master]
