"""`benchmark paper`: the published experiments on any corpus, into one folder.

paper.md      three tables: consoles that grow, strategies of pruning by tolerance, seeds
paper.png     the same as a picture
searches/…    one collection for each row
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mix2daw.collection.collect import Cluster, Collection, check_collection, collect
from mix2daw.collection.corpus import find_songs
from mix2daw.collection.job import Wanted
from mix2daw.collection.tables import read_songs
from mix2daw.errors import InputError
from mix2daw.experiments.paper_plot import check_plots, plot
from mix2daw.experiments.paper_tables import markdown
from mix2daw.experiments.plan import Experiments, Search, plan
from mix2daw.output import check_gathering, new_file, work_folder, write_text
from mix2daw.progress import Progress

TABLE_FILE, PLOT_FILE, SEARCHES = "paper.md", "paper.png", "searches"
WRITTEN = (TABLE_FILE, PLOT_FILE, SEARCHES)


@dataclass(frozen=True)
class Benchmark:
    """`corpus`, `workers`, `threads`, `cluster`: as in `Collection`; `preview`: search the loudest part of
    each song, with fewer steps."""

    corpus: Path
    out: Path
    experiments: Experiments
    preview: bool = False
    workers: int | None = None
    threads: int | None = None
    cluster: Cluster | None = None


@dataclass(frozen=True)
class Outcome:
    """Searches of all songs that are done, of how many; the songs that all of those recovered, and those that
    one or more did not."""

    done: int
    searches: int
    songs: tuple[str, ...]
    failed: tuple[str, ...]


def benchmark(task: Benchmark, progress: Progress) -> Outcome:
    """Recover the corpus with all settings, and write the tables. What is done already is kept; an interrupt
    ends it early, with the tables of the searches that are done.

    Raises InputError (a corpus without songs, or none that all searches recover), OutputError, FormatError.
    """
    check_plots()
    planned = plan(task.experiments)
    searches = planned.searches()
    check_gathering(task.out, WRITTEN, "a benchmark")
    for search in searches:
        check_collection(_collection(task, search))
    songs = [song.name for song in find_songs(task.corpus, apart=task.out).songs]
    done: dict[str, list[dict[str, Any]]] = {}
    with work_folder(task.out, "nothing"):
        for number, search in enumerate(searches):
            progress.say(f"search {number + 1} of {len(searches)}: {search.name}")
            collection = _collection(task, search)
            if collect(collection, progress).left:
                break
            done[search.name] = read_songs(collection.out)
        recovered = [{row["song"] for row in rows} for rows in done.values()]
        common = [song for song in songs if all(song in names for names in recovered)]
        failed = tuple(song for song in songs if song not in common) if done else ()
        if done and not common:
            what = "holds no song that every search recovered"
            raise InputError(task.corpus, what, f"see failures.jsonl in {task.out / SEARCHES}")
        if done:
            found = {name: [row for row in rows if row["song"] in common] for name, rows in done.items()}
            with new_file(task.out / TABLE_FILE) as partial:
                write_text(partial, markdown(planned, found, failed, task.preview))
            with new_file(task.out / PLOT_FILE) as partial:
                plot(planned, found, partial)
    return Outcome(len(done), len(searches), tuple(common), failed)


def _collection(task: Benchmark, search: Search) -> Collection:
    wanted = Wanted(search.settings, preview=task.preview)
    out = task.out / SEARCHES / search.name
    return Collection(task.corpus, out, wanted, task.workers, task.threads, task.cluster)
