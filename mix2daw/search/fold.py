"""Moves within a graph that do not change what it plays: faders towards the tracks, dry/wet weights into
settings."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from mix2daw.graph import FADER_HIGH_DB, FADER_LOW_DB, Device, Graph, Strip
from mix2daw.processors import PROCESSORS
from mix2daw.search.simplify import map_devices

SCALED = {  # by the dry/wet weight: the distance of these controls from rest
    "width": ("width",),
    "delay": ("mix",),
    "reverb": ("wet_level",),
    "convolution": ("wet_level", "dry_level"),
}


def fold_faders(graph: Graph, spared: Collection[str] = ()) -> Graph:
    """Move the faders of the master and of groups onto the tracks, so that a track's fader says how loud it
    is.

    Exact: thresholds of dynamics on the way move along, and post-fader sends of what feeds a group make up
    for it. Nested groups fold from the inside out, ending at the tracks. A fader stays where it is if the
    move would drive another control out of its range, or would change a strip that is `spared`.
    """
    if graph.master.fader_db != 0 and not spared:
        graph = _without_master_fader(graph) or graph
    for level in reversed(graph.levels()):
        for strip in level:
            involved = {strip.name, *graph.inputs(strip.name)}
            if strip.kind == "group" and strip.fader_db != 0 and involved.isdisjoint(spared):
                folded = _folded(graph, graph.strip(strip.name))
                graph = folded or graph
    return graph


def _louder(devices: Sequence[Device], shift_db: float) -> tuple[Device, ...] | None:
    """Devices that do the same to a signal that is louder; None if a threshold would leave its range."""
    moved = []
    for device in devices:
        values = dict(device.values)
        for name in ("threshold_db", "ceiling_db"):
            if name in values:
                values[name] += shift_db
                if not PROCESSORS[device.type].param(name).allows(values[name]):
                    return None
        moved.append(device.model_copy(update={"values": values}))
    return tuple(moved)


def _without_master_fader(graph: Graph) -> Graph | None:
    """Every track as much louder as the master's fader is up, and with it all that they feed."""
    shift_db, changed = graph.master.fader_db, []
    for strip in graph.strips:
        track = strip.kind == "track"
        before = strip.devices if track else _louder(strip.devices, shift_db)
        behind = strip.post_devices if strip.kind == "master" else _louder(strip.post_devices, shift_db)
        fader_db = {"track": strip.fader_db + shift_db, "master": 0.0}.get(strip.kind, strip.fader_db)
        if before is None or behind is None or not FADER_LOW_DB <= fader_db <= FADER_HIGH_DB:
            return None
        if track and any(send.tap == "pre" for send in strip.sends):
            return None
        update = {"fader_db": fader_db, "devices": before, "post_devices": behind}
        changed.append(strip.model_copy(update=update))
    return graph.replace(*changed)


def _folded(graph: Graph, group: Strip) -> Graph | None:
    shift_db = group.fader_db
    changed: list[Strip] = []
    devices = _louder(group.devices, shift_db)
    if devices is None:
        return None
    pre_sends = tuple(
        send.model_copy(update={"level_db": send.level_db - shift_db}) if send.tap == "pre" else send
        for send in group.sends
    )
    changed.append(group.model_copy(update={"fader_db": 0.0, "devices": devices, "sends": pre_sends}))
    for name in graph.inputs(group.name):
        strip = graph.strip(name)
        level_db = strip.fader_db + shift_db
        sends = tuple(
            send.model_copy(update={"level_db": send.level_db - shift_db}) if send.tap == "post" else send
            for send in strip.sends
        )
        if not FADER_LOW_DB <= level_db <= FADER_HIGH_DB or not all(
            FADER_LOW_DB <= send.level_db <= FADER_HIGH_DB for send in (*sends, *pre_sends)
        ):
            return None
        changed.append(strip.model_copy(update={"fader_db": level_db, "sends": sends}))
    return graph.replace(*changed)


def fold_wet(graph: Graph) -> Graph:
    """Every insert fully wet, its settings moved towards rest instead.

    Exact for width, delay, reverb and convolution; an equalizer's levels and the slopes of dynamics are
    scaled, which is near enough to go on fitting from.
    """

    def fold(strip: Strip, device: Device) -> Device:
        if device.wet == 1 or strip.kind == "return":
            return device
        values, rest = dict(device.values), PROCESSORS[device.type].rest()
        for name in values:
            scaled = name in SCALED.get(device.type, ())
            if scaled or (device.type == "equalizer" and name.endswith("_db") and "slope" not in name):
                values[name] = rest[name] + device.wet * (values[name] - rest[name])
        if device.type == "compressor":
            values["ratio"] = 1 / (1 - device.wet * (1 - 1 / values["ratio"]))
        if device.type == "gate":
            values["ratio"] = 1 + device.wet * (values["ratio"] - 1)
        return device.model_copy(update={"values": values, "wet": 1.0})

    return map_devices(graph, fold)
