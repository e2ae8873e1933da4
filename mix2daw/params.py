"""Controls of a processor: what a person sets, and how the optimiser sees it.

A person sees human units (the suffix of the name: `_db _hz _ms _s _samples _lin`, or none for a ratio or
a share). The optimiser sees raw numbers of unit size: one raw unit is one `step`, a small audible move,
so that unlike controls move alike under one learning rate. The mapping between the two is here alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Scale = Literal["linear", "log", "ratio", "choice"]


@dataclass(frozen=True)
class Param:
    """One control: its range, the value at which it does nothing (or starts), and its scale.

    `scale`: "linear" (decibels, pans, shares), "log" (frequencies, times, Q), "ratio" (of a compressor:
    linear in 1 − 1/ratio, the slope that is heard) or "choice" (one of `choices`: a filter slope).
    `step`: a small audible move, on the scale (dB; natural logarithm on a log scale).
    `learnable`: False for a continuous control without a useful gradient (a delay in whole samples); the
    search sets it by other means. A choice is never learnable.
    """

    name: str
    low: float
    high: float
    rest: float
    scale: Scale = "linear"
    step: float = 0.05
    choices: tuple[float, ...] = ()
    learnable: bool = True

    def __post_init__(self) -> None:
        if not self.low <= self.rest <= self.high:
            raise ValueError(f"{self.name}: rest {self.rest} outside {self.low}..{self.high}")
        if self.scale in ("log", "ratio") and self.low <= 0:
            raise ValueError(f"{self.name}: scale {self.scale} needs a positive range")
        if self.scale == "choice" and self.rest not in self.choices:
            raise ValueError(f"{self.name}: rest {self.rest} is not one of {self.choices}")

    @property
    def continuous(self) -> bool:
        """Whether the optimiser may move it."""
        return self.scale != "choice" and self.learnable

    def allows(self, value: float) -> bool:
        """Whether `value` is finite and in range (one of the choices, for a choice)."""
        if not math.isfinite(value):
            return False
        return value in self.choices if self.scale == "choice" else self.low <= value <= self.high

    def to_raw(self, value: Tensor) -> Tensor:
        """Human values to raw ones, elementwise; float64."""
        value = value.double()
        if self.scale == "log":
            return value.log() / self.step
        if self.scale == "ratio":
            return (1 - 1 / value) / self.step
        return value if self.scale == "choice" else value / self.step

    def to_human(self, raw: Tensor) -> Tensor:
        """Raw values to human ones inside the range, elementwise and differentiable; float64."""
        scaled = raw.double() * (1 if self.scale == "choice" else self.step)
        if self.scale == "log":
            human = scaled.exp()
        elif self.scale == "ratio":
            human = 1 / (1 - scaled.clamp(max=1 - 1 / (2 * self.high)))
        else:
            human = scaled
        return human.clamp(self.low, self.high)

    def raw_range(self) -> tuple[float, float]:
        """Raw values of the two ends of the range."""
        low, high = self.to_raw(torch.tensor([self.low, self.high], dtype=torch.float64)).tolist()
        return low, high
