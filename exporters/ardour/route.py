"""One route of an Ardour session: ports, panner, inserts, fader, sends, output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lxml import etree

from mix2daw.exporters.ardour import ace_eq, panner
from mix2daw.exporters.ardour.devices import script
from mix2daw.exporters.ardour.inserts import Chain, Insert, chain_of
from mix2daw.exporters.bands import active_bands
from mix2daw.exporters.plan import Channel
from mix2daw.exporters.words import describe_briefly, settings
from mix2daw.graph import Send

SESSION_VERSION = "7002"
_FLAGS = {"track": "AudioTrack", "group": "AudioBus", "return": "AudioBus", "master": "MasterOut"}


class Ids:
    """Hands out the ids of one session: those after `last`."""

    def __init__(self, last: int = 0) -> None:
        self.last = last

    def next(self) -> str:
        """The next id."""
        self.last += 1
        return str(self.last)


@dataclass(frozen=True)
class Route:
    """A channel with what the session knows of it. `name`: as Ardour shows it, the prefix of its ports;
    `ident` and `playlist`: ids; `order`: position in the mixer; `sample_rate`: of the session, in Hz;
    `color`: 0xRRGGBBAA, 0 for none; `impulses`: files of its inserts, by index."""

    channel: Channel
    name: str
    ident: str
    playlist: str
    order: int
    sample_rate: int
    color: int = 0
    impulses: Mapping[int, str] = field(default_factory=dict)

    @property
    def channels(self) -> int:
        """Channels at its input: those of its audio for a track, else 2."""
        return self.channel.clip.channels if self.channel.clip else 2


def route_element(route: Route, routes: Mapping[str, Route], ids: Ids) -> etree._Element:
    """The `<Route>` of a channel. `routes`: all of them, by the names of the plan."""
    strip = route.channel.strip
    element = etree.Element(
        "Route",
        {
            "version": SESSION_VERSION,
            "id": route.ident,
            "name": route.name,
            "default-type": "audio",
            "strict-io": "1" if strip.kind == "master" else "0",
            "active": "1",
            "meter-point": "MeterPostFader",
            "disk-io-point": "DiskIOPreFader",
        },
    )
    if strip.kind == "track":
        element.set("audio-playlist", route.playlist)
    presentation = {
        "order": str(route.order),
        "flags": f"{_FLAGS[strip.kind]},OrderSet",
        "color": str(route.color),
    }
    etree.SubElement(element, "PresentationInfo", presentation)
    _ports(element, route, routes, ids)
    if route.channel.muted:
        mute = {"mute-point": "PreFader,PostFader,Listen,Main", "muted": "1"}
        etree.SubElement(element, "MuteMaster", mute)
    if strip.polarity == "inverted":
        switch = {"flags": "Toggle", "phase-invert": "1" * route.channels}
        _control(element, "phase", 2.0**route.channels - 1, ids, switch)
    chain = chain_of(strip, route.channels)
    _pannable(element, chain.position, ids)
    etree.SubElement(element, "Comment").text = route.channel.comment
    _processors(element, route, routes, chain, ids)
    return element


def _ports(parent: etree._Element, route: Route, routes: Mapping[str, Route], ids: Ids) -> None:
    strip = route.channel.strip
    sides = (("Input", "in", route.channels), ("Output", "out", 2))
    for direction, side, count in sides:
        attributes = {
            "name": route.name,
            "id": ids.next(),
            "direction": direction,
            "default-type": "audio",
        }
        element = etree.SubElement(parent, "IO", attributes)
        for number in range(1, count + 1):
            name = f"{route.name}/audio_{side} {number}"
            port = etree.SubElement(element, "Port", {"type": "audio", "name": name})
            if side == "out":
                target = (
                    f"{routes[strip.output].name}/audio_in {number}"
                    if strip.output is not None
                    else f"system:playback_{number}"
                )
                etree.SubElement(port, "Connection", {"other": target})


def _processors(
    parent: etree._Element, route: Route, routes: Mapping[str, Route], chain: Chain, ids: Ids
) -> None:
    strip = route.channel.strip
    if strip.kind == "track":
        _processor(parent, f"player:{route.name}", "diskreader", ids)
    elif strip.kind != "master":
        _processor(parent, "Return", "intreturn", ids)
    for insert in chain.before:
        _insert(parent, insert, route, ids)
    for send in strip.sends:
        if send.tap == "pre":
            _send(parent, send, chain, routes[send.target], ids)
    fader = _processor(parent, "Amp", "amp", ids)
    _control(fader, "gaincontrol", chain.position.fader_lin, ids, {"flags": "GainLike"})
    for insert in chain.behind:
        _insert(parent, insert, route, ids)
    for send in strip.sends:
        if send.tap == "post":
            _send(parent, send, chain, routes[send.target], ids)
    output = _processor(parent, route.name, "main-outs", ids)
    for key, value in {"own-input": "1", "own-output": "0", "output": route.name, "role": "Main"}.items():
        output.set(key, value)
    _panner_shell(output, chain.position.panner_uri)


def _processor(parent: etree._Element, name: str, kind: str, ids: Ids) -> etree._Element:
    attributes = {"id": ids.next(), "name": name, "active": "1", "type": kind}
    return etree.SubElement(parent, "Processor", attributes)


def _insert(parent: etree._Element, insert: Insert, route: Route, ids: Ids) -> None:
    """ACE EQ where it is an exact twin, else a script, whose state is its text and its parameters."""
    device = insert.device
    if device.type == "equalizer" and device.wet == 1:
        bands = active_bands(device.values, route.sample_rate)
        if ace_eq.refusal(bands, route.sample_rate) is None:
            _equalizer(parent, ace_eq.controls(bands, route.sample_rate), insert.channels, ids)
            return
    impulse = None if insert.index is None else route.impulses.get(insert.index)
    name = describe_briefly(device, route.sample_rate)
    if impulse is not None:  # it holds settings that the script does not show
        name = f"{device.type} {', '.join(settings(device, route.sample_rate))}"
    played = script(device, route.sample_rate, impulse)
    element = _processor(parent, name, "luaproc", ids)
    element.set("unique-id", played.digest)
    element.set("count", "1")
    state = etree.SubElement(element, "luaproc")
    etree.SubElement(state, "script", {"lua": "Lua 5.3", "origin": ""}).text = played.base64
    for number, value in enumerate(played.values):
        etree.SubElement(state, "Port", {"id": str(number), "value": _number(value)})


def _equalizer(parent: etree._Element, ports: Mapping[str, float], channels: int, ids: Ids) -> None:
    """ACE EQ; the plugin is mono, so a stereo route has two of it."""
    element = _processor(parent, "ACE EQ", "lv2", ids)
    element.set("unique-id", ace_eq.URI)
    element.set("count", str(channels))
    state = etree.SubElement(element, "lv2")
    for symbol, value in ports.items():
        etree.SubElement(state, "Port", {"symbol": symbol, "value": _number(value)})


def _send(parent: etree._Element, send: Send, chain: Chain, target: Route, ids: Ids) -> None:
    """A send to a bus. A post send has the panner of its route and follows it; a pre send goes past it.

    Past it means: bypassed for two channels; one channel needs a panner to reach both sides, so it has its
    own, centred, and a level that makes up for what the centre takes.
    """
    element = _processor(parent, f"send {target.name}", "intsend", ids)
    attributes = {
        "role": "Aux",
        "target": target.ident,
        "own-input": "1",
        "own-output": "0",
        "selfdestruct": "0",
    }
    for key, value in attributes.items():
        element.set(key, value)
    level = 10 ** (send.level_db / 20)
    if send.tap == "post":
        _panner_shell(element, chain.position.panner_uri)
    elif chain.channels == 1:
        shell = _panner_shell(element, "", linked=False)
        _pannable(shell, panner.Position(1.0, 0.5, 0.0), ids)
        level /= panner.law(0.5)
    else:
        _panner_shell(element, "", bypassed=True)
    _control(element, "gaincontrol", level, ids, {"flags": "GainLike"})


def _pannable(parent: etree._Element, position: panner.Position, ids: Ids) -> None:
    pannable = etree.SubElement(parent, "Pannable")
    _control(pannable, "pan-azimuth", position.azimuth, ids)
    _control(pannable, "pan-width", position.width, ids)
    _control(pannable, "pan-elevation", 0.0, ids)


def _panner_shell(
    parent: etree._Element, uri: str, bypassed: bool = False, linked: bool = True
) -> etree._Element:
    attributes = {
        "bypassed": "1" if bypassed else "0",
        "user-panner": uri,
        "linked-to-route": "1" if linked else "0",
    }
    return etree.SubElement(parent, "PannerShell", attributes)


def _control(
    parent: etree._Element, name: str, value: float, ids: Ids, more: Mapping[str, str] | None = None
) -> None:
    attributes = {"name": name, "id": ids.next(), **(more or {}), "value": _number(value)}
    etree.SubElement(parent, "Controllable", attributes)


def _number(value: float) -> str:
    return f"{value:.9g}"
