"""How the result came about: what was offered and taken out, and La and the devices left, step by step."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from mix2daw.graph import Graph
from mix2daw.report.plots import Plot, Scale, grid, joined, line, rectangle
from mix2daw.result import SearchRecord, Step

DEVICE_TICKS = 4


@dataclass(frozen=True)
class Pruned:
    """What was taken out: per strip of the graph the inserts and sends that it had been offered, and the
    strips that are gone altogether."""

    of: dict[str, tuple[str, ...]]
    strips: tuple[str, ...]


def pruned(graph: Graph, record: SearchRecord | None) -> Pruned | None:
    """What of the console is not in the graph; None if that was not recorded. A reverb that became a
    convolution is there."""
    if record is None:
        return None
    names = {strip.name for strip in graph.strips}
    gone: dict[str, tuple[str, ...]] = {}
    for offered in record.offered:
        if offered.name not in names:
            continue
        strip = graph.strip(offered.name)
        left = Counter(offered.inserts) - Counter(device.type for device in strip.all_devices())
        if strip.kind == "return":
            left = Counter()
        inserts = tuple(dict.fromkeys(type_ for type_ in offered.inserts if left[type_]))
        kept = {send.target for send in strip.sends}
        sends = tuple(f"send {target}" for target in offered.sends if target not in kept)
        if inserts or sends:
            gone[offered.name] = (*inserts, *sends)
    whole = tuple(f"{o.kind} {o.name}" for o in record.offered if o.name not in names)
    return Pruned(gone, whole)


def renamed_record(record: SearchRecord | None, new: Mapping[str, str]) -> SearchRecord | None:
    """The record with the names that the page shows."""
    if record is None:
        return None
    offered = [
        replace(
            each,
            name=new.get(each.name, each.name),
            sends=[new.get(target, target) for target in each.sends],
        )
        for each in record.offered
    ]
    return SearchRecord(offered, record.steps)


def search_plots(steps: list[Step], offered: int, kept: int) -> tuple[Plot, ...]:
    """La, and the devices left, over the steps: `offered` at first, `kept` in the end. Stages are stretches
    of the background."""
    if len(steps) < 2:
        return ()
    across = Scale(0, len(steps) - 1)
    xs = across(np.arange(len(steps), dtype=np.float64))
    stages, ticks = [], []
    first = 0
    for number, (name, group) in enumerate(itertools.groupby(steps, key=lambda step: step.stage)):
        count = len(list(group))
        begin, end = float(across(float(first))), float(across(float(first + count)))
        stages.append(rectangle(begin, end - begin, f"stage{number % 2}", f"{name}: {count} steps"))
        if end - begin > 90:
            ticks.append(((begin + end) / 20, name))
        first += count
    la = np.array([np.nan if step.la is None else step.la for step in steps])
    low, high = float(np.nanmin(la)) * 0.9, float(np.nanmax(la)) * 1.1
    scale = Scale(max(low, 1e-4), max(high, 2e-4), log=True, upright=True)
    labels = [(v, f"{v:g}") for e in range(-4, 2) for v in (10**e, 3 * 10**e) if scale.low < v < scale.high]
    marks = scale.ticks([(float(f"{value:.1g}"), f"{value:.1g}") for value, _ in labels])
    stepwise = joined(*stages, grid((), marks), line(xs, np.where(np.isnan(la), np.nan, scale(la)), "ours"))
    words = f"La over {len(steps)} steps, from {la[0]:.3f} to {la[-1]:.3f}, on a logarithmic scale"
    found = [Plot(words, stepwise, tuple(ticks), marks, "wide")]
    left = np.array(list(itertools.accumulate((s.devices for s in steps), _held)), dtype=np.float64)
    if not np.isnan(left).all():
        most = float(max(offered, np.nanmax(left)))
        left = np.where(np.isnan(left), most, left)
        left[-1] = kept
        count_scale = Scale(0, most * 1.08, upright=True)
        marks = count_scale.ticks([(n, str(n)) for n in _round_numbers(most)])
        body = joined(*stages, grid((), marks), line(xs, count_scale(left), "devices"))
        words = f"Devices left over the steps, from {left[0]:.0f} to {left[-1]:.0f}"
        found.append(Plot(words, body, tuple(ticks), marks, "wide low"))
    return tuple(found)


def _held(before: float | None, now: float | None) -> float | None:
    return before if now is None else now


def _round_numbers(most: float) -> list[int]:
    step = next(s for s in (1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 10**9) if most / s <= DEVICE_TICKS)
    return list(range(0, int(most) + 1, step))
