"""Second chances: a device that was pruned before the fit moved on may be missed now."""

from __future__ import annotations

from collections.abc import Sequence

from mix2daw.controls import Controls, Key
from mix2daw.graph import Device, Graph, Strip
from mix2daw.search.judge import Judge
from mix2daw.search.saliency import saliency
from mix2daw.search.simplify import map_devices
from mix2daw.search.state import State

CHANCES = 5  # devices that are tried
MISSED = 0.5  # times the tolerance, by which the score must fall for a device to stay


def revive(state: State, before: Graph, share: float) -> None:
    """Try the inserts that `before` had and the current graph has not, with the settings that they had: the
    most salient of them, each once, until that share of the budget is spent; those without which the score
    would be clearly worse are back."""
    graph, gone = _with_pruned(state.graph, before)
    if not gone or state.late(share):
        return
    silent = saliency(graph, Controls(graph, state.impulses, state.device), state.training)
    wet = Controls(map_devices(graph, _wet), state.impulses, state.device)
    judge = Judge(wet.graph, wet, state.tried, gone, fixed_faders=state.lock.fixed_strips("fader"))
    for key in sorted(gone, key=lambda key: (-silent[key], key))[:CHANCES]:
        if state.late(share):
            break
        trial = judge.having(key)
        if trial.score <= judge.score - MISSED * state.settings.tolerance:
            judge.accept(trial)
            state.progress.say(f"{key.strip}: its {key.type} is needed after all")
        state.progress.step(f"La {judge.score:.3f}")
    if judge.gone != gone:
        state.adopt(judge.shrunk())


def _with_pruned(graph: Graph, before: Graph) -> tuple[Graph, set[Key]]:
    """The graph with the inserts of `before` that it lacks, in their places and all dry; and their keys."""
    gone: set[Key] = set()
    strips = []
    for strip in graph.strips:
        if strip.kind != "return":
            old = before.strip(strip.name)
            devices = _merged(strip.devices, old.devices)
            post_devices = _merged(strip.post_devices, old.post_devices)
            strip = strip.model_copy(update={"devices": devices, "post_devices": post_devices})
            gone |= {
                Key(strip.name, device.type, str(index))
                for index, device in enumerate(strip.all_devices())
                if device.wet == 0
            }
        strips.append(strip)
    return graph.replace(*strips), gone


def _merged(kept: Sequence[Device], old: Sequence[Device]) -> tuple[Device, ...]:
    """`old`, with the ones that were kept as they are now, and the others dry."""
    left, merged = list(kept), []
    for device in old:
        if left and left[0].type == device.type:
            merged.append(left.pop(0))
        else:
            merged.append(device.model_copy(update={"wet": 0.0}))
    return tuple(merged)


def _wet(_strip: Strip, device: Device) -> Device:
    return device.model_copy(update={"wet": 1.0}) if device.wet == 0 else device
