"""What inserts do: the bands of an equalizer that are not at rest, and inserts that do nothing at all.

All bands are second-order sections of the RBJ cookbook in their Q form, alpha = sin(w) / (2 Q), for shelves
too; filters of 6 dB an octave are first order, those of 12 dB are Butterworth (Q = 0.7071).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from mix2daw.exporters.plugins import NYQUIST_GUARD_HZ, TWINS
from mix2daw.graph import Device

BUTTERWORTH_Q = math.sqrt(0.5)

BandKind = Literal["high_pass", "low_shelf", "bell", "high_shelf", "low_pass"]
_BELL = re.compile(r"bell_(\d+)_db")


@dataclass(frozen=True)
class Band:
    """One band. `gain_db`: of bells and shelves; `slope_db`: per octave, of filters (6 or 12)."""

    kind: BandKind
    freq_hz: float
    gain_db: float = 0.0
    q: float = BUTTERWORTH_Q
    slope_db: int = 0

    @property
    def is_filter(self) -> bool:
        """Whether it is a high-pass or low-pass filter."""
        return self.slope_db > 0


def active_bands(values: Mapping[str, float], sample_rate: int) -> tuple[Band, ...]:
    """Bands that are not at rest: high pass, low shelf, bells in order, high shelf, low pass.

    `values`: every control of an `equalizer` in human units. Frequencies stop 100 Hz below half the
    sample rate, where the processor stops too.
    """
    top_hz = sample_rate / 2 - NYQUIST_GUARD_HZ

    def filters(kind: Literal["high_pass", "low_pass"]) -> list[Band]:
        slope_db = int(values[f"{kind}_slope_db"])
        return [Band(kind, min(values[f"{kind}_hz"], top_hz), slope_db=slope_db)] if slope_db else []

    def gains(kind: BandKind, control: str) -> list[Band]:
        gain_db = values[f"{control}_db"]
        if gain_db == 0:
            return []
        return [Band(kind, min(values[f"{control}_hz"], top_hz), gain_db, values[f"{control}_q"])]

    numbers = sorted(int(match[1]) for name in values if (match := _BELL.fullmatch(name)))
    bells = [band for number in numbers for band in gains("bell", f"bell_{number}")]
    return (
        *filters("high_pass"),
        *gains("low_shelf", "low_shelf"),
        *bells,
        *gains("high_shelf", "high_shelf"),
        *filters("low_pass"),
    )


def is_idle(device: Device, sample_rate: int) -> bool:
    """Whether an insert (of any type) is set so that it returns its input."""
    if device.type == "equalizer":
        return not active_bands(device.values, sample_rate)
    if device.wet == 0:
        return True
    idle_at = TWINS[device.type].idle_at if device.type in TWINS else {}
    return bool(idle_at) and all(device.values[control] == value for control, value in idle_at.items())


def is_active(device: Device, control: str, sample_rate: int) -> bool:
    """Whether a control (of a complete device of any type) is heard: its device is not idle, and of an
    equalizer its band is not at rest."""
    if is_idle(device, sample_rate):
        return False
    return device.type != "equalizer" or in_use(device.values, control)


def in_use(values: Mapping[str, float], control: str) -> bool:
    """Whether the band that a control belongs to is not at rest; `values`: of a complete equalizer."""
    band = control.rsplit("_", 1)[0].removesuffix("_slope")
    return values.get(f"{band}_slope_db", values.get(f"{band}_db", 0.0)) != 0


def octaves_of_q(q: float) -> float:
    """Bandwidth in octaves of a bell of quality `q`, as analogue designs count it: 2 asinh(1 / 2Q) / ln 2."""
    return 2 / math.log(2) * math.asinh(1 / (2 * q))
