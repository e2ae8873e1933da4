"""A graph as sessions of DAWs, in one folder per format."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mix2daw.changes import changed_sources
from mix2daw.errors import OutputError
from mix2daw.exporters import FORMATS, Lost, exporter
from mix2daw.exporters.options import DEFAULTS, Options
from mix2daw.graph import Graph, check_fits
from mix2daw.output import LOST_FILE, check_folder, new_folder, write_text
from mix2daw.processors import PROCESSORS, checked_graph
from mix2daw.progress import Progress
from mix2daw.result import lost_json


def export_sessions(
    graph: Graph,
    graph_folder: Path,
    formats: Sequence[str],
    folder: Path,
    progress: Progress,
    options: Options = DEFAULTS,
) -> dict[str, list[Lost]]:
    """Write one session per format into `folder`/<format>, as many at a time as there are processors; returns
    what each could not carry.

    Raises FormatError for an unknown format or an option that one does not have, OutputError, InputError (a
    source that cannot be read).
    """
    check_fits(graph)
    graph = checked_graph(graph, PROCESSORS)
    writers = [exporter(name, options) for name in formats]
    for writer in writers:
        place = folder / writer.name
        try:
            place.mkdir(parents=True)
        except OSError as error:
            raise OutputError(place, f"cannot be made ({error.strerror})", "write somewhere else") from None
    lost: dict[str, list[Lost]] = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(writer.write, graph, graph_folder, folder / writer.name) for writer in writers]
        for writer, job in zip(writers, jobs, strict=True):
            lost[writer.name] = job.result()
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
    for line in changed_sources(graph, graph_folder):
        progress.say(line)
    progress.stage("Writing sessions", len(formats))
    with new_folder(out) as folder:
        lost = export_sessions(graph, graph_folder, formats, folder, progress, options)
        write_text(folder / LOST_FILE, lost_json(lost))
    return lost
