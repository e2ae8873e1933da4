"""The pedalboard plugins that a device is, by name and settings: `chains` plays, `script` writes them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from mix2daw.errors import FormatError, GraphError
from mix2daw.exporters.bands import NYQUIST_GUARD_HZ

BUTTERWORTH_DB = 20 * math.log10(math.sqrt(2))  # two first-order filters and this bell are one of 12 dB
BUTTERWORTH_Q = math.sqrt(math.sqrt(2)) / 2


@dataclass(frozen=True)
class Call:
    """A plugin: the name of its class in pedalboard, and the keyword arguments that make it."""

    name: str
    settings: Mapping[str, float]


def calls(device_type: str, values: Mapping[str, float], sample_rate: int) -> list[Call]:
    """The plugins that sound as the device does; none if it is at rest or is not made of plugins alone
    (width, pan, fader, convolution). A linked compressor's plugin is unlinked all the same.

    `values` is complete (as from `processors.checked_graph`): a missing control raises GraphError, an
    unknown device FormatError.
    """
    try:
        if device_type == "equalizer":
            return _equalizer(values, sample_rate)
        if device_type == "compressor":
            return _dynamics("Compressor", values)
        if device_type == "gate":
            return _dynamics("NoiseGate", values)
        if device_type == "delay":
            return _delay(values, sample_rate)
        if device_type == "reverb":
            return [_reverb(values)]
        if device_type == "limiter":
            return [_limiter(values)]
    except KeyError as missing:
        remedy = "complete the graph with checked_graph first"
        raise GraphError(device_type, f"has no value for {missing}", remedy) from None
    if device_type in ("width", "fader", "pan", "convolution"):
        return []
    raise FormatError(device_type, "cannot be played by pedalboard", "see `mix2daw processors`")


def _filter(kind: str, frequency_hz: float, **settings: float) -> Call:
    return Call(kind, {"cutoff_frequency_hz": frequency_hz, **settings})


def _pass(kind: str, frequency_hz: float, slope_db: float) -> list[Call]:
    if slope_db == 0:
        return []
    if slope_db == 6:
        return [_filter(kind, frequency_hz)]
    bell = _filter("PeakFilter", frequency_hz, gain_db=BUTTERWORTH_DB, q=BUTTERWORTH_Q)
    return [_filter(kind, frequency_hz), _filter(kind, frequency_hz), bell]


def _equalizer(values: Mapping[str, float], sample_rate: int) -> list[Call]:
    def hz(name: str) -> float:
        return min(values[f"{name}_hz"], sample_rate / 2 - NYQUIST_GUARD_HZ)

    def band(kind: str, name: str) -> list[Call]:
        level_db = values[f"{name}_db"]
        return [_filter(kind, hz(name), gain_db=level_db, q=values[f"{name}_q"])] if level_db != 0 else []

    return [
        *_pass("HighpassFilter", hz("high_pass"), values["high_pass_slope_db"]),
        *band("LowShelfFilter", "low_shelf"),
        *(plugin for index in range(1, 5) for plugin in band("PeakFilter", f"bell_{index}")),
        *band("HighShelfFilter", "high_shelf"),
        *_pass("LowpassFilter", hz("low_pass"), values["low_pass_slope_db"]),
    ]


def _dynamics(kind: str, values: Mapping[str, float]) -> list[Call]:
    names = ("threshold_db", "ratio", "attack_ms", "release_ms")
    settings = {name: values[name] for name in names}
    return [Call(kind, settings)] if values["ratio"] > 1 else []


def _reverb(values: Mapping[str, float]) -> Call:
    names = ("room_size", "damping", "wet_level", "dry_level", "width")
    return Call("Reverb", {**{name: values[name] for name in names}, "freeze_mode": 0.0})


def _limiter(values: Mapping[str, float]) -> Call:
    names = ("ceiling_db", "release_ms", "lookahead_ms")
    return Call("BrickwallLimiter", {**{name: values[name] for name in names}, "true_peak": False})


def _delay(values: Mapping[str, float], sample_rate: int) -> list[Call]:
    # The plugin truncates seconds to samples: half a sample more makes that safe.
    lag_samples = max(1, round(values["delay_ms"] * sample_rate / 1000))
    settings = {
        "delay_seconds": (lag_samples + 0.5) / sample_rate,
        "feedback": values["feedback"],
        "mix": values["mix"],
    }
    return [Call("Delay", settings)] if values["mix"] > 0 else []
