"""Searches: from a session to a small graph, and from a graph to a closer one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from mix2daw.console import (
    STAND_INS,
    build_console,
    cut_down,
    muted_strips,
    preset,
    with_strips,
)
from mix2daw.dsp.jit import torch_threads_kept
from mix2daw.dsp.memory import freed_memory_kept
from mix2daw.graph import Graph, Strip
from mix2daw.processors import PROCESSORS, checked_graph
from mix2daw.progress import Progress
from mix2daw.search.course import Step, from_graph, from_stems
from mix2daw.search.engine import engine
from mix2daw.search.found import Found, count_devices, count_offered, with_confidence
from mix2daw.search.lock import Lock
from mix2daw.search.returns import final_impulses
from mix2daw.search.settings import Settings
from mix2daw.search.simplify import drop_resting
from mix2daw.search.state import State
from mix2daw.search.store import Store
from mix2daw.selection import places_of
from mix2daw.session import Session


@dataclass(frozen=True)
class Plan:
    """A search that can begin: `console` with its `lock`, `offered` devices per type, the `impulses` that the
    console names, by path, and the `steps` to take; `muted`: tracks that the graph gets when it is found."""

    session: Session
    settings: Settings
    console: Graph
    lock: Lock
    offered: dict[str, int]
    steps: tuple[Step, ...]
    impulses: Mapping[str, Tensor]
    muted: tuple[Strip, ...] = ()

    def run(self, progress: Progress, store: Store | None = None) -> Found:
        """Search. Ctrl-C ends it early with the best graph so far. The same session, settings and seed give
        the same graph, on any number of cores, unless the budget runs out (`Found.out_of_time`); and so they
        do if the search goes on from where it is kept in `store`."""
        with freed_memory_kept(), torch_threads_kept():
            # torch adds up in an order that depends on its number of threads, and so would the result: it has
            # two on any machine. More would not be faster: what takes time are our kernels, on all cores.
            torch.set_num_threads(2)
            state = State(self.session, self.console, self.settings, progress, self.lock, self.impulses)
            progress.stands(None, sum(self.offered.values()))
            found = _outcome(state, self.steps, self.offered, store or Store())
            del state  # before what is kept is handed back
        return replace(found, graph=with_strips(found.graph, self.muted))


def plan(session: Session, folder: Path, settings: Settings) -> Plan:
    """The search for the graph of a session. Sources in the graph will be relative to `folder`.

    Raises FormatError and InputError for settings that do not suit the session or the machine.
    """
    console = build_console(session, preset(settings.preset), folder)
    _check(console, settings)
    console = cut_down(console, settings.allows, STAND_INS)
    lock = Lock.of(console, settings, settings_too=False)
    offered, muted = count_offered(console), muted_strips(session, console, folder)
    return Plan(session, settings, console, lock, offered, from_stems(settings), {}, muted)


def plan_on(session: Session, graph: Graph, impulses: Mapping[str, Tensor], settings: Settings) -> Plan:
    """The search that goes on from a graph, with the devices that it has. What is locked stays as it is; what
    is no longer heard is taken out, as long as La rises by no more than the tolerance. Raises as `plan`.
    """
    _check(graph, settings)
    muted = tuple(strip for strip in graph.strips if strip.muted)
    heard = graph.model_copy(update={"strips": tuple(s for s in graph.strips if not s.muted)})
    console = checked_graph(cut_down(heard, settings.allows), PROCESSORS)
    lock = Lock.of(console, settings, settings_too=True)
    steps = from_graph(settings)
    return Plan(session, settings, console, lock, count_devices(console), steps, impulses, muted)


def search(session: Session, folder: Path, settings: Settings, progress: Progress) -> Found:
    """`plan` and run."""
    return plan(session, folder, settings).run(progress)


def _check(graph: Graph, settings: Settings) -> None:
    """Refuse a machine that is not here, and names that mean nothing of the graph."""
    engine(settings.device)
    for selection in (settings.only, settings.without):
        if selection is not None:
            selection.check(places_of(graph))


def _outcome(state: State, steps: Sequence[Step], offered: dict[str, int], store: Store) -> Found:
    interrupted = False
    try:
        for number in range(store.restore(state), len(steps)):
            steps[number](state)
            store.keep(state, number + 1)
    except KeyboardInterrupt:
        interrupted = True
        state.progress.say("stopped: going on with the best graph so far")
        state.adopt(state.graph)  # a judge may have turned its controls
        if state.graph not in state.checkpoints:
            state.checkpoint()
    if state.refused:
        steps_told = f"{state.refused} of {state.refused + len(state.descent)} steps of the fits"
        state.progress.say(f"{steps_told} were not taken: their loss or gradient was no finite number")
    best = state.best()
    graph = state.lock.held(drop_resting(best), best)
    if not interrupted and not state.late():
        with state.stage("confidence", sum(1 for _ in graph.devices())):
            graph = with_confidence(graph, state.judge(graph), state.progress)
    graph, impulses = final_impulses(graph, state.impulses)
    return Found(
        graph=graph,
        impulses=impulses,
        la_start=state.la_start,
        la_console=state.la_console,
        linear_ceiling=state.linear_ceiling,
        descent=tuple(state.descent),
        devices_before=offered,
        devices_after=count_devices(graph),
        seconds={name: round(s, 2) for name, s in state.seconds.items()},
        interrupted=interrupted,
        out_of_time=state.out_of_time,
        offered=state.full,
        trace=tuple(state.trace),
        refused_steps=state.refused,
    )
