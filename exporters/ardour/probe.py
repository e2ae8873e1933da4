"""A session changed so that one export carries the output of every strip: two channels each, beside the mix.

The master becomes a bus like the others, with all that it has on it. A new master takes its place that does
nothing: its first two channels are the old one's output, and each strip is connected to the next two, besides
where it goes anyway.
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
    elements = {route.get("id"): route for route in root.iterfind("Routes/Route")}
    ids = Ids(int(root.get("id-counter")))
    for number, route in enumerate(routes, start=1):
        _connect(elements[route.ident], 2 * number)
    master = next(e for e in elements.values() if "MasterOut" in e.find("PresentationInfo").get("flags"))
    _demote(master, ids)
    root.find("Routes").insert(0, _sink(2 * (len(routes) + 1), len(elements), ids))
    root.set("id-counter", str(ids.last + 1))
    return root


def _outputs(route: etree._Element) -> list[etree._Element]:
    return list(route.iterfind("IO[@direction='Output']/Port"))


def _connect(route: etree._Element, first: int) -> None:
    """Connect the outputs of a route to the probe as well, after `first` of its channels."""
    for number, port in enumerate(_outputs(route), start=first + 1):
        etree.SubElement(port, "Connection", {"other": f"{NAME}/audio_in {number}"})


def _demote(master: etree._Element, ids: Ids) -> None:
    """Make a bus of the master, which feeds the probe's first two channels."""
    master.set("strict-io", "0")
    info = master.find("PresentationInfo")
    info.set("flags", info.get("flags").replace("MasterOut", "AudioBus"))
    for port in _outputs(master):
        for connection in port.findall("Connection"):
            port.remove(connection)
    _connect(master, 0)
    returned = {"id": ids.next(), "name": "Return", "active": "1", "type": "intreturn"}
    first = master.find("Processor")
    first.addprevious(etree.Element("Processor", returned))


def _sink(channels: int, order: int, ids: Ids) -> etree._Element:
    """A master of many channels that passes them on."""
    attributes = {"version": SESSION_VERSION, "id": ids.next(), "name": NAME, "default-type": "audio"}
    route = etree.Element("Route", {**attributes, "strict-io": "1", "active": "1"})
    etree.SubElement(
        route, "PresentationInfo", {"order": str(order), "flags": "MasterOut,OrderSet", "color": "0"}
    )
    for direction, side in (("Input", "in"), ("Output", "out")):
        io = {"name": NAME, "id": ids.next(), "direction": direction, "default-type": "audio"}
        element = etree.SubElement(route, "IO", io)
        for number in range(1, channels + 1):
            etree.SubElement(element, "Port", {"type": "audio", "name": f"{NAME}/audio_{side} {number}"})
    amp = etree.SubElement(
        route, "Processor", {"id": ids.next(), "name": "Amp", "active": "1", "type": "amp"}
    )
    gain = {"name": "gaincontrol", "id": ids.next(), "flags": "GainLike", "value": "1"}
    etree.SubElement(amp, "Controllable", gain)
    out = {"id": ids.next(), "name": NAME, "active": "1", "type": "main-outs", "role": "Main"}
    own = {"own-input": "1", "own-output": "0", "output": NAME}
    output = etree.SubElement(route, "Processor", {**out, **own})
    shell = {"bypassed": "1", "user-panner": "", "linked-to-route": "1"}
    etree.SubElement(output, "PannerShell", shell)
    return route
