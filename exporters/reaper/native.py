"""REAPER's own plug-ins in place of our effects: their states, and how near they come.

A block of a project has three parts in base64: a header (id, kind of state, inputs, outputs, length), the
state and a trailer. The layouts are those that REAPER 6 and 7 save; nothing of this was run in REAPER.
"""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import rpp

from mix2daw.exporters import Lost
from mix2daw.exporters.bands import active_bands
from mix2daw.exporters.reaper import expected, reaeq
from mix2daw.graph import Device, Strip

_LINE_CHARACTERS = 128
_TRAILER = b"\0\0\x10\0\0\0"
_PARAMETERS = b"\xef\xbe\xad\xde\x0d\xf0\xad\xde"  # stands before a list of parameters
_TWO_PI = 2 * math.pi  # a set time of ours is this many time constants
_GATE_RMS_MS = 50.0


@dataclass(frozen=True)
class Plugin:
    """A plug-in of REAPER. `ident`: its four letters; `opaque`: whether its state is not a list of
    parameters."""

    name: str
    ident: bytes
    inputs: int
    opaque: bool

    def element(self, state: bytes) -> rpp.Element:
        """The block of a project that has the plug-in in this state."""
        number = int.from_bytes(self.ident, "big")
        library = self.name.lower()
        digits = (b"VST" + self.ident + library.encode()).ljust(16, b"\0")[:16].hex().upper()
        head = [f"VST: {self.name} (Cockos)", f"{library}.dll", "0", "", f"{number}<{digits}>", ""]
        parts = (self._header(len(state)), state, _TRAILER)
        return rpp.Element("VST", head, [line for part in parts for line in _lines(part)])

    def _header(self, length: int) -> bytes:
        kind = 0xFEED5EEE if self.opaque else 0xFEED5EEF
        header = self.ident[::-1] + struct.pack("<I", kind)
        for channels in (self.inputs, 2):
            header += struct.pack(f"<I{channels}Q", channels, *(1 << channel for channel in range(channels)))
        return header + struct.pack("<III", length, self.opaque, 0x00100000)


_PLUGINS = {
    "equalizer": Plugin("ReaEQ", b"reeq", 2, True),
    "compressor": Plugin("ReaComp", b"recm", 4, False),
    "gate": Plugin("ReaGate", b"regt", 4, False),
    "delay": Plugin("ReaDelay", b"redl", 2, True),
    "reverb": Plugin("ReaVerbate", b"rvb8", 2, False),
}
DEVICES = frozenset(_PLUGINS)
# Why a plug-in plays its device nearly, and what is expected of it.
_REASONS = {
    "equalizer": "it is set by published formulas for its bands; the residual is computed, of white noise",
    "compressor": "its detector is not documented; times are written as time constants, the set times / 2 pi;"
    " the residual is expected, of noise in bursts, if it takes them to be half or twice as long",
    "gate": "it closes to one level, here that of the gate "
    f"{expected.GATE_DEPTH_DB:g} dB below the threshold, and its detector is not documented; the residual is "
    "expected, of noise in bursts, if it takes times to be half or twice as long",
    "delay": "how it rounds and smooths the time is not documented; the residual is expected, of noise in "
    "bursts, if the echo comes a sample late",
    "reverb": "its combs are tuned in a way that is not documented; the residual is expected, of noise in "
    "bursts, if its tail has the energy of ours and nothing else in common",
}


def plugin(device: Device, sample_rate: int) -> Plugin | None:
    """The plug-in that plays a device nearly; None if there is none, or none with these settings."""
    if device.wet != 1 or device.type not in _PLUGINS:
        return None
    if device.type == "equalizer" and not all(map(reaeq.holds, active_bands(device.values, sample_rate))):
        return None
    return _PLUGINS[device.type]


def element(device: Device, sample_rate: int) -> rpp.Element | None:
    """The block of a project that plays a device nearly; None as for `plugin`."""
    found = plugin(device, sample_rate)
    return found.element(_state(device, sample_rate)) if found else None


