"""How much of the recovered processing goes into a session: every device on its way back to rest.

At a share s of 1 a strip is as recovered, at 0 only its fader and pan are left.

- equalizer, compressor, gate: their decibels times s. Of an equalizer these are the gains; its filters move
  to the end of their range, evenly in octaves. A compressor's slope 1 − 1/ratio and a gate's ratio − 1 are
  what their gains in dB are proportional to.
- width: 1 + s · (width − 1). All others: the dry/wet weight times s.
- sends: the level times s. The devices of a return stay, as it is wet all through; a share given to a return
  itself is that of all sends into it. A return that nothing is sent to any more goes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from mix2daw.errors import FormatError
from mix2daw.graph import SEND_LOW_DB, Device, Graph, Send, Strip
from mix2daw.processors import PROCESSORS, checked_graph

_REMEDY = "give a percentage from 0 to 100, or STRIP=PERCENT"


def shares(texts: Iterable[str], graph: Graph) -> dict[str, float]:
    """`50` (all strips but the returns) and `Vox=30` as share per strip; a name counts before the number for
    all, and the last of two counts. Raises FormatError."""
    everywhere, named = 1.0, dict[str, float]()
    names = {strip.name for strip in graph.strips}
    for text in texts:
        name, equals, percent = text.rpartition("=")
        if not equals:
            everywhere = _share(text, percent)
        elif name in names:
            named[name] = _share(text, percent)
        else:
            raise FormatError(f"--amount {text}", f"there is no strip called {name!r}", _REMEDY)
    others = {strip.name: everywhere for strip in graph.strips if strip.kind != "return"}
    return {**others, **named}


def scaled(graph: Graph, share: Mapping[str, float]) -> Graph:
    """The graph with less of what was recovered; strips that `share` does not name stay. Raises as
    `checked_graph` does."""
    graph = checked_graph(graph, PROCESSORS)
    strips = [_scaled_strip(strip, share) for strip in graph.strips]
    while idle := _without_input(strips, graph):
        strips = [_without_sends(strip, idle) for strip in strips if strip.name not in idle]
    return Graph.model_validate({**dict(graph), "strips": tuple(strips)})


def _share(text: str, percent: str) -> float:
    try:
        value = float(percent.strip().removesuffix("%"))
    except ValueError:
        value = math.nan
    if not 0 <= value <= 100:
        raise FormatError(f"--amount {text}", "is no percentage from 0 to 100", _REMEDY)
    return value / 100


def _scaled_strip(strip: Strip, share: Mapping[str, float]) -> Strip:
    own = share.get(strip.name, 1.0) if strip.kind != "return" else 1.0
    sends = [_scaled_send(send, own * share.get(send.target, 1.0)) for send in strip.sends]
    update = {
        "devices": tuple(_scaled_device(device, own) for device in strip.devices if own > 0),
        "post_devices": tuple(_scaled_device(device, own) for device in strip.post_devices if own > 0),
        "sends": tuple(send for send in sends if send is not None),
    }
    return strip.model_copy(update=update)


def _scaled_send(send: Send, share: float) -> Send | None:
    level_db = send.level_db + 20 * math.log10(share) if share > 0 else -math.inf
    return send.model_copy(update={"level_db": level_db}) if level_db >= SEND_LOW_DB else None


def _scaled_device(device: Device, share: float) -> Device:
    if share == 1:
        return device
    values = dict(device.values)
    update: dict[str, object] = {"values": values, "confidence": None}  # which was measured as recovered
    if device.type == "equalizer":
        values.update({name: _scaled_band(name, value, share) for name, value in values.items()})
    elif device.type == "compressor":
        values["ratio"] = 1 / (1 - share * (1 - 1 / values["ratio"]))
    elif device.type == "gate":
        values["ratio"] = 1 + share * (values["ratio"] - 1)
    elif device.type == "width":
        values["width"] = 1 + share * (values["width"] - 1)
    else:
        update["wet"] = device.wet * share
    return device.model_copy(update=update)


def _scaled_band(name: str, value: float, share: float) -> float:
    """One control of an equalizer: a gain, the frequency of a filter, or anything else, which stays."""
    if name.endswith("_db") and not name.endswith("_slope_db"):
        return value * share
    param = PROCESSORS["equalizer"].param(name)
    ends = {"high_pass_hz": param.low, "low_pass_hz": param.high}
    if name not in ends:
        return value
    logarithm = (1 - share) * math.log2(ends[name]) + share * math.log2(value)
    return min(param.high, max(param.low, math.exp2(logarithm)))


def _without_input(strips: Iterable[Strip], graph: Graph) -> set[str]:
    """Returns that had sends in `graph` and have none in `strips`."""
    fed = {send.target for strip in strips for send in strip.sends}
    once = {send.target for strip in graph.strips for send in strip.sends}
    return {strip.name for strip in strips if strip.name in once - fed}


def _without_sends(strip: Strip, targets: set[str]) -> Strip:
    return strip.model_copy(update={"sends": tuple(s for s in strip.sends if s.target not in targets)})
