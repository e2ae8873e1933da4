"""Devices that Ardour has no exact one for: scripts in Lua of our own, one file a type, exact twins.

A session carries their text, so there is nothing to install. The files in `lua/` are what Ardour runs. Their
parameters name the controls (`Threshold (dB)` is `threshold_db`), so a session's values are written in the
order that they declare, and a control that no parameter has cannot be passed over. Ardour keeps them as
32-bit numbers, in the units of the graph.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

import numpy as np

from mix2daw.exporters.words import unit_of
from mix2daw.graph import Device

DEVICES = frozenset(("equalizer", "gate", "compressor", "width", "delay", "reverb", "convolution", "limiter"))
TYPES = DEVICES | {"fader", "pan"}
MAKES_STEREO = frozenset(("pan", "reverb", "convolution"))  # of a mono signal
WET = "wet"
# A reverb is its impulse response: what shapes that is not to be set in the session.
_SCRIPTS = {"reverb": "convolution"}
_IN_THE_IMPULSE = {
    "reverb": frozenset(("room_size", "damping")),
    "convolution": frozenset(("pre_delay_ms",)),
}
_FULL_DRY = {"reverb": 2, "convolution": 1}  # what a dry level of 1 lets through
_WHOLE_SAMPLES = frozenset(("delay_ms",))
_PARAMETER = re.compile(r'^\s+(?:\w+ \(|\{ \["type"\] = "input", name = )"([^"]+)"', re.MULTILINE)


@dataclass(frozen=True)
class Script:
    """A script with its settings: `text`, and the values of its parameters in order."""

    text: str
    values: tuple[float, ...]

    @property
    def base64(self) -> str:
        """The text as a session carries it."""
        return base64.b64encode(self.text.encode("utf-8")).decode("ascii")

    @property
    def digest(self) -> str:
        """By which Ardour tells scripts apart."""
        return hashlib.sha1(self.text.encode("utf-8"), usedforsecurity=False).hexdigest()


def file_name(device_type: str) -> str:
    """The file of a device's script."""
    return f"{_SCRIPTS.get(device_type, device_type)}.lua"


@functools.cache
def text(device_type: str) -> str:
    """The script of a device."""
    folder = resources.files("mix2daw.exporters.ardour") / "lua"
    return (folder / file_name(device_type)).read_text(encoding="utf-8")


@functools.cache
def parameters(device_type: str) -> tuple[str, ...]:
    """The names of its parameters, in order."""
    return tuple(_PARAMETER.findall(text(device_type)))


def label(control: str) -> str:
    """What a parameter is called: `Bell 1 (Hz)` for `bell_1_hz`, `Bell 1 Q` for `bell_1_q`."""
    unit = unit_of(control)
    suffix = "_slope_db" if control.endswith("_slope_db") else f"_{unit.lower()}" if unit else ""
    words = control.removesuffix(suffix) + ("_slope" if suffix == "_slope_db" else "")
    name = " ".join("Q" if word == "q" else word for word in words.split("_"))
    name = name[:1].upper() + name[1:]
    return f"{name} ({unit})" if unit else name


def script(device: Device, sample_rate: int, impulse: str | None = None) -> Script:
    """The script of a device (complete) with its values. `impulse`: of a reverb or a convolution, the file in
    the folder `externals` of the session (a name as of `names.file_name`, without quotes and backslashes)."""
    values = {**_heard(device.values, sample_rate), WET: device.wet}
    for control in _IN_THE_IMPULSE.get(device.type, ()):
        del values[control]
    by_label = {label(control): value for control, value in values.items()}
    ordered = tuple(by_label.pop(name) for name in parameters(device.type))
    assert not by_label, f"{device.type} has no parameter for {sorted(by_label)}"
    return Script(_with_impulse(text(device.type), device.type, impulse), ordered)


def _with_impulse(lua: str, device_type: str, impulse: str | None) -> str:
    if impulse is None:
        return lua
    for before, after in (
        ('IMPULSE = "impulse.wav"', f'IMPULSE = "{impulse}"'),
        ("FULL_DRY = 1", f"FULL_DRY = {_FULL_DRY[device_type]}"),
    ):
        assert lua.count(before) == 1
        lua = lua.replace(before, after)
    return lua


def _heard(values: Mapping[str, float], sample_rate: int) -> dict[str, float]:
    """The values; times in whole samples stand in the middle of theirs where 32 bits would miss it."""
    moved = dict(values)
    for control in _WHOLE_SAMPLES & moved.keys():
        samples = max(1, round(moved[control] * sample_rate / 1000))
        stored = float(np.float32(moved[control]))
        if int(stored * sample_rate / 1000 + 0.5) != samples:
            moved[control] = samples * 1000 / sample_rate
    return moved
