"""What every type of device is to pedalboard and numpy: `chains` plays it, `script` writes it down.

`TWINS` is the register: one entry a type, in the order in which tables list them.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mix2daw.errors import FormatError, GraphError
from mix2daw.exporters.arithmetic import Audio, widened

NYQUIST_GUARD_HZ = 100.0  # filters stay that far below half the sample rate
BUTTERWORTH_DB = 20 * math.log10(math.sqrt(2))  # two first-order filters and this bell are one of 12 dB
BUTTERWORTH_Q = math.sqrt(math.sqrt(2)) / 2


@dataclass(frozen=True)
class Call:
    """A plugin: the name of its class in pedalboard, and the keyword arguments that make it."""

    name: str
    settings: Mapping[str, float]


def _none(values: Mapping[str, float], sample_rate: int) -> list[Call]:
    del values, sample_rate
    return []


@dataclass(frozen=True)
class Twin:
    """What one type of device is, without torch.

    `plugins(values, sample_rate)`: the plugins that sound as it does; none where it rests, or is not made of
    plugins. `function(signal, **values)`: of `arithmetic`, for one that pedalboard has no plugin for. A type
    that has neither is played by `chains` itself.
    `stereo`: it hears two channels; a mono signal is doubled before it.
    `idle_at`: the values at which it returns its input, wherever its other controls stand; empty: that cannot
    be told by single values.
    """

    plugins: Callable[[Mapping[str, float], int], list[Call]] = _none
    function: Callable[..., Audio] | None = None
    stereo: bool = False
    idle_at: Mapping[str, float] = field(default_factory=dict)


def twin(device_type: str) -> Twin:
    """The twin of a type. FormatError for one that does not exist."""
    if device_type not in TWINS:
        raise FormatError(device_type, "cannot be played by pedalboard", "see `mix2daw processors`")
    return TWINS[device_type]


def calls(device_type: str, values: Mapping[str, float], sample_rate: int) -> list[Call]:
    """The plugins that sound as the device does; none if it is at rest or is not made of plugins alone. A
    linked compressor's plugin is unlinked all the same.

    `values` is complete (as from `processors.checked_graph`): a missing control raises GraphError, an
    unknown device FormatError.
    """
    try:
        return twin(device_type).plugins(values, sample_rate)
    except KeyError as missing:
        remedy = "complete the graph with checked_graph first"
        raise GraphError(device_type, f"has no value for {missing}", remedy) from None


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


def _dynamics(values: Mapping[str, float], sample_rate: int, kind: str) -> list[Call]:
    del sample_rate
    names = ("threshold_db", "ratio", "attack_ms", "release_ms")
    settings = {name: values[name] for name in names}
    return [Call(kind, settings)] if values["ratio"] > 1 else []


def _reverb(values: Mapping[str, float], sample_rate: int) -> list[Call]:
    del sample_rate
    names = ("room_size", "damping", "wet_level", "dry_level", "width")
    return [Call("Reverb", {**{name: values[name] for name in names}, "freeze_mode": 0.0})]


def _limiter(values: Mapping[str, float], sample_rate: int) -> list[Call]:
    del sample_rate
    names = ("ceiling_db", "release_ms", "lookahead_ms")
    return [Call("BrickwallLimiter", {**{name: values[name] for name in names}, "true_peak": False})]


def _delay(values: Mapping[str, float], sample_rate: int) -> list[Call]:
    # The plugin truncates seconds to samples: half a sample more makes that safe.
    lag_samples = max(1, round(values["delay_ms"] * sample_rate / 1000))
    settings = {
        "delay_seconds": (lag_samples + 0.5) / sample_rate,
        "feedback": values["feedback"],
        "mix": values["mix"],
    }
    return [Call("Delay", settings)] if values["mix"] > 0 else []


TWINS: dict[str, Twin] = {
    "equalizer": Twin(_equalizer),
    "gate": Twin(functools.partial(_dynamics, kind="NoiseGate"), idle_at={"ratio": 1.0}),
    "compressor": Twin(functools.partial(_dynamics, kind="Compressor"), idle_at={"ratio": 1.0}),
    "width": Twin(function=widened, stereo=True, idle_at={"width": 1.0}),
    "delay": Twin(_delay, idle_at={"mix": 0.0}),
    "reverb": Twin(_reverb, stereo=True),
    "convolution": Twin(stereo=True, idle_at={"wet_level": 0.0, "dry_level": 1.0}),
    "limiter": Twin(_limiter),
    "fader": Twin(),
    "pan": Twin(stereo=True),
}
INSERTS: tuple[str, ...] = tuple(name for name in TWINS if name not in ("fader", "pan"))
