"""The whole way: stems and a mix in, one folder with the graph, its audio, its numbers and its sessions out.

graph.json       the mixing graph; `source` paths are relative to the folder
impulses/…       the impulse responses of its convolutions
render.wav       the graph played by pedalboard, 32-bit float
difference.wav   mix − render
result.json      the numbers (docs/formats.md says what each means)
report.html      all of it to look at and to listen to, in a browser
groups.yaml      the groups, to be edited and given back with --groups
sessions/…       one folder per format
"""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

from mix2daw.compare import compare, residual_db
from mix2daw.console import build_console, preset
from mix2daw.controls import Controls
from mix2daw.cost import Size, expected
from mix2daw.errors import FormatError, InputError, OutputError
from mix2daw.explain import Explanation, explain
from mix2daw.exporters import FORMATS, Lost, exporter
from mix2daw.exporters.options import DEFAULTS, Options
from mix2daw.exporters.pedalboard import render as render_pedalboard
from mix2daw.graph import Graph
from mix2daw.loss import published_la
from mix2daw.mixdown import read_impulses, read_sources, render_torch
from mix2daw.output import LOST_FILE, check_folder, new_folder, write_text
from mix2daw.processors import PROCESSORS, checked_graph
from mix2daw.progress import Progress
from mix2daw.report import REPORT_FILE
from mix2daw.report.folder import write_page
from mix2daw.report.residual import render_measured, residuals_db
from mix2daw.result import Defaults, Devices, Result, SearchRecord, lost_json
from mix2daw.search import Found, Settings, search
from mix2daw.session import Session, groups_yaml, open_session
from mix2daw.stems import Signal, file_sha256, read_audio, stereo, write_wav

IDENTICAL_DB = -300.0  # stands for the null of two equal renders, which has no number in JSON
LIBRARIES = ("numpy", "numba", "pedalboard", "scipy", "soundfile", "soxr", "torch")  # result.json has these
LA_PARTS = ("full", "left_right", "mid", "side")


@dataclass(frozen=True)
class Job:
    """What to recover, from what, to where. `formats`: names of session formats; `groups`: a groups.yaml;
    `force`: whether an earlier result in `out` may be replaced; `report`: whether report.html is written;
    `defaults`: what of this came from a settings file, to be told in result.json."""

    stems: Path
    mix: Path
    out: Path
    groups: Path | None = None
    formats: tuple[str, ...] = ("dawproject", "reaper", "ardour", "recall")
    settings: Settings = field(default_factory=Settings)
    force: bool = False
    report: bool = True
    defaults: Defaults | None = None


@dataclass(frozen=True)
class Recovery:
    """What came of a job: the graph, its numbers, the folder they lie in, and how the search went."""

    graph: Graph
    result: Result
    folder: Path
    found: Found


