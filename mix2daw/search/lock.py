"""What a search leaves alone: devices that stay in the graph, and settings that stay as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mix2daw.controls import SETTINGS, Controls, Key
from mix2daw.graph import Device, Graph, Strip
from mix2daw.search.settings import Settings
from mix2daw.selection import Place, places_of


@dataclass(frozen=True)
class Lock:
    """`kept`: places whose devices are not taken out; `fixed`: those of them that are not even moved."""

    kept: frozenset[Place] = frozenset()
    fixed: frozenset[Place] = frozenset()

    @classmethod
    def of(cls, console: Graph, settings: Settings, settings_too: bool) -> Lock:
        """From what a person asked for: `settings.lock`, with its settings or without, and the faders and
        pans that the search may not have. `console`: the graph that the search begins with. Raises InputError
        for a name that means nothing of it."""
        places = places_of(console)
        barred = frozenset(p for p in places if p[1] in SETTINGS and not settings.allows(*p))
        if settings.lock is None:
            return cls(barred, barred)
        settings.lock.check(places)
        locked = frozenset(place for place in places if settings.lock.holds(*place))
        return cls(locked | barred, locked | barred if settings_too else barred)

    def keeps(self, strip: str, type_: str) -> bool:
        """Whether that is not to be taken out."""
        return (strip, type_) in self.kept

    def fixes(self, strip: str, type_: str) -> bool:
        """Whether that is not to be moved."""
        return (strip, type_) in self.fixed

    def kept_keys(self, controls: Controls) -> frozenset[Key]:
        """Of a graph's controls, those of what is not taken out."""
        return frozenset(key for key in controls.all_keys() if (key.strip, key.type) in self.kept)

    def fixed_keys(self, controls: Controls) -> frozenset[Key]:
        """Of a graph's controls, those that are not moved."""
        return frozenset(key for key in controls.all_keys() if (key.strip, key.type) in self.fixed)

    def fixed_strips(self, type_: str | None = None) -> frozenset[str]:
        """Strips of which something, or something of that type, is not moved."""
        return frozenset(strip for strip, fixed in self.fixed if type_ in (None, fixed))

    def held(self, graph: Graph, before: Graph) -> Graph:
        """The graph with what is kept back in it, and what is fixed set back, as they were `before`."""
        if not self.kept:
            return graph
        now = {strip.name: strip for strip in graph.strips}
        sent_to = {
            send.target
            for strip in before.strips
            if (strip.name, "send") in self.kept
            for send in strip.sends
        }
        strips = []
        for old in before.strips:
            strip = now.pop(old.name, old if old.name in sent_to else None)
            if strip is not None:
                strips.append(self._held(strip, old))
        strips[-1:-1] = now.values()  # before the master
        return Graph.model_validate({**dict(graph), "strips": tuple(strips)})

    def _held(self, strip: Strip, before: Strip) -> Strip:
        kept = {type_ for name, type_ in self.kept if name == strip.name}
        if not kept:
            return strip
        fixed = {type_ for name, type_ in self.fixed if name == strip.name}
        sends = {send.target: send for send in strip.sends}
        if "send" in kept:
            old = {send.target: send for send in before.sends}
            sends = {**sends, **old} if "send" in fixed else {**old, **sends}
        return strip.model_copy(
            update={
                "devices": _merged(strip.devices, before.devices, kept, fixed),
                "post_devices": _merged(strip.post_devices, before.post_devices, kept, fixed),
                "sends": tuple(sends.values()),
                "fader_db": before.fader_db if "fader" in fixed else strip.fader_db,
                "pan": before.pan if "pan" in fixed else strip.pan,
            }
        )


def _merged(
    now: Sequence[Device], before: Sequence[Device], kept: set[str], fixed: set[str]
) -> tuple[Device, ...]:
    """Devices as they are `now`, some of those `before` or some more, with what is kept and fixed."""
    old = [device for device in before if device.type in kept]
    if [device.type for device in now if device.type in kept] == [device.type for device in old]:
        rest = iter(old)
        pairs = [(device, next(rest) if device.type in kept else device) for device in now]
        return tuple(was if device.type in fixed else device for device, was in pairs)
    left, merged = list(now), []
    for device in before:
        if left and left[0].type == device.type:
            new = left.pop(0)
            merged.append(device if device.type in fixed else new)
        elif device.type in kept:
            merged.append(device)
    return (*merged, *left)
