"""The stages of a search that make the graph smaller: pruning, simplifying, rounding."""

from __future__ import annotations

from collections.abc import Mapping

from mix2daw.controls import Key
from mix2daw.graph import Graph
from mix2daw.search.fold import fold_faders, fold_wet
from mix2daw.search.found import count_left
from mix2daw.search.judge import Judge
from mix2daw.search.promise import Rise
from mix2daw.search.prune import brute_force_round, dry_wet_round, saliency_round
from mix2daw.search.saliency import saliency
from mix2daw.search.simplify import EXACT_DIGITS, drop_bands, drop_resting, rounded
from mix2daw.search.state import State

BAND_TRIALS_DB = (0.6, 0.3, 0.1)
DIGITS = (0, 1, 2, EXACT_DIGITS)
MILESTONE = 0.9  # share of the devices left at the one before


def prune(state: State, way: str, share: float) -> None:
    """One round of pruning in one of the ways of `Settings.strategy` (but `hybrid`, which is two of them);
    group faders that made up for what went are moved onto the tracks. Trials hear a part of the song; if the
    whole is further off than they told, the round is done again with all of it. Graphs on the way are
    remembered: the whole song is heard only at the end of a search, and may allow less."""
    tried, whole = state.rises
    limit = whole.limit(state.score())
    state.checkpoints.remember(state.graph)
    devices, before = len(state.controls.all_keys()), len(state.checkpoints.kept)
    with state.stage("prune", devices):
        # Before there is a judge, which keeps much: a backward pass does, too.
        salient = saliency(state.graph, state.controls, state.training) if way == "saliency" else {}
        pruned = _pruned(state, state.trial_judge(), tried, way, salient, share)
    if state.tried is not state.scoring and state.score(pruned) > limit + state.settings.tolerance / 2:
        del state.checkpoints.kept[before:]
        with state.stage("prune", devices):
            pruned = _pruned(state, state.judge(), whole, way, salient, share)
    state.adopt(pruned)


def _pruned(
    state: State, judge: Judge, rise: Rise, way: str, salient: Mapping[Key, float], share: float
) -> Graph:
    tolerance = state.settings.tolerance
    milestone = len(judge.left())

    def limit() -> float:
        return float("-inf") if state.late(share) else rise.limit(judge.score)

    def heard(judge: Judge) -> None:
        nonlocal milestone
        keys = judge.left()
        if len(keys) <= MILESTONE * milestone:
            milestone = len(keys)
            state.checkpoints.remember(fold_wet(shrunk(state, judge)))
        state.record(judge.score, count_left(keys))
        state.progress.step(f"La {judge.score:.3f}, {len(keys)} devices left")

    if way == "saliency":
        saliency_round(judge, salient, limit, tolerance, heard)
    elif way == "brute-force":
        brute_force_round(judge, limit, tolerance, state.generator, heard)
    else:
        dry_wet_round(judge, limit, heard)
    return shrunk(state, judge)


def shrunk(state: State, judge: Judge) -> Graph:
    """What a judge has left of the graph, with faders that made up for what went moved onto the tracks."""
    return fold_faders(judge.shrunk(), state.lock.fixed_strips() | state.standing)


def simplify(state: State) -> None:
    """Drop small bands and inaudible filters, as long as the score hardly moves."""
    now = state.score()
    for below_db in BAND_TRIALS_DB:
        tidy = drop_resting(drop_bands(state.graph, below_db))
        score = state.score(tidy)
        state.progress.step(f"La {score:.3f}")
        if score <= now + state.settings.tolerance / 4:
            state.adopt(tidy)
            return


def round_off(state: State) -> None:
    """Settings as a person would make them, with as many digits as the sound needs."""
    exact, now = state.graph, state.score()
    for finer in DIGITS:
        tidy = drop_resting(rounded(exact, finer))
        if state.score(tidy) <= now + state.settings.tolerance / 2:
            state.adopt(tidy)
            return
