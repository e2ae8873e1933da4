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

import hashlib
import math
import platform
import shlex
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

from mix2daw.changes import check_unchanged
from mix2daw.compare import compare, residual_db
from mix2daw.console import preset
from mix2daw.cost import Size, expected
from mix2daw.dsp.memory import MUCH_BYTES, hand_back_freed_memory
from mix2daw.errors import MixError, OutputError
from mix2daw.eta import rough
from mix2daw.excerpt import MIX_FILE
from mix2daw.export import export_sessions
from mix2daw.exporters import exporter
from mix2daw.graph import Graph, read_graph
from mix2daw.intake import take_in
from mix2daw.loss import published_la
from mix2daw.mixdown import read_impulses, render_torch
from mix2daw.output import check_folder, new_folder, work_folder, write_text
from mix2daw.processors import PROCESSORS, checked_graph
from mix2daw.progress import Progress
from mix2daw.reopen import moved_graph, reopen
from mix2daw.report import REPORT_FILE
from mix2daw.report.folder import write_page
from mix2daw.report.material import Gathering
from mix2daw.report.residual import Energies, render_measured, residuals_db
from mix2daw.result import Defaults, Devices, Result, SearchRecord
from mix2daw.search import STATE_FILE, Found, Plan, Settings, Store, engine, plan, plan_on
from mix2daw.session import Session, groups_yaml
from mix2daw.stems import Signal, file_sha256, probe, write_wav

FORMATS_WRITTEN = ("dawproject", "reaper", "ardour", "recall")
PREVIEW_S = 20.0
IDENTICAL_DB = -300.0  # stands for the null of two equal renders, which has no number in JSON
LIBRARIES = ("numpy", "numba", "pedalboard", "scipy", "soundfile", "soxr", "torch")  # result.json has these
LA_PARTS = ("full", "left_right", "mid", "side")


@dataclass(frozen=True)
class Job:
    """What to recover, from what, to where. `formats`: names of session formats; `groups`: a groups.yaml;
    `force`: whether an earlier result in `out` may be replaced; `report`: whether report.html is written;
    `preview`: whether only the loudest part is searched, with fewer steps; `resume`: whether the search goes
    on from where an earlier run of the same was killed; `defaults`: what of this came from a settings file,
    to be told in result.json; `correct_drift`: whether stems by another clock than the mix's are
    resampled."""

    stems: Path
    mix: Path
    out: Path
    groups: Path | None = None
    formats: tuple[str, ...] = FORMATS_WRITTEN
    settings: Settings = field(default_factory=Settings)
    force: bool = False
    report: bool = True
    preview: bool = False
    resume: bool = False
    defaults: Defaults | None = None
    correct_drift: bool = False


@dataclass(frozen=True)
class Refinement:
    """Which graph to go on from. `mix`: if it is not where the graph says; the rest as in `Job`."""

    graph: Path
    out: Path
    mix: Path | None = None
    formats: tuple[str, ...] = FORMATS_WRITTEN
    settings: Settings = field(default_factory=Settings)
    force: bool = False
    report: bool = True
    resume: bool = False
    defaults: Defaults | None = None


@dataclass(frozen=True)
class Recovery:
    """What came of a job: the graph, its numbers, the folder they lie in, and how the search went."""

    graph: Graph
    result: Result
    folder: Path
    found: Found


def recover(job: Job, progress: Progress) -> Recovery:
    """Do a job. What can be refused is refused before the search begins; `out` appears when it is whole.

    Raises InputError (stems, mix, groups), FormatError (a name that does not exist), OutputError.
    An interrupt during the search is taken as "that will do": the best graph so far is finished and written.
    """
    work = _Work(job, progress)
    check_job(job)
    with work.kept() as place:
        progress.stage("Reading", 1)
        with work.stage("read"):
            planned = plan_job(job)
        size = Size.of(planned.console)
        costs = expected(size, planned.settings, len(job.formats), job.report)
        progress.expect(costs[1:])  # it is read
        recovery = work.done(planned, job.mix, place)
    if job.preview:
        pace = (time.perf_counter() - work.begun) / sum(cost.seconds for cost in costs)
        whole = replace(size, seconds=probe(job.mix).duration_s)
        full = expected(whole, job.settings, len(job.formats), job.report)
        about = rough(pace * sum(cost.seconds for cost in full))
        progress.say(f"all of the song, without --preview, would take about {about}")
    return recovery


