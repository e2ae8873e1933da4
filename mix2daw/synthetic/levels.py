"""What a signal holds: its power by frequency, its level by time, and what a device does to that.

Signals are (channels, samples) float32.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import welch

from mix2daw.stems import Signal

Array = NDArray[np.float64]

RESPONSE_SAMPLES = 65536
HEARD_HZ = (20.0, 20000.0)
FRAME_MS = 10.0
WORKING_RANGE_DB = 60.0  # frames further below the loudest one do not count
TINY_POWER = 1e-30


def heard_power(signal: Signal, sample_rate: int) -> Array:
    """Power spectrum (RESPONSE_SAMPLES / 2 + 1,) from 0 Hz to half the rate, all channels together; 0
    outside 20 Hz..20 kHz."""
    missing = max(0, RESPONSE_SAMPLES - signal.shape[1])
    padded = np.pad(signal, ((0, 0), (0, missing))).astype(float)
    frequency_hz, power = welch(padded, sample_rate, nperseg=RESPONSE_SAMPLES, detrend=False)
    heard = (frequency_hz >= HEARD_HZ[0]) & (frequency_hz <= HEARD_HZ[1])
    return np.asarray(power.sum(0) * heard)


def frame_levels_db(signal: Signal, sample_rate: int) -> Array:
    """Mean power of every 10 ms, all channels together, in dB; what is left at the end is dropped."""
    size = round(FRAME_MS * sample_rate / 1000)
    power = np.mean(np.square(signal, dtype=float), axis=0)
    frames = power[: len(power) // size * size].reshape(-1, size).mean(1)
    return np.asarray(10 * np.log10(frames + TINY_POWER))


def working_frames(levels_db: Array) -> NDArray[np.bool_]:
    """Frames within 60 dB of the loudest."""
    return np.asarray(levels_db > levels_db.max() - WORKING_RANGE_DB)


def reduction_db(before: Signal, after: Signal, sample_rate: int) -> Array:
    """What a device does to the level of every 10 ms, dB: negative where it turns down."""
    return frame_levels_db(after, sample_rate) - frame_levels_db(before, sample_rate)
