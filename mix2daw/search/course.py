"""The course of a search, step by step: from stems to a small graph, or from a graph to a closer one.

All that one step leaves to the next is in the State, so that a search can go on in another process.
"""

from __future__ import annotations

from collections.abc import Callable

from mix2daw.controls import Controls, Key
from mix2daw.graph import Graph
from mix2daw.search.dial import dial_compressors
from mix2daw.search.excerpts import FIRST_TRAIN_S, training_excerpts
from mix2daw.search.fold import fold_wet
from mix2daw.search.plainer import refit_plainer, refit_without_faint
from mix2daw.search.retouch import retouch
from mix2daw.search.returns import find_returns, look_again, refine_impulse, without_returns
from mix2daw.search.revive import CHANCES, revive
from mix2daw.search.settings import Settings
from mix2daw.search.stages import BAND_TRIALS_DB, prune, round_off, simplify
from mix2daw.search.state import State
from mix2daw.search.trim import trim
from mix2daw.search.warm_start import measure_agreement, warm_start

FIRST_RATE, CONSOLE_RATE, REFIT_RATE, FINAL_RATE = 3.0, 3.0, 1.0, 1.5
ANOTHER_REVERB = 0.03  # share of La by which another reverb or echo brings it down
DRY_WET_ROUNDS = 3
SPARSITY = 1e-4  # the published factor of the penalty on dry/wet weights

Step = Callable[[State], None]  # from where a search stands to where it stands next


def start(state: State) -> None:
    """The console without its returns, set in closed form."""
    controls = Controls(without_returns(state.full))
    heard = state.listened()
    agreement = warm_start(controls.graph, controls, *heard, state.progress, state.device)
    state.linear_ceiling, state.shifting = agreement.ceiling, list(agreement.shifting)
    state.trust(agreement.coherence)
    state.adopt(controls.to_graph())
    state.la_start = state.la_console = state.checkpoint()


def first_fit(state: State) -> None:
    """Descend from the warm start by the waveform, the tracks' devices first, on shorter excerpts: as long as
    echo and reverb are missing there is no need for more. Tracks whose phases do not agree wait."""
    excerpts = training_excerpts(
        state.played, state.target.to(state.device), state.sample_rate, FIRST_TRAIN_S
    )
    if state.agreement is not None:
        excerpts = [excerpt.trusting(state.agreement) for excerpt in excerpts]
    hold = _late_starters(state) | {key for key in state.controls.all_keys() if key.strip in state.shifting}
    steps = state.settings.effort.first
    state.fit(steps, FIRST_RATE, 0.3, hold=hold, excerpts=excerpts, incomplete=True)


def from_stems(settings: Settings) -> tuple[Step, ...]:
    """All steps from a console at rest. The shares in them are those of the budget at which a stage is cut
    short or left out."""
    return (_warm_start, _first_fit, _space, _console_fit, _settle, *_after_console(settings))


def from_graph(settings: Settings) -> tuple[Step, ...]:
    """The steps from the full console on, where a given graph is the console."""
    return (_given, _closer_fit, _settle, _closer_or_given, *_after_console(settings))


def _after_console(settings: Settings) -> tuple[Step, ...]:
    return (_round_off,) if settings.strategy == "none" else (*_smaller(settings), _finish)


def _smaller(settings: Settings) -> tuple[Step, ...]:
    """Pruning in two halves with a fit between them; the published strategies weigh before each round."""
    if settings.strategy == "saliency":
        again = () if settings.quick else (_prune_again,)
        return (_prune_first, _refit, *again)
    if settings.strategy == "brute-force":
        return (_refit, _prune_again)
    weighing = (_weigh_and_prune,) * DRY_WET_ROUNDS
    return (*weighing, _fold, _refit, *((_prune_again,) if settings.strategy == "hybrid" else ()))


def _warm_start(state: State) -> None:
    with state.stage("warm start", 1):
        start(state)


def _first_fit(state: State) -> None:
    with state.stage("first fit", state.settings.effort.first):
        first_fit(state)


def _space(state: State) -> None:
    if not state.late(0.35):
        with state.stage("space", 1):
            find_returns(state)


def _console_fit(state: State, rate: float = CONSOLE_RATE) -> None:
    effort = state.settings.effort
    with state.stage("console fit", _retouched(state) + effort.console):
        if effort.polish:
            retouch(state, 0.5)
        state.fit(effort.console, rate, 0.5)


