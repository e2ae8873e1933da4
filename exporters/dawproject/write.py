"""Writes the two archives of a graph."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from mix2daw.exporters import Lost
from mix2daw.exporters.dawproject.archive import write_archive
from mix2daw.exporters.dawproject.faithful import lay_out_faithful
from mix2daw.exporters.dawproject.losses import approximate, refuse
from mix2daw.exporters.dawproject.project import project_xml
from mix2daw.exporters.layout import MASTER_NAME, lay_out
from mix2daw.exporters.renaming import session_names
from mix2daw.graph import Graph

FILE_NAME, FAITHFUL_NAME = "mix2daw.dawproject", "mix2daw-faithful.dawproject"
_EDITABLE = f"Reconstructed mix, to be edited; {FAITHFUL_NAME} sounds as recovered. Settings: track comments."
_FAITHFUL = f"Reconstructed mix, printed: sounds as recovered with all faders at 0 dB. To edit: {FILE_NAME}."
_IN_THE_OTHER = f"what it changes is a track of its own in {FAITHFUL_NAME}"


def write(graph: Graph, graph_folder: Path, folder: Path) -> list[Lost]:
    """Write both archives into `folder`; returns what the editable one lost. The other loses nothing
    that is heard, and has nothing to edit.

    `graph`: devices complete; its sources are relative to `graph_folder`. Raises InputError for a source that
    cannot be read, OutputError if a file cannot be written; then neither is there.
    """
    try:
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            media, prints = Path(temporary, "editable"), Path(temporary, "faithful")
            media.mkdir()
            prints.mkdir()
            plan, losses = lay_out(graph, graph_folder, media, refuse)
            faithful = lay_out_faithful(graph, graph_folder, prints, plan, media)
            write_archive(folder / FILE_NAME, project_xml(plan), media, _EDITABLE)
            write_archive(folder / FAITHFUL_NAME, project_xml(faithful), prints, _FAITHFUL)
    except BaseException:
        for name in (FILE_NAME, FAITHFUL_NAME):
            (folder / name).unlink(missing_ok=True)  # one without the other, or a part of one
        raise
    given = {new: old for old, new in session_names(graph, reserved=(MASTER_NAME,)).items()}
    for channel in plan.channels:
        strip = given.get(channel.name, channel.name)
        losses += [replace(entry, strip=strip) for entry in approximate(channel, plan.sample_rate)]
    return [
        replace(entry, reason=f"{entry.reason}; {_IN_THE_OTHER}") if entry.how == "dropped" else entry
        for entry in losses
    ]