class _Clock:
    """Seconds per stage, by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


def recover(job: Job, progress: Progress) -> Recovery:
    """Do a job. What can be refused is refused before the search begins; `out` appears when it is whole.

    Raises InputError (stems, mix, groups), FormatError (a name that does not exist), OutputError.
    An interrupt during the search is taken as "that will do": the best graph so far is finished and written.
    """
    start = time.perf_counter()
    check_job(job)
    clock = _Clock()
    progress.stage("Reading", 1)
    with clock.stage("read"):
        session = open_session(job.stems, job.mix, job.groups)
    for line in _findings(session):
        progress.say(line)
    chosen = preset(job.settings.preset, job.settings.processors)
    size = Size.of(build_console(session, chosen, job.out.resolve()))
    progress.expect(expected(size, job.settings, len(job.formats), job.report)[1:])  # it is read
    with new_folder(job.out) as folder:
        # Paths in the graph are relative to `out`; the temporary folder lies beside it: they hold there too.
        found = search(session, job.out.resolve(), job.settings, progress)
        graph = found.graph
        for path, impulse in found.impulses.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            write_wav(folder / path, impulse, graph.sample_rate)
        write_text(folder / "graph.json", graph.to_json())
        write_text(folder / "groups.yaml", groups_yaml(session))
        progress.stage("Rendering", 2)
        with clock.stage("render"):
            render, energies = render_measured(graph, folder)
            write_wav(folder / "render.wav", render, graph.sample_rate)
            write_wav(folder / "difference.wav", session.mix - render, graph.sample_rate)
            progress.step()
            null_db = residual_db(render_torch(graph, folder), render)
        progress.stage("Comparing", 1)
        with clock.stage("compare"):
            metrics = compare(render, session.mix, session.sample_rate)
            la_sum = _la(sum_of_stems(session), session.mix, session.sample_rate)
        progress.stands(metrics["la.full"], sum(found.devices_after.values()))
        progress.stage("Writing sessions", len(job.formats))
        with clock.stage("sessions"):
            lost = export_sessions(graph, folder, job.formats, folder / "sessions", progress)
        seconds = {**clock.seconds, **found.seconds, "total": time.perf_counter() - start}
        result = Result(
            la={part: metrics[f"la.{part}"] for part in LA_PARTS},
            la_paper={part: metrics[f"la.paper.{part}"] for part in LA_PARTS},
            la_sum_of_stems=la_sum,
            la_console=found.la_console,
            linear_ceiling=found.linear_ceiling,
            devices_before=Devices.counted(found.devices_before),
            devices_after=Devices.counted(found.devices_after),
            sdr_db=metrics["sdr_db"],
            loudness_difference_lu=metrics["loudness_difference_lu"],
            null_db={"torch_pedalboard": max(IDENTICAL_DB, null_db)},
            strip_residual_db=residuals_db(graph, energies, session.mix - render),
            seconds={name: round(value, 2) for name, value in seconds.items()},
            peak_rss_mib=peak_rss_mib(),
            lost=lost,
            silent=list(session.silent),
            findings=list(session.findings),
            interrupted=found.interrupted,
            out_of_time=found.out_of_time,
            preset=job.settings.preset,
            strategy=job.settings.strategy,
            tolerance=job.settings.tolerance,
            seed=job.settings.seed,
            version=version("mix2daw"),
            versions={"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
            mix_sha256=file_sha256(job.mix),
            search=SearchRecord.of(found.offered, found.trace),
            defaults=job.defaults,
        )
        write_text(folder / "result.json", result.to_json())
    if job.report:
        # The result is whole by now: what comes between does not take it away.
        try:
            write_page(graph, result, job.out, job.out / REPORT_FILE, progress)
        except KeyboardInterrupt:
            progress.say(f"stopped: no report; `mix2daw report {job.out}` writes it")
    return Recovery(graph, result, job.out, found)


def render_graph(graph: Graph, folder: Path, engine: str) -> Signal:
    """The song (2, samples) as `engine` ("pedalboard" or "torch") plays it; sources relative to `folder`.

    Raises FormatError for an unknown engine or processor, GraphError, InputError.
    """
    engines: dict[str, Callable[[Graph, Path], Signal]] = {
        "pedalboard": render_pedalboard,
        "torch": render_torch,
    }
    if engine not in engines:
        raise FormatError(engine, "is no engine", f"use one of: {', '.join(engines)}")
    return engines[engine](checked_graph(graph, PROCESSORS), folder)


def explain_graph(graph: Graph, folder: Path, mix: Path | None = None) -> Explanation:
    """What is missing in a graph; sources lie relative to `folder`, and so does the mix if none is given.

    Raises InputError if there is no mix, or if it is not as long as the graph; else as `render_graph`.
    """
    graph = checked_graph(graph, PROCESSORS)
    if mix is None and graph.mix is None:
        raise InputError("--mix", "is needed: the graph names no mix", "give the path of the mix")
    path = mix or folder / str(graph.mix)
    target = torch.from_numpy(stereo(read_audio(path, graph.sample_rate)))
    if target.shape[1] != graph.length_samples:
        lengths = f"has {target.shape[1]} samples, the graph {graph.length_samples}"
        raise InputError(path, lengths, "give the mix that the graph was recovered from")
    controls = Controls(graph, read_impulses(graph, folder))
    return explain(graph, controls, read_sources(graph, folder), target)


def export_sessions(
    graph: Graph,
    graph_folder: Path,
    formats: Sequence[str],
    folder: Path,
    progress: Progress,
    options: Options = DEFAULTS,
) -> dict[str, list[Lost]]:
    """Write one session per format into `folder`/<format>; returns what each could not carry.

    Raises FormatError for an unknown format or an option that one does not have, OutputError, InputError (a
    source that cannot be read).
    """
    graph = checked_graph(graph, PROCESSORS)
    writers = [exporter(name, options) for name in formats]
    lost: dict[str, list[Lost]] = {}
    for writer in writers:
        place = folder / writer.name
        try:
            place.mkdir(parents=True)
        except OSError as error:
            raise OutputError(place, f"cannot be made ({error.strerror})", "write somewhere else") from None
        lost[writer.name] = writer.write(graph, graph_folder, place)
        progress.step(writer.name)
    return lost


def export_folder(
    graph: Graph,
    graph_folder: Path,
    formats: Sequence[str],
    out: Path,
    force: bool,
    progress: Progress,
    options: Options = DEFAULTS,
) -> dict[str, list[Lost]]:
    """Write sessions of `graph` into the new folder `out`, with lost.json; as `export_sessions` otherwise."""
    for name in formats:
        exporter(name, options)
    sources = [graph_folder / strip.source for strip in graph.strips if strip.source]
    sources += [graph_folder / path for path in graph.impulses()]
    ours = frozenset({*FORMATS, LOST_FILE})
    check_folder(out, force, ours, marks=frozenset({LOST_FILE}), keep=sources)
    progress.stage("Writing sessions", len(formats))
    with new_folder(out) as folder:
        lost = export_sessions(graph, graph_folder, formats, folder, progress, options)
        write_text(folder / LOST_FILE, lost_json(lost))
    return lost


def sum_of_stems(session: Session) -> Signal:
    """All tracks added at unity (2, samples): where a mix without an engineer would stand."""
    total: Signal = np.zeros_like(session.mix)
    for track in session.tracks:
        total += track.signal
    return total


def peak_rss_mib() -> float | None:
    """The most memory this process has held so far, in MiB; None where the system does not tell."""
    if sys.platform == "win32":
        return None
    import resource  # exists on Unix only

    unit = 1024**2 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, 1)


def check_job(job: Job) -> None:
    """Refuse what cannot end well: names that do not exist, a place that cannot be written."""
    for name in job.formats:
        exporter(name)
    preset(job.settings.preset, job.settings.processors)
    if job.settings.device == "cuda" and not torch.cuda.is_available():
        raise FormatError("--device cuda", "this machine has no CUDA device", "use --device cpu")
    check_folder(job.out, job.force, keep=(job.stems, job.mix))


def _findings(session: Session) -> Iterator[str]:
    if session.silent:
        yield f"silent, set aside: {', '.join(session.silent)}"
    yield from session.findings


def _la(estimate: Signal, target: Signal, sample_rate: int) -> float:
    return published_la(torch.from_numpy(estimate), torch.from_numpy(target), sample_rate)["full"]
