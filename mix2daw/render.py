"""A graph played as a whole song, by one engine or the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mix2daw.errors import FormatError
from mix2daw.exporters.pedalboard import render as render_pedalboard
from mix2daw.graph import Graph, check_fits
from mix2daw.mixdown import render_torch
from mix2daw.processors import PROCESSORS, checked_graph
from mix2daw.stems import Signal


def render_graph(graph: Graph, folder: Path, engine: str) -> Signal:
    """The song (2, samples) as `engine` ("pedalboard" or "torch") plays it; sources relative to `folder`.

    Raises FormatError for an unknown engine or processor, GraphError, InputError.
    """
    engines: dict[str, Callable[[Graph, Path], Signal]] = {
        "pedalboard": render_pedalboard,
        "torch": render_torch,
    }
    if engine not in engines:
        raise FormatError(engine, "is no engine", f"use one of: {', '.join(engines)}")
    check_fits(graph)
    return engines[engine](checked_graph(graph, PROCESSORS), folder)
