"""Writers of sessions: one format, one file or folder, found by name.

`EXPORTER.write(graph, graph_folder, folder)` writes a session into `folder` and returns what it could not
carry; sources of the graph are relative to `graph_folder`. What is outside `holds` is printed to audio by
the common code before the format sees the graph.
Exporters know the graph and the audio files, never torch.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mix2daw.errors import FormatError
from mix2daw.exporters.options import DEFAULTS, Options
from mix2daw.graph import Graph

FORMATS: tuple[str, ...] = ("dawproject", "reaper", "ardour", "aaf", "pedalboard", "recall")
_MODULES = {"pedalboard": "script"}  # the module called pedalboard is the engine that prints and compares


@dataclass(frozen=True)
class Lost:
    """Something of the graph that a session does not carry as an editable, exact device.

    `how`: "printed" (in the audio, no longer editable), "approximate" (a device that sounds nearly so)
    or "dropped" (not in the session at all). `residual_db`: how far the session is from the graph because
    of it, relative to the mix (None: not known; a print causes none and says so with -inf left out).
    """

    strip: str
    device: str
    how: Literal["printed", "approximate", "dropped"]
    reason: str
    residual_db: float | None = None


Carriage = Literal["exact", "nearly", "own DSP", "printed", "lost"]


@dataclass(frozen=True)
class Exporter:
    """A format. `holds`: what it plays natively and exactly or as a labelled approximation
    (names of processors, and the other features of `matrix`). `write(graph, graph_folder, folder)`.

    Of `holds`, `approximate` sounds nearly so in the host, and `own` is played by code of ours that comes
    with the session. `omits`: what is neither held nor printed. All of this is declared for plain settings on
    a track; `Lost` says what becomes of the settings of a graph.

    `options`: the names of those of `Options` that the format has; `choose`: the exporter that writes with
    others than it does itself.
    """

    name: str
    suffix: str
    summary: str
    holds: frozenset[str]
    write: Callable[[Graph, Path, Path], list[Lost]]
    approximate: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    omits: frozenset[str] = frozenset()
    options: frozenset[str] = frozenset()
    choose: Callable[[Options], Exporter] | None = None

    def carries(self, feature: str) -> Carriage:
        """How a processor, or "group", "send" or "return", comes into a session."""
        if feature in self.approximate:
            return "nearly"
        if feature in self.own:
            return "own DSP"
        if feature in self.holds:
            return "exact"
        return "lost" if feature in self.omits else "printed"


def exporter(name: str, options: Options = DEFAULTS) -> Exporter:
    """The exporter called `name`, which writes with these options.

    Raises FormatError with the names that exist, or if an option is chosen that the format does not have.
    """
    if name not in FORMATS:
        raise FormatError(name, "is no known session format", f"use one of: {', '.join(FORMATS)}")
    found = _declared(name)
    for option, value in options.chosen().items():
        if option not in found.options:
            having = ", ".join(other for other in FORMATS if option in _declared(other).options)
            remedy = f"it is an option of: {having}; export the other formats without it"
            raise FormatError(f"--{option} {value}", f"is nothing that {name} has", remedy)
    return found.choose(options) if found.choose and options.chosen() else found


def _declared(name: str) -> Exporter:
    found: Exporter = importlib.import_module(f"mix2daw.exporters.{_MODULES.get(name, name)}").EXPORTER
    return found
