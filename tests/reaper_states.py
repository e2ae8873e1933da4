"""A reader of the states of REAPER's own plug-ins, from the layouts of saved projects, not from our writer.

Values are in human units: dB, Hz, ms, ratios, octaves.
"""

from __future__ import annotations

import base64
import struct
from dataclasses import dataclass

import numpy as np
import rpp

# A header ends with the length of the state, its kind and this; a state of parameters begins with the mark.
HEADER_END, MARK = 0x00100000, bytes.fromhex("efbeadde0df0adde")
BANDS = {0: "low_shelf", 1: "high_shelf", 3: "low_pass", 4: "high_pass", 8: "bell"}


@dataclass(frozen=True)
class State:
    """A plug-in: its name, its header in base64, and its state."""

    name: str
    header: str
    data: bytes


def read(block: rpp.Element) -> State:
    """The parts of a VST block. They are separate base64 texts, in lines of at most 128 characters."""
    title, library, _, _, ident, _ = block.attrib
    name = title.removeprefix("VST: ").removesuffix(" (Cockos)")
    assert library == f"{name.lower()}.dll"
    number, digits = ident.rstrip(">").split("<")
    letters = int(number).to_bytes(4, "big")
    assert bytes.fromhex(digits) == (b"VST" + letters + name.lower().encode()).ljust(16, b"\0")[:16]
    lines = [line if isinstance(line, str) else line[0] for line in block]
    assert all(len(line) <= 128 for line in lines)
    header, *state, trailer = lines
    assert trailer == "AAAQAAAA"
    raw, data = base64.b64decode(header), base64.b64decode("".join(state))
    assert raw[:4] == letters[::-1]
    assert raw[4:8] in (b"\xee\x5e\xed\xfe", b"\xef\x5e\xed\xfe")
    length, opaque, end = struct.unpack("<III", raw[-12:])
    assert (length, end) == (len(data), HEADER_END)
    assert (opaque == 1) == (raw[4] == 0xEE)
    assert data.startswith(MARK) != (opaque == 1)
    return State(name, header, data)


def floats(state: State) -> list[float]:
    """A list of parameters."""
    return list(struct.unpack(f"<{len(state.data) // 4 - 2}f", state.data[8:]))


def db(linear: float) -> float:
    """A level."""
    return float(20 * np.log10(linear))


def reaeq(state: State) -> list[tuple[str, float, float, float]]:
    """The bands that are on: kind, Hz, dB, octaves."""
    version, count = struct.unpack_from("<II", state.data)
    assert version == 33
    assert len(state.data) == 8 + 33 * count + 8 + 8 + 16
    bands = []
    for number in range(count):
        kind, on, hz, gain, octaves, last = struct.unpack_from("<iidddB", state.data, 8 + 33 * number)
        assert (on, last) == (1, 1)
        bands.append((BANDS[kind], hz, db(gain), octaves))
    assert struct.unpack_from("<iid", state.data, 8 + 33 * count) == (1, 1, 1.0)
    return bands


def reacomp(state: State) -> dict[str, float]:
    """What a compressor is set to."""
    p = floats(state)
    assert len(p) == 21
    return {
        "threshold_db": db(p[0]), "ratio": 1 + 99 * p[1], "attack_ms": 500 * p[2], "release_ms": 5000 * p[3],
        "pre_comp_ms": 250 * p[4], "low_pass_hz": 20000 * p[6], "high_pass_hz": 20000 * p[7],
        "dry": p[10], "wet_db": db(p[11]), "rms_ms": 100 * p[13], "knee_db": 24 * p[14],
    }  # fmt: skip


def reagate(state: State) -> dict[str, float]:
    """What a gate is set to."""
    p = floats(state)
    assert len(p) == 21
    return {
        "threshold_db": db(p[0]), "attack_ms": 500 * p[1], "release_ms": 5000 * p[2],
        "pre_open_ms": 250 * p[3], "hold_ms": 1000 * p[4], "closed_db": db(p[9]), "wet_db": db(p[10]),
        "noise": p[11], "hysteresis_db": db(p[12]), "rms_ms": 100 * p[14],
    }  # fmt: skip


def readelay(state: State) -> dict[str, float]:
    """The one tap of a delay."""
    zeros, taps, length, two, zero, wet, dry = struct.unpack_from("<8sIIIIff", state.data)
    assert (zeros, taps, length, two, zero) == (bytes(8), 1, 44, 2, 0)
    p = struct.unpack_from("<11f", state.data, 32)
    assert p[1] == 1
    return {
        "wet": wet, "dry": dry, "delay_ms": 10000 * p[2], "beats": 128 * p[3], "feedback": p[4],
        "low_pass_hz": 20000 * p[5], "high_pass_hz": 20000 * p[6], "width": 2 * p[8] - 1,
        "volume_db": db(p[9]), "pan": 2 * p[10] - 1,
    }  # fmt: skip


def reaverbate(state: State) -> dict[str, float]:
    """What a reverb is set to."""
    p = floats(state)
    assert len(p) == 8
    return {
        "wet": p[0], "dry": p[1], "room_size": p[2], "damping": p[3], "width": 2 * p[4] - 1,
        "delay_ms": 500 * p[5], "low_pass_hz": 20000 * p[6], "high_pass_hz": 20000 * p[7],
    }  # fmt: skip
