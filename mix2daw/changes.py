"""Whether the files that a graph was made from still are what they were."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mix2daw.errors import InputError
from mix2daw.graph import Graph
from mix2daw.stems import file_sha256, probe


def changed_sources(graph: Graph, folder: Path) -> Iterator[str]:
    """A line for each track whose file, relative to `folder`, is no longer the one that the graph was written
    for. Files that cannot be read have none: whoever reads them will say so."""
    for strip in graph.of_kind("track"):
        if strip.source_sha256 is None:
            continue
        try:
            path = probe(folder / str(strip.source)).path
            same = file_sha256(path) == strip.source_sha256
        except InputError:
            continue
        if not same:
            yield f"{strip.name}: its file has changed since"


def check_unchanged(files: dict[Path, str]) -> None:
    """Raise InputError unless every file still has its SHA-256."""
    for path, sha256 in files.items():
        remedy = "put it back as it was, or begin anew"
        if not path.exists():
            raise InputError(path, "is gone since it was read", remedy)
        if file_sha256(path) != sha256:
            raise InputError(path, "has changed since it was read", remedy)
