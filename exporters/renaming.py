"""A graph under the names that a session shows: of one line, no two alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mix2daw.exporters.names import clean_text, unique
from mix2daw.graph import Graph


def session_names(graph: Graph, reserved: Iterable[str] = ()) -> dict[str, str]:
    """Given name -> name in the session, in the order of the strips; `reserved`: for none but the master."""
    new: dict[str, str] = {}
    for strip in graph.strips:
        kept = () if strip.kind == "master" else tuple(reserved)
        new[strip.name] = unique(clean_text(strip.name), (*kept, *new.values()))
    return new


def renamed(graph: Graph, new: Mapping[str, str]) -> Graph:
    """The graph with other names; everything that refers to them follows."""
    strips = [
        strip.model_copy(
            update={
                "name": new[strip.name],
                "output": None if strip.output is None else new[strip.output],
                "sends": tuple(send.model_copy(update={"target": new[send.target]}) for send in strip.sends),
            }
        )
        for strip in graph.strips
    ]
    return graph.model_copy(update={"strips": tuple(strips)})
