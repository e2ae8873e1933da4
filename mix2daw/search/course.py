"""The course of a search, stage by stage: from stems to a small graph, or from a graph to a closer one."""

from __future__ import annotations

from mix2daw.controls import Controls, Key
from mix2daw.dsp.memory import hand_back_freed_memory
from mix2daw.search.dial import dial_compressors
from mix2daw.search.excerpts import FIRST_TRAIN_S, training_excerpts
from mix2daw.search.fold import fold_wet
from mix2daw.search.retouch import retouch
from mix2daw.search.returns import find_returns, refine_impulse, without_returns
from mix2daw.search.revive import revive
from mix2daw.search.stages import (
    BAND_TRIALS_DB,
    prune,
    refit_plainer,
    refit_without_faint,
    round_off,
    simplify,
)
from mix2daw.search.state import State
from mix2daw.search.warm_start import measure_agreement, warm_start

FIRST_RATE, CONSOLE_RATE, REFIT_RATE, FINAL_RATE = 3.0, 1.5, 1.0, 0.6
WEIGHING, DRY_WET_ROUNDS = ("hybrid", "dry-wet"), 3  # strategies that learn dry/wet weights
SPARSITY = 1e-4  # the published factor of the penalty on dry/wet weights


def start(state: State) -> None:
    """The console without its returns, set in closed form."""
    controls = Controls(without_returns(state.full))
    heard = state.listened()
    state.linear_ceiling, agreement = warm_start(controls.graph, controls, *heard, state.progress)
    state.trust(agreement)
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
    state.fit(state.settings.effort.first, FIRST_RATE, 0.3, hold=_late_starters(state), excerpts=excerpts)


def from_stems(state: State) -> None:
    """All stages, from a console at rest. The shares are those of the budget at which a stage is cut short or
    left out."""
    with state.stage("warm start", 1):
        start(state)
        hand_back_freed_memory()
    with state.stage("first fit", state.settings.effort.first):
        first_fit(state)
    if not state.late(0.35):
        with state.stage("space", 1):
            find_returns(state)
    _fit_console(state, CONSOLE_RATE)
    _make_small(state)


def from_graph(state: State) -> None:
    """The stages from the full console on, where a given graph is the console."""
    with state.stage("start", 1):
        state.linear_ceiling, agreement = measure_agreement(state.graph, *state.listened())
        state.trust(agreement)
        state.la_start = state.checkpoint()
    given = state.graph
    _fit_console(state, REFIT_RATE)
    closer = state.la_console < state.la_start
    if not closer:  # it is as right as it can be: a descent would only wander off
        state.adopt(given)
        state.la_console = state.checkpoint()
        state.allow_rise()
    _make_small(state, closer)


def _fit_console(state: State, rate: float) -> None:
    effort = state.settings.effort
    with state.stage("console fit", effort.console):
        if effort.polish:
            retouch(state)
        state.fit(effort.console, rate, 0.5)
    with state.stage("space", 1):
        if not state.late(0.5):
            refine_impulse(state)
        state.la_console = state.checkpoint()
        state.allow_rise()


def _make_small(state: State, fit: bool = True) -> None:
    """Prune, simplify and round off; `fit`: with fits between."""
    effort = state.settings.effort
    _prune_all(state, fit)
    with state.stage("simplify", len(BAND_TRIALS_DB)):
        simplify(state)
    with state.stage("final fit", effort.final):
        if fit and not state.late(0.97):
            if effort.polish:
                retouch(state)
            refit_without_faint(state, effort.final, FINAL_RATE, 0.97)
        state.checkpoint()
        round_off(state)
        state.checkpoint()


def _prune_all(state: State, fit: bool) -> None:
    """Pruning in two halves with a fit between them; the published strategies weigh before each round."""
    strategy, effort, full = state.settings.strategy, state.settings.effort, state.graph
    if strategy == "saliency" and not state.late(0.55):
        prune(state, "saliency", 0.75)
    for _ in range(DRY_WET_ROUNDS if strategy in WEIGHING else 0):
        if state.late(0.8):
            break
        with state.stage("weigh", effort.weigh):
            state.fit(effort.weigh, REFIT_RATE, 0.8, sparsity=SPARSITY)
        prune(state, "dry-wet", 0.8)
    if strategy in WEIGHING:
        state.adopt(fold_wet(state.graph))
    if not fit or state.late(0.85):
        return
    with state.stage("refit", effort.refit):
        if effort.polish:
            dial_compressors(state)
        refit_plainer(state, effort.refit, REFIT_RATE, 0.85)
        if effort.polish:
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
