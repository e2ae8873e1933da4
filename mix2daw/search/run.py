"""The search from a session to a small graph, stage by stage."""

from __future__ import annotations

from pathlib import Path

import torch

from mix2daw.console import build_console, preset
from mix2daw.controls import Controls, Key
from mix2daw.dsp.jit import torch_threads_kept
from mix2daw.dsp.memory import hand_back_freed_memory, keep_freed_memory
from mix2daw.errors import FormatError
from mix2daw.progress import Progress
from mix2daw.search.dial import dial_compressors
from mix2daw.search.excerpts import FIRST_TRAIN_S, training_excerpts
from mix2daw.search.fold import fold_wet
from mix2daw.search.found import Found, count_devices, count_offered, with_confidence
from mix2daw.search.retouch import retouch
from mix2daw.search.returns import final_impulses, find_returns, refine_impulse, without_returns
from mix2daw.search.revive import CHANCES, revive
from mix2daw.search.settings import Settings
from mix2daw.search.simplify import drop_resting
from mix2daw.search.stages import (
    BAND_TRIALS_DB,
    prune,
    refit_plainer,
    refit_without_faint,
    round_off,
    simplify,
)
from mix2daw.search.state import State
from mix2daw.search.warm_start import warm_start
from mix2daw.session import Session

FIRST_STEPS, CONSOLE_STEPS, WEIGH_STEPS, REFIT_STEPS, FINAL_STEPS = 40, 52, 16, 24, 16
FIRST_RATE, CONSOLE_RATE, REFIT_RATE, FINAL_RATE = 3.0, 1.5, 1.0, 0.6
DRY_WET_ROUNDS = 3
SPARSITY = 1e-4  # the published factor of the penalty on dry/wet weights


def search(session: Session, folder: Path, settings: Settings, progress: Progress) -> Found:
    """Recover the graph of a session. Sources in the graph are relative to `folder`.

    Ctrl-C ends the search early with the best graph so far. The same session, settings and seed give the
    same graph, on any number of cores, unless the budget runs out (`Found.out_of_time`).
    """
    if settings.device == "cuda" and not torch.cuda.is_available():
        raise FormatError("--device cuda", "this machine has no CUDA device", "use cpu or auto")
    keep_freed_memory()
    with torch_threads_kept():
        # torch adds up in an order that depends on its number of threads, and so would the result: it has two
        # on any machine. More would not be faster: what takes time are kernels of ours, which use all cores.
        torch.set_num_threads(2)
        found = _search(session, folder, settings, progress)
    hand_back_freed_memory()
    return found


def _search(session: Session, folder: Path, settings: Settings, progress: Progress) -> Found:
    chosen = preset(settings.preset, settings.processors)
    state = State(session, build_console(session, chosen, folder), settings, progress)
    progress.stands(None, sum(count_offered(state.full).values()))
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
            graph = with_confidence(graph, state.judge(graph), progress)
    graph, impulses = final_impulses(graph, state.impulses)
    return Found(
        graph=graph,
        impulses=impulses,
        la_start=state.la_start,
        la_console=state.la_console,
        linear_ceiling=state.linear_ceiling,
        descent=tuple(state.descent),
        devices_before=count_offered(state.full),
        devices_after=count_devices(graph),
        seconds={name: round(s, 2) for name, s in state.seconds.items()},
        interrupted=interrupted,
        out_of_time=state.out_of_time,
        offered=state.full,
        trace=tuple(state.trace),
    )


def start(state: State) -> None:
    """The console without its returns, set in closed form."""
    controls = Controls(without_returns(state.full))
    heard = state.listened()
    state.linear_ceiling, agreement = warm_start(controls.graph, controls, *heard, state.progress)
    state.agreement = agreement
    state.training = [excerpt.trusting(agreement) for excerpt in state.training]
    state.adopt(controls.to_graph())
    state.la_start = state.la_console = state.checkpoint()


def first_fit(state: State) -> None:
    """Descend from the warm start, the tracks' devices first, on shorter excerpts: as long as echo and reverb
    are missing there is no need for more."""
    excerpts = training_excerpts(
        state.played, state.target.to(state.device), state.sample_rate, FIRST_TRAIN_S
    )
    if state.agreement is not None:
        excerpts = [excerpt.trusting(state.agreement) for excerpt in excerpts]
    state.fit(FIRST_STEPS, FIRST_RATE, 0.3, hold=_late_starters(state), excerpts=excerpts)


def _run(state: State) -> None:
    """All stages. The shares are those of the budget at which a stage is cut short or left out."""
    with state.stage("warm start", 1):
        start(state)
        hand_back_freed_memory()
    with state.stage("first fit", FIRST_STEPS):
        first_fit(state)
    if not state.late(0.35):
        with state.stage("space", 1):
            find_returns(state)
    tracks = len(state.graph.of_kind("track"))  # retouched one by one
    with state.stage("console fit", tracks + CONSOLE_STEPS):
        retouch(state)
        state.fit(CONSOLE_STEPS, CONSOLE_RATE, 0.5)
    with state.stage("space", 1):
        if not state.late(0.5):
            refine_impulse(state)
        state.la_console = state.checkpoint()
        state.allow_rise()
    _prune_all(state)
    with state.stage("simplify", len(BAND_TRIALS_DB)):
        simplify(state)
    with state.stage("final fit", tracks + FINAL_STEPS):
        if not state.late(0.97):
            retouch(state)
            refit_without_faint(state, FINAL_STEPS, FINAL_RATE, 0.97)
        state.checkpoint()
        round_off(state)
        state.checkpoint()


def _prune_all(state: State) -> None:
    """Pruning in two halves with a fit between them; the published strategies weigh before each round."""
    strategy, full = state.settings.strategy, state.graph
    if strategy == "saliency" and not state.late(0.55):
        prune(state, "saliency", 0.75)
    for _ in range(DRY_WET_ROUNDS if strategy in ("hybrid", "dry-wet") else 0):
        if state.late(0.8):
            break
        with state.stage("weigh", WEIGH_STEPS):
            state.fit(WEIGH_STEPS, REFIT_RATE, 0.8, sparsity=SPARSITY)
        prune(state, "dry-wet", 0.8)
    state.adopt(fold_wet(state.graph))
    if state.late(0.85):
        return
    dialled = sum(device.type == "compressor" for _, device in state.graph.devices())
    with state.stage("refit", dialled + REFIT_STEPS + CHANCES):
        dial_compressors(state)
        refit_plainer(state, REFIT_STEPS, REFIT_RATE, 0.85)
        revive(state, full)
        state.checkpoint()
    if strategy != "dry-wet":
        prune(state, "saliency" if strategy == "saliency" else "brute-force", 0.92)


def _late_starters(state: State) -> frozenset[Key]:
    """Devices that only repeat what the tracks' devices can do, until those have settled."""
    kinds = {strip.name: strip.kind for strip in state.graph.strips}
    return frozenset(
        key
        for key in state.controls.all_keys()
        if kinds[key.strip] in ("group", "master") and key.type in ("equalizer", "fader", "pan", "width")
    )
