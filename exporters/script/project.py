"""The folder of a script: sources and impulse responses written without loss, then the script."""

from __future__ import annotations

from pathlib import Path

from mix2daw.errors import OutputError
from mix2daw.exporters import Lost
from mix2daw.exporters.media import Media
from mix2daw.exporters.printing import stretch_reason
from mix2daw.exporters.script.text import script
from mix2daw.graph import Graph
from mix2daw.stems import read_impulse

FILE_NAME = "render.py"


def write(graph: Graph, graph_folder: Path, folder: Path) -> list[Lost]:
    """Write `render.py`, `stems/` and `impulses/` into `folder`; nothing is lost but that a stretched
    stem is the resampled audio.

    `graph`: devices complete; sources and impulse responses are relative to `graph_folder`. Raises InputError
    for one that cannot be read, OutputError if a file cannot be written.
    """
    code = script(graph, _stems(graph, graph_folder, folder), _impulses(graph, graph_folder, folder))
    try:
        (folder / FILE_NAME).write_text(code, encoding="utf-8", newline="\n")
    except OSError as error:
        reason = f"cannot be written ({error.strerror})"
        raise OutputError(folder / FILE_NAME, reason, "check the folder and free space") from None
    return [
        Lost(strip.name, "stretch", "printed", stretch_reason(strip))
        for strip in graph.of_kind("track")
        if strip.stretch_ppm
    ]


def _folder(path: Path) -> Path:
    try:
        path.mkdir()
    except OSError as error:
        raise OutputError(path, f"cannot be made ({error.strerror})", "check the folder") from None
    return path


def _stems(graph: Graph, graph_folder: Path, folder: Path) -> dict[str, str]:
    """Name of a track -> file in `stems/`; tracks without a sample inside the song are not in it."""
    media = Media(_folder(folder / "stems"), graph.sample_rate)
    files: dict[str, str] = {}
    for strip in graph.of_kind("track"):
        upright = strip.model_copy(update={"polarity": "normal"})  # the script turns it over
        clip = media.add_track(upright, graph_folder, graph.length_samples)
        if clip is not None:
            files[strip.name] = clip.file
    return files


def _impulses(graph: Graph, graph_folder: Path, folder: Path) -> dict[str, str]:
    """Path in the graph -> file in `impulses/`, at the rate of the song, so that the script needs no
    resampler."""
    paths = graph.impulses()
    if not paths:
        return {}
    media = Media(_folder(folder / "impulses"), graph.sample_rate)
    return {
        path: media.add_print(Path(path).stem, read_impulse(graph_folder / path, graph.sample_rate)).file
        for path in paths
    }
