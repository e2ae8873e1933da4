"""mix2daw: from stems and a mix to the mixing graph and its DAW sessions.

The way of the data, in the order of the modules; each stage takes the value of the one before it:

    stems       audio files: finding, reading, writing
    session     stems and mix on one clock, in groups               open_session
    console     the full console that the search begins with
    search      warm start, fit, prune, simplify                    Settings (and search.search)
    graph       strips, devices, sends: graph.json                  Graph, Strip, Device, Send, read_graph
    amount      graph → the graph with less of its processing
    play        graph → signals, in torch (level: of one level)
    mixdown     graph → the mix, in little memory                   render_torch
    exporters   graph → audio by pedalboard, graph → sessions       exporter, Lost
    reference   processors → docs/processors.md
    compare     how close two signals are                           (compare.compare)
    check       what would stop or spoil a recovery                 (check.preflight.check)
    report      a result → one page to look at and to listen to     (report.report_html)
    recover     all of the above, into one folder                   Job, Recovery (and recover.recover)
    dry_run     what recover would do, in about what time (cost)    (dry_run.plan)

Beneath them: `errors`, `params`, `dsp`, `processors`, `loss`, `eta`, `progress`, `output`. On top:
`terminal`, `overview`, `cli`.
Names are loaded when they are first asked for, so that `import mix2daw.graph` stays light. A function that
bears the name of its module is taken from there: `from mix2daw.recover import recover`.
"""

from __future__ import annotations

import importlib
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mix2daw.errors import MixError
    from mix2daw.exporters import Lost, exporter
    from mix2daw.graph import Device, Graph, Send, Strip, read_graph
    from mix2daw.mixdown import render_torch
    from mix2daw.recover import Job, Recovery
    from mix2daw.search import Settings
    from mix2daw.session import Session, open_session

    __version__: str

_HOME = {
    "Device": "graph",
    "Graph": "graph",
    "Job": "recover",
    "Lost": "exporters",
    "MixError": "errors",
    "Recovery": "recover",
    "Send": "graph",
    "Session": "session",
    "Settings": "search",
    "Strip": "graph",
    "exporter": "exporters",
    "open_session": "session",
    "read_graph": "graph",
    "render_torch": "mixdown",
}

__all__ = [
    "Device",
    "Graph",
    "Job",
    "Lost",
    "MixError",
    "Recovery",
    "Send",
    "Session",
    "Settings",
    "Strip",
    "exporter",
    "open_session",
    "read_graph",
    "render_torch",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        return version("mix2daw")
    if name not in _HOME:
        raise AttributeError(f"module 'mix2daw' has no attribute {name!r}")
    return getattr(importlib.import_module(f"mix2daw.{_HOME[name]}"), name)
