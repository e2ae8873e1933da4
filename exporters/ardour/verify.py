"""Does Ardour play what the graph says? Its own export, strip by strip, against the render by pedalboard."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import correlate

from mix2daw.errors import OutputError
from mix2daw.exporters.ardour.probe import probed
from mix2daw.exporters.ardour.session import NAME, Written, write_session, write_xml
from mix2daw.exporters.ardour.tools import Ardour, installed
from mix2daw.exporters.chains import BLOCK_SAMPLES
from mix2daw.exporters.layout import MASTER_NAME
from mix2daw.exporters.pedalboard import OUTPUT, render_taps
from mix2daw.exporters.renaming import session_names
from mix2daw.graph import Graph, Strip

PROBE = "probe"
AGREEMENT_DB = -60.0  # exports differ by how sums round; noise is far from that
IDENTICAL_DB = -300.0
LONGEST_LAG_SAMPLES = 8192
PAD_SAMPLES = 6 * BLOCK_SAMPLES  # whole blocks, so that the render clears its filters where it always does
TAIL_SAMPLES = 8192
_EXPORTS = 4
_CORRELATED_SAMPLES = 1 << 19

Signal = NDArray[np.float64]


@dataclass(frozen=True)
class Null:
    """How far an output of the session is from the same output of the render: RMS of the difference over RMS
    of the render, in dB (-300: equal), after the session was moved by `lag_samples` (latency that the host
    does not take back). None: a muted or silent strip has none."""

    strip: str
    kind: str
    null_db: float | None
    lag_samples: int


@dataclass(frozen=True)
class Verification:
    """What the host made of a session. `complaints`: its errors and warnings at loading; `mix`: of the
    master's output; `strips`: of every strip's output, in the order of the graph; `export_s` of `duration_s`:
    how long the export of the session took."""

    host: str
    complaints: tuple[str, ...]
    mix: Null
    strips: tuple[Null, ...]
    duration_s: float
    export_s: float


def verify(graph: Graph, graph_folder: Path) -> Verification:
    """Write the session of a graph (complete devices) into a temporary folder and compare Ardour's export.

    All of it starts a second later there and ends later: with a latency on its way, a track that starts with
    the session may lose its first milliseconds in an export, and the end of the mix is cut off by it.

    Raises FormatError if Ardour is not installed, OutputError if it cannot be made to play the session, and
    as `write_session` and `render_taps` do.
    """
    ardour = installed()
    graph = _padded(graph)
    with tempfile.TemporaryDirectory(prefix="mix2daw-") as name:
        scratch = Path(name)
        session = write_session(graph, graph_folder, scratch)
        complaints = ardour.complaints(session.folder, NAME, scratch)
        names = session_names(graph, reserved=(MASTER_NAME,))
        heard = [
            strip
            for strip in graph.strips
            if strip.kind != "master" and _is_heard(session, names[strip.name])
        ]
        root = probed(session.root, [session.routes[names[strip.name]] for strip in heard])
        write_xml(root, session.folder / f"{PROBE}.ardour")
        duration_s = graph.length_samples / graph.sample_rate
        mix, taps, export_s = _exports(ardour, session.folder, scratch, duration_s)
        channels = {strip.name: 2 * number for number, strip in enumerate(heard, start=1)}
        strips: list[Null] = []
        whole = None
        for strip, reference in _references(graph, graph_folder):
            if strip.kind == "master":
                whole = _null(strip, mix, reference)
                strips.append(whole)
            elif strip.name in channels:
                strips.append(_null(strip, _channels(taps, channels[strip.name]), reference))
            else:
                strips.append(Null(strip.name, strip.kind, None, 0))
    assert whole is not None
    order = {strip.name: number for number, strip in enumerate(graph.strips)}
    in_order = tuple(sorted(strips, key=lambda null: order[null.strip]))
    return Verification(f"Ardour {ardour.version}", complaints, whole, in_order, duration_s, export_s)


def _padded(graph: Graph) -> Graph:
    tracks = [
        strip.model_copy(update={"offset_samples": strip.offset_samples + PAD_SAMPLES})
        for strip in graph.of_kind("track")
    ]
    longer = graph.model_copy(update={"length_samples": graph.length_samples + PAD_SAMPLES + TAIL_SAMPLES})
    return longer.replace(*tracks)


def _is_heard(session: Written, name: str) -> bool:
    return name in session.routes and not session.routes[name].channel.muted


def _exports(ardour: Ardour, folder: Path, scratch: Path, duration_s: float) -> tuple[Signal, Path, float]:
    """The mix, the file with all outputs, and how long the export of the mix took in seconds.

    Both files carry the mix. One export may be noise, so they are made again until they agree on it.
    """
    mix_file, taps_file = scratch / "mix.wav", scratch / "taps.wav"
    for _ in range(_EXPORTS):
        started = time.monotonic()
        ardour.export(folder, NAME, mix_file, duration_s)
        export_s = time.monotonic() - started
        ardour.export(folder, PROBE, taps_file, duration_s)
        mix, again = _channels(mix_file, 0), _channels(taps_file, 0)
        agreement_db, _ = null_db(again, mix)
        if agreement_db is None or agreement_db < AGREEMENT_DB:
            return mix, taps_file, export_s
    raise OutputError("ardour", f"no two of {_EXPORTS} exports agree", "try again")


def _channels(wav: Path, first: int) -> Signal:
    """Two channels of a file, (2, samples)."""
    with soundfile.SoundFile(str(wav)) as file:
        blocks = [block[:, first : first + 2] for block in file.blocks(1 << 16, always_2d=True)]
    return np.concatenate(blocks).T


def _references(graph: Graph, folder: Path) -> Iterator[tuple[Strip, Signal]]:
    """Every strip's output as pedalboard plays it; one track at a time is held, and all buses."""
    buses = [strip for strip in graph.strips if strip.kind != "track"]
    for strips in ([strip] for strip in graph.of_kind("track")):
        yield from _rendered(graph, folder, strips)
    yield from _rendered(graph, folder, buses)


