"""The outcome of a search: the graph, how many devices it has, and how sure each of them is."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mix2daw.controls import SETTINGS, Key
from mix2daw.graph import Device, Graph, Strip
from mix2daw.progress import Progress
from mix2daw.search.judge import Judge

FADER_PAN = "fader_pan"  # the type under which both are counted


@dataclass(frozen=True)
class Found:
    """The outcome of a search. Device counts are per type; a fader with its pan is one device, and none when
    both are at rest.
    `impulses`: the impulse responses (2, taps) that the graph names, by path.
    `linear_ceiling`: the share (0 to 1) of the mix that a linear console can explain; NaN if the search was
    stopped before that was known.
    `la_start`: La of the whole song after the warm start; `la_console`: of the full console once it is
    fitted. `descent`: La of the excerpt that each step of each fit saw, before it moved, in order (of fits
    whose outcome was not kept, too).
    `refused_steps`: of all fits, those that moved nothing, since no finite number came of them.
    `interrupted`: stopped by the user, the graph is the best so far; `out_of_time`: stages were cut short by
    the budget. `offered`: the console before the search; `trace`: every step of fits and of pruning, its
    stage, La, and the devices left by it (None: as many as before)."""

    graph: Graph
    impulses: dict[str, NDArray[np.float32]]
    la_start: float
    la_console: float
    linear_ceiling: float
    descent: tuple[float, ...]
    devices_before: dict[str, int]
    devices_after: dict[str, int]
    seconds: dict[str, float]
    interrupted: bool
    out_of_time: bool
    offered: Graph
    trace: tuple[tuple[str, float, int | None], ...]
    refused_steps: int = 0


def count_offered(console: Graph) -> dict[str, int]:
    """What a console offers, per type: every device and send, and the fader with the pan of every track and
    of the master. An algorithmic reverb on a return counts as a convolution as well, with a send from every
    track: the search takes one."""
    counts = _inserts_and_sends(console)
    counts[FADER_PAN] = sum(strip.kind in ("track", "master") for strip in console.strips)
    for strip in console.of_kind("return"):
        if strip.devices[0].type == "reverb":
            counts["convolution"] += 1
            counts["send"] += sum(send.target == strip.name for s in console.strips for send in s.sends)
    return dict(sorted(counts.items()))


def count_devices(graph: Graph) -> dict[str, int]:
    """Devices and sends per type, and strips whose fader or pan is not at rest: both together are one device,
    as in the published method."""
    counts = _inserts_and_sends(graph)
    counts[FADER_PAN] = sum(strip.fader_db != 0 or strip.pan != 0 for strip in graph.strips)
    return dict(sorted((+counts).items()))


def count_left(keys: Iterable[Key]) -> int:
    """The devices that candidates of a judge are, counted as `count_devices` does; a return counts as long as
    something is sent to it."""
    places = {
        (FADER_PAN, key.strip, "") if key.type in SETTINGS else (key.type, key.strip, key.which)
        for key in keys
    }
    returns = {which for type_, _, which in places if type_ == "send"}
    return len(places) + len(returns)


def _inserts_and_sends(graph: Graph) -> Counter[str]:
    counts = Counter(device.type for _, device in graph.devices())
    counts["send"] = sum(len(strip.sends) for strip in graph.strips)
    return counts


def with_confidence(graph: Graph, judge: Judge, progress: Progress) -> Graph:
    """Every insert with what La would lose without it (its fader making up for the level), by the judge of
    the graph."""
    rise: dict[tuple[str, int], float] = {}
    for key in judge.left():
        if key.type not in (*SETTINGS, "send"):
            loss = judge.without([key]).score - judge.score
            if math.isfinite(loss):
                rise[key.strip, int(key.which)] = loss
            progress.step(str(key))

    def sure(strip: Strip, devices: tuple[Device, ...], first: int) -> tuple[Device, ...]:
        return tuple(
            device.model_copy(update={"confidence": round(rise[strip.name, index], 4)})
            if (strip.name, index) in rise
            else device
            for index, device in enumerate(devices, first)
        )

    return graph.replace(
        *(
            strip.model_copy(
                update={
                    "devices": sure(strip, strip.devices, 0),
                    "post_devices": sure(strip, strip.post_devices, len(strip.devices)),
                }
            )
            for strip in graph.strips
        )
    )
