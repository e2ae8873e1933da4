"""Draw a graph.json as a picture: `python docs/draw_graph.py graph.json picture.svg`."""

from __future__ import annotations

import sys
from pathlib import Path

from mix2daw.exporters.recall.picture import draw
from mix2daw.exporters.renaming import renamed, session_names
from mix2daw.graph import read_graph
from mix2daw.processors import PROCESSORS, checked_graph

if __name__ == "__main__":
    source, target = sys.argv[1:]
    graph = checked_graph(read_graph(Path(source)), PROCESSORS)
    Path(target).write_text(draw(renamed(graph, session_names(graph))), encoding="utf-8")
