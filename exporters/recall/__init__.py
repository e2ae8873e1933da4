"""A recall sheet: every setting on paper, in a table and as a picture, for consoles that read no session.

- `recall.csv`: one row per knob, for a spreadsheet.
- `recall.html`: one page per group, for the printer.
- `graph-nodelink.json`: nodes and edges, as networkx reads them.
- `graph.svg`: the flow of the signal.

It carries every setting and no audio; files (sources, impulse responses) are in it by name alone, as `Lost`
says. All but the node-link graph, which keeps names as they are, show every name on one line.
"""

from __future__ import annotations

from mix2daw.exporters import Exporter
from mix2daw.exporters.plugins import INSERTS
from mix2daw.exporters.recall.write import write

EXPORTER = Exporter(
    name="recall",
    suffix=".html",
    summary="Recall sheet: every setting as a printable page, CSV, node-link JSON and picture; no audio",
    holds=frozenset(("polarity", "fader", "pan", "mute", "group", "send", "return", *INSERTS)),
    write=write,
)

__all__ = ["EXPORTER"]
