"""Parametric equaliser: high-pass, low shelf, four bells, high shelf, low-pass, in this order.

Each band is one section, or more, with these coefficients; f is its frequency in Hz, g its level in dB, q its
Q. A band at 0 dB and a slope of 0 are left out.

    y[n] = (b0·x[n] + b1·x[n − 1] + b2·x[n − 2] − a1·y[n − 1] − a2·y[n − 2]) / a0

High-pass of 6 dB an octave:

    T = tan(π · f / f_s)
    b0 = 1
    b1 = −1
    b2 = 0
    a0 = T + 1
    a1 = T − 1
    a2 = 0

Low-pass of 6 dB an octave:

    T = tan(π · f / f_s)
    b0 = T
    b1 = T
    b2 = 0
    a0 = T + 1
    a1 = T − 1
    a2 = 0

Bell:

    A = 10^(g/40)
    w = 2·π · f / f_s
    α = sin(w) / (2·q)
    b0 = 1 + α·A
    b1 = −2·cos(w)
    b2 = 1 − α·A
    a0 = 1 + α/A
    a1 = −2·cos(w)
    a2 = 1 − α/A

Low shelf:

    A = 10^(g/40)
    w = 2·π · f / f_s
    β = √(A) · sin(w) / q
    b0 = A · ((A + 1) − (A − 1)·cos(w) + β)
    b1 = 2·A · ((A − 1) − (A + 1)·cos(w))
    b2 = A · ((A + 1) − (A − 1)·cos(w) − β)
    a0 = (A + 1) + (A − 1)·cos(w) + β
    a1 = −2 · ((A − 1) + (A + 1)·cos(w))
    a2 = (A + 1) + (A − 1)·cos(w) − β

High shelf:

    A = 10^(g/40)
    w = 2·π · f / f_s
    β = √(A) · sin(w) / q
    b0 = A · ((A + 1) + (A − 1)·cos(w) + β)
    b1 = −2·A · ((A − 1) + (A + 1)·cos(w))
    b2 = A · ((A + 1) + (A − 1)·cos(w) − β)
    a0 = (A + 1) − (A − 1)·cos(w) + β
    a1 = 2 · ((A − 1) − (A + 1)·cos(w))
    a2 = (A + 1) − (A − 1)·cos(w) − β

A slope of 12 dB an octave is a Butterworth filter of second order, exactly, though pedalboard has none: its
filter of 6 dB twice, then a bell at the same frequency with

    g = 20 · log10(√(2))
    q = √(√(2)) / 2

because (s/(s + 1))² · (s² + 2s + 1)/(s² + √2·s + 1) is one, and so with 1/(s + 1). Frequencies stop 100 Hz
below half the sample rate. Coefficients and states are rounded to 32 bits where the plugins round them: a
section below 100 Hz hears that.

Source: Robert Bristow-Johnson's [Audio EQ Cookbook](https://www.w3.org/TR/audio-eq-cookbook/), with α from Q
for shelves too, and bilinear transforms of s/(s + 1) and 1/(s + 1), as `juce::dsp::IIR` designs them, which
pedalboard's filters are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from mix2daw.dsp.biquad import Design, bell, high_pass, high_shelf, low_pass, low_shelf, section
from mix2daw.dsp.cascade import cascade
from mix2daw.dsp.rows import Remembered, beside, may_hold, wants_gradient
from mix2daw.params import Param
from mix2daw.processors.base import Processor

BUTTERWORTH_DB = 20 * math.log10(math.sqrt(2))
BUTTERWORTH_Q = math.sqrt(math.sqrt(2)) / 2

Sections = list[tuple[Tensor, Tensor]]


def _pass(design: Design, frequency_hz: Tensor, slope_db: Tensor, sample_rate: int) -> Sections:
    """Sections of a high-pass or low-pass; none if every strip's slope is 0."""
    level_db = torch.full_like(frequency_hz, BUTTERWORTH_DB)
    q = torch.full_like(frequency_hz, BUTTERWORTH_Q)
    heard = {6: slope_db >= 6, 12: slope_db >= 12}
    sections: Sections = []
    for slope, kind in ((6, design), (12, design), (12, bell)):
        if not may_hold(heard[slope]):
            break
        exact, rounded = section(kind, heard[slope], frequency_hz, level_db, q, sample_rate)
        # What is not heard has no gradient: a slope is chosen, not learnt.
        sections.append((torch.where(beside(heard[slope], exact)[:, None], exact, rounded), rounded))
    return sections


def _band(design: Design, frequency_hz: Tensor, level_db: Tensor, q: Tensor, sample_rate: int) -> Sections:
    """The section of a bell or shelf; none if it is at 0 dB in every strip and nothing is learnt from it."""
    heard = level_db != 0
    if not wants_gradient(frequency_hz, level_db, q) and not may_hold(heard):
        return []
    return [section(design, heard, frequency_hz, level_db, q, sample_rate)]


