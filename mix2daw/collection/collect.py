"""A corpus into one folder: what is done stays, what is not is done, what failed is told."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Generator, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from mix2daw.collection import cluster, pool
from mix2daw.collection.corpus import find_songs
from mix2daw.collection.job import Outcome, SongJob, Wanted
from mix2daw.collection.page import PAGE_FILE, corpus_html
from mix2daw.collection.tables import TABLES, Rows, check_tables, new_tables, rows_of
from mix2daw.eta import Cost
from mix2daw.exporters import exporter
from mix2daw.output import check_gathering, json_text, new_file, work_folder, write_text
from mix2daw.progress import Progress
from mix2daw.search import engine

GRAPHS, FAILURES_FILE = "graphs", "failures.jsonl"
WRITTEN = (PAGE_FILE, GRAPHS, *TABLES, FAILURES_FILE)
MOST_SHOWN = 5000  # songs, all of whose devices a page can count without filling memory
SONG_S = 120.0  # a guess, until the first songs are done


@dataclass(frozen=True)
class Cluster:
    """`address`: of a Ray cluster, "auto" for the one of this machine, "local" for one that is made for this;
    `gpus`: of each song, which may be a part of one."""

    address: str
    gpus: float = 0.0


@dataclass(frozen=True)
class Collection:
    """`corpus`: a folder or a manifest; `workers`: processes, on this machine (None: one per two threads);
    `threads`: of each (None: what there is, shared out); `cluster`: where else."""

    corpus: Path
    out: Path
    wanted: Wanted
    workers: int | None = None
    threads: int | None = None
    cluster: Cluster | None = None


@dataclass(frozen=True)
class Summary:
    """Songs of the corpus; how many of them were recovered, were done before, failed, and are left after a
    stop; wall seconds."""

    songs: int
    done: int
    kept: int
    failed: int
    left: int
    seconds: float
    out: str

    def to_json(self) -> str:
        """One JSON object."""
        return json_text(asdict(self))


def check_collection(task: Collection) -> None:
    """Refuse what cannot end well before anything is begun. Raises OutputError, FormatError."""
    for name in task.wanted.formats:
        exporter(name)
    engine(task.wanted.settings.device)
    check_tables()
    if task.cluster is not None:
        cluster.check_ray()
    check_gathering(task.out, WRITTEN, "a collection")


def collect(task: Collection, progress: Progress) -> Summary:
    """Recover every song of a corpus that is not done yet, and gather all that are in tables.

    An interrupt leaves the songs that are not done. Raises InputError (a corpus without songs), OutputError,
    FormatError; a song that fails raises nothing.
    """
    begun = time.monotonic()
    check_collection(task)
    progress.stage("Finding songs", 1)
    corpus = find_songs(task.corpus, apart=task.out)
    for line in corpus.oddities:
        progress.say(line)
    with work_folder(task.out, "nothing"):
        task.out.mkdir(parents=True, exist_ok=True)
        jobs = [SongJob(song, task.out / GRAPHS / song.name, task.wanted) for song in corpus.songs]
        counts = {"done": 0, "kept": 0, "failed": 0}
        crew = shared_out(task.workers, task.threads)
        progress.expect([Cost("Collecting", SONG_S * len(jobs) / crew[0])])
        progress.stage("Collecting", len(jobs))
        with (
            (task.out / FAILURES_FILE).open("w", encoding="utf-8", newline="\n") as failures,
            closing(_outcomes(task, jobs, crew)) as outcomes,
            suppress(KeyboardInterrupt),
        ):
            for outcome in outcomes:
                counts[outcome.status] += 1
                if outcome.failure is not None:
                    failures.write(json.dumps(asdict(outcome.failure), ensure_ascii=False) + "\n")
                    failures.flush()
                    progress.say(f"{outcome.song}: {outcome.failure.what}")
                progress.step(_note(outcome))
        _gather(task.out, [job.folder for job in jobs], counts["failed"], progress)
    seconds = round(time.monotonic() - begun, 2)
    left = len(jobs) - sum(counts.values())
    return Summary(len(jobs), **counts, left=left, seconds=seconds, out=str(task.out))


def _gather(out: Path, folders: Sequence[Path], failed: int, progress: Progress) -> None:
    """Write the tables of all songs that are done, and the page: of a very large corpus it shows some, evenly
    chosen."""
    progress.stage("Writing tables", len(folders))
    every, shown = -(-len(folders) // MOST_SHOWN), Rows()
    with new_tables(out) as add:
        for number, folder in enumerate(folders):
            rows = rows_of(folder)
            if rows is not None:
                add(rows)
                if number % every == 0:
                    shown.extend(rows)
            progress.step()
    with new_file(out / PAGE_FILE) as partial:
        write_text(partial, corpus_html(shown, GRAPHS, failed, every))


def shared_out(workers: int | None, threads: int | None) -> tuple[int, int]:
    """Workers, and threads of each, on this machine: what is not said follows from its processors."""
    cores = os.cpu_count() or 1
    if workers is None:
        workers = max(1, cores // (threads or 1))
    return workers, threads or max(1, cores // workers)


def _outcomes(
    task: Collection, jobs: Sequence[SongJob], crew: tuple[int, int]
) -> Generator[Outcome, None, None]:
    if task.cluster is not None:
        return cluster.outcomes(jobs, task.cluster.address, crew[1], task.cluster.gpus)
    return pool.outcomes(jobs, *crew)


def _note(outcome: Outcome) -> str:
    if outcome.status == "done":
        return f"{outcome.song}: La {outcome.la:.3f}, {outcome.devices} devices, {outcome.seconds:.0f} s"
    return f"{outcome.song}: {outcome.status}"
