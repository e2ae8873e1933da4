"""What the page is made of, as far as it takes time: what is measured and encoded of a result's audio."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Event
from types import TracebackType
from typing import Self

from mix2daw.errors import InputError
from mix2daw.graph import Graph
from mix2daw.progress import Progress
from mix2daw.report.audio import Clip, Plan, mains
from mix2daw.report.measure import BLOCK_S, band_energies, loudest_start, weighted_blocks
from mix2daw.report.overview import Song
from mix2daw.report.strips import Heard, listen
from mix2daw.stems import Signal, read_audio, stereo

LOOP_S = 8.0
STEPS_BESIDE_STRIPS = 3


@dataclass(frozen=True)
class Material:
    """`heard`: by the name of the strip; `plain_sum`: of the stems, (2, samples); `loudest_s`: where the song
    is loudest; `clips`: the signals that are compared, kept by `plan`."""

    song: Song
    heard: dict[str, Heard]
    plain_sum: Signal
    loudest_s: float
    plan: Plan
    clips: tuple[Clip, ...]


def gather(graph: Graph, folder: Path, step: Callable[[str], None]) -> Material:
    """Measure a result: its graph (devices complete), with the audio that lies in its folder and the stems.
    `step` is called once for every strip, and `STEPS_BESIDE_STRIPS` times.

    Raises InputError (audio that cannot be read, or that is not of one length), GraphError.
    """
    song = _song(graph, folder)
    loudest_s = loudest_start(song.target_blocks, round(LOOP_S / BLOCK_S)) * BLOCK_S
    step("measured")
    heard, plain_sum = listen(graph, folder, song.difference, loudest_s, step)
    step("listened")
    signals = {"target": song.target, "ours": song.ours, "difference": song.difference, "sum": plain_sum}
    plan, clips = mains(signals, graph.sample_rate, loudest_s, clips_of(heard))
    step("encoded")
    return Material(song, heard, plain_sum, loudest_s, plan, clips)


def clips_of(heard: Mapping[str, Heard]) -> list[Clip]:
    """The excerpts of all strips."""
    return [clip for each in heard.values() for clip in (each.dry, each.wet) if clip is not None]


class Gathering:
    """`gather` in another thread, while sessions are written. Left early, it ends with the strip that it is
    at: no thread goes on in a folder that is gone."""

    def __init__(self, graph: Graph, folder: Path) -> None:
        self._strips = len(graph.strips)
        self._notes: SimpleQueue[str | None] = SimpleQueue()
        self._left = Event()
        self._pool = ThreadPoolExecutor(1)
        self._job: Future[Material] = self._pool.submit(gather, graph, folder, self._step)
        self._job.add_done_callback(lambda _: self._notes.put(None))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left.set()
        self._pool.shutdown()

    def _step(self, note: str) -> None:
        if self._left.is_set():
            raise _LeftError
        self._notes.put(note)

    def material(self, progress: Progress) -> Material:
        """Wait for it, a step of the stage for each of its own. Raises as `gather`."""
        begin(progress, self._strips)
        while (note := self._notes.get()) is not None:
            progress.step(note)
        return self._job.result()


class _LeftError(Exception):
    """Nobody waits any longer."""


def begin(progress: Progress, strips: int) -> None:
    """The stage of a report on so many strips."""
    progress.stage("Report", strips + STEPS_BESIDE_STRIPS)


def _song(graph: Graph, folder: Path) -> Song:
    ours, difference = (
        stereo(read_audio(folder / name, graph.sample_rate)) for name in ("render.wav", "difference.wav")
    )
    for name, signal in (("render.wav", ours), ("difference.wav", difference)):
        if signal.shape[1] != graph.length_samples:
            lengths = f"has {signal.shape[1]} samples, the graph {graph.length_samples}"
            raise InputError(folder / name, lengths, "recover the song again")
    target = ours + difference  # the mix itself may have moved away
    return Song(
        graph.sample_rate,
        target,
        ours,
        difference,
        *(weighted_blocks(signal, graph.sample_rate) for signal in (target, ours, difference)),
        *(band_energies(signal, graph.sample_rate) for signal in (target, difference)),
    )