def check_job(job: Job) -> None:
    """Refuse what cannot end well: names that do not exist, a place that cannot be written."""
    preset(job.settings.preset)
    _check(job, keep=(job.stems, job.mix))


def plan_job(job: Job) -> Plan:
    """Read what a job needs, and plan its search. Raises InputError, FormatError."""
    part_s = PREVIEW_S if job.preview else math.inf
    session = take_in(job.stems, job.mix, job.groups, job.correct_drift, part_s)
    if job.preview:
        session = replace(session, mix_path=job.out / MIX_FILE)
    return plan(session, job.out.resolve(), replace(job.settings, quick=job.preview))


def refine(job: Refinement, progress: Progress) -> Recovery:
    """Go on from a graph; as `recover` otherwise. Raises GraphError, too."""
    work = _Work(job, progress)
    graph = checked_graph(read_graph(job.graph), PROCESSORS)
    folder = job.graph.resolve().parent
    files = [folder / str(strip.source) for strip in graph.of_kind("track")]
    _check(job, keep=(job.graph, *files, *(folder / path for path in graph.impulses())))
    with work.kept() as place:
        progress.stage("Reading", 1)
        with work.stage("read"):
            session = reopen(graph, folder, job.mix)
            impulses = read_impulses(graph, folder)
        moved = moved_graph(graph, session, job.out.resolve())
        planned = plan_on(session, moved, impulses, job.settings)
        size = Size.of(moved)
        progress.expect(expected(size, job.settings, len(job.formats), job.report, given=True)[1:])
        return work.done(planned, session.mix_path, place)


