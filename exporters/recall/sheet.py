"""`recall.html`: the settings on paper, one page per group, for a person who dials them in by hand.

One file without scripts or anything to load. Pages: every group with the tracks that feed it, the tracks
without a group, the returns, the master.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mix2daw.exporters.bands import is_idle
from mix2daw.exporters.words import file_label, pan_position, settings, source_words
from mix2daw.graph import Device, Graph, Strip

TEMPLATE = "sheet.html.j2"


@dataclass(frozen=True)
class Insert:
    """One device. `number`: its place among the inserts of the strip, from 1; `settings`: one item each."""

    number: int
    type: str
    settings: tuple[str, ...]
    is_idle: bool
    confidence: str


@dataclass(frozen=True)
class Card:
    """One strip in words. `source`: file and offset, None for what is no track; `sends`: level and tap;
    `route`: the strips that it passes on its way, the master last."""

    name: str
    kind: str
    source: str | None
    route: str
    inserts: tuple[Insert, ...]
    fader: str
    pan: str
    post_inserts: tuple[Insert, ...]
    sends: tuple[str, ...]


@dataclass(frozen=True)
class Page:
    """A title and the strips on it."""

    title: str
    cards: tuple[Card, ...]


def sheet_html(graph: Graph) -> str:
    """The whole page. Names are of one line."""
    # Both from the folder of this file, so that it is found in a checkout and in an installed package alike.
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True,
    )  # fmt: skip
    return environment.get_template(TEMPLATE).render(
        pages=pages(graph),
        sample_rate=graph.sample_rate,
        length=_minutes(graph.length_samples / graph.sample_rate),
        counts={kind: len(graph.of_kind(kind)) for kind in ("track", "group", "return")},
    )


def pages(graph: Graph) -> tuple[Page, ...]:
    """The pages in order; a kind that the graph does not have makes none."""

    def page(title: str, strips: list[Strip]) -> list[Page]:
        return [Page(title, tuple(_card(strip, graph) for strip in strips))] if strips else []

    tracks = graph.of_kind("track")
    found: list[Page] = []
    for group in graph.of_kind("group"):
        found += page(f"Group: {group.name}", [*(t for t in tracks if t.output == group.name), group])
    found += page("Tracks without a group", [t for t in tracks if t.output == graph.master.name])
    found += page("Returns", list(graph.of_kind("return")))
    return (*found, *page("Master", [graph.master]))


def _card(strip: Strip, graph: Graph) -> Card:
    before = len(strip.devices)
    inserts = tuple(
        _insert(number, device, graph.sample_rate) for number, device in enumerate(strip.all_devices(), 1)
    )
    return Card(
        name=strip.name,
        kind=strip.kind,
        source=None if strip.source is None else _source(strip, graph.sample_rate),
        route=" → ".join(_route(strip, graph)),
        inserts=inserts[:before],
        fader=f"{strip.fader_db:+.2f} dB" if strip.fader_db else "0 dB",
        pan=pan_position(strip.pan),
        post_inserts=inserts[before:],
        sends=tuple(f"{send.target} {send.level_db:+.2f} dB {send.tap}" for send in strip.sends),
    )


def _insert(number: int, device: Device, sample_rate: int) -> Insert:
    confidence = "" if device.confidence is None else f"{device.confidence:.3g}"
    words = settings(device, sample_rate)
    return Insert(number, device.type, words, is_idle(device, sample_rate), confidence)


def _source(strip: Strip, sample_rate: int) -> str:
    channels = "mono" if strip.channels == 1 else "stereo"
    words = f"{file_label(str(strip.source))}, {channels}"
    if strip.offset_samples:
        offset_s = strip.offset_samples / sample_rate
        words += f", starts at {offset_s:+.4f} s ({strip.offset_samples:+d} samples)"
    return ", ".join([words, *source_words(strip)])


def _route(strip: Strip, graph: Graph) -> list[str]:
    way: list[str] = []
    while strip.output is not None:
        way.append(strip.output)
        strip = graph.strip(strip.output)
    return way


def _minutes(seconds: float) -> str:
    whole, tenths = divmod(round(seconds * 10), 10)
    return f"{whole // 60}:{whole % 60:02d}.{tenths}"