def _bells(bells: Sequence[Sequence[Tensor]], sample_rate: int) -> Sections:
    """The sections of several bells (frequency_hz, level_db, q), designed together."""
    learnt = wants_gradient(*(control for bell_ in bells for control in bell_))
    alive = [bell_ for bell_ in bells if learnt or may_hold(bell_[1] != 0)]
    if not alive:
        return []
    frequency_hz, level_db, q = (torch.cat(control) for control in zip(*alive, strict=True))
    exact, rounded = section(bell, level_db != 0, frequency_hz, level_db, q, sample_rate)
    return list(zip(exact.chunk(len(alive)), rounded.chunk(len(alive)), strict=True))


def _designed(sample_rate: int, *controls: Tensor) -> tuple[Tensor, Tensor] | None:
    """The sections of all bands, exact and as heard, each (strips, sections, 5); None if there are none.
    `controls`: as those of `process`."""
    sections = [
        *_pass(high_pass, controls[0], controls[1], sample_rate),
        *_band(low_shelf, controls[2], controls[3], controls[4], sample_rate),
        *_bells([controls[first : first + 3] for first in range(5, 17, 3)], sample_rate),
        *_band(high_shelf, controls[17], controls[18], controls[19], sample_rate),
        *_pass(low_pass, controls[20], controls[21], sample_rate),
    ]
    if not sections:
        return None
    exact, rounded = (torch.stack(kind, 1) for kind in zip(*sections, strict=True))
    return exact, rounded


_remembered = Remembered(_designed)


def process(
    signal: Tensor,
    sample_rate: int,
    high_pass_hz: Tensor,
    high_pass_slope_db: Tensor,
    low_shelf_hz: Tensor,
    low_shelf_db: Tensor,
    low_shelf_q: Tensor,
    bell_1_hz: Tensor,
    bell_1_db: Tensor,
    bell_1_q: Tensor,
    bell_2_hz: Tensor,
    bell_2_db: Tensor,
    bell_2_q: Tensor,
    bell_3_hz: Tensor,
    bell_3_db: Tensor,
    bell_3_q: Tensor,
    bell_4_hz: Tensor,
    bell_4_db: Tensor,
    bell_4_q: Tensor,
    high_shelf_hz: Tensor,
    high_shelf_db: Tensor,
    high_shelf_q: Tensor,
    low_pass_hz: Tensor,
    low_pass_slope_db: Tensor,
) -> Tensor:
    """The equalised signal, (strips, channels, samples); every control (strips,). A band that is at rest in
    every strip costs nothing unless it is learnt."""
    designed = _remembered(
        sample_rate,
        high_pass_hz, high_pass_slope_db,
        low_shelf_hz, low_shelf_db, low_shelf_q,
        bell_1_hz, bell_1_db, bell_1_q,
        bell_2_hz, bell_2_db, bell_2_q,
        bell_3_hz, bell_3_db, bell_3_q,
        bell_4_hz, bell_4_db, bell_4_q,
        high_shelf_hz, high_shelf_db, high_shelf_q,
        low_pass_hz, low_pass_slope_db,
    )  # fmt: skip
    return signal if designed is None else cascade(signal, *designed)


def _frequency(name: str, low: float, high: float, rest: float) -> Param:
    return Param(f"{name}_hz", low, high, rest, scale="log", step=0.015)


def _level(name: str) -> Param:
    return Param(f"{name}_db", -24, 24, 0, step=0.2)


def _quality(name: str, low: float, high: float, rest: float) -> Param:
    return Param(f"{name}_q", low, high, rest, scale="log", step=0.02)


def _slope(name: str) -> Param:
    return Param(f"{name}_slope_db", 0, 12, 0, scale="choice", choices=(0, 6, 12))


def _bell(index: int, frequency_hz: float) -> tuple[Param, ...]:
    name = f"bell_{index}"
    return _frequency(name, 20, 20000, frequency_hz), _level(name), _quality(name, 0.1, 12, 0.8)


PROCESSOR = Processor(
    name="equalizer",
    params=(
        _frequency("high_pass", 10, 2000, 40),
        _slope("high_pass"),
        _frequency("low_shelf", 20, 1000, 100),
        _level("low_shelf"),
        _quality("low_shelf", 0.2, 2, 0.7071),
        *_bell(1, 150),
        *_bell(2, 500),
        *_bell(3, 1600),
        *_bell(4, 5000),
        _frequency("high_shelf", 500, 20000, 8000),
        _level("high_shelf"),
        _quality("high_shelf", 0.2, 2, 0.7071),
        _frequency("low_pass", 500, 22000, 16000),
        _slope("low_pass"),
    ),
    process=process,
    by_channel=True,
    null_db=-120.0,
)
