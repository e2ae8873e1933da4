"""ACE EQ (a-eq), the equalizer that comes with Ardour: a low shelf, four bells, a high shelf.

Its bells are RBJ's with bandwidth 2 asinh(1 / 2Q) / ln 2 octaves. Its shelves have Q = 0.7071 and their
frequency shifted: tan(pi f' / sr) = tan(pi f / sr) / sqrt(A) for the low one, x sqrt(A) for the high one,
A = 10^(dB / 40). Its controls are smoothed by one-pole filters that stop early, so a target a little past the
value is written, from which the smoother comes to rest on the value.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from mix2daw.exporters.bands import BUTTERWORTH_Q, Band, octaves_of_q

URI = "urn:ardour:a-eq"
MAX_GAIN_DB = 20.0
FREQ_LOW_HZ, FREQ_HIGH_HZ = 20.0, 20000.0
# Of the sample rate. It has 64 bits; filters of 32 bits round otherwise below this (to -70 dB at 45 Hz).
LOWEST_SHARE = 1 / 200
BANDWIDTH_LOW_OCT, BANDWIDTH_HIGH_OCT = 0.1, 4.0
BELLS = 4
SHELF_Q_TOLERANCE = 1e-3
# Distances at which the smoothers stop: hertz, decibels, octaves.
_STOP_HZ, _STOP_DB, _STOP_OCT = 0.1, 0.05, 0.001
_SMOOTHER_HZ, _SMOOTHER_SAMPLES = 25.0, 64
_MAX_STEPS = 1000
# How far a target stays away from the edge at which the smoother takes a step more: ports are 32-bit floats.
_EDGE = 1e-5


def refusal(bands: Iterable[Band], sample_rate: int) -> str | None:
    """Why ACE EQ has no exact twin of these bands, in words; None if it has one."""
    bands = tuple(bands)
    if any(band.is_filter for band in bands):
        return "ACE EQ has no high-pass and low-pass filters"
    if any(band.freq_hz < LOWEST_SHARE * sample_rate for band in bands):
        return "ACE EQ does not round low bands as the render does"
    if sum(band.kind == "bell" for band in bands) > BELLS:
        return f"ACE EQ has {BELLS} bells"
    for band in bands:
        if band.kind != "bell" and abs(band.q - BUTTERWORTH_Q) > SHELF_Q_TOLERANCE:
            return f"the shelves of ACE EQ have a Q of 0.7071, not {band.q:.3g}"
    targets = controls(bands, sample_rate)
    for name, value in targets.items():
        if name.startswith("freq") and not FREQ_LOW_HZ <= value <= FREQ_HIGH_HZ:
            return f"the frequencies of ACE EQ end at {FREQ_LOW_HZ:.0f} and {FREQ_HIGH_HZ:.0f} Hz"
        if name.startswith("g") and abs(value) > MAX_GAIN_DB:
            return f"the gains of ACE EQ end at {MAX_GAIN_DB:.0f} dB"
        if name.startswith("bw") and not BANDWIDTH_LOW_OCT <= value <= BANDWIDTH_HIGH_OCT:
            return f"the bandwidths of ACE EQ end at {BANDWIDTH_LOW_OCT} and {BANDWIDTH_HIGH_OCT:.0f} octaves"
    return None


def controls(bands: Iterable[Band], sample_rate: int) -> Mapping[str, float]:
    """Values of its ports, by symbol. Bands that are not used are off."""
    ports: dict[str, float] = {"enable": 1, "master": 0, "filtogl": 0, "filtogh": 0}
    ports.update({f"filtog{number}": 0 for number in range(1, BELLS + 1)})

    def put(slot: str, freq_hz: float, gain_db: float) -> None:
        ports[f"filtog{slot}"] = 1
        ports[f"freq{slot}"] = aimed(freq_hz, _STOP_HZ, sample_rate)
        ports[f"g{slot}"] = aimed(gain_db, _STOP_DB, sample_rate)

    bell = 0
    for band in bands:
        if band.kind == "bell":
            bell += 1
            put(str(bell), band.freq_hz, band.gain_db)
            ports[f"bw{bell}"] = aimed(octaves_of_q(band.q), _STOP_OCT, sample_rate)
        elif band.kind == "low_shelf":
            put("l", _shifted_hz(band, -1, sample_rate), band.gain_db)
        elif band.kind == "high_shelf":
            put("h", _shifted_hz(band, 1, sample_rate), band.gain_db)
    return ports


def aimed(value: float, stop: float, sample_rate: int) -> float:
    """The target at which a smoother, starting from 0, comes to rest on `value`, or as near as it can.

    Each step goes the share tau of the way, and the last one is the first that ends within `stop` of the
    target. After k steps it has come the share 1 - r, r = (1 - tau)^k, so the target is value / (1 - r), for
    the k at which |target| r < stop <= |target| r / (1 - tau). Some values lie in gaps of stop x tau between
    two such k; the nearer end is taken then, so that the error is at most half a gap.
    """
    keep = math.exp(-2 * math.pi * _SMOOTHER_SAMPLES * _SMOOTHER_HZ / sample_rate)
    size = abs(value)
    best, error = 0.0, size
    for steps in range(1, _MAX_STEPS):
        rest = keep**steps
        low, high = stop / (rest / keep) * (1 + _EDGE), stop / rest * (1 - _EDGE)
        target = min(max(size / (1 - rest), low), high)
        missed = abs(target * (1 - rest) - size)
        if missed < error:
            best, error = target, missed
        if low * (1 - rest) > size:
            break
    return math.copysign(best, value) if best else 0.0


def _shifted_hz(band: Band, sign: int, sample_rate: int) -> float:
    amplitude = 10 ** (band.gain_db / 40)
    warped = math.tan(math.pi * band.freq_hz / sample_rate) * amplitude ** (sign / 2)
    return math.atan(warped) * sample_rate / math.pi
