"""How far REAPER's plug-ins are expected to be from the devices they stand for, where nobody documents them.

Each is played as the render plays it, and once more as the plug-in may: with the times of a compressor or a
gate taken to be half or twice as long (the worse of both), a gate that has two levels, an echo that comes a
sample late, a reverberation with the energy of ours and nothing else in common. The signal is noise in bursts
that fall from well above a threshold to far below it. What is told is the RMS of the difference, relative to
the device as rendered.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mix2daw.exporters.chains import Signal, apply_device
from mix2daw.graph import Device

GATE_DEPTH_DB = 12.0  # ReaGate has one level when closed: that of our gate this far below its threshold
_SECONDS, _BURST_S = 3.0, 0.5
_ABOVE_DB, _FALL_DB = 15.0, 45.0
_FASTER_AND_SLOWER = (0.5, 2.0)


def residual_db(device: Device, sample_rate: int) -> float | None:
    """The expected difference of a compressor, gate, delay or reverb (complete, not blended), in dB; None if
    there is none."""
    x = _bursts(device.values.get("threshold_db", -20.0), sample_rate)
    y = apply_device(x, device, sample_rate).astype(np.float64)
    differences = [y - other for other in _OTHERS[device.type](x, y, device, sample_rate)]
    level, off = _energy(y), max(_energy(difference) for difference in differences)
    return 10 * math.log10(off / level) if off > 0 and level > 0 else None


def closed_lin(ratio: float) -> float:
    """The level of ReaGate when it is closed."""
    return float(10 ** (-(ratio - 1) * GATE_DEPTH_DB / 20))


def _bursts(threshold_db: float, sample_rate: int) -> Signal:
    rng = np.random.default_rng(0)
    seconds = np.arange(round(_SECONDS * sample_rate)) / sample_rate
    level_db = threshold_db + _ABOVE_DB - _FALL_DB * (seconds % _BURST_S) / _BURST_S
    noise = rng.standard_normal((2, len(seconds)))
    bursts: Signal = (noise * 10 ** (level_db / 20)).astype(np.float32)
    return bursts


def _with_other_times(x: Signal, device: Device, sample_rate: int) -> list[NDArray[np.float64]]:
    played = []
    for factor in _FASTER_AND_SLOWER:
        times = {name: device.values[name] * factor for name in ("attack_ms", "release_ms")}
        other = device.model_copy(update={"values": {**device.values, **times}})
        played.append(apply_device(x, other, sample_rate).astype(np.float64))
    return played


def _compressors(
    x: Signal, y: NDArray[np.float64], device: Device, sample_rate: int
) -> list[NDArray[np.float64]]:
    del y
    return _with_other_times(x, device, sample_rate)


def _gates(x: Signal, y: NDArray[np.float64], device: Device, sample_rate: int) -> list[NDArray[np.float64]]:
    """Open where ours is more open than closed, else closed."""
    closed = closed_lin(device.values["ratio"])
    found = []
    for played in (y, *_with_other_times(x, device, sample_rate)):
        is_open = np.abs(played) >= math.sqrt(closed) * np.abs(x)
        found.append(np.where(is_open, 1.0, closed) * x.astype(np.float64))
    return found


def _delays(x: Signal, y: NDArray[np.float64], device: Device, sample_rate: int) -> list[NDArray[np.float64]]:
    del y
    later = {**device.values, "delay_ms": device.values["delay_ms"] + 1000 / sample_rate}
    other = device.model_copy(update={"values": later})
    return [apply_device(x, other, sample_rate).astype(np.float64)]


def _reverbs(
    x: Signal, y: NDArray[np.float64], device: Device, sample_rate: int
) -> list[NDArray[np.float64]]:
    """The difference of two tails that have nothing in common has the energy of both."""
    dry = device.model_copy(update={"values": {**device.values, "wet_level": 0.0}})
    tail = y - apply_device(x, dry, sample_rate)
    return [y - math.sqrt(2) * tail]


_Others = Callable[[Signal, NDArray[np.float64], Device, int], list[NDArray[np.float64]]]
_OTHERS: dict[str, _Others] = {
    "compressor": _compressors,
    "gate": _gates,
    "delay": _delays,
    "reverb": _reverbs,
}


def _energy(signal: NDArray[np.float64]) -> float:
    return float(np.square(signal).sum())
