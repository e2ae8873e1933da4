"""Which parts of a known console a recovery has: those that are heard, found, missed and invented.

A part is an insert, a send or a return. Strips are compared by the tracks that run through them and returns
by what they do, so that names do not matter, and a group of one track counts as its track.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch

from mix2daw.exporters.pedalboard import render
from mix2daw.graph import Device, Graph, Strip
from mix2daw.loss import published_la

AUDIBLE_LA = 0.01  # what a part must change to be demanded of a recovery
EFFECTS = {"reverb": "reverb", "convolution": "reverb", "delay": "delay"}  # what a return does, by its device


class Part(NamedTuple):
    """`place`: as `place` gives it; `type`: of the insert, or "send to reverb", "send to delay", "return"."""

    place: str
    type: str

    def __str__(self) -> str:
        return f"{self.place}: {self.type}"


Parts = Counter[Part]


@dataclass(frozen=True)
class PartsScore:
    """How many audible parts the truth has, which of them are missed, and which recovered inserts and sends
    are false; `false_share`: their share of all recovered inserts and sends, 0..1."""

    audible: int
    missed: tuple[str, ...]
    false: tuple[str, ...]
    false_share: float


def effect(strip: Strip) -> str:
    """What a return does: "reverb", "delay", or its name if it has neither."""
    return next((EFFECTS[device.type] for device in strip.devices if device.type in EFFECTS), strip.name)


def tracks_through(graph: Graph, name: str) -> tuple[str, ...]:
    """Names of the tracks whose direct way leads through a strip, sorted; a track's own for a track."""
    if graph.strip(name).kind == "track":
        return (name,)
    return tuple(sorted(track for feeder in graph.inputs(name) for track in tracks_through(graph, feeder)))


def place(graph: Graph, strip: Strip) -> str:
    """Where a strip stands, alike in two consoles of one song: its tracks, joined by "+"; the effect of a
    return; "master"."""
    if strip.kind == "master":
        return "master"
    return effect(strip) if strip.kind == "return" else "+".join(tracks_through(graph, strip.name))


def _inserts(graph: Graph, strip: Strip) -> list[tuple[Part, Device]]:
    """One part per insert of a strip, in order; the effect of a return is no insert and gives none."""
    here, own = place(graph, strip), EFFECTS if strip.kind == "return" else ()
    return [(Part(here, device.type), device) for device in strip.all_devices() if device.type not in own]


def _send_parts(graph: Graph, strip: Strip) -> list[Part]:
    here = place(graph, strip)
    return [Part(here, f"send to {effect(graph.strip(send.target))}") for send in strip.sends]


def _return_parts(graph: Graph) -> list[Part]:
    """Returns that something is sent to."""
    fed = {send.target for strip in graph.strips for send in strip.sends}
    return [Part(effect(strip), "return") for strip in graph.of_kind("return") if strip.name in fed]


def inserts_and_sends(graph: Graph) -> Parts:
    """All inserts and sends; faders, pans and returns themselves are not among them."""
    inserts = Counter(part for strip in graph.strips for part, _ in _inserts(graph, strip))
    return inserts + Counter(part for strip in graph.strips for part in _send_parts(graph, strip))


def rated_inserts(graph: Graph) -> list[tuple[Part, float]]:
    """Inserts with their confidence, where they have one. Sends and returns have none."""
    inserts = (insert for strip in graph.strips for insert in _inserts(graph, strip))
    return [(part, device.confidence) for part, device in inserts if device.confidence is not None]


def all_parts(graph: Graph) -> Parts:
    """Inserts, sends and returns."""
    return inserts_and_sends(graph) + Counter(_return_parts(graph))


def without_each(graph: Graph) -> Iterator[tuple[Part, Graph]]:
    """Every part, with the console that lacks it and nothing else (a return goes with what is sent to it)."""
    for strip in graph.strips:
        here = place(graph, strip)
        for field in ("devices", "post_devices"):
            devices = getattr(strip, field)
            for index, device in enumerate(devices):
                if strip.kind != "return" or device.type not in EFFECTS:
                    rest = devices[:index] + devices[index + 1 :]
                    yield Part(here, device.type), graph.replace(strip.model_copy(update={field: rest}))
        for part, send in zip(_send_parts(graph, strip), strip.sends, strict=True):
            rest = tuple(other for other in strip.sends if other != send)
            yield part, graph.replace(strip.model_copy(update={"sends": rest}))
    for name in {send.target: None for strip in graph.strips for send in strip.sends}:
        fewer = (
            strip.model_copy(update={"sends": tuple(send for send in strip.sends if send.target != name)})
            for strip in graph.strips
        )
        yield Part(effect(graph.strip(name)), "return"), graph.replace(*fewer)


def audible_parts(graph: Graph, folder: Path) -> Parts:
    """Parts without which the render of a complete graph changes by more than `AUDIBLE_LA` (La "full").
    Sources lie relative to `folder`."""
    whole = torch.from_numpy(render(graph, folder))

    def change_la(fewer: Graph) -> float:
        return published_la(torch.from_numpy(render(fewer, folder)), whole, graph.sample_rate)["full"]

    return Counter(part for part, fewer in without_each(graph) if change_la(fewer) > AUDIBLE_LA)


def places(graph: Graph, instruments: Mapping[str, str]) -> dict[str, str]:
    """Whose every place of a console is: an instrument, by the names of tracks; "several" where more than one
    runs through; "master"; "returns"."""
    whose = {}
    for strip in graph.strips:
        if strip.kind in ("master", "return"):
            whose[place(graph, strip)] = "master" if strip.kind == "master" else "returns"
        elif played := {instruments[track] for track in tracks_through(graph, strip.name)}:
            whose[place(graph, strip)] = played.pop() if len(played) == 1 else "several"
    return whose


def score_parts(truth: Graph, audible: Parts, recovered: Graph) -> PartsScore:
    """Compare the parts of two consoles; `audible`: those of the truth that must be found. Of two devices of
    one type at one place each needs a counterpart."""
    missed = audible - all_parts(recovered)
    candidates = inserts_and_sends(recovered)
    false = candidates - inserts_and_sends(truth)
    return PartsScore(
        audible=audible.total(),
        missed=tuple(map(str, sorted(missed.elements()))),
        false=tuple(map(str, sorted(false.elements()))),
        false_share=false.total() / max(1, candidates.total()),
    )
