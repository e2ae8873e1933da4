"""The strips, a card each: what is set, what it does to the sound, and what of it can be heard."""

from __future__ import annotations

from dataclasses import dataclass

from mix2daw.exporters.bands import active_bands, is_active, is_idle
from mix2daw.exporters.words import describe_band, file_label, pan_position, source_words, unit_of
from mix2daw.graph import Device, Graph, Strip
from mix2daw.report.curves import DYNAMICS
from mix2daw.report.device_plots import change_plot, eq_plot, tail_plot, transfer_plot
from mix2daw.report.plots import Plot
from mix2daw.report.strips import Heard
from mix2daw.report.verdict import signed

COLOURS = 8
CHOICES = {"link": ("unlinked", "linked")}


@dataclass(frozen=True)
class Knob:
    """One control in words; `active`: whether it is heard."""

    name: str
    value: str
    unit: str
    active: bool


@dataclass(frozen=True)
class Insert:
    """One device; `bands`: of an equalizer in words; `confidence`: what La would lose without it, `share`: of
    that of the most important device of the song (0 to 1)."""

    type: str
    knobs: tuple[Knob, ...]
    bands: tuple[str, ...]
    plots: tuple[Plot, ...]
    confidence: str
    share: float
    wet: str
    impulse: str
    idle: bool


@dataclass(frozen=True)
class Sent:
    """A send: level in words, the length of its bar in percent, the anchor of the return."""

    target: str
    anchor: str
    level: str
    bar: float
    tap: str


@dataclass(frozen=True)
class Card:
    """One strip. `pan_percent`: from the left; `colour`: the number of its group's colour, −1 without one;
    `clip`: the name of its audio, "" without any; `dry`: whether it has a dry one."""

    anchor: str
    name: str
    kind: str
    colour: int
    source: str
    output: str
    output_anchor: str
    inserts: tuple[Insert, ...]
    post_inserts: tuple[Insert, ...]
    fader: str
    pan: str
    pan_percent: float
    sends: tuple[Sent, ...]
    pruned: tuple[str, ...]
    clip: str
    dry: bool
    excerpt: str


def anchors(graph: Graph) -> dict[str, str]:
    """The place of every strip in the page."""
    return {strip.name: f"strip-{number}" for number, strip in enumerate(graph.strips)}


def colours(graph: Graph) -> dict[str, int]:
    """The number of the colour of every strip: that of its group, −1 without one."""
    numbers = {group.name: index % COLOURS for index, group in enumerate(graph.of_kind("group"))}
    return {
        strip.name: numbers.get(strip.name, numbers.get(strip.output or "", -1)) for strip in graph.strips
    }


def cards(graph: Graph, heard: dict[str, Heard], pruned: dict[str, tuple[str, ...]]) -> tuple[Card, ...]:
    """A card for every strip, in the order of the graph."""
    most = max((d.confidence or 0.0 for _, d in graph.devices()), default=0.0)
    anchor, colour = anchors(graph), colours(graph)
    return tuple(
        _card(strip, graph, heard[strip.name], pruned.get(strip.name, ()), most, anchor, colour[strip.name])
        for strip in graph.strips
    )


def _card(
    strip: Strip,
    graph: Graph,
    heard: Heard,
    pruned: tuple[str, ...],
    most: float,
    anchor: dict[str, str],
    colour: int,
) -> Card:
    length_s = graph.length_samples / graph.sample_rate
    inserts = tuple(
        _insert(device, index, heard, graph.sample_rate, length_s, most)
        for index, device in enumerate(strip.all_devices())
    )
    split = len(strip.devices)
    source = "" if strip.source is None else f"{file_label(strip.source)}, {_channels(strip)}"
    if strip.offset_samples:
        source += f", starts at {signed(strip.offset_samples / graph.sample_rate, 4)} s"
    source = ", ".join([source, *source_words(strip)])
    return Card(
        anchor[strip.name],
        strip.name,
        strip.kind,
        colour,
        source,
        strip.output or "",
        anchor.get(strip.output or "", ""),
        inserts[:split],
        inserts[split:],
        signed(strip.fader_db, 1),
        pan_position(strip.pan),
        50 + 50 * strip.pan,
        tuple(
            Sent(s.target, anchor[s.target], signed(s.level_db, 1), _bar(s.level_db), s.tap)
            for s in strip.sends
        ),
        pruned,
        heard.wet.id.removesuffix("-wet") if heard.wet and heard.wet.data else "",
        bool(heard.dry and heard.dry.data),
        _excerpt(heard),
    )


def _excerpt(heard: Heard) -> str:
    if heard.wet is None:
        return ""
    start = heard.wet.start_s
    return f"{int(start) // 60}:{int(start) % 60:02d}, {heard.wet.seconds:.0f} s"


def _channels(strip: Strip) -> str:
    return "mono" if strip.channels == 1 else "stereo"


def _bar(level_db: float) -> float:
    """A level from −48 dB to +12 dB in percent."""
    return round(min(100.0, max(0.0, (level_db + 48) / 60 * 100)), 1)


def _insert(
    device: Device, index: int, heard: Heard, sample_rate: int, length_s: float, most: float
) -> Insert:
    knobs = tuple(
        _knob(name, value, is_active(device, name, sample_rate)) for name, value in device.values.items()
    )
    plots: list[Plot] = []
    bands: tuple[str, ...] = ()
    if device.type == "equalizer":
        bands = tuple(
            describe_band(band).replace("-", "−") for band in active_bands(device.values, sample_rate)
        )
        plots.append(eq_plot(device, sample_rate, bands))
    if device.type in DYNAMICS:
        plots.append(transfer_plot(device))
    if index in heard.changes:
        plots.append(change_plot(device, *heard.changes[index], length_s))
    if index in heard.tails:
        plots.append(tail_plot(device, *heard.tails[index]))
    confidence = device.confidence
    return Insert(
        device.type,
        knobs,
        bands,
        tuple(plots),
        "" if confidence is None else f"{confidence:.4f}".replace("-", "−"),
        0.0 if not confidence or most <= 0 else round(min(1.0, max(0.0, confidence / most)), 3),
        "" if device.wet == 1 else f"{device.wet:.0%} wet",
        "" if device.impulse is None else file_label(device.impulse),
        is_idle(device, sample_rate),
    )


def _knob(name: str, value: float, active: bool) -> Knob:
    unit = unit_of(name)
    if name in CHOICES:
        return Knob(name, CHOICES[name][int(value)], "", active)
    label = name
    for suffix in ("_db", "_hz", "_ms", "_s", "_samples"):
        label = label.removesuffix(suffix)
    text = signed(value, 1) if unit == "dB" else f"{value:.4g}"
    return Knob(label.replace("_", " "), text.replace("-", "−"), unit, active)
