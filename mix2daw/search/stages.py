"""The stages of a search that change the graph itself: filters, pruning, simplifying, rounding."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from mix2daw.controls import Key
from mix2daw.graph import FADER_HIGH_DB, FADER_LOW_DB, Device, Graph, Strip
from mix2daw.processors import PROCESSORS
from mix2daw.search.equalizer_match import rematch
from mix2daw.search.fold import fold_faders, fold_wet
from mix2daw.search.found import count_left
from mix2daw.search.judge import Judge
from mix2daw.search.least_squares import power_spectrum
from mix2daw.search.promise import Rise
from mix2daw.search.prune import brute_force_round, dry_wet_round, saliency_round
from mix2daw.search.returns import refine_impulse
from mix2daw.search.saliency import saliency
from mix2daw.search.simplify import BANDS, EXACT_DIGITS, drop_bands, drop_resting, resting_bands, rounded
from mix2daw.search.state import State
from mix2daw.search.warm_start import CURVE_SIZE

NEARLY_MIDDLE = 0.07  # a pan of about half a decibel
PLAINER = 0.75  # of the decibels of an equalizer, to be worth another one
SMALL_BAND_DB = 0.15
FAINT_DB = 2.5  # of the largest band of an equalizer that all tracks share
SLOPES = ("high_pass_slope_db", "low_pass_slope_db")
BAND_TRIALS_DB = (0.6, 0.3, 0.1)
DIGITS = (0, 1, 2, EXACT_DIGITS)
MILESTONE = 0.9  # share of the devices left at the one before


def refit_plainer(state: State, steps: int, rate: float, share: float) -> None:
    """Fit again from plainer settings: equalizers said with fewer decibels, and what is nearly in the middle
    put there (a reverb's response can make up for many small pans, and then each of them seems needed). If
    that ends worse, fit again from the settings as they were."""
    before, score = state.graph, state.score()
    graph = drop_resting(_with_plain_equalizers(state))
    middle = {
        strip.name: strip.model_copy(update={"pan": 0.0})
        for strip in graph.of_kind("track")
        if 0 < abs(strip.pan) <= NEARLY_MIDDLE
    }
    graph = graph.replace(*middle.values())
    if graph != before:
        state.adopt(graph)
        still = {(Key(name, "pan"), "pan") for name in middle} | resting_bands(graph)
        state.fit(steps, rate, share, still=still)
        if not state.late(share):
            refine_impulse(state)
        if state.score() <= score + state.settings.tolerance / 2:
            return
        state.adopt(before)
    state.fit(steps, rate, share)
    if not state.late(share):
        refine_impulse(state)


def refit_without_faint(state: State, steps: int, rate: float, share: float) -> None:
    """Fit once more, without equalizers of groups and the master that do next to nothing: they make up for
    what is not quite right on many tracks. If that ends worse, they are fitted like the rest."""
    before = state.graph
    graph = _without_faint(before)
    if graph != before:
        score = state.score()
        state.adopt(graph)
        state.fit(steps, rate, share, still=resting_bands(graph))
        if state.score() <= score + state.settings.tolerance / 2:
            return
        state.adopt(before)
    state.fit(steps, rate, share, still=resting_bands(before))


def _without_faint(graph: Graph) -> Graph:
    def faint(device: Device) -> bool:
        return (
            device.type == "equalizer"
            and all(device.values[slope] == 0 for slope in SLOPES)
            and all(abs(device.values[f"{band}_db"]) <= FAINT_DB for band in BANDS)
        )

    return graph.replace(
        *(
            strip.model_copy(update={"devices": tuple(d for d in strip.devices if not faint(d))})
            for strip in graph.strips
            if strip.kind in ("group", "master")
        )
    )


def _with_plain_equalizers(state: State) -> Graph:
    """The graph with filters where they say the same as deep shelves do, and with faders where bands raise or
    lower everything alike: thresholds and faders can make up for that, so that a descent drifts there."""
    fitted = {
        (strip.name, index): device
        for strip in state.graph.strips
        for index, device in enumerate(strip.devices)
        if device.type == "equalizer" and not state.lock.fixes(strip.name, "equalizer")
    }
    if not fitted:
        return state.graph
    # What is in the mix is near enough to what groups and the master hear.
    heard = (state.sources.get(name, state.target) for name, _ in fitted)
    spectra = torch.stack([power_spectrum(signal, CURVE_SIZE) for signal in heard])
    again = rematch([device.values for device in fitted.values()], spectra, state.sample_rate, state.device)
    graph = state.graph
    for (name, index), (values, level_db) in zip(fitted, again, strict=True):
        old = fitted[name, index].values
        plainer = _decibels(values) < PLAINER * _decibels(old)
        if plainer or any(values[slope] != old[slope] for slope in SLOPES):
            graph = graph.replace(_with_equalizer(graph.strip(name), index, values, level_db))
    return drop_bands(graph, SMALL_BAND_DB)


def _decibels(values: Mapping[str, float]) -> float:
    """How much all bands of an equalizer raise or lower, together."""
    return sum(abs(values[f"{band}_db"]) for band in BANDS)


def _with_equalizer(strip: Strip, index: int, values: dict[str, float], level_db: float) -> Strip:
    """The strip with other settings of its equalizer; thresholds behind it and the fader make up for the
    level by which the new ones are softer."""
    devices = list(strip.devices)
    devices[index] = devices[index].model_copy(update={"values": values})
    for later in range(index + 1, len(devices)):
        if "threshold_db" in devices[later].values:
            threshold = PROCESSORS[devices[later].type].param("threshold_db")
            moved_db = devices[later].values["threshold_db"] - level_db
            inside_db = min(threshold.high, max(threshold.low, moved_db))
            changed = {**devices[later].values, "threshold_db": inside_db}
            devices[later] = devices[later].model_copy(update={"values": changed})
    fader_db = min(FADER_HIGH_DB, max(FADER_LOW_DB, strip.fader_db + level_db))
    return strip.model_copy(update={"devices": tuple(devices), "fader_db": fader_db})


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

    def shrunk() -> Graph:
        return fold_faders(judge.shrunk(), state.lock.fixed_strips() | state.standing)

    def heard(judge: Judge) -> None:
        nonlocal milestone
        keys = judge.left()
        if len(keys) <= MILESTONE * milestone:
            milestone = len(keys)
            state.checkpoints.remember(fold_wet(shrunk()))
        state.record(judge.score, count_left(keys))
        state.progress.step(f"La {judge.score:.3f}, {len(keys)} devices left")

    if way == "saliency":
        saliency_round(judge, salient, limit, tolerance, heard)
    elif way == "brute-force":
        brute_force_round(judge, limit, tolerance, state.generator, heard)
    else:
        dry_wet_round(judge, limit, heard)
    return shrunk()


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
