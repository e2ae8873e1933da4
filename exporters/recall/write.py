"""The four files of a recall sheet, and what they do not carry."""

from __future__ import annotations

from pathlib import Path

from mix2daw.errors import OutputError
from mix2daw.exporters import Lost
from mix2daw.exporters.recall.nodelink import nodelink_json
from mix2daw.exporters.recall.picture import draw
from mix2daw.exporters.recall.sheet import sheet_html
from mix2daw.exporters.recall.table import table_csv
from mix2daw.exporters.renaming import renamed, session_names
from mix2daw.exporters.words import file_label
from mix2daw.graph import Graph

TABLE, SHEET, NODELINK, PICTURE = "recall.csv", "recall.html", "graph-nodelink.json", "graph.svg"


def write(graph: Graph, graph_folder: Path, folder: Path) -> list[Lost]:  # noqa: ARG001 (it reads no audio)
    """Write the four files into `folder`. `graph`: devices complete. Raises OutputError if one cannot be
    written."""
    shown = renamed(graph, session_names(graph))
    files = {
        TABLE: table_csv(shown),
        SHEET: sheet_html(shown),
        NODELINK: nodelink_json(graph),
        PICTURE: draw(shown),
    }
    for name, text in files.items():
        path = folder / name
        try:
            path.write_text(text, encoding="utf-8", newline="")
        except OSError as error:
            reason = f"cannot be written ({error.strerror})"
            raise OutputError(path, reason, "check the folder and free space") from None
    return lost(graph)


def lost(graph: Graph) -> list[Lost]:
    """What a sheet has by name alone: every impulse response, in the order of the strips, and the audio.

    The audio of all tracks is one entry, of the master: it is lost whatever the graph, and forty lines that
    say so would hide what is worth reading.
    """
    found = []
    for strip, device in graph.devices():
        if device.impulse is not None:
            named = f"{file_label(device.impulse)!r} is named in it"
            reason = f"a recall sheet carries the settings and no impulse response; {named}"
            found.append(Lost(strip.name, "impulse response", "dropped", reason))
    if graph.of_kind("track"):
        reason = "a recall sheet carries no audio; the files of the tracks are named in it"
        found.append(Lost(graph.master.name, "audio", "dropped", reason))
    return found
