"""Draw a graph.json as a picture: `python docs/draw_graph.py graph.json picture.svg`.

One column per layer of the signal: tracks, then groups and returns, the master last. A box is a strip with
its devices in order; a line is an output, a dashed line a send.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from mix2daw.graph import Device, Graph, Strip, read_graph

BOX_W, LINE_H, PAD, GAP_X, GAP_Y, MARGIN = 210, 17, 9, 110, 16, 20
COLOURS = {"track": "#dcebf7", "group": "#dff0d8", "return": "#f5e6cc", "master": "#e8dff5"}
INK, FAINT = "#24303c", "#8793a0"


@dataclass(frozen=True)
class Box:
    """A strip and where its box stands, in pixels from the top left corner."""

    strip: Strip
    x: float
    y: float

    @property
    def lines(self) -> list[str]:
        """What is written in it, beneath the name."""
        strip = self.strip
        levels = [] if strip.fader_db == 0 else [f"fader {strip.fader_db:+.1f} dB"]
        levels += [] if strip.pan == 0 else [f"pan {strip.pan:+.2f}"]
        return [
            *(device_text(device) for device in strip.all_devices()),
            *([", ".join(levels)] if levels else []),
        ]

    @property
    def height(self) -> float:
        """Its height in pixels."""
        return 2 * PAD + LINE_H * (1 + len(self.lines))


def device_text(device: Device) -> str:
    """The type, with the one or two settings that say most about it."""
    values = device.values
    words = [device.type]
    if device.type in ("compressor", "gate"):
        words.append(f"{values['threshold_db']:.0f} dB {values['ratio']:.1f}:1")
    elif device.type == "equalizer":
        names = ["low_shelf_db", *(f"bell_{number}_db" for number in range(1, 5)), "high_shelf_db"]
        gains = [values[name] for name in names if values.get(name)]
        words.append("HP" if values.get("high_pass_slope_db") else "")
        words.append(" ".join(f"{gain:+.0f}" for gain in gains))
        words.append("LP" if values.get("low_pass_slope_db") else "")
    elif device.type == "width":
        words.append(f"{values['width']:.2f}")
    elif device.type == "delay":
        words.append(f"{values['delay_ms']:.0f} ms")
    elif device.type == "reverb":
        words.append(f"room {values['room_size']:.2f}")
    elif device.type == "convolution" and device.impulse:
        words.append(Path(device.impulse).stem)
    return " ".join(word for word in words if word)


def place(graph: Graph) -> tuple[dict[str, Box], float, float]:
    """Boxes by name, and the width and height of the picture."""
    depth: dict[str, int] = {}
    for index, layer in enumerate(graph.levels()):
        depth |= {strip.name: 0 if strip.kind == "track" else index for strip in layer}
    # An empty layer of groups and a layer of returns may share a column: depths are made dense.
    columns = sorted(set(depth.values()))
    boxes: dict[str, Box] = {}
    heights: list[float] = []
    for column, level in enumerate(columns):
        y = float(MARGIN)
        for strip in graph.strips:
            if depth[strip.name] == level:
                box = Box(strip, MARGIN + column * (BOX_W + GAP_X), y)
                boxes[strip.name] = box
                y += box.height + GAP_Y
        heights.append(y - GAP_Y + MARGIN)
    height = max(heights)
    for column, level in enumerate(columns):
        shift = (height - heights[column]) / 2
        for name, box in boxes.items():
            if depth[name] == level:
                boxes[name] = Box(box.strip, box.x, box.y + shift)
    return boxes, MARGIN * 2 + len(columns) * (BOX_W + GAP_X) - GAP_X, height


def curve(start: Box, end: Box, dashed: bool) -> str:
    """A line from the right edge of one box to the left edge of another."""
    x1, y1 = start.x + BOX_W, start.y + start.height / 2 + (6 if dashed else 0)
    x2, y2 = end.x, end.y + end.height / 2
    bend = max(GAP_X / 2, (x2 - x1) / 2)
    style = f'stroke="{FAINT}" stroke-dasharray="4 4"' if dashed else f'stroke="{INK}"'
    path = f"M{x1:.1f} {y1:.1f} C{x1 + bend:.1f} {y1:.1f} {x2 - bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
    return f'<path d="{path}" fill="none" {style} stroke-width="1.2"/>'


def box_svg(box: Box) -> list[str]:
    """The box of a strip."""
    strip = box.strip
    out = [
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{BOX_W}" height="{box.height:.1f}" rx="6" '
        f'fill="{COLOURS[strip.kind]}" stroke="{INK}" stroke-width="0.8"/>'
    ]
    for index, line in enumerate([strip.name, *box.lines]):
        y = box.y + PAD + LINE_H * (index + 0.75)
        weight = ' font-weight="bold"' if index == 0 else ""
        out.append(f'<text x="{box.x + PAD:.1f}" y="{y:.1f}"{weight}>{escape(shortened(line))}</text>')
    return out


def shortened(line: str, most: int = 32) -> str:
    """A line that fits into a box, and holds nothing that XML forbids."""
    line = "".join(char for char in line if char.isprintable())
    return line if len(line) <= most else line[: most - 1] + "…"


def draw(graph: Graph) -> str:
    """The picture as SVG text."""
    boxes, width, height = place(graph)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" font-family="Helvetica, Arial, sans-serif" '
        f'font-size="12" fill="{INK}">',
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="white"/>',
    ]
    for box in boxes.values():
        out += [curve(box, boxes[send.target], dashed=True) for send in box.strip.sends]
        if box.strip.output is not None:
            out.append(curve(box, boxes[box.strip.output], dashed=False))
    for box in boxes.values():
        out += box_svg(box)
    return "\n".join([*out, "</svg>"]) + "\n"


if __name__ == "__main__":
    source, target = sys.argv[1:]
    Path(target).write_text(draw(read_graph(Path(source))), encoding="utf-8")
