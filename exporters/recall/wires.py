"""The lines of the picture: per target one net, that collects everything which feeds it as a bus does.

A net runs in a lane of its own beside the boxes, and on a rail of its own from column to column, between the
two rows, so no line touches a box but at its ends, and no two lines lie on each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mix2daw.exporters.recall.columns import BOX_W, GAP_X, LANE_W, Box, Column
from mix2daw.graph import Graph

Side = Literal["left", "right"]


@dataclass(frozen=True)
class Net:
    """Everything that one strip gets. `kind`: all outputs or all sends; `sources` in order."""

    target: str
    kind: Literal["output", "send"]
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Wire:
    """A drawn net. `path`: of an SVG path, without its end; `arrow`: the end, that points at the target;
    `dots`: where a source joins, `(x, y)`."""

    net: Net
    path: str
    arrow: str
    dots: tuple[tuple[float, float], ...]


def nets_of(graph: Graph) -> tuple[Net, ...]:
    """The nets in the order of their targets: a target gets outputs or sends, never both."""
    nets = []
    for strip in graph.strips:
        outputs = graph.inputs(strip.name)
        sends = tuple(s.name for s in graph.strips if any(send.target == strip.name for send in s.sends))
        nets += [Net(strip.name, "output", outputs)] if outputs else []
        nets += [Net(strip.name, "send", sends)] if sends else []
    return tuple(nets)


class Lanes:
    """Which lane each net has beside each column that it comes to."""

    def __init__(self, columns: tuple[Column, ...], nets: tuple[Net, ...]) -> None:
        self._at: dict[tuple[int, Side], list[str]] = {}
        self.column: dict[str, int] = {}
        for index, column in enumerate(columns):
            for strip in column.strips:
                self.column[strip.name] = index
        self._columns = columns
        for net in nets:
            for index in self.columns_of(net):
                self._at.setdefault((index, self.side(net, index)), []).append(net.target)

    def columns_of(self, net: Net) -> tuple[int, ...]:
        """The columns that a net comes to, from left to right."""
        return tuple(sorted({self.column[name] for name in (*net.sources, net.target)}))

    def needs_rail(self, net: Net) -> bool:
        """Whether a net runs from column to column."""
        return len(self.columns_of(net)) > 1

    def side(self, net: Net, column: int) -> Side:
        """The side of a column that a net runs on."""
        return "left" if net.kind == "send" or self._columns[column].title == "master" else "right"

    def counts(self, side: Side) -> list[int]:
        """How many lanes each column needs on a side."""
        return [len(self._at.get((index, side), ())) for index in range(len(self._columns))]

    def x(self, net: Net, column: int, box_x: float) -> float:
        """Where the lane of a net runs, in a column whose boxes begin at `box_x`."""
        side = self.side(net, column)
        offset = GAP_X / 2 + LANE_W * self._at[column, side].index(net.target)
        return box_x - offset if side == "left" else box_x + BOX_W + offset


def route(nets: tuple[Net, ...], boxes: dict[str, Box], lanes: Lanes, rail_y: float) -> tuple[Wire, ...]:
    """Every net drawn; `rail_y`: of the first rail, the others follow beneath."""
    wires: list[Wire] = []
    for net in nets:
        own_rail = rail_y if lanes.needs_rail(net) else None
        wires.append(_wire(net, boxes, lanes, own_rail))
        rail_y += LANE_W if own_rail is not None else 0
    return tuple(wires)


def _wire(net: Net, boxes: dict[str, Box], lanes: Lanes, rail_y: float | None) -> Wire:
    parts: list[str] = []
    dots: list[tuple[float, float]] = []
    ends: list[float] = []
    target = boxes[net.target]
    arrow = ""
    for column in lanes.columns_of(net):
        side = lanes.side(net, column)
        box_x = next(box.x for box in boxes.values() if box.column == column)
        x = lanes.x(net, column, box_x)
        edge = box_x if side == "left" else box_x + BOX_W
        joints = [] if rail_y is None else [rail_y]
        for name in net.sources:
            if boxes[name].column == column:
                y = boxes[name].line_y(net.target if net.kind == "send" else "")
                parts.append(f"M{edge:.1f} {y:.1f}H{x:.1f}")
                dots.append((x, y))
                joints.append(y)
        if target.column == column:
            y, arrow = _end(target, side, x, edge)
            joints.append(y)
        if min(joints) < max(joints):
            parts.append(f"M{x:.1f} {min(joints):.1f}V{max(joints):.1f}")
        ends.append(x)
    if rail_y is not None:
        parts.append(f"M{min(ends):.1f} {rail_y:.1f}H{max(ends):.1f}")
    return Wire(net, "".join(parts), arrow, tuple(dots))


def _end(target: Box, side: Side, x: float, edge: float) -> tuple[float, str]:
    """Where the end leaves its lane, and the end. A group is entered from above, beneath its tracks."""
    if side == "right":
        y, middle = target.y - 12, target.x + BOX_W / 2
        return y, f"M{x:.1f} {y:.1f}H{middle:.1f}V{target.y:.1f}"
    y = target.line_y()
    return y, f"M{x:.1f} {y:.1f}H{edge:.1f}"
