"""The graph as node-link JSON: `networkx.node_link_graph(data, edges="edges")` reads it.

A node is a strip. Its devices are an ordered list on the node and not nodes of their own: a chain has no
branches, so nothing is lost by it, and the neighbours of a node are what a person at a console calls so.
An edge is an output (at unity: the fader is on the node) or a send.
"""

from __future__ import annotations

import json
from typing import Any

from mix2daw.exporters.words import file_label
from mix2daw.graph import Device, Graph, Strip


def nodelink_json(graph: Graph) -> str:
    """Nodes in the order of the strips; of each strip its output first, then its sends. Ids are the names of
    the strips, as they are."""
    document = {
        "directed": True,
        "multigraph": True,
        "graph": {
            "sample_rate": graph.sample_rate,
            "length_samples": graph.length_samples,
            "pan_law": graph.pan_law,
        },
        "nodes": [_node(strip) for strip in graph.strips],
        "edges": [edge for strip in graph.strips for edge in _edges(strip)],
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _node(strip: Strip) -> dict[str, Any]:
    node: dict[str, Any] = {"id": strip.name, "kind": strip.kind}
    if strip.source is not None:
        node["source"] = file_label(strip.source)
        node["channels"] = strip.channels
        node["offset_samples"] = strip.offset_samples
        node["polarity"] = strip.polarity
        node["stretch_ppm"] = strip.stretch_ppm
        node["muted"] = strip.muted
    node["devices"] = [
        *(_device(device, "before_fader") for device in strip.devices),
        *(_device(device, "after_fader") for device in strip.post_devices),
    ]
    node["fader_db"] = strip.fader_db
    node["pan"] = strip.pan
    return node


def _device(device: Device, place: str) -> dict[str, Any]:
    # A control that was completed from its declaration may be an integer, which JSON would tell from 0.0.
    values = {control: float(value) for control, value in device.values.items()}
    found: dict[str, Any] = {"type": device.type, "place": place, "values": values, "wet": device.wet}
    if device.impulse is not None:
        found["impulse"] = file_label(device.impulse)
    found["confidence"] = device.confidence
    return found


def _edges(strip: Strip) -> list[dict[str, Any]]:
    targets = [] if strip.output is None else [("output", strip.output, 0.0, "post")]
    targets += [("send", send.target, send.level_db, send.tap) for send in strip.sends]
    return [
        {"source": strip.name, "target": target, "key": 0, "kind": kind, "level_db": level_db, "tap": tap}
        for kind, target, level_db, tap in targets
    ]
