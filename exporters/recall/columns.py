"""Where the boxes of the picture stand: a column per group, one of the tracks without a group, and beneath
them a row of returns that ends in the master.

Coordinates are pixels from the top left corner, x to the right, y downwards. Beside the boxes of a column are
lanes for lines: on the left for sends (and for all that the master gets), on the right for outputs.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from mix2daw.exporters.words import describe_briefly, pan_position, source_words
from mix2daw.graph import Graph, Strip

BOX_W, LINE_H, PAD, GAP_Y, LANE_W, GAP_X, MARGIN = 180, 17, 7, 12, 9, 18, 18
TITLE_H, FOOT_GAP, RAIL_GAP = 22, 24, 16
# All lanes of the upper row lie on a grid of LANE_W, those of the lower row half a step beside it: where both
# reach in between the rails, none lies on another.
LOWER_SHIFT = LANE_W / 2
# A group with more tracks than that takes several columns, so that a song of 40 tracks is no tower.
MOST_TRACKS = 10

Style = Literal["name", "device", "note", "send", "pruned"]
PRUNED_COLUMNS = 27  # how many characters of what was pruned stand in a line


@dataclass(frozen=True)
class Line:
    """One line of text in a box. `send`: the return that the line is about, "" for all other lines."""

    text: str
    style: Style
    send: str = ""


@dataclass(frozen=True)
class Box:
    """A strip and the upper left corner of its box."""

    strip: Strip
    lines: tuple[Line, ...]
    column: int
    x: float
    y: float

    @property
    def height(self) -> float:
        """Its height."""
        return height_of(self.lines)

    def line_y(self, send: str = "") -> float:
        """The middle of the line of a send, of the name if there is none."""
        index = next((index for index, line in enumerate(self.lines) if line.send == send), 0) if send else 0
        return self.y + PAD + LINE_H * (index + 0.5)


@dataclass(frozen=True)
class Column:
    """`title` above it; `stack`: its tracks from the top; `foot`: the group beneath them, in the row that all
    groups share, or the one return or master of a column in the lower row."""

    title: str
    stack: tuple[Strip, ...]
    foot: Strip | None

    @property
    def strips(self) -> tuple[Strip, ...]:
        """Every strip of it, from the top."""
        return self.stack if self.foot is None else (*self.stack, self.foot)

    @property
    def is_lower(self) -> bool:
        """Whether it stands beneath the rails."""
        return self.foot is not None and self.foot.kind in ("return", "master")


def columns_of(graph: Graph) -> tuple[Column, ...]:
    """The columns from left to right, those of the lower row last."""
    found: list[Column] = []
    for target in (*graph.of_kind("group"), graph.master):
        tracks = [strip for strip in graph.of_kind("track") if strip.output == target.name]
        is_group = target.kind == "group"
        if not tracks and not is_group:
            continue
        count = max(1, math.ceil(len(tracks) / MOST_TRACKS))
        rows = math.ceil(len(tracks) / count)
        for number in range(count):
            part = tuple(tracks[number * rows : (number + 1) * rows])
            title = target.name if is_group else "no group"
            found.append(Column(title, part, target if is_group and number == 0 else None))
    lower = (*graph.of_kind("return"), graph.master)
    return (*found, *(Column(strip.kind, (), strip) for strip in lower))


def lines_of(strip: Strip, sample_rate: int) -> tuple[Line, ...]:
    """What is written in a box: the name, the inserts in order with fader and pan among them, the sends."""
    levels = [] if strip.fader_db == 0 else [f"fader {strip.fader_db:+.1f} dB"]
    levels += [] if strip.pan == 0 else [f"pan {pan_position(strip.pan)}"]
    return (
        Line(strip.name, "name"),
        *(Line(word, "note") for word in source_words(strip)),
        *(Line(describe_briefly(device, sample_rate), "device") for device in strip.devices),
        *([Line(", ".join(levels), "note")] if levels else []),
        *(Line(describe_briefly(device, sample_rate), "device") for device in strip.post_devices),
        *(
            Line(f"{send.tap} send {send.level_db:+.1f} dB {send.target}", "send", send.target)
            for send in strip.sends
        ),
    )


def _pruned_lines(pruned: tuple[str, ...]) -> tuple[Line, ...]:
    return tuple(Line(text, "pruned") for text in textwrap.wrap(", ".join(pruned), PRUNED_COLUMNS))


def height_of(lines: tuple[Line, ...]) -> float:
    """The height of a box with these lines."""
    return 2 * PAD + LINE_H * len(lines)


@dataclass(frozen=True)
class Places:
    """Boxes by name, in order of the columns; `titles`: corner of each column's title, on its base line;
    `rail_y`: of the first rail; `width`, `height`: of all, with a margin on the left and at the top alone."""

    boxes: dict[str, Box]
    titles: tuple[tuple[float, float], ...]
    rail_y: float
    width: float
    height: float


def place(
    columns: tuple[Column, ...],
    lefts: list[int],
    rights: list[int],
    rails: int,
    sample_rate: int,
    pruned: Mapping[str, tuple[str, ...]],
) -> Places:
    """Where everything stands. `lefts`, `rights`: how many lanes each column needs on either side; `rails`:
    how many lines run between the two rows; `pruned`: per strip, what is written beneath what it has."""
    lines = {
        strip.name: (*lines_of(strip, sample_rate), *_pruned_lines(pruned.get(strip.name, ())))
        for column in columns
        for strip in column.strips
    }
    heights = {name: height_of(text) for name, text in lines.items()}
    upper = [column for column in columns if not column.is_lower]
    stacks = [sum(heights[strip.name] + GAP_Y for strip in column.stack) for column in upper]
    feet = [heights[column.foot.name] for column in upper if column.foot]
    top = MARGIN + TITLE_H
    foot_y = top + max(stacks, default=0.0) + (FOOT_GAP - GAP_Y if feet else -GAP_Y)
    rail_y = max(top, foot_y + max(feet, default=0.0)) + RAIL_GAP
    lower_y = rail_y + rails * LANE_W + TITLE_H
    widths = [GAP_X + BOX_W + LANE_W * (left + right) for left, right in zip(lefts, rights, strict=True)]
    # The lower row ends where the upper one does: the master is the last thing that is read.
    of_upper, of_lower = sum(widths[: len(upper)]), sum(widths[len(upper) :])
    lower_x = MARGIN + max(LOWER_SHIFT, of_upper - of_lower - LOWER_SHIFT)
    boxes: dict[str, Box] = {}
    titles: list[tuple[float, float]] = []
    x = float(MARGIN)
    for index, column in enumerate(columns):
        if index == len(upper):
            x = lower_x
        box_x = x + lefts[index] * LANE_W + GAP_X / 2
        y = lower_y if column.is_lower else top
        titles.append((box_x, y - 8))
        for strip in column.stack:
            boxes[strip.name] = Box(strip, lines[strip.name], index, box_x, y)
            y += heights[strip.name] + GAP_Y
        if column.foot is not None:
            y = lower_y if column.is_lower else foot_y
            boxes[column.foot.name] = Box(column.foot, lines[column.foot.name], index, box_x, y)
        x += widths[index]
    height = lower_y + max(heights[column.foot.name] for column in columns if column.foot and column.is_lower)
    return Places(boxes, tuple(titles), rail_y, max(MARGIN + of_upper, lower_x + of_lower), height)
