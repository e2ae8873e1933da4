"""What each session carries: of every fader, pan, send and device of the graph, how it got there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mix2daw.exporters import Exporter, Lost, exporter
from mix2daw.graph import Graph

Item = tuple[str, str]  # strip and device


@dataclass(frozen=True)
class Reason:
    """Why something is not carried as it is: `how` (approximate, printed, lost), what it befell, and why."""

    how: str
    items: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Carried:
    """One session: counts of what is exact, of which `own` by code of ours that comes with it, approximate,
    printed and lost; `reasons` for all but the exact ones."""

    name: str
    summary: str
    exact: int
    own: int
    approximate: int
    printed: int
    lost: int
    reasons: tuple[Reason, ...]


def carried(graph: Graph, lost: Mapping[str, Sequence[Lost]]) -> tuple[Carried, ...]:
    """Every session of a result."""
    return tuple(_session(graph, exporter(name), items) for name, items in lost.items())


def _session(graph: Graph, form: Exporter, lost: Sequence[Lost]) -> Carried:
    left = Counter(_items(graph)) - Counter((item.strip, item.device) for item in lost)
    own = sum(count for (_, device), count in left.items() if form.carries(device) == "own DSP")
    ways = Counter(item.how for item in lost)
    by_reason: dict[tuple[str, str], list[str]] = {}
    for item in lost:
        by_reason.setdefault((_word(item.how), item.reason), []).append(f"{item.strip}: {item.device}")
    reasons = tuple(Reason(how, tuple(items), reason) for (how, reason), items in by_reason.items())
    return Carried(
        form.name,
        form.summary,
        left.total(),
        own,
        ways["approximate"],
        ways["printed"],
        ways["dropped"],
        reasons,
    )


def _items(graph: Graph) -> list[Item]:
    """Everything that is set: devices, sends, and what is not at rest of faders, pans and sources."""
    found: list[Item] = []
    for strip in graph.strips:
        found += [(strip.name, device.type) for device in strip.all_devices()]
        found += [(strip.name, f"send to {send.target}") for send in strip.sends]
        found += [(strip.name, "fader")] if strip.fader_db else []
        found += [(strip.name, "pan")] if strip.pan else []
        found += [(strip.name, "polarity")] if strip.polarity == "inverted" else []
        found += [(strip.name, "stretch")] if strip.stretch_ppm else []
        found += [(strip.name, "mute")] if strip.muted else []
    return found


def _word(how: str) -> str:
    return "lost" if how == "dropped" else how
