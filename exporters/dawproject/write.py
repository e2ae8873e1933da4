"""Writes the two archives of a graph."""

from __future__ import annotations

import shutil
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
MEDIA, FAITHFUL_MEDIA = "audio", "audio-faithful"  # folders beside the archives, where they hold no audio
_EDITABLE = f"Reconstructed mix, to be edited; {FAITHFUL_NAME} sounds as recovered. Settings: track comments."
_FAITHFUL = f"Reconstructed mix, printed: sounds as recovered with all faders at 0 dB. To edit: {FILE_NAME}."
_IN_THE_OTHER = f"what it changes is a track of its own in {FAITHFUL_NAME}"


def write(graph: Graph, graph_folder: Path, folder: Path, link: bool = False) -> list[Lost]:
    """Write both archives into `folder`; returns what the editable one lost. The other loses nothing
    that is heard, and has nothing to edit.

    `link`: the archives have no audio in them; they name the stems where they lie, by paths from `folder`,
    and prints in folders beside them. `graph`: devices complete; its sources are relative to `graph_folder`.
    Raises InputError for a source that cannot be read, OutputError if a file cannot be written; then neither
    is there.
    """
    media, prints = (folder / name for name in (MEDIA, FAITHFUL_MEDIA))
    try:
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            if not link:
                media, prints = (Path(temporary, name) for name in (MEDIA, FAITHFUL_MEDIA))
            media.mkdir()
            prints.mkdir()
            plan, losses = lay_out(graph, graph_folder, media, refuse, link_from=folder if link else None)
            faithful = lay_out_faithful(graph, graph_folder, prints, plan, media)
            for name, of, audio, comment in (
                (FILE_NAME, plan, media, _EDITABLE),
                (FAITHFUL_NAME, faithful, prints, _FAITHFUL),
            ):
                xml = project_xml(of, audio.name if link else None)
                write_archive(folder / name, xml, None if link else audio, comment)
    except BaseException:
        for name in (FILE_NAME, FAITHFUL_NAME):
            (folder / name).unlink(missing_ok=True)  # one without the other, or a part of one
        if link:
            for audio in (media, prints):
                shutil.rmtree(audio, ignore_errors=True)
        raise
    given = {new: old for old, new in session_names(graph, reserved=(MASTER_NAME,)).items()}
    for channel in plan.channels:
        strip = given.get(channel.name, channel.name)
        losses += [replace(entry, strip=strip) for entry in approximate(channel, plan.sample_rate)]
    return [
        replace(entry, reason=f"{entry.reason}; {_IN_THE_OTHER}") if entry.how == "dropped" else entry
        for entry in losses
    ]
