"""The generic devices of DAWproject and the parameter elements that they are made of.

Conversions of units are here alone: frequencies in hertz, ratios in percent (1 - 1/ratio, so 4:1 is 75),
times in seconds. The attack and release that the processors take are 2 pi times a time constant; the generic
devices do not say what theirs are, and most hosts mean the time constant, so that is what is written.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from lxml import etree

from mix2daw.exporters.bands import active_bands
from mix2daw.exporters.words import describe
from mix2daw.graph import Device

_BAND_TYPES = {
    "high_pass": "highPass",
    "low_shelf": "lowShelf",
    "bell": "bell",
    "high_shelf": "highShelf",
    "low_pass": "lowPass",
}
_ELEMENTS = {
    "equalizer": "Equalizer",
    "compressor": "Compressor",
    "gate": "NoiseGate",
    "limiter": "Limiter",
}


class Ids:
    """Hands out the ids of one document: id0, id1, ..."""

    def __init__(self) -> None:
        self._count = 0

    def next(self) -> str:
        """The next id."""
        self._count += 1
        return f"id{self._count - 1}"


def real(
    parent: etree._Element,
    tag: str,
    value: float,
    unit: str,
    low: float | None = None,
    high: float | None = None,
    name: str = "",
    ident: str = "",
) -> None:
    """Append a RealParameter `tag` with its value, unit and range (left out where None)."""
    attributes = {"max": high, "min": low, "value": value}
    element = etree.SubElement(parent, tag, {"unit": unit})
    for key, number in attributes.items():
        if number is not None:
            element.set(key, _number(number))
    _name(element, name, ident)


def flag(parent: etree._Element, tag: str, value: bool, name: str = "", ident: str = "") -> None:
    """Append a BoolParameter `tag`."""
    element = etree.SubElement(parent, tag, {"value": "true" if value else "false"})
    _name(element, name, ident)


def add_device(parent: etree._Element, device: Device, sample_rate: int, ids: Ids) -> None:
    """Append the generic device for an insert of a type in `_ELEMENTS`, its settings in words as its name."""
    tag = _ELEMENTS[device.type]
    attributes = {
        "deviceName": tag,
        "deviceRole": "audioFX",
        "loaded": "true",
        "id": ids.next(),
        "name": describe(device, sample_rate),
    }
    element = etree.SubElement(parent, tag, attributes)
    flag(element, "Enabled", True, name="On/Off", ident=ids.next())
    if device.type == "equalizer":
        _bands(element, device.values, sample_rate)
    elif device.type == "compressor":
        _compressor(element, device.values)
    elif device.type == "gate":
        _gate(element, device.values)
    else:
        _limiter(element, device.values)


def _bands(element: etree._Element, values: Mapping[str, float], sample_rate: int) -> None:
    for order, band in enumerate(active_bands(values, sample_rate)):
        child = etree.SubElement(element, "Band", {"type": _BAND_TYPES[band.kind], "order": str(order)})
        real(child, "Freq", band.freq_hz, "hertz")
        if not band.is_filter:
            real(child, "Gain", band.gain_db, "decibel")
        real(child, "Q", band.q, "linear")
        flag(child, "Enabled", True)


def _compressor(element: etree._Element, values: Mapping[str, float]) -> None:
    real(element, "Attack", _time_constant_s(values["attack_ms"]), "seconds")
    flag(element, "AutoMakeup", False)
    real(element, "Ratio", _percent(values["ratio"]), "percent")
    real(element, "Release", _time_constant_s(values["release_ms"]), "seconds")
    real(element, "Threshold", values["threshold_db"], "decibel")


def _gate(element: etree._Element, values: Mapping[str, float]) -> None:
    real(element, "Attack", _time_constant_s(values["attack_ms"]), "seconds")
    real(element, "Range", -math.inf, "decibel")
    real(element, "Ratio", _percent(values["ratio"]), "percent")
    real(element, "Release", _time_constant_s(values["release_ms"]), "seconds")
    real(element, "Threshold", values["threshold_db"], "decibel")


def _limiter(element: etree._Element, values: Mapping[str, float]) -> None:
    real(element, "Attack", values["lookahead_ms"] / 1000, "seconds")
    real(element, "Release", values["release_ms"] / 1000, "seconds")
    real(element, "Threshold", values["ceiling_db"], "decibel")


def _time_constant_s(time_ms: float) -> float:
    return time_ms / 1000 / (2 * math.pi)


def _percent(ratio: float) -> float:
    return (1 - 1 / ratio) * 100


def _number(value: float) -> str:
    return ("-inf" if value < 0 else "inf") if math.isinf(value) else f"{value:.10g}"


def _name(element: etree._Element, name: str, ident: str) -> None:
    if ident:
        element.set("id", ident)
    if name:
        element.set("name", name)
