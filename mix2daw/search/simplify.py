"""Making a pruned graph readable: merge what commutes, drop what rests, round to what a person would set.

Every function takes a graph and returns one; whether it still sounds the same is for the caller to judge.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from mix2daw.controls import Key, device_keys
from mix2daw.graph import Device, Graph, Send, Strip
from mix2daw.processors import PROCESSORS

BANDS = ("low_shelf", "bell_1", "bell_2", "bell_3", "bell_4", "high_shelf")
FILTERS = ("high_pass", "low_pass")
LOWEST_HZ, HIGHEST_HZ, HIGHEST_OF_RATE = 25.0, 18000.0, 0.45  # beyond which the corner of one is not heard
SIGNIFICANT = {"_hz": 3, "_ms": 3, "_q": 2, "ratio": 2}
DECIMALS = {"_db": 1, "pan": 2, "width": 2}
DEFAULT_DECIMALS = 3
EXACT_DIGITS = 5
KEPT_EXACT = (
    "delay_ms",
    "pre_delay_ms",
    "wet_level",
    "dry_level",
    "high_pass_slope_db",
    "low_pass_slope_db",
    "low_shelf_q",
    "high_shelf_q",
)


def map_devices(graph: Graph, change: Callable[[Strip, Device], Device]) -> Graph:
    """The graph with every device replaced by `change(strip, device)`."""
    return graph.replace(
        *(
            strip.model_copy(
                update={
                    "devices": tuple(change(strip, d) for d in strip.devices),
                    "post_devices": tuple(change(strip, d) for d in strip.post_devices),
                }
            )
            for strip in graph.strips
        )
    )


def drop_bands(graph: Graph, below_db: float) -> Graph:
    """Equalizer bands of less than `below_db` are set to rest, filters beyond hearing are switched off."""
    rest = PROCESSORS["equalizer"].rest()
    highest_hz = min(HIGHEST_HZ, HIGHEST_OF_RATE * graph.sample_rate)

    def tidy(_strip: Strip, device: Device) -> Device:
        if device.type != "equalizer":
            return device
        values = dict(device.values)
        for band in BANDS:
            if abs(values[f"{band}_db"]) < below_db:
                values |= {name: rest[name] for name in rest if name.startswith(f"{band}_")}
        unheard = {
            "high_pass": values["high_pass_hz"] < LOWEST_HZ,
            "low_pass": values["low_pass_hz"] > highest_hz,
        }
        for name in FILTERS:
            if unheard[name] or values[f"{name}_slope_db"] == 0:
                values |= {key: rest[key] for key in rest if key.startswith(f"{name}_")}
        return device.model_copy(update={"values": values})

    return map_devices(graph, tidy)


def resting_bands(graph: Graph) -> set[tuple[Key, str]]:
    """Controls of equalizer bands at 0 dB, which a last fit should not wake."""
    return {
        (key, f"{band}_{control}")
        for strip in graph.strips
        for key, device in device_keys(strip)
        if device.type == "equalizer"
        for band in BANDS
        if device.values[f"{band}_db"] == 0
        for control in ("hz", "db", "q")
    }


def drop_resting(graph: Graph) -> Graph:
    """Leave out devices that do nothing: an equalizer without bands, a compressor or gate at 1:1, …"""

    def works(strip: Strip, device: Device) -> bool:
        if strip.kind == "return":
            return True
        values, rest = device.values, PROCESSORS[device.type].rest()
        if device.wet == 0:
            return False
        if device.type == "equalizer":
            return any(values[f"{band}_db"] != 0 for band in BANDS) or any(
                values[f"{name}_slope_db"] != 0 for name in FILTERS
            )
        decisive = {
            "compressor": "ratio",
            "gate": "ratio",
            "width": "width",
            "delay": "mix",
            "reverb": "wet_level",
            "convolution": "wet_level",
        }.get(device.type)
        return decisive is None or values[decisive] != rest[decisive]

    return graph.replace(
        *(
            strip.model_copy(
                update={
                    "devices": tuple(d for d in strip.devices if works(strip, d)),
                    "post_devices": tuple(d for d in strip.post_devices if works(strip, d)),
                }
            )
            for strip in graph.strips
        )
    )


def rounded(graph: Graph, finer: int = 0) -> Graph:
    """Settings as a person would make them: tenths of a decibel, three figures of a frequency or a time.

    `finer`: that many more digits; what is nothing with few digits (0.02 dB) stays nothing, below 5.
    """

    def device(_strip: Strip, device: Device) -> Device:
        values = {name: _round(name, value, finer) for name, value in device.values.items()}
        for name, value in values.items():
            param = PROCESSORS[device.type].param(name)
            if not param.allows(value):
                values[name] = device.values[name]
        return device.model_copy(update={"values": values, "wet": round(device.wet, 2 + finer)})

    def send(send: Send) -> Send:
        return send.model_copy(update={"level_db": round(send.level_db, 1 + finer)})

    graph = map_devices(graph, device)
    return graph.replace(
        *(
            strip.model_copy(
                update={
                    "fader_db": _round("fader_db", strip.fader_db, finer),
                    "pan": _round("pan", strip.pan, finer),
                    "sends": tuple(send(s) for s in strip.sends),
                }
            )
            for strip in graph.strips
        )
    )


def _round(name: str, value: float, finer: int) -> float:
    if name in KEPT_EXACT or value == 0:
        return value
    for suffix, decimals in DECIMALS.items():
        if name.endswith(suffix):
            nothing = finer < EXACT_DIGITS and not round(value, decimals)
            return 0.0 if nothing else round(value, decimals + finer)
    for suffix, figures in SIGNIFICANT.items():
        if name.endswith(suffix):
            return round(value, figures + finer - 1 - math.floor(math.log10(abs(value))))
    return round(value, DEFAULT_DECIMALS + finer) + 0.0