def approximate(strip: Strip, sample_rate: int) -> list[Lost]:
    """One entry for every device that a plug-in plays, with the residual that is expected."""
    entries = []
    for device in strip.devices:
        found = plugin(device, sample_rate)
        if found is not None:
            reason = f"{found.name} plays it nearly: {_REASONS[device.type]}"
            residual_db = _residual_db(device, sample_rate)
            entries.append(Lost(strip.name, device.type, "approximate", reason, residual_db))
    return entries


def note(device: Device, sample_rate: int) -> str | None:
    """A line for the notes of the project; None if our own effect plays the device."""
    found = plugin(device, sample_rate)
    if found is None:
        return None
    residual_db = _residual_db(device, sample_rate)
    how_near = "" if residual_db is None else f", expected difference {residual_db:.0f} dB"
    return f"approximate: {found.name} plays the {device.type}{how_near}"


def _residual_db(device: Device, sample_rate: int) -> float | None:
    measure = reaeq.residual_db if device.type == "equalizer" else expected.residual_db
    return measure(device, sample_rate)


def _state(device: Device, sample_rate: int) -> bytes:
    values = device.values
    if device.type == "equalizer":
        return reaeq.state(active_bands(values, sample_rate), sample_rate)
    if device.type == "delay":
        return _delay(values)
    made = {"compressor": _compressor, "gate": _gate, "reverb": _reverb}[device.type](values)
    return _PARAMETERS + struct.pack(f"<{len(made)}f", *made)


def _linear(level_db: float) -> float:
    return float(10 ** (level_db / 20))


def _compressor(values: Mapping[str, float]) -> Sequence[float]:
    """Threshold, ratio, attack, release, pre-comp, -, low pass, high pass, two of signals, dry, wet, preview,
    RMS size, knee, make-up, release, and what REAPER saves for the rest."""
    attack, release = (values[name] / _TWO_PI for name in ("attack_ms", "release_ms"))
    return (
        *(_linear(values["threshold_db"]), (values["ratio"] - 1) / 99, attack / 500, release / 5000),
        *(0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0.25, 0, 0, 0),
    )


def _gate(values: Mapping[str, float]) -> Sequence[float]:
    """Threshold, attack, release, pre-open, hold, low pass, high pass, two of signals, closed level, wet,
    noise, hysteresis (1: none), preview, RMS size, and what REAPER saves for the rest."""
    attack, release = (values[name] / _TWO_PI for name in ("attack_ms", "release_ms"))
    closed = expected.closed_lin(values["ratio"])
    return (
        *(_linear(values["threshold_db"]), attack / 500, release / 5000, 0, 0, 1, 0, 0, 0),
        *(closed, 1, 0, 1, 0, _GATE_RMS_MS / 100, 0, 0.5433070659637451, 0, 0, 0, 0),
    )


def _reverb(values: Mapping[str, float]) -> Sequence[float]:
    """Wet, dry, room, damping, width, delay, low pass, high pass."""
    dry = 2 * values["dry_level"]
    width = (values["width"] + 1) / 2
    return (values["wet_level"], dry, values["room_size"], values["damping"], width, 0, 1, 0)


def _delay(values: Mapping[str, float]) -> bytes:
    """One tap: -, on, time, beats, feedback, low pass, high pass, resolution, width, volume, pan."""
    tap = (0, 1, values["delay_ms"] / 10000, 0, values["feedback"], 1, 0, 1, 1, 1, 0.5)
    mix = values["mix"]
    head = struct.pack("<8xIIII2f", 1, 4 * len(tap), 2, 0, mix, 1 - mix)
    return head + struct.pack(f"<{len(tap)}f", *tap)


def _lines(part: bytes) -> list[str]:
    text = base64.b64encode(part).decode("ascii")
    return [text[start : start + _LINE_CHARACTERS] for start in range(0, len(text), _LINE_CHARACTERS)]
