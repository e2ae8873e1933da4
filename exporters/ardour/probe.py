"""A session changed so that one export carries the output of every strip: two channels each, beside the mix.

Each strip has a send at its end to a bus of its own, with the panner of the strip. Sends are compensated for
latency and leave the way of the signal as it is; a second connection of an output would not. The master
becomes a bus like the others, with all that it has on it. A new master takes its place that does nothing: its
first two channels are the old one's output, the next ones the buses in order.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

from lxml import etree

from mix2daw.exporters.ardour.route import SESSION_VERSION, Ids, Route

NAME = "mix2daw probe"


def probed(session: etree._Element, routes: Sequence[Route]) -> etree._Element:
    """A copy of a session with `routes` brought out, in order, on channels 3 and 4, 5 and 6, ..."""
    root = copy.deepcopy(session)
    section = root.find("Routes")
    elements = {route.get("id"): route for route in section}
    ids = Ids(int(root.get("id-counter")))
    for number, route in enumerate(routes, start=1):
        tap = _bus(f"{NAME} {number}", len(section), ids)
        _connect(tap, 2 * number)
        _send(elements[route.ident], tap, ids)
        section.append(tap)
    master = next(e for e in elements.values() if "MasterOut" in e.find("PresentationInfo").get("flags"))
    _demote(master, ids)
    section.insert(0, _sink(2 * (len(routes) + 1), len(section), ids))
    root.set("id-counter", str(ids.last + 1))
    return root


def _send(route: etree._Element, target: etree._Element, ids: Ids) -> None:
    """A send at the end of a route, which does to the signal what its output does."""
    output = route.find("Processor[@type='main-outs']")
    send = _processor(f"send {target.get('name')}", "intsend", ids)
    own = {"own-input": "1", "own-output": "0", "selfdestruct": "0", "role": "Aux"}
    send.attrib.update({**own, "target": target.get("id")})
    send.append(copy.deepcopy(output.find("PannerShell")))
    _gain(send, ids)
    output.addprevious(send)


def _connect(route: etree._Element, first: int) -> None:
    """Connect the outputs of a route to the probe, after `first` of its channels, and to nothing else."""
    for number, port in enumerate(route.iterfind("IO[@direction='Output']/Port"), start=first + 1):
        for connection in port.findall("Connection"):
            port.remove(connection)
        etree.SubElement(port, "Connection", {"other": f"{NAME}/audio_in {number}"})


def _demote(master: etree._Element, ids: Ids) -> None:
    """Make a bus of the master, which feeds the probe's first two channels."""
    master.set("strict-io", "0")
    info = master.find("PresentationInfo")
    info.set("flags", info.get("flags").replace("MasterOut", "AudioBus"))
    _connect(master, 0)
    master.find("Processor").addprevious(_processor("Return", "intreturn", ids))


def _bus(name: str, order: int, ids: Ids) -> etree._Element:
    """A bus that passes on what is sent to it."""
    bus = _route(name, order, "AudioBus", 2, ids)
    bus.find("Processor").addprevious(_processor("Return", "intreturn", ids))
    return bus


def _sink(channels: int, order: int, ids: Ids) -> etree._Element:
    """A master of many channels that passes them on. Its first two feed the loudspeakers: Ardour 7.3 settles
    the latencies of a session only where something does."""
    sink = _route(NAME, order, "MasterOut", channels, ids)
    for number, port in enumerate(sink.findall("IO[@direction='Output']/Port")[:2], start=1):
        etree.SubElement(port, "Connection", {"other": f"system:playback_{number}"})
    return sink


def _route(name: str, order: int, flag: str, channels: int, ids: Ids) -> etree._Element:
    attributes = {"version": SESSION_VERSION, "id": ids.next(), "name": name, "default-type": "audio"}
    route = etree.Element("Route", {**attributes, "strict-io": "1", "active": "1"})
    info = {"order": str(order), "flags": f"{flag},OrderSet", "color": "0"}
    etree.SubElement(route, "PresentationInfo", info)
    for direction, side in (("Input", "in"), ("Output", "out")):
        io = {"name": name, "id": ids.next(), "direction": direction, "default-type": "audio"}
        element = etree.SubElement(route, "IO", io)
        for number in range(1, channels + 1):
            etree.SubElement(element, "Port", {"type": "audio", "name": f"{name}/audio_{side} {number}"})
    amp = _processor("Amp", "amp", ids)
    _gain(amp, ids)
    output = _processor(name, "main-outs", ids)
    output.attrib.update({"role": "Main", "own-input": "1", "own-output": "0", "output": name})
    shell = {"bypassed": "1", "user-panner": "", "linked-to-route": "1"}
    etree.SubElement(output, "PannerShell", shell)
    route.extend([amp, output])
    return route


def _processor(name: str, kind: str, ids: Ids) -> etree._Element:
    return etree.Element("Processor", {"id": ids.next(), "name": name, "active": "1", "type": kind})


def _gain(processor: etree._Element, ids: Ids) -> None:
    gain = {"name": "gaincontrol", "id": ids.next(), "flags": "GainLike", "value": "1"}
    etree.SubElement(processor, "Controllable", gain)
