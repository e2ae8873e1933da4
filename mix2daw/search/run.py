"""The search from a session to a small graph, stage by stage."""

from __future__ import annotations

from pathlib import Path

import torch

from mix2daw.console import build_console, preset
from mix2daw.controls import Controls, Key
from mix2daw.errors import FormatError
from mix2daw.progress import Progress
from mix2daw.search.found import Found, count_devices, with_confidence
from mix2daw.search.settings import Settings
from mix2daw.search.simplify import drop_resting, fold_wet, resting_bands
from mix2daw.search.stages import (
    BAND_TRIALS_DB,
    FILTER_STEPS,
    find_filters,
    prune,
    round_off,
    simplify,
)
from mix2daw.search.state import State
from mix2daw.search.warm_start import warm_start
from mix2daw.session import Session

FIRST_STEPS, CONSOLE_STEPS, WEIGH_STEPS, FINAL_STEPS = 60, 40, 16, 40
FIRST_RATE, CONSOLE_RATE, REFIT_RATE, FINAL_RATE = 3.0, 1.5, 1.0, 0.6
DRY_WET_ROUNDS = 3
SPARSITY = 1e-4  # the published factor of the penalty on dry/wet weights


def search(session: Session, folder: Path, settings: Settings, progress: Progress) -> Found:
    """Recover the graph of a session. Sources in the graph are relative to `folder`.

    Ctrl-C ends the search early with the best graph so far. The same session, settings and seed give the
    same graph, unless the budget runs out (`Found.out_of_time`).
    """
    if settings.device == "cuda" and not torch.cuda.is_available():
        raise FormatError("--device cuda", "this machine has no CUDA device", "use cpu or auto")
    chosen = preset(settings.preset, settings.processors)
    state = State(session, build_console(session, chosen, folder), settings, progress)
    interrupted = False
    try:
        _run(state)
    except KeyboardInterrupt:
        interrupted = True
        progress.say("stopped: going on with the best graph so far")
        state.checkpoint()
    graph = drop_resting(state.best())
    if not interrupted and not state.late():
        with state.stage("confidence", sum(1 for _ in graph.devices())):
            graph = with_confidence(graph, state.scoring, progress)
    return Found(
        graph=graph,
        la_console=state.la_console,
        devices_before=count_devices(state.console),
        devices_after=count_devices(graph),
        seconds={name: round(s, 2) for name, s in state.seconds.items()},
        interrupted=interrupted,
        out_of_time=state.out_of_time,
    )


def _run(state: State) -> None:
    """All stages. The shares are those of the budget at which a stage is cut short or left out."""
    with state.stage("warm start", 1):
        controls = Controls(state.graph)
        warm_start(state.graph, controls, state.sources, state.target, state.progress)
        state.adopt(controls.to_graph())
        state.la_console, state.console = state.checkpoint(), state.graph
    with state.stage("first fit", FIRST_STEPS):
        state.fit(FIRST_STEPS, FIRST_RATE, 0.35, hold=_late_starters(state))
    with state.stage("console fit", CONSOLE_STEPS):
        state.fit(CONSOLE_STEPS, CONSOLE_RATE, 0.5)
        state.la_console, state.console = state.checkpoint(), state.graph
    if not state.late(0.55):
        with state.stage("filters", FILTER_STEPS):
            find_filters(state)
    for _ in range(DRY_WET_ROUNDS):
        if state.late(0.8):
            break
        with state.stage("weigh", WEIGH_STEPS):
            state.fit(WEIGH_STEPS, REFIT_RATE, 0.8, sparsity=SPARSITY)
        prune(state, brute=False, share=0.8)
    state.adopt(fold_wet(state.graph))
    if not state.late(0.85):
        with state.stage("refit", FINAL_STEPS):
            state.fit(FINAL_STEPS, REFIT_RATE, 0.85)
            state.checkpoint()
        prune(state, brute=True, share=0.92)
    with state.stage("simplify", len(BAND_TRIALS_DB)):
        simplify(state)
    with state.stage("final fit", FINAL_STEPS):
        if not state.late(0.97):
            state.fit(FINAL_STEPS, FINAL_RATE, 0.97, still=resting_bands(state.graph))
        state.checkpoint()
        round_off(state)
        state.checkpoint()


def _late_starters(state: State) -> frozenset[Key]:
    """Devices that only repeat what the tracks' devices can do, until those have settled."""
    kinds = {strip.name: strip.kind for strip in state.graph.strips}
    return frozenset(
        key
        for key in state.controls.all_keys()
        if kinds[key.strip] in ("group", "master") and key.type in ("equalizer", "fader", "pan", "width")
    )
