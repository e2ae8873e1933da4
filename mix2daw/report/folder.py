"""The report of a folder that `recover` wrote."""

from __future__ import annotations

from pathlib import Path

from mix2daw.changes import changed_sources
from mix2daw.graph import Graph, read_graph
from mix2daw.output import check_file, new_file, write_text
from mix2daw.processors import PROCESSORS, checked_graph
from mix2daw.progress import Progress
from mix2daw.report.material import Material, begin, gather
from mix2daw.report.page import REPORT_FILE, report_html
from mix2daw.result import Result, read_result


def write_report(folder: Path, progress: Progress, out: Path | None = None, force: bool = False) -> Path:
    """Write the report of a result, into its folder or as the file `out`; returns its path. In its own folder
    an earlier report is replaced.

    Raises InputError (a file of the result or a stem that cannot be read), GraphError, OutputError.
    """
    result = read_result(folder / "result.json")
    graph = checked_graph(read_graph(folder / "graph.json"), PROCESSORS)
    page = out or folder / REPORT_FILE
    check_file(page, force or out is None)
    for line in changed_sources(graph, folder):
        progress.say(line)
    begin(progress, len(graph.strips))
    write_page(graph, result, gather(graph, folder, progress.step), page)
    return page


def write_page(graph: Graph, result: Result, material: Material, page: Path) -> None:
    """Write the report of a graph (devices complete) and a result as `page`, which is replaced when the new
    one is whole. Raises OutputError."""
    with new_file(page) as partial:
        write_text(partial, report_html(graph, result, material))
