"""Does Ardour play what the graph says? Its own export, strip by strip, against the render by pedalboard."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import correlate

from mix2daw.errors import OutputError
from mix2daw.exporters.ardour.probe import probed
from mix2daw.exporters.ardour.route import Route
from mix2daw.exporters.ardour.session import NAME, Written, write_session, write_xml
from mix2daw.exporters.ardour.tools import Ardour, installed
from mix2daw.exporters.layout import MASTER_NAME
from mix2daw.exporters.pedalboard import OUTPUT, kept_taps, render_taps
from mix2daw.exporters.renaming import session_names
from mix2daw.graph import Graph, Strip

PROBE = "probe"
PROBE_BYTES = 1 << 31  # of a file with the outputs of many strips; a WAV file ends at twice that,
PROBE_STRIPS = 100  # and an export of Ardour at 256 channels
AGREEMENT_DB = -40.0  # exports differ by how sums round, which low bands hear; noise is far from that
IDENTICAL_DB = -300.0
LONGEST_LAG_SAMPLES = 8192
_EXPORTS = 4
_CORRELATED_SAMPLES = 1 << 19
_SUMMED_SAMPLES = 1 << 20

Signal = NDArray[np.float32]


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

    Raises FormatError if Ardour is not installed, OutputError if it cannot be made to play the session, and
    as `write_session` and `render_taps` do.
    """
    ardour = installed()
    duration_s = graph.length_samples / graph.sample_rate
    with tempfile.TemporaryDirectory(prefix="mix2daw-") as name:
        scratch = Path(name)
        session = write_session(graph, graph_folder, scratch)
        complaints = ardour.complaints(session.folder, NAME)
        ((master, render),) = _references(graph, graph_folder, [graph.master])
        exports = _Exports(ardour, session, scratch, render, graph.sample_rate)
        nulls = {master.name: _null(master, exports.mix, render)}
        names = session_names(graph, reserved=(MASTER_NAME,))
        for strips in _batches(graph):
            heard = [strip for strip in strips if _is_heard(session, names[strip.name])]
            taps = exports.outputs([session.routes[names[strip.name]] for strip in heard])
            for strip, reference in _references(graph, graph_folder, heard):
                signal = _channels(taps, 2 * (1 + heard.index(strip)))
                nulls[strip.name] = _null(strip, signal, reference)
    in_order = tuple(nulls.get(strip.name, Null(strip.name, strip.kind, None, 0)) for strip in graph.strips)
    host, mix = f"Ardour {ardour.version}", nulls[graph.master.name]
    return Verification(host, complaints, mix, in_order, duration_s, exports.export_s)


def _batches(graph: Graph) -> Iterator[list[Strip]]:
    """All strips but the master, as many at a time as one file holds; tracks first, since a bus is rendered
    with all that feeds it."""
    tracks = list(graph.of_kind("track"))
    strips = [*tracks, *(strip for strip in graph.strips if strip.kind not in ("track", "master"))]
    most = min(PROBE_STRIPS, max(1, PROBE_BYTES // (8 * graph.length_samples) - 1))
    yield from (strips[start : start + most] for start in range(0, len(strips), most))


def _is_heard(session: Written, name: str) -> bool:
    return name in session.routes and not session.routes[name].channel.muted


class _Exports:
    """What Ardour makes of a session whose mix should be `render`. `mix`: of its master; `export_s`: how long
    that took.

    One export may be noise or end early. All of them carry the mix, so each is made again until it agrees
    with the render or, where the session plays something else, with another export.
    """

    def __init__(self, ardour: Ardour, session: Written, scratch: Path, render: Signal, rate: int) -> None:
        self._ardour, self._session, self._scratch, self._render = ardour, session, scratch, render
        self._duration_s = render.shape[1] / rate
        _, self.mix, self.export_s = self._trusted(NAME)

    def outputs(self, routes: Sequence[Route]) -> Path:
        """A file with the mix on its first two channels and the outputs of the routes on the next ones; it is
        written over by the next call. Raises OutputError if no two exports agree."""
        write_xml(probed(self._session.root, routes), self._session.folder / f"{PROBE}.ardour")
        return self._trusted(PROBE)[0]

    def _trusted(self, name: str) -> tuple[Path, Signal, float]:
        file = self._scratch / f"{name}.wav"
        seen = [self._render]
        for _ in range(_EXPORTS):
            seconds = self._ardour.export(self._session.folder, name, file, self._duration_s)
            try:
                mix = _channels(file, 0)
            except soundfile.SoundFileError:
                continue
            if mix.shape[1] < self._render.shape[1] or not np.isfinite(mix).all():
                continue
            if any(_agree(mix, other) for other in seen):
                return file, mix, seconds
            seen.append(mix)
        raise OutputError("ardour", f"no two of {_EXPORTS} exports are whole and agree", "try again")


def _agree(mix: Signal, other: Signal) -> bool:
    level_db, _ = null_db(mix, other)
    return level_db is None or level_db < AGREEMENT_DB


def _channels(wav: Path, first: int) -> Signal:
    """Two channels of a file, (2, samples)."""
    with soundfile.SoundFile(str(wav)) as file:
        signal = np.empty((2, file.frames), np.float32)
        start = 0
        for block in file.blocks(1 << 16, dtype="float32", always_2d=True):
            signal[:, start : start + len(block)] = block[:, first : first + 2].T
            start += len(block)
    return signal[:, :start]


def _references(graph: Graph, folder: Path, strips: Sequence[Strip]) -> Iterator[tuple[Strip, Signal]]:
    """Every strip's output as pedalboard plays it; one track at a time is played, and all buses at once."""
    for strip in strips:
        if strip.kind == "track":
            tap = (strip.name, OUTPUT)
            yield strip, render_taps(graph, folder, {tap})[tap]
    buses = kept_taps(graph, folder, {(strip.name, OUTPUT) for strip in strips if strip.kind != "track"})
    for (name, _), kept in buses.items():
        yield graph.strip(name), kept.read()


def _null(strip: Strip, signal: Signal, reference: Signal) -> Null:
    found_db, lag_samples = null_db(signal, reference)
    return Null(strip.name, strip.kind, found_db, lag_samples)


def null_db(signal: Signal, reference: Signal) -> tuple[float | None, int]:
    """RMS of the difference over RMS of the reference in dB, both (2, samples), and by how many samples the
    signal is later, which is taken back first. None for a reference that is silent."""
    level = _rms(reference)
    if level == 0:
        return None, 0
    lag = _lag_samples(signal, reference)
    difference = _rms(signal[:, max(0, lag) :], reference[:, max(0, -lag) :])
    return (IDENTICAL_DB if difference == 0 else 20 * math.log10(difference / level)), lag


def _rms(signal: Signal, other: Signal | None = None) -> float:
    """RMS of a signal, or of what two differ by where both are; in 64 bits, some samples at a time."""
    samples = signal.shape[1] if other is None else min(signal.shape[1], other.shape[1])
    total = 0.0
    for start in range(0, samples, _SUMMED_SAMPLES):
        part = slice(start, min(start + _SUMMED_SAMPLES, samples))
        block = signal[:, part].astype(np.float64)
        if other is not None:
            block -= other[:, part]
        total += float(np.square(block).sum())
    return math.sqrt(total / (2 * max(1, samples)))


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