def _rendered(graph: Graph, folder: Path, strips: Iterable[Strip]) -> Iterator[tuple[Strip, Signal]]:
    taps = render_taps(graph, folder, {(strip.name, OUTPUT) for strip in strips})
    for name, _ in list(taps):
        yield graph.strip(name), taps.pop((name, OUTPUT)).astype(np.float64)


def _null(strip: Strip, signal: Signal, reference: Signal) -> Null:
    found_db, lag_samples = null_db(signal, reference)
    return Null(strip.name, strip.kind, found_db, lag_samples)


def null_db(signal: Signal, reference: Signal) -> tuple[float | None, int]:
    """RMS of the difference over RMS of the reference in dB, both (2, samples), and by how many samples the
    signal is later, which is taken back first. None for a reference that is silent."""
    level = float(np.sqrt(np.mean(np.square(reference))))
    if level == 0:
        return None, 0
    lag = _lag_samples(signal, reference)
    late, early = signal[:, max(0, lag) :], reference[:, max(0, -lag) :]
    samples = min(late.shape[1], early.shape[1])
    difference = float(np.sqrt(np.mean(np.square(late[:, :samples] - early[:, :samples]))))
    return (20 * math.log10(difference / level) if difference > 0 else IDENTICAL_DB), lag


def _lag_samples(signal: Signal, reference: Signal) -> int:
    """By how much a signal is later than its reference, from where their loudest part agrees best."""
    loudest = int(np.abs(reference).max(0).argmax())
    start = max(0, loudest - _CORRELATED_SAMPLES // 2)
    part = slice(start, start + _CORRELATED_SAMPLES)
    side = int(np.square(reference[:, part]).sum(1).argmax())
    match = correlate(signal[side, part], reference[side, part], method="fft")
    zero = reference[side, part].size - 1
    first = max(0, zero - LONGEST_LAG_SAMPLES)
    return int(match[first : zero + LONGEST_LAG_SAMPLES + 1].argmax()) + first - zero
