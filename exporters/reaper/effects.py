"""The effects that a project plays its devices with: JSFX of our own, one file a type, exact twins.

The files in `jsfx/` are what REAPER runs. Their slider lines name the controls, so a project's values are
written in the order that they declare, and a control that no slider has cannot be passed over. A convolution
has an effect for each impulse response, which lies beside it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path

from mix2daw.exporters.reaper.impulses import Impulse
from mix2daw.graph import Device
from mix2daw.stems import write_wav

DEVICES = frozenset(("equalizer", "gate", "compressor", "width", "delay", "reverb", "convolution", "limiter"))
TYPES = DEVICES | {"fader", "pan"}  # a fader and a pan as inserts, where others stand behind them
FOLDER = "mix2daw"
WET = "wet"
_SLIDERS = 64  # a project has this many values for every effect, `-` where there is no slider
_SLIDER = re.compile(r"^slider(\d+):(\w+)=", re.MULTILINE)
_IMPULSE_FILE = "mix2daw_impulse"
_INSTALL = """\
Before you open the project: in REAPER, Options > Show REAPER resource path in explorer/finder.
Copy the folder Effects/mix2daw from here into the folder Effects there; {often}.
Without it REAPER says which effects are missing, and plays the tracks without them.
"""
_ONCE = "once is enough"
_EVERY_SONG = "again for the next song, as the impulse responses in it are of this one alone"

Impulses = Mapping[str, Impulse]  # by their paths in the graph


def file_name(device_type: str, impulse: Impulse | None = None) -> str:
    """The file of an effect; its base name is its own wherever it lies among REAPER's effects."""
    own = f"_{impulse.digest}" if impulse else ""
    return f"mix2daw_{device_type}{own}.jsfx"


def project_name(device: Device, impulses: Impulses) -> str:
    """How a project calls the effect of a device: the path below REAPER's folder of effects."""
    return f"{FOLDER}/{file_name(device.type, _impulse(device, impulses))}"


@functools.cache
def text(device_type: str) -> str:
    """The effect itself; of a convolution the one that all others are made from."""
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


def install(folder: Path, devices: Iterable[Device], impulses: Impulses, sample_rate: int) -> None:
    """Write the effects of these devices to `folder`/Effects/mix2daw, and beside it how to install them.

    Nothing is written if there are none. Raises OSError or OutputError if a file cannot be written.
    """
    used = {project_name(device, impulses): device for device in devices}
    if not used:
        return
    target = folder / "Effects"
    (target / FOLDER).mkdir(parents=True, exist_ok=True)
    often = _ONCE
    for name, device in sorted(used.items()):
        written = text(device.type)
        impulse = _impulse(device, impulses)
        if impulse is not None:
            own = f"{_IMPULSE_FILE}_{impulse.digest}"
            write_wav(target / FOLDER / f"{own}.wav", impulse.signal, sample_rate)
            written = written.replace(_IMPULSE_FILE, own).replace(
                "convolution", f"convolution {impulse.digest}", 1
            )
            often = _EVERY_SONG
        (target / name).write_text(written, encoding="utf-8", newline="\n")
    (folder / "INSTALL.txt").write_text(_INSTALL.format(often=often), encoding="utf-8", newline="\n")


def number_text(value: float) -> str:
    """A number as a project has it: all its digits, never with an exponent."""
    return f"{value:.14g}" if abs(value) >= 1e-4 or value == 0 else f"{value:.20f}".rstrip("0")


def _impulse(device: Device, impulses: Impulses) -> Impulse | None:
    return None if device.impulse is None else impulses[device.impulse]
