"""The state of ReaEQ, as REAPER keeps it in a project: three base64 blocks.

Header: u32 plugin id, 0xFEED5EEE, two inputs and two outputs with their u64 masks, size of the data, 1,
0x00100000. Data: u32 33, u32 bands; per band i32 type, i32 on, f64 Hz, f64 linear gain, f64 bandwidth in
octaves, u8 1; then i32 1, i32 1, f64 master gain and 16 bytes of the window. Trailer: program 0, no name.

Bells are RBJ peaking filters with RBJ's digital bandwidth; shelves are RBJ's with slope S = 1 / bandwidth^2;
filters have Q = 1 / (2 sinh(ln 2 / 2 x bandwidth)).
"""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Iterable

from mix2daw.exporters.bands import Band, octaves_of_q

PLUGIN_ID = 1919247729
_OPAQUE = 0xFEED5EEE
_TYPES = {"low_shelf": 0, "high_shelf": 1, "low_pass": 3, "high_pass": 4, "bell": 8}
BANDWIDTH_LOW_OCT, BANDWIDTH_HIGH_OCT = 0.01, 4.0
# Below this bandwidth the shelf of ReaEQ leaves the formula.
SHELF_BANDWIDTH_LOW_OCT = 0.915
_WINDOW = struct.pack("<IIII", 0, 509, 348, 2)
_LINE_BYTES = 96


def refusal(band: Band, sample_rate: int) -> str | None:
    """Why ReaEQ has no exact twin of a band, in words; None if it has one."""
    if band.slope_db == 6:
        return "ReaEQ has no filters of 6 dB an octave"
    low = SHELF_BANDWIDTH_LOW_OCT if "shelf" in band.kind else BANDWIDTH_LOW_OCT
    if not low <= bandwidth_oct(band, sample_rate) <= BANDWIDTH_HIGH_OCT:
        return f"ReaEQ has no exact {band.kind.replace('_', ' ')} of Q {band.q:.3g} here"
    return None


def bandwidth_oct(band: Band, sample_rate: int) -> float:
    """The bandwidth, in octaves, at which ReaEQ plays `band`; infinite where no shelf slope gives its Q.

    Bell: alpha = sin(w) sinh(ln 2 / 2 x bw x w / sin(w)) = sin(w) / 2Q, solved for bw.
    Shelf: 1 / Q^2 = (A + 1/A)(1/S - 1) + 2 with A = 10^(dB / 40) and 1/S = bw^2.
    """
    if band.kind == "bell":
        angle = 2 * math.pi * band.freq_hz / sample_rate
        return octaves_of_q(band.q) * math.sin(angle) / angle
    if band.is_filter:
        return octaves_of_q(band.q)
    amplitude = 10 ** (band.gain_db / 40)
    square = 1 + (1 / band.q**2 - 2) / (amplitude + 1 / amplitude)
    return math.sqrt(square) if square > 0 else math.inf


def state_lines(bands: Iterable[Band], sample_rate: int) -> list[str]:
    """The lines of base64 inside the `<VST` block of a ReaEQ with these bands."""
    rows = [
        struct.pack(
            "<iidddB",
            _TYPES[band.kind],
            1,
            band.freq_hz,
            10 ** (band.gain_db / 20),
            bandwidth_oct(band, sample_rate),
            1,
        )
        for band in bands
    ]
    data = struct.pack("<II", 33, len(rows)) + b"".join(rows) + struct.pack("<iid", 1, 1, 1.0) + _WINDOW
    masks = struct.pack("<IQQ", 2, 1, 2)
    header = (
        struct.pack("<II", PLUGIN_ID, _OPAQUE) + masks + masks + struct.pack("<III", len(data), 1, 0x00100000)
    )
    blocks = [header, *(data[at : at + _LINE_BYTES] for at in range(0, len(data), _LINE_BYTES))]
    trailer = struct.pack("<BBI", 0, 0, 0x10)
    return [base64.b64encode(block).decode("ascii") for block in (*blocks, trailer)]
