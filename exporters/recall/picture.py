"""`graph.svg`: the flow of the signal as a picture. Groups are columns, solid lines outputs, dashed sends.

Text stays text, colours follow the reader's choice of light or dark, and no line crosses a box.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape

from mix2daw.exporters.recall.columns import BOX_W, LINE_H, MARGIN, PAD, Box, columns_of, place
from mix2daw.exporters.recall.wires import Lanes, Wire, nets_of, route
from mix2daw.exporters.words import describe_strip
from mix2daw.graph import Graph

SEND_COLOURS = 4
_STYLE = """
.flow text{font-family:Helvetica,Arial,sans-serif;font-size:11px;fill:#1c2733}
.flow .paper{fill:#fff}
.flow .box{stroke:#4a5866;stroke-width:1}
.flow .track .box{fill:#e3eef8}
.flow .group .box{fill:#e2f1dc}
.flow .return .box{fill:#f8ebd3}
.flow .master .box{fill:#ebe3f6}
.flow .chip{fill:#fff;stroke:#8a97a4;stroke-width:.7}
.flow .name{font-weight:bold;font-size:12px}
.flow .title{fill:#55626f;font-size:12px}
.flow path,.flow line{fill:none;stroke:#38444f;stroke-width:1.3}
.flow circle,.flow .head{fill:#38444f;stroke:none}
.flow .send path,.flow .send line{stroke-dasharray:5 3}
.flow .send0 path,.flow .send0 line{stroke:#b45309}.flow .send0 circle,.flow .head0{fill:#b45309}
.flow .send1 path,.flow .send1 line{stroke:#0e7490}.flow .send1 circle,.flow .head1{fill:#0e7490}
.flow .send2 path,.flow .send2 line{stroke:#7c3aed}.flow .send2 circle,.flow .head2{fill:#7c3aed}
.flow .send3 path,.flow .send3 line{stroke:#be185d}.flow .send3 circle,.flow .head3{fill:#be185d}
.flow .head,.flow .head0,.flow .head1,.flow .head2,.flow .head3{stroke:none!important}
.flow .pruned{fill:#56616c;text-decoration:line-through}
.flow a:focus-visible .box,.flow a:hover .box{stroke-width:2.5}
@media (prefers-color-scheme:dark){
.flow text{fill:#e6ebf0}
.flow .paper{fill:#151b22}
.flow .box{stroke:#93a1af}
.flow .track .box{fill:#1f3145}
.flow .group .box{fill:#213a24}
.flow .return .box{fill:#42341c}
.flow .master .box{fill:#352a49}
.flow .chip{fill:#151b22;stroke:#6d7a87}
.flow .title{fill:#a8b4c0}
.flow .pruned{fill:#a3afba}
.flow path,.flow line{stroke:#c3cdd6}.flow circle,.flow .head{fill:#c3cdd6}
.flow .send0 path,.flow .send0 line{stroke:#f0a04b}.flow .send0 circle,.flow .head0{fill:#f0a04b}
.flow .send1 path,.flow .send1 line{stroke:#4cc3dd}.flow .send1 circle,.flow .head1{fill:#4cc3dd}
.flow .send2 path,.flow .send2 line{stroke:#b99bff}.flow .send2 circle,.flow .head2{fill:#b99bff}
.flow .send3 path,.flow .send3 line{stroke:#f47fb0}.flow .send3 circle,.flow .head3{fill:#f47fb0}
}
"""


@dataclass(frozen=True)
class Mark:
    """What a page adds to a box: `link`, where a click leads; `style`, a class of the bar at its left edge;
    `pruned`, what it had been offered and does not have."""

    link: str
    style: str
    pruned: tuple[str, ...] = ()


def draw(graph: Graph, marks: Mapping[str, Mark] | None = None) -> str:
    """The picture as the text of an SVG file. Names are of one line. What is too long for a box is cut there;
    its tooltip has the whole name and every setting. `marks`: of strips, by name."""
    columns, nets = columns_of(graph), nets_of(graph)
    marks = marks or {}
    pruned = {name: mark.pruned for name, mark in marks.items()}
    lanes = Lanes(columns, nets)
    rails = sum(lanes.needs_rail(net) for net in nets)
    places = place(columns, lanes.counts("left"), lanes.counts("right"), rails, graph.sample_rate, pruned)
    wires = route(nets, places.boxes, lanes, places.rail_y)
    legend_y = places.height + 24
    width, height = max(places.width + MARGIN, 380), legend_y + MARGIN
    returns = [net.target for net in nets if net.kind == "send"]
    colours = {target: index % SEND_COLOURS for index, target in enumerate(returns)}
    out = [
        f'<svg class="flow" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" role="img" aria-labelledby="title desc">',
        '<title id="title">Signal flow of the mix</title>',
        f'<desc id="desc">{escape(_described(graph))}</desc>',
        f"<style>{_STYLE}</style>",
        "<defs>",
        _head("head", "head"),
        *(_head(f"head{number}", f"head{number}") for number in range(SEND_COLOURS)),
        "</defs>",
        f'<rect class="paper" width="{width:.0f}" height="{height:.0f}"/>',
    ]
    for column, (x, y) in zip(columns, places.titles, strict=True):
        out.append(f'<text class="title" x="{x:.1f}" y="{y:.1f}">{_short(column.title, 26)}</text>')
    out += [line for wire in wires for line in _wire_svg(wire, colours)]
    for name, box in places.boxes.items():
        out += _box_svg(box, graph.sample_rate, marks.get(name))
    return "\n".join([*out, *_legend(legend_y), "</svg>"]) + "\n"


def _described(graph: Graph) -> str:
    """The routing in words, for those who do not see the picture."""
    parts = []
    for net in nets_of(graph):
        verb = "is fed by" if net.kind == "output" else "gets sends from"
        parts.append(f"{net.target} {verb} {', '.join(net.sources)}.")
    return " ".join(parts) or "A master without inputs."


def _head(ident: str, style: str) -> str:
    shape = f'<path class="{style}" d="M0 0L8 4L0 8z"/>'
    size = 'markerWidth="8" markerHeight="8" refX="8" refY="4" markerUnits="userSpaceOnUse" orient="auto"'
    return f'<marker id="{ident}" {size}>{shape}</marker>'


def _wire_svg(wire: Wire, colours: dict[str, int]) -> list[str]:
    style, head, verb = "output", "head", "to"
    if wire.net.kind == "send":
        number = colours[wire.net.target]
        style, head, verb = f"send send{number}", f"head{number}", "sends to"
    title = f"{', '.join(wire.net.sources)} {verb} {wire.net.target}"
    return [
        f'<g class="{style}"><title>{escape(title)}</title><path d="{wire.path}"/>'
        f'<path d="{wire.arrow}" marker-end="url(#{head})"/>',
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.2"/>' for x, y in wire.dots),
        "</g>",
    ]


def _box_svg(box: Box, sample_rate: int, mark: Mark | None) -> list[str]:
    """A box as a drawing in itself, so that text which is wider than was thought is cut at its edge."""
    size = f'width="{BOX_W}" height="{box.height:.0f}"'
    out = [
        f'<svg class="{box.strip.kind}" x="{box.x:.1f}" y="{box.y:.1f}" {size}>'
        f"<title>{escape(box.strip.name)}\n{escape(describe_strip(box.strip, sample_rate))}</title>"
        f'<rect class="box" x="0.5" y="0.5" width="{BOX_W - 1}" height="{box.height - 1:.0f}" rx="5"/>'
    ]
    for index, line in enumerate(box.lines):
        y = PAD + LINE_H * index
        x = PAD
        if line.style == "device":
            chip = f'x="{PAD}" y="{y + 1}" width="{BOX_W - 2 * PAD}" height="{LINE_H - 2}" rx="3"'
            out.append(f'<rect class="chip" {chip}/>')
            x += 5
        most = {"name": 23, "device": 26}.get(line.style, 29)
        out.append(f'<text class="{line.style}" x="{x}" y="{y + 12.5}">{_short(line.text, most)}</text>')
    out.append("</svg>")
    if mark is None:
        return out
    bar = f'x="{box.x:.1f}" y="{box.y + 4:.1f}" width="4" height="{box.height - 8:.0f}"'
    label = escape(f"{box.strip.kind} {box.strip.name}", {'"': "&quot;"})
    link = f'<a href="{mark.link}" aria-label="{label}">'
    return [link, *out, f'<rect class="{mark.style}" {bar}/></a>']


def _legend(y: float) -> list[str]:
    x = MARGIN
    return [
        f'<g class="output"><line x1="{x}" y1="{y:.1f}" x2="{x + 30}" y2="{y:.1f}"/></g>',
        f'<text x="{x + 36}" y="{y + 4:.1f}">output</text>',
        f'<g class="send send0"><line x1="{x + 90}" y1="{y:.1f}" x2="{x + 120}" y2="{y:.1f}"/></g>',
        f'<text x="{x + 126}" y="{y + 4:.1f}">send, from the line that names it</text>',
    ]


def _short(text: str, most: int) -> str:
    """`text` escaped, cut to `most` columns; a wide character (of Chinese, an emoji) takes two."""
    room, kept = most, ""
    for char in text:
        room -= 2 if unicodedata.east_asian_width(char) in "WF" else 1
        if room < 0:
            return escape(kept[:-1].rstrip()) + "…"
        kept += char
    return escape(kept)
