"""The bands of an equalizer as ReaEQ has them.

Its bells are those of the RBJ cookbook with the bandwidth that is meant at the digital frequency, its filters
take it as an analogue one, its shelves have the slope S = 1 / bandwidth^2 down to 0.915 octaves.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

import numpy as np

from mix2daw.exporters.bands import Band, active_bands, octaves_of_q
from mix2daw.exporters.chains import apply_device
from mix2daw.graph import Device

NARROWEST_SHELF_OCTAVES = 0.915
_TYPES = {"low_shelf": 0, "high_shelf": 1, "low_pass": 3, "high_pass": 4, "bell": 8}
_VERSION = 33
_RESPONSE_SAMPLES = 1 << 16


def octaves(band: Band, sample_rate: int) -> float:
    """The bandwidth that ReaEQ is set to, in octaves."""
    if band.is_filter:
        return octaves_of_q(band.q)
    if band.kind == "bell":
        angle = 2 * math.pi * band.freq_hz / sample_rate
        return octaves_of_q(band.q) * math.sin(angle) / angle
    amplitude = 10 ** (band.gain_db / 40)
    inverse_slope = (band.q**-2 - 2) / (amplitude + 1 / amplitude) + 1
    return math.sqrt(max(0.0, inverse_slope))


def holds(band: Band) -> bool:
    """Whether ReaEQ has such a band: no filters of 6 dB an octave, no shelves that ring."""
    if band.is_filter:
        return band.slope_db == 12
    return band.kind == "bell" or octaves(band, 1) >= NARROWEST_SHELF_OCTAVES


def state(bands: Sequence[Band], sample_rate: int) -> bytes:
    """Its state: the bands, the master gain (1), and the 16 bytes of its window."""
    written = struct.pack("<II", _VERSION, len(bands))
    for band in bands:
        gain = 10 ** (band.gain_db / 20)
        width = octaves(band, sample_rate)
        written += struct.pack("<iidddB", _TYPES[band.kind], 1, band.freq_hz, gain, width, 1)
    return written + struct.pack("<iid4I", 1, 1, 1.0, 0, 509, 348, 2)


def residual_db(device: Device, sample_rate: int) -> float | None:
    """The difference of white noise through ReaEQ and through the device as it is rendered, relative to the
    latter; None if there is none. Of ReaEQ it has the formulas, of the device its impulse response."""
    impulse = np.zeros((1, _RESPONSE_SAMPLES), np.float32)
    impulse[0, 0] = 1
    rendered = np.fft.rfft(apply_device(impulse, device, sample_rate)[0].astype(np.float64))
    z = np.exp(-2j * math.pi * np.arange(len(rendered)) / _RESPONSE_SAMPLES)
    played = np.ones(len(rendered), complex)
    for band in active_bands(device.values, sample_rate):
        b, a = _section(band, sample_rate)
        played *= np.polyval(b[::-1], z) / np.polyval(a[::-1], z)
    off = float(np.sum(np.abs(played - rendered) ** 2) / np.sum(np.abs(rendered) ** 2))
    return 10 * math.log10(off) if off > 0 else None


def _section(band: Band, sample_rate: int) -> tuple[list[float], list[float]]:
    """Numerator and denominator of a band, from what ReaEQ is set to."""
    angle = 2 * math.pi * band.freq_hz / sample_rate
    cos, sin, width = math.cos(angle), math.sin(angle), octaves(band, sample_rate)
    amplitude = 10 ** (band.gain_db / 40)
    if band.is_filter:
        alpha = sin * math.sinh(math.log(2) / 2 * width)
        sign = 1 if band.kind == "low_pass" else -1
        edge = (1 - sign * cos) / 2
        return [edge, 2 * sign * edge, edge], [1 + alpha, -2 * cos, 1 - alpha]
    if band.kind == "bell":
        alpha = sin * math.sinh(math.log(2) / 2 * width * angle / sin)
        more, less = alpha * amplitude, alpha / amplitude
        return [1 + more, -2 * cos, 1 - more], [1 + less, -2 * cos, 1 - less]
    alpha = sin / 2 * math.sqrt((amplitude + 1 / amplitude) * (width**2 - 1) + 2)
    tilt = 1 if band.kind == "low_shelf" else -1
    high, low, root = amplitude + 1, amplitude - 1, 2 * math.sqrt(amplitude) * alpha
    b = [high - tilt * low * cos + root, 2 * tilt * (low - tilt * high * cos), high - tilt * low * cos - root]
    a = [
        high + tilt * low * cos + root,
        -2 * tilt * (low + tilt * high * cos),
        high + tilt * low * cos - root,
    ]
    return [amplitude * value for value in b], a
