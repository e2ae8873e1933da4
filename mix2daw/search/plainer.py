"""Fits from plainer settings than those that a descent came to: equalizers above all, which say the same in
many ways. Kept where the mix comes out as close."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from mix2daw.controls import Key
from mix2daw.graph import FADER_HIGH_DB, FADER_LOW_DB, Device, Graph, Strip
from mix2daw.processors import PROCESSORS
from mix2daw.search.equalizer_match import rematch
from mix2daw.search.least_squares import power_spectrum
from mix2daw.search.returns import refine_impulse
from mix2daw.search.simplify import BANDS, drop_bands, drop_resting, resting_bands
from mix2daw.search.state import State
from mix2daw.search.warm_start import CURVE_SIZE

NEARLY_MIDDLE = 0.07  # a pan of about half a decibel
PLAINER = 0.75  # of the decibels of an equalizer, to be worth another one
SMALL_BAND_DB = 0.15
FAINT_DB = 2.5  # of the largest band of an equalizer that all tracks share
SLOPES = ("high_pass_slope_db", "low_pass_slope_db")

Values = Mapping[str, float]  # of an equalizer


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
    """Fit once more, without equalizers of groups and the master that do little: they make up for what is not
    quite right on many tracks, whose equalizers take over what they do. If that ends worse, they are fitted
    like the rest."""
    before = state.graph
    graph = _without_faint(state)
    if graph != before:
        score = state.score()
        state.adopt(graph)
        state.fit(steps, rate, share, still=resting_bands(graph))
        if state.score() <= score + state.settings.tolerance / 2:
            tidy = _tidy(state.graph)
            if state.score(tidy) <= state.score() + state.settings.tolerance / 10:
                state.adopt(tidy)
            return
        state.adopt(before)
    state.fit(steps, rate, share, still=resting_bands(before))


def _without_faint(state: State) -> Graph:
    graph = state.graph
    faint = {
        strip.name: shared
        for strip in graph.strips
        if strip.kind in ("group", "master") and not state.lock.keeps(strip.name, "equalizer")
        if (shared := [device.values for device in strip.devices if _is_faint(device)])
    }
    if not faint:
        return graph
    rows = {}
    for place, values in _equalizers(state).items():
        behind = [each for name in _behind(graph, place[0]) for each in faint.get(name, [])]
        # A group's own would take over a second time what its tracks take over already.
        if behind and graph.strip(place[0]).kind != "group":
            rows[place] = [values, *behind]
    for (name, index), (values, level_db) in _rematched(state, rows).items():
        graph = graph.replace(_with_equalizer(graph.strip(name), index, values, level_db))
    emptied = (
        strip.model_copy(update={"devices": tuple(d for d in strip.devices if not _is_faint(d))})
        for strip in map(graph.strip, faint)
    )
    return _tidy(graph.replace(*emptied))


def _tidy(graph: Graph) -> Graph:
    return drop_resting(drop_bands(graph, SMALL_BAND_DB))


def _is_faint(device: Device) -> bool:
    return (
        device.type == "equalizer"
        and all(device.values[slope] == 0 for slope in SLOPES)
        and all(abs(device.values[f"{band}_db"]) <= FAINT_DB for band in BANDS)
    )


def _behind(graph: Graph, name: str) -> list[str]:
    """The strips that the output of one runs through, up to the master."""
    behind = []
    while (output := graph.strip(name).output) is not None:
        behind.append(name := output)
    return behind


def _with_plain_equalizers(state: State) -> Graph:
    """The graph with filters where they say the same as deep shelves do, and with faders where bands raise or
    lower everything alike: thresholds and faders can make up for that, so that a descent drifts there."""
    graph, fitted = state.graph, _equalizers(state)
    again = _rematched(state, {place: [values] for place, values in fitted.items()})
    for (name, index), (values, level_db) in again.items():
        old = fitted[name, index]
        plainer = _decibels(values) < PLAINER * _decibels(old)
        if plainer or any(values[slope] != old[slope] for slope in SLOPES):
            graph = graph.replace(_with_equalizer(graph.strip(name), index, values, level_db))
    return drop_bands(graph, SMALL_BAND_DB) if fitted else graph


def _equalizers(state: State) -> dict[tuple[str, int], Values]:
    """Those that may be moved, by strip and number of the device."""
    return {
        (strip.name, index): device.values
        for strip in state.graph.strips
        for index, device in enumerate(strip.devices)
        if device.type == "equalizer" and not state.lock.fixes(strip.name, "equalizer")
    }


def _rematched(
    state: State, rows: Mapping[tuple[str, int], Sequence[Values]]
) -> dict[tuple[str, int], tuple[dict[str, float], float]]:
    """Equalizers in a row said as one, and the level that each needs to be as loud."""
    if not rows:
        return {}
    # What is in the mix is near enough to what groups and the master hear.
    heard = (state.sources.get(name, state.target) for name, _ in rows)
    spectra = torch.stack([power_spectrum(signal, CURVE_SIZE) for signal in heard])
    again = rematch(list(rows.values()), spectra, state.sample_rate, state.device)
    return dict(zip(rows, again, strict=True))


def _decibels(values: Values) -> float:
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
