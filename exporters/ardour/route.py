"""One route of an Ardour session: ports, panner, inserts, fader, sends, output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree

from mix2daw.exporters.ardour import ace_eq, panner
from mix2daw.exporters.bands import active_bands
from mix2daw.exporters.plan import Channel
from mix2daw.graph import Send, Strip

SESSION_VERSION = "7002"
_FLAGS = {"track": "AudioTrack", "group": "AudioBus", "return": "AudioBus", "master": "MasterOut"}


class Ids:
    """Hands out the ids of one session: 1, 2, ..."""

    def __init__(self) -> None:
        self.last = 0

    def next(self) -> str:
        """The next id."""
        self.last += 1
        return str(self.last)


@dataclass(frozen=True)
class Route:
    """A channel with what the session knows of it. `name`: as Ardour shows it, the prefix of its ports;
    `ident` and `playlist`: ids; `order`: position in the mixer; `sample_rate`: of the session, in Hz."""

    channel: Channel
    name: str
    ident: str
    playlist: str
    order: int
    sample_rate: int

    @property
    def channels(self) -> int:
        """Channels at its input: those of its audio for a track, else 2."""
        return self.channel.clip.channels if self.channel.clip else 2


def route_element(route: Route, routes: Mapping[str, Route], ids: Ids) -> etree._Element:
    """The `<Route>` of a channel. `routes`: all of them, by the names of the plan."""
    strip = route.channel.strip
    attributes = {
        "version": SESSION_VERSION,
        "id": route.ident,
        "name": route.name,
        "default-type": "audio",
        "strict-io": "1" if strip.kind == "master" else "0",
        "active": "1",
        "meter-point": "MeterPostFader",
        "disk-io-point": "DiskIOPreFader",
    }
    if route.channel.clip:
        attributes["audio-playlist"] = route.playlist
    element = etree.Element("Route", attributes)
    presentation = {"order": str(route.order), "flags": f"{_FLAGS[strip.kind]},OrderSet", "color": "0"}
    etree.SubElement(element, "PresentationInfo", presentation)
    _ports(element, route, routes, ids)
    if route.channel.muted:
        mute = {"mute-point": "PreFader,PostFader,Listen,Main", "muted": "1"}
        etree.SubElement(element, "MuteMaster", mute)
    position = position_of(strip, route.channels)
    _pannable(element, position, ids)
    etree.SubElement(element, "Comment").text = route.channel.comment
    _processors(element, route, routes, position, ids)
    return element


def position_of(strip: Strip, channels: int) -> panner.Position:
    """Fader and panner of a strip whose input has `channels` channels.

    The width of a mono signal is nothing, so only that of a stereo one (always centred then) counts.
    """
    level = 10 ** (strip.fader_db / 20)
    left, right = level * min(1.0, 1 - strip.pan), level * min(1.0, 1 + strip.pan)
    if channels == 1:
        return panner.mono(left, right)
    width = next((device for device in strip.devices if device.type == "width"), None)
    return panner.narrowed(level, width.values["width"]) if width else panner.balance(left, right)


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
    parent: etree._Element, route: Route, routes: Mapping[str, Route], position: panner.Position, ids: Ids
) -> None:
    strip = route.channel.strip
    if strip.kind == "track":
        _processor(parent, f"player:{route.name}", "diskreader", ids)
    elif strip.kind != "master":
        _processor(parent, "Return", "intreturn", ids)
    for device in strip.devices:
        if device.type == "equalizer":
            bands = active_bands(device.values, route.sample_rate)
            _equalizer(parent, ace_eq.controls(bands, route.sample_rate), route.channels, ids)
    for send in strip.sends:
        if send.tap == "pre":
            _send(parent, send, position, route, routes[send.target], ids)
    fader = _processor(parent, "Amp", "amp", ids)
    _control(fader, "gaincontrol", position.fader_lin, ids, {"flags": "GainLike"})
    for send in strip.sends:
        if send.tap == "post":
            _send(parent, send, position, route, routes[send.target], ids)
    output = _processor(parent, route.name, "main-outs", ids)
    for key, value in {"own-input": "1", "own-output": "0", "output": route.name, "role": "Main"}.items():
        output.set(key, value)
    _panner_shell(output, position.panner_uri)


def _processor(parent: etree._Element, name: str, kind: str, ids: Ids) -> etree._Element:
    attributes = {"id": ids.next(), "name": name, "active": "1", "type": kind}
    return etree.SubElement(parent, "Processor", attributes)


def _equalizer(parent: etree._Element, ports: Mapping[str, float], channels: int, ids: Ids) -> None:
    """ACE EQ; the plugin is mono, so a stereo route has two of it."""
    element = _processor(parent, "ACE EQ", "lv2", ids)
    element.set("unique-id", ace_eq.URI)
    element.set("count", str(channels))
    state = etree.SubElement(element, "lv2")
    for symbol, value in ports.items():
        etree.SubElement(state, "Port", {"symbol": symbol, "value": _number(value)})


def _send(
    parent: etree._Element, send: Send, position: panner.Position, route: Route, target: Route, ids: Ids
) -> None:
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
        _panner_shell(element, position.panner_uri)
    elif route.channels == 1:
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
