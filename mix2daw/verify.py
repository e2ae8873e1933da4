"""Does a DAW that is installed here play what a graph says?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from mix2daw.errors import FormatError
from mix2daw.exporters.ardour.verify import Verification
from mix2daw.exporters.ardour.verify import verify as verify_ardour
from mix2daw.graph import Graph
from mix2daw.output import json_text
from mix2daw.processors import PROCESSORS, checked_graph

_DAWS = {"ardour": verify_ardour}


def check_daw(daw: str) -> None:
    """Raise FormatError with the names that exist, unless `daw` is one of them."""
    if daw not in _DAWS:
        raise FormatError(daw, "is no DAW that runs without a window", f"use {', '.join(_DAWS)}")


def verify(graph: Graph, graph_folder: Path, daw: str) -> Verification:
    """The session of a graph as the DAW plays it, against the render by pedalboard, strip by strip.

    Raises FormatError for an unknown DAW and for one that is not installed, OutputError if it cannot be made
    to play the session, InputError for a source that cannot be read.
    """
    check_daw(daw)
    return _DAWS[daw](checked_graph(graph, PROCESSORS), graph_folder)


def verification_json(found: Verification) -> str:
    """`verify.json`: the fields of Verification."""
    return json_text(asdict(found))
