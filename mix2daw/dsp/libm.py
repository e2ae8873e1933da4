"""Functions of one tensor, rounded as a C++ plugin rounds them: in float32 they are the C library's own.

In float64 they are torch's and differentiable. In float32 they are not: sinf, cosf, tanf and powf of the
C library are seldom one unit in the last place off the correctly rounded value, and a filter hears that.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from mix2daw.dsp.jit import compiled
from mix2daw.dsp.rows import Doubles, Floats

SIN, COS, TAN, POWER_OF_TEN = range(4)
NEPER_DB = 20 / math.log(10)


@compiled
def _single(function: int, values: Floats, results: Floats) -> None:
    """Fill `results` with a float32 function of `values`, both (n,)."""
    for i in range(values.size):
        if function == SIN:
            results[i] = math.sin(values[i])
        elif function == COS:
            results[i] = math.cos(values[i])
        elif function == TAN:
            results[i] = math.tan(values[i])
        else:
            results[i] = np.float32(10) ** values[i]


def _apply(value: Tensor, function: int, double: Callable[[Tensor], Tensor]) -> Tensor:
    if value.dtype == torch.float64:
        return double(value)
    if value.device.type != "cpu":  # there is no C library there; a unit in the last place is far from heard
        return double(value.double()).to(value.dtype)
    values = value.detach().contiguous().numpy()
    results = np.empty_like(values)
    _single(function, values, results)
    return torch.from_numpy(results)


def sin(value: Tensor) -> Tensor:
    """Sine of (n,) radians."""
    return _apply(value, SIN, torch.sin)


def cos(value: Tensor) -> Tensor:
    """Cosine of (n,) radians."""
    return _apply(value, COS, torch.cos)


def tan(value: Tensor) -> Tensor:
    """Tangent of (n,) radians."""
    return _apply(value, TAN, torch.tan)


def power_of_ten(value: Tensor) -> Tensor:
    """10 to the power of (n,) values."""
    return _apply(value, POWER_OF_TEN, lambda exponent: torch.pow(10.0, exponent))


def amplitude(level_ln: Doubles) -> Floats:
    """Amplitudes of levels given as natural logarithms, by way of decibels as JUCE computes them."""
    level_db = (level_ln * NEPER_DB).astype(np.float32)
    result: Floats = power_of_ten(torch.from_numpy(level_db * np.float32(0.05))).numpy()
    return result


def sqrt(value: Tensor) -> Tensor:
    """Square root, correctly rounded (torch's own float32 root is not)."""
    return value.double().sqrt().to(value.dtype)