class _Work:
    """One job on its way: seconds per stage, and what is done with the outcome of its search."""

    def __init__(self, job: Job | Refinement, progress: Progress) -> None:
        self.job, self.progress = job, progress
        self.begun = time.perf_counter()
        self.seconds: dict[str, float] = {}
        self.searched = False
        self.no_report: Exception | None = None

    @contextmanager
    def kept(self) -> Iterator[Path]:
        """Where the search is kept while it goes on. What went wrong with the report comes last: the result
        is whole by then."""
        with work_folder(self.job.out, STATE_FILE) as place:
            try:
                yield place
            except MixError as error:
                if self.searched:
                    error.advise("--resume then goes on from what was found so far")
                raise
        if self.no_report is not None:
            raise self.no_report

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Seconds that count for `name`. The search leaves gaps in memory, which whole songs fill and do not
        free for others: what they leave goes back."""
        start = time.perf_counter()
        yield
        hand_back_freed_memory(MUCH_BYTES)
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start

    def done(self, plan: Plan, mix: Path, place: Path) -> Recovery:
        """Search, play, compare and write the folder. `mix`: the file that was given; `place`: where the
        search is kept while it goes on."""
        job, session, progress = self.job, plan.session, self.progress
        for line in _findings(session):
            progress.say(line)
        mix_sha256 = file_sha256(mix)
        inputs = {mix: mix_sha256, **{track.path: track.sha256 for track in session.tracks}}
        store = Store(place, fingerprint(plan, mix_sha256), job.resume, _by_name(inputs))
        if store.left and not job.resume:
            progress.say("an earlier run was cut off; this one starts anew (--resume would go on from there)")
        with new_folder(job.out) as folder:
            # Paths in a graph are relative to `out`. This folder lies beside it: they hold there too.
            found = plan.run(progress, store)
            self.searched = store.left
            graph = found.graph
            for path, impulse in found.impulses.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                write_wav(folder / path, impulse, graph.sample_rate)
            if graph.mix == MIX_FILE:
                write_wav(folder / MIX_FILE, session.mix, graph.sample_rate)
            write_text(folder / "graph.json", graph.to_json())
            write_text(folder / "groups.yaml", groups_yaml(session))
            played = self._play(session, graph, folder)
            # The report listens while sessions are written: each of them leaves processors idle.
            with Gathering(graph, folder) if job.report else nullcontext() as gathering:
                result = self._result(session, found, folder, mix_sha256, played)
                write_text(folder / "result.json", result.to_json())
                if gathering is not None:
                    self._report(graph, result, folder, gathering)
            check_unchanged(inputs)
        return Recovery(graph, result, job.out, found)

    def _report(self, graph: Graph, result: Result, folder: Path, gathering: Gathering) -> None:
        """The report of a result that is whole: what goes wrong with it does not take that away."""
        later = f"`mix2daw report {shlex.quote(str(self.job.out))}` writes it"
        try:
            write_page(graph, result, gathering.material(self.progress), folder / REPORT_FILE)
        except KeyboardInterrupt:
            self.progress.say(f"stopped: no report; {later}")
        except MixError as error:
            error.rename(folder, self.job.out)
            remedy = f"{error.remedy}; all but the report is written, and {later}"
            self.no_report = OutputError(error.where, error.what, remedy)
        except Exception as error:
            self.progress.say(f"no report; {later}, once this is mended:")
            self.no_report = error

    def _play(self, session: Session, graph: Graph, folder: Path) -> tuple[Signal, Energies]:
        """Play the graph into the folder, and what of the mix it leaves."""
        self.progress.stage("Rendering", 2)
        with self.stage("render"):
            render, energies = render_measured(graph, folder)
            write_wav(folder / "render.wav", render, graph.sample_rate)
            write_wav(folder / "difference.wav", session.mix - render, graph.sample_rate)
        self.progress.step()
        return render, energies

    def _result(
        self,
        session: Session,
        found: Found,
        folder: Path,
        mix_sha256: str,
        played: tuple[Signal, Energies],
    ) -> Result:
        """Compare what was played, write its sessions; all numbers together."""
        graph, job, progress = found.graph, self.job, self.progress
        render, energies = played
        with self.stage("render"):
            null_db = residual_db(render_torch(graph, folder), render)
        progress.stage("Comparing", 1)
        with self.stage("compare"):
            metrics = compare(render, session.mix, session.sample_rate)
            la_sum = _la(sum_of_stems(session), session.mix, session.sample_rate)
        progress.stands(metrics["la.full"], sum(found.devices_after.values()))
        progress.stage("Writing sessions", len(job.formats))
        with self.stage("sessions"):
            lost = export_sessions(graph, folder, job.formats, folder / "sessions", progress)
        seconds = {**self.seconds, **found.seconds, "total": time.perf_counter() - self.begun}
        return Result(
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
            muted=[track.name for track in session.muted],
            findings=list(session.findings),
            interrupted=found.interrupted,
            out_of_time=found.out_of_time,
            preset=job.settings.preset,
            strategy=job.settings.strategy,
            tolerance=job.settings.tolerance,
            seed=job.settings.seed,
            version=version("mix2daw"),
            versions={"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
            mix_sha256=mix_sha256,
            search=SearchRecord.of(found.offered, found.trace),
            defaults=job.defaults,
            refused_steps=found.refused_steps,
        )


def fingerprint(plan: Plan, mix_sha256: str) -> str:
    """Of all that the outcome of a search depends on: a search that is gone on with must have the same."""
    settings = replace(plan.settings, budget_s=None)
    libraries = {name: version(name) for name in ("mix2daw", *LIBRARIES)}
    known = hashlib.sha256(f"{mix_sha256} {settings} {libraries} {plan.console.to_json()}".encode())
    for path, impulse in plan.impulses.items():
        known.update(f"{path} ".encode() + impulse.numpy().tobytes())
    return known.hexdigest()


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


def _check(job: Job | Refinement, keep: Sequence[Path]) -> None:
    """Refuse what cannot end well: names that do not exist, a place that cannot be written."""
    for name in job.formats:
        exporter(name)
    engine(job.settings.device)
    check_folder(job.out, job.force, keep=keep)


def _by_name(inputs: Mapping[Path, str]) -> dict[str, str]:
    return {str(path.resolve()): sha256 for path, sha256 in inputs.items()}


def _findings(session: Session) -> Iterator[str]:
    if session.silent:
        yield f"silent, set aside: {', '.join(session.silent)}"
    yield from session.findings


def _la(estimate: Signal, target: Signal, sample_rate: int) -> float:
    return published_la(torch.from_numpy(estimate), torch.from_numpy(target), sample_rate)["full"]
