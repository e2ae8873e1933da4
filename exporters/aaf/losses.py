"""What of a graph an AAF file does not carry as a control that can be moved."""

from __future__ import annotations

from collections.abc import Collection

from mix2daw.exporters import Lost
from mix2daw.exporters.printing import NO_POLARITY, stretch_reason
from mix2daw.exporters.telescope import active, is_whole, processing_name
from mix2daw.graph import Graph, Strip

_PLACES = {
    "track": "it is printed into the audio of the track",
    "return": "the wet signal is printed to a track in place of the return",
    "group": "what it changes is printed to the track {name!r}, right until something that feeds it is moved",
    "master": "what it changes is printed to the track {name!r}, right until something else is moved",
}
_PAN_LAW = "AAF names no pan law; the host applies its own to this mono track (the graph: balance, 0 dB)"
_SIDES = "the track is a pair of mono tracks at the sides, and the balance is in their gains"
_AHEAD = "stands before a device that is printed, so it is in the audio"
_NO_SENDS = "AAF has no sends; it is printed to the track of the return"


def lost(graph: Graph, mono: Collection[str]) -> list[Lost]:
    """One entry for everything that is no control in the file, in the order of the strips. `mono`: the strips
    of which the file has one mono track."""
    found: list[Lost] = []
    for strip in graph.strips:
        place = _PLACES[strip.kind].format(name=processing_name(strip))
        found += [
            Lost(strip.name, device.type, "printed", f"AAF has no inserts; {place}")
            for device in active(graph, strip)
        ]
        found += _source(strip)
        found += _controls(graph, strip, strip.name in mono)
        if strip.kind == "return":
            found.append(Lost(strip.name, "return", "printed", "AAF has no sends; it is a track of its own"))
        found += [Lost(strip.name, f"send to {send.target}", "printed", _NO_SENDS) for send in strip.sends]
    return found


def _source(strip: Strip) -> list[Lost]:
    """What of the source of a track is in its audio or its gain."""
    found = []
    if strip.polarity == "inverted":
        found.append(Lost(strip.name, "polarity", "printed", NO_POLARITY))
    if strip.stretch_ppm:
        found.append(Lost(strip.name, "stretch", "printed", stretch_reason(strip)))
    if strip.muted:
        found.append(Lost(strip.name, "mute", "approximate", "AAF has no mute; the gain of its clip is 0"))
    return found


def _controls(graph: Graph, strip: Strip, is_mono: bool) -> list[Lost]:
    """Fader and pan of a strip, and the strip itself if it is a group."""
    moved = [name for name, value in (("fader", strip.fader_db), ("pan", strip.pan)) if value != 0]
    if strip.kind in ("group", "master"):
        why = f"AAF has no {strip.kind}; it is in the gains of the clips that run through it"
        found = [Lost(strip.name, control, "dropped", why) for control in moved]
        if strip.kind == "group":
            found.append(Lost(strip.name, "group", "dropped", "AAF has no groups; its tracks stand alone"))
        return found
    if is_whole(graph, strip):
        return [Lost(strip.name, control, "printed", _AHEAD) for control in moved]
    if is_mono:
        return [Lost(strip.name, "pan", "approximate", _PAN_LAW)]
    return [Lost(strip.name, "pan", "dropped", _SIDES)] if strip.pan != 0 else []
