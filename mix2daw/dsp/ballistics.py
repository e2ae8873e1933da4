"""The time constants of JUCE's ballistics filter, which every detector here uses.

The filter is y = x + c·(y₋₁ − x), where c is the attack's coefficient if x > y₋₁, else the release's, and
c = exp(−2π · 1000 / (ms · sample rate)), 0 below a microsecond. The time constant is thus ms / 2π: 100 ms
here is τ = 15.9 ms.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mix2daw.dsp.rows import stored_in_float32

RMS_RELEASE_MS = 50.0  # the fixed window of JUCE's noise gate
SHORTEST_MS = 1e-3


def coefficient(time_ms: Tensor, sample_rate: int) -> Tensor:
    """The filter's coefficient, 0 to 1, float64; the time is rounded to float32 as the plugin stores it."""
    stored_ms = stored_in_float32(time_ms.double())
    decay = torch.exp(-2 * math.pi * 1000.0 / sample_rate / stored_ms.clamp(min=SHORTEST_MS))
    return torch.where(stored_ms < SHORTEST_MS, torch.zeros_like(decay), decay)
