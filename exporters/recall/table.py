"""`recall.csv`: one row per knob, in the order of the signal, for spreadsheets and scripts.

Text that a spreadsheet would take for a formula (it begins with `=`, `+`, `-` or `@`) gets an apostrophe
before it: a stem's name must not run on the machine that opens the sheet.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from mix2daw.exporters.bands import is_active
from mix2daw.exporters.words import file_label, unit_of
from mix2daw.graph import Device, Graph, Strip

# `group`: the group that the strip feeds, empty if that is the master. `position`: of an insert, from 1, on
# beyond the fader. `active`: whether the knob is heard (a band of an equalizer may rest).
COLUMNS = (
    "strip", "kind", "group", "device", "position", "place", "parameter", "value", "unit", "active", "wet",
    "confidence",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@")


def table_csv(graph: Graph) -> str:
    """The whole table, with a header; lines end in a line feed. Names are of one line."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    groups = {strip.name for strip in graph.of_kind("group")}
    for strip in graph.strips:
        head = {
            "strip": _text(strip.name),
            "kind": strip.kind,
            "group": _text(strip.output) if strip.output in groups else "",
        }
        writer.writerows({**head, **row} for row in _rows(strip, graph.sample_rate))
    return text.getvalue()


def _rows(strip: Strip, sample_rate: int) -> Iterator[dict[str, str]]:
    if strip.source is not None:
        yield _knob("source", "file", _text(file_label(strip.source)))
        yield _knob("source", "offset_samples", str(strip.offset_samples), strip.offset_samples != 0)
        yield _knob("source", "polarity", strip.polarity, strip.polarity != "normal")
        yield _knob("source", "stretch_ppm", _number(strip.stretch_ppm), strip.stretch_ppm != 0)
        yield _knob("source", "muted", "yes" if strip.muted else "no", strip.muted)
    for position, device in enumerate(strip.devices, 1):
        yield from _device_rows(device, position, "before fader", sample_rate)
    yield _knob("fader", "fader_db", _number(strip.fader_db), strip.fader_db != 0)
    yield _knob("pan", "pan", _number(strip.pan), strip.pan != 0)
    for position, device in enumerate(strip.post_devices, 1 + len(strip.devices)):
        yield from _device_rows(device, position, "after fader", sample_rate)
    for send in strip.sends:
        place = "before fader" if send.tap == "pre" else "after fader"
        yield {
            "device": "send",
            "place": place,
            "parameter": _text(send.target),
            "value": _number(send.level_db),
            "unit": "dB",
            "active": "yes",
        }


def _device_rows(device: Device, position: int, place: str, sample_rate: int) -> Iterator[dict[str, str]]:
    rows = [
        _knob(device.type, control, _number(value), is_active(device, control, sample_rate))
        for control, value in device.values.items()
    ]
    if device.impulse is not None:
        rows.append(_knob(device.type, "impulse", _text(file_label(device.impulse))))
    confidence = "" if device.confidence is None else _number(device.confidence)
    for row in rows:
        more = {"position": str(position), "place": place, "wet": _number(device.wet)}
        yield {**row, **more, "confidence": confidence}


def _knob(device: str, parameter: str, value: str, active: bool = True) -> dict[str, str]:
    return {
        "device": device,
        "parameter": parameter,
        "value": value,
        "unit": unit_of(parameter),
        "active": "yes" if active else "no",
    }


def _number(value: float) -> str:
    return f"{value:.10g}"


def _text(text: str | None) -> str:
    return f"'{text}" if text and text.startswith(_FORMULA) else text or ""
