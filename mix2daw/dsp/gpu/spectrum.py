"""Filtering by a product of spectra, on a circle that keeps what is folded small.

A grid of `length` points folds whatever a filter still plays after `length` samples back to the beginning.
With the signal times r^n (r < 1), the response taken at z/r and the result divided by r^n, that falls by
r^length, while the rounding of the FFT grows by at most r^−samples towards the end.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Circle:
    """`length` points of an FFT; `decay` (samples,) is r^n, `log_z` (length // 2 + 1,) complex128 the natural
    logarithm of z at each bin."""

    length: int
    decay: Tensor
    log_z: Tensor

    def filtered(self, signal: Tensor, response: Tensor) -> Tensor:
        """The signal (..., samples) through responses (..., bins), in the precision of `decay`."""
        spectrum = torch.fft.rfft(signal * self.decay, self.length)
        out: Tensor = torch.fft.irfft(spectrum * response, self.length)[..., : signal.shape[-1]]
        return out / self.decay


@functools.lru_cache(maxsize=16)  # excerpts of one song have few lengths
def circle(
    samples: int, length: int, folded_db: float, precision: torch.dtype, device: torch.device
) -> Circle:
    """A circle on which what is folded is softer by `folded_db` (negative)."""
    log_r = folded_db / 20 * math.log(10) / length
    decay = torch.exp(log_r * torch.arange(samples, dtype=torch.float64, device=device))
    angle = torch.arange(length // 2 + 1, dtype=torch.float64, device=device) * (2 * math.pi / length)
    return Circle(length, decay.to(precision), torch.complex(torch.full_like(angle, -log_r), angle))
