"""The report of a folder that `recover` wrote, after the fact."""

from __future__ import annotations

from pathlib import Path

from mix2daw.graph import read_graph
from mix2daw.output import check_file, new_file, write_text
from mix2daw.processors import PROCESSORS, checked_graph
from mix2daw.progress import Progress
from mix2daw.report.page import REPORT_FILE, report_html
from mix2daw.result import read_result


def write_report(folder: Path, progress: Progress, out: Path | None = None, force: bool = False) -> Path:
    """Write the report of a result, into its folder or as the file `out`; returns its path. In its own folder
    an earlier report is replaced.

    Raises InputError (a file of the result or a stem that cannot be read), GraphError, OutputError.
    """
    result = read_result(folder / "result.json")
    graph = checked_graph(read_graph(folder / "graph.json"), PROCESSORS)
    page = out or folder / REPORT_FILE
    check_file(page, force or out is None)
    with new_file(page) as partial:
        write_text(partial, report_html(graph, result, folder, progress))
    return page