def _settle(state: State) -> None:
    """The console as it is now is what pruning is measured by. The reverb's response is solved once more, and
    what was not found is looked for again; where that brings the console closer, it is fitted to it."""
    fitted, steps = state.score(), state.settings.effort.console // 2
    with state.stage("space", 1):
        if state.settings.effort.polish and not state.late(0.5):
            refine_impulse(state)
            look_again(state, ANOTHER_REVERB)
        another = state.score() < (1 - ANOTHER_REVERB) * fitted
        if not another:
            _measure_console(state)
    if another:
        with state.stage("console fit", steps):
            state.fit(steps, CONSOLE_RATE / 2, 0.5)
            _measure_console(state)


def _measure_console(state: State) -> None:
    state.la_console = state.checkpoint()
    state.allow_rise()
    state.fitted = state.graph


def _given(state: State) -> None:
    with state.stage("start", 1):
        agreement = measure_agreement(state.graph, *state.listened(), state.device)
        state.linear_ceiling = agreement.ceiling
        state.trust(agreement.coherence)
        state.la_start = state.checkpoint()


def _closer_fit(state: State) -> None:
    _console_fit(state, REFIT_RATE)


def _closer_or_given(state: State) -> None:
    """Back to the given graph if that is as right as it can be: descents would only wander off."""
    if state.la_console >= state.la_start:
        state.descends = False
        state.adopt(state.full)
        _measure_console(state)


def _prune_first(state: State) -> None:
    if not state.late(0.55):
        prune(state, "saliency", 0.75)


def _weigh_and_prune(state: State) -> None:
    effort = state.settings.effort
    if not state.late(0.8):
        with state.stage("weigh", effort.weigh):
            state.fit(effort.weigh, REFIT_RATE, 0.8, sparsity=SPARSITY)
        prune(state, "dry-wet", 0.8)


def _fold(state: State) -> None:
    state.adopt(fold_wet(state.graph))


def _refit(state: State) -> None:
    effort = state.settings.effort
    if not state.descends or state.late(0.85):
        return
    dialled = sum(device.type == "compressor" for _, device in state.graph.devices())
    with state.stage("refit", (dialled + CHANCES if effort.polish else 0) + effort.refit):
        if effort.polish:
            dial_compressors(state, 0.85)
            refit_plainer(state, effort.refit, REFIT_RATE, 0.85)
            revive(state, state.fitted, 0.85)
            state.checkpoint()
        else:
            state.fit(effort.refit, REFIT_RATE, 0.85)


def _prune_again(state: State) -> None:
    if state.descends and not state.late(0.92):
        prune(state, "saliency" if state.settings.strategy == "saliency" else "brute-force", 0.92)


def _finish(state: State) -> None:
    """Simplify, fit once more and round off; if the promise is broken then, from a larger graph once more."""
    effort = state.settings.effort
    with state.stage("simplify", len(BAND_TRIALS_DB)):
        simplify(state)
    with state.stage("final fit", _retouched(state) + effort.final):
        if state.descends and not state.late(0.97):
            if effort.polish:
                retouch(state, 0.97)
            _final_fit(state)
        finals = _round_finally(state)
    best = state.best()
    if state.descends and best not in finals and not state.late(0.97):
        # The whole song lost more than its excerpts told: from the smallest graph that keeps the promise on.
        with state.stage("final fit", effort.refit):
            state.adopt(best)
            state.fit(effort.refit, REFIT_RATE, 0.97)
            _round_finally(state)


def _final_fit(state: State) -> None:
    """Without the devices that it can make up for, if it can."""
    effort, before = state.settings.effort, state.graph
    limit = state.rises[1].limit(state.score())
    if effort.polish and trim(state, limit):
        refit_without_faint(state, effort.final, FINAL_RATE, 0.97)
        if state.score() <= limit:
            return
        state.adopt(before)
    refit_without_faint(state, effort.final, FINAL_RATE, 0.97)


def _round_finally(state: State) -> tuple[Graph, Graph]:
    """The graph as it is, and with round settings: the first candidates for the outcome of the search."""
    state.checkpoint()
    exact = state.graph
    round_off(state)
    state.checkpoint()
    return exact, state.graph


def _round_off(state: State) -> None:
    with state.stage("rounding", 1):
        round_off(state)
        state.checkpoint()


def _retouched(state: State) -> int:
    """Steps of `retouch`."""
    return len(state.graph.of_kind("track")) if state.settings.effort.polish else 0


def _late_starters(state: State) -> frozenset[Key]:
    """Devices that only repeat what the tracks' devices can do, until those have settled."""
    kinds = {strip.name: strip.kind for strip in state.graph.strips}
    return frozenset(
        key
        for key in state.controls.all_keys()
        if kinds[key.strip] in ("group", "master") and key.type in ("equalizer", "fader", "pan", "width")
    )
