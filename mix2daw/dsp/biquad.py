"""Coefficients of the equaliser's sections as JUCE 6.1 designs them, differentiable and as rounded.

A section is (strips, 5): b0, b1, b2, a1, a2, divided by a0. First-order filters are bilinear transforms of
s/(s + 1) and 1/(s + 1); bells and shelves are Robert Bristow-Johnson's cookbook with α = sin(w)/(2Q) and
A = 10^(dB/40). `precision` float32 repeats the plugin's rounding: each intermediate is float32, and sin,
cos, tan and powers are those of the C library, as the plugin's; one unit in the last place costs up to
50 dB below 100 Hz.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from mix2daw.dsp.libm import cos, power_of_ten, sin, sqrt, tan
from mix2daw.dsp.rows import beside

LOWEST_HZ = 2.0  # JUCE goes no lower with bells and shelves
BELOW_NYQUIST_HZ = 100.0  # pedalboard goes no higher than this below half the sample rate

Design = Callable[[Tensor, Tensor, Tensor, int, torch.dtype], Tensor]


def audible_hz(frequency_hz: Tensor, sample_rate: int) -> Tensor:
    """Frequencies clamped to what the plugins accept at this sample rate, Hz."""
    return frequency_hz.clamp(0.01, sample_rate / 2 - BELOW_NYQUIST_HZ)


def _normalised(b: tuple[Tensor, ...], a: tuple[Tensor, ...]) -> Tensor:
    """(strips, 5) from b and a of first or second order: multiplied by 1/a0, as JUCE does."""
    inverse = 1 / a[0]
    zero = torch.zeros_like(inverse)
    numerator = [value * inverse for value in b] + [zero] * (3 - len(b))
    denominator = [value * inverse for value in a[1:]] + [zero] * (3 - len(a))
    return torch.stack([*numerator, *denominator], -1)


def _first_order(frequency_hz: Tensor, sample_rate: int, precision: torch.dtype) -> Tensor:
    """tan(π f / sample rate), the prewarped corner."""
    angle = torch.tensor(math.pi, dtype=precision) * frequency_hz.to(precision) / sample_rate
    return tan(angle)


def high_pass(
    frequency_hz: Tensor, level_db: Tensor, q: Tensor, sample_rate: int, precision: torch.dtype
) -> Tensor:
    """First-order high-pass, 6 dB an octave (level and Q are not used)."""
    del level_db, q
    n = _first_order(frequency_hz, sample_rate, precision)
    one = torch.ones_like(n)
    return _normalised((one, -one), (n + 1, n - 1))


def low_pass(
    frequency_hz: Tensor, level_db: Tensor, q: Tensor, sample_rate: int, precision: torch.dtype
) -> Tensor:
    """First-order low-pass, 6 dB an octave (level and Q are not used)."""
    del level_db, q
    n = _first_order(frequency_hz, sample_rate, precision)
    return _normalised((n, n), (n + 1, n - 1))


def _prototype(
    frequency_hz: Tensor, level_db: Tensor, q: Tensor, sample_rate: int, precision: torch.dtype
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A, cos w, sin w and Q of a bell or shelf."""
    f, db, q = frequency_hz.to(precision), level_db.to(precision), q.to(precision)
    level_lin = power_of_ten(db * torch.tensor(0.05, dtype=precision))
    w = torch.tensor(2 * math.pi, dtype=precision) * f.clamp(min=LOWEST_HZ) / sample_rate
    return sqrt(level_lin), cos(w), sin(w), q


def bell(
    frequency_hz: Tensor, level_db: Tensor, q: Tensor, sample_rate: int, precision: torch.dtype
) -> Tensor:
    """Peaking filter: `level_db` at `frequency_hz`, 0 dB far away."""
    A, cos_w, sin_w, q = _prototype(frequency_hz, level_db, q, sample_rate, precision)
    alpha, middle = sin_w / (q * 2), -2 * cos_w
    return _normalised(
        (1 + alpha * A, middle, 1 - alpha * A),
        (1 + alpha / A, middle, 1 - alpha / A),
    )


def low_shelf(
    frequency_hz: Tensor, level_db: Tensor, q: Tensor, sample_rate: int, precision: torch.dtype
) -> Tensor:
    """Low shelf: `level_db` at DC, half of it at `frequency_hz`."""
    A, cos_w, sin_w, q = _prototype(frequency_hz, level_db, q, sample_rate, precision)
    less, more, beta = A - 1, A + 1, sin_w * sqrt(A) / q
    tilt = less * cos_w
    return _normalised(
        (A * (more - tilt + beta), A * 2 * (less - more * cos_w), A * (more - tilt - beta)),
        (more + tilt + beta, -2 * (less + more * cos_w), more + tilt - beta),
    )


def high_shelf(
    frequency_hz: Tensor, level_db: Tensor, q: Tensor, sample_rate: int, precision: torch.dtype
) -> Tensor:
    """High shelf: `level_db` at the top, half of it at `frequency_hz`."""
    A, cos_w, sin_w, q = _prototype(frequency_hz, level_db, q, sample_rate, precision)
    less, more, beta = A - 1, A + 1, sin_w * sqrt(A) / q
    tilt = less * cos_w
    return _normalised(
        (A * (more + tilt + beta), A * -2 * (less + more * cos_w), A * (more + tilt - beta)),
        (more - tilt + beta, 2 * (less - more * cos_w), more - tilt - beta),
    )


def section(
    design: Design, heard: Tensor, frequency_hz: Tensor, level_db: Tensor, q: Tensor, sample_rate: int
) -> tuple[Tensor, Tensor]:
    """One section for all strips: (strips, 5) float64 that is differentiated, and the same as heard.

    `heard` (strips,) bool: where it is False, the section passes its input unchanged.
    """
    f = audible_hz(frequency_hz, sample_rate)
    exact = design(f, level_db, q, sample_rate, torch.float64)
    with torch.no_grad():
        rounded = design(f, level_db, q, sample_rate, torch.float32).double()
        through = torch.zeros_like(rounded)
        through[:, 0] = 1
        rounded = torch.where(beside(heard, rounded)[:, None], rounded, through)
    return exact, rounded
