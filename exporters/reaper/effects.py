"""The effects that a project plays its devices with: JSFX of our own, one file a type, exact twins.

The files in `jsfx/` are what REAPER runs. Their slider lines name the controls, so a project's values are
written in the order that they declare, and a control that no slider has cannot be passed over.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

from mix2daw.graph import Device

DEVICES = frozenset(("equalizer", "gate", "compressor", "width", "delay", "reverb", "limiter"))
TYPES = DEVICES | {"fader", "pan"}  # a fader and a pan as inserts, where others stand behind them
FOLDER = "mix2daw"
WET = "wet"
_SLIDERS = 64  # a project has this many values for every effect, `-` where there is no slider
_SLIDER = re.compile(r"^slider(\d+):(\w+)=", re.MULTILINE)
_INSTALL = """\
Before you open the project: in REAPER, Options > Show REAPER resource path in explorer/finder.
Copy the folder Effects/mix2daw from here into the folder Effects there; once is enough.
Without it REAPER says which effects are missing, and plays the tracks without them.
"""


def file_name(device_type: str) -> str:
    """The file of an effect; its base name is its own wherever it lies among REAPER's effects."""
    return f"mix2daw_{device_type}.jsfx"


def project_name(device_type: str) -> str:
    """How a project calls an effect: the path below REAPER's folder of effects."""
    return f"{FOLDER}/{file_name(device_type)}"


@functools.cache
def text(device_type: str) -> str:
    """The effect itself."""
    folder = resources.files("mix2daw.exporters.reaper") / "jsfx"
    return (folder / file_name(device_type)).read_text(encoding="utf-8")


def values_line(device: Device) -> list[str]:
    """The values of all sliders of a device (complete), as a project keeps them."""
    values = {**device.values, WET: device.wet}
    line = ["-"] * _SLIDERS
    for number, control in _SLIDER.findall(text(device.type)):
        line[int(number) - 1] = number_text(values.pop(control))
    assert not values, f"{device.type} has no slider for {sorted(values)}"
    return line


def install(folder: Path, device_types: Iterable[str]) -> None:
    """Write the effects of these types to `folder`/Effects/mix2daw, and beside it how to install them.

    Nothing is written if there are none. Raises OSError if a file cannot be written.
    """
    used = sorted(set(device_types))
    if not used:
        return
    target = folder / "Effects" / FOLDER
    target.mkdir(parents=True, exist_ok=True)
    for device_type in used:
        path = target / file_name(device_type)
        path.write_text(text(device_type), encoding="utf-8", newline="\n")
    (folder / "INSTALL.txt").write_text(_INSTALL, encoding="utf-8", newline="\n")


def number_text(value: float) -> str:
    """A number as a project has it: all its digits, never with an exponent."""
    return f"{value:.14g}" if abs(value) >= 1e-4 or value == 0 else f"{value:.20f}".rstrip("0")
