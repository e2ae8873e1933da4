"""A cascade of second-order sections by frequency sampling, and the adjoint of its response.

With z = e^ζ, a numerator b0 + b1/z + b2/z² is 1/z times
    (b0 + b1 + b2) + (b0 + b2)·(cosh ζ − 1) + (b0 − b2)·sinh ζ,
and a denominator likewise. Written so, float32 is enough for filters far below a bin's cancellations:
the sum of the three is formed in float64 and nothing large is subtracted afterwards.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor

from mix2daw.dsp.gpu.spectrum import circle
from mix2daw.dsp.resample import fast_length

GUARD_SAMPLES = 48000  # at least half a second up to 96 kHz
FOLDED_DB = -40.0


@functools.lru_cache(maxsize=16)
def _shapes(samples: int, length: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """cosh ζ − 1 and sinh ζ on the grid, (bins,) complex64."""
    log_z = circle(samples, length, FOLDED_DB, torch.float32, device).log_z
    return (2 * torch.sinh(log_z / 2).square()).to(torch.complex64), torch.sinh(log_z).to(torch.complex64)


def _polynomials(sections: Tensor) -> tuple[Tensor, Tensor]:
    """The three factors above of each numerator and denominator: (strips, sections, 3) float32."""
    b0, b1, b2, a1, a2 = sections.unbind(-1)
    numerators = torch.stack([b0 + b1 + b2, b0 + b2, b0 - b2], -1)
    denominators = torch.stack([1 + a1 + a2, 1 + a2, 1 - a2], -1)
    return numerators.float(), denominators.float()


def _at(factors: Tensor, curve: Tensor, slope: Tensor) -> Tensor:
    """(strips, 3) on the grid: (strips, bins)."""
    level, bend, tilt = factors[:, :, None].unbind(1)
    return level + bend * curve + tilt * slope


class _Response(torch.autograd.Function):
    """exact and rounded (strips, sections, 5) float64 → response (strips, bins) complex64 of the rounded one,
    with the gradient of the exact one. One section at a time is in memory."""

    @staticmethod
    def forward(ctx: Any, exact: Tensor, rounded: Tensor, curve: Tensor, slope: Tensor) -> Tensor:
        numerators, denominators = _polynomials(rounded)
        response = _at(numerators[:, 0], curve, slope) / _at(denominators[:, 0], curve, slope)
        for j in range(1, rounded.shape[1]):
            response *= _at(numerators[:, j], curve, slope)
            response /= _at(denominators[:, j], curve, slope)
        ctx.save_for_backward(exact, response, curve, slope)
        return response

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        exact, response, curve, slope = ctx.saved_tensors
        power = gradients[0].conj() * response
        columns = []
        for numerators, denominators in zip(*(p.unbind(1) for p in _polynomials(exact)), strict=True):
            n_level, n_bend, n_tilt = _sums(power / _at(numerators, curve, slope), curve, slope)
            d_level, d_bend, d_tilt = _sums(power / _at(denominators, curve, slope), curve, slope)
            of_b = [n_level + n_bend + n_tilt, n_level, n_level + n_bend - n_tilt]
            columns.append(torch.stack([*of_b, -d_level, -(d_level + d_bend - d_tilt)], -1))
        return torch.stack(columns, 1), None, None, None


def _sums(ratio: Tensor, curve: Tensor, slope: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Real parts of (strips, bins) times 1, `curve` and `slope`, summed over the bins in float64."""
    level, bend, tilt = ((ratio * shape).real.sum(-1, dtype=torch.float64) for shape in (1, curve, slope))
    return level, bend, tilt


def cascade(signal: Tensor, coefficients: Tensor, rounded: Tensor) -> Tensor:
    """The filtered signal; arguments as those of mix2daw.dsp.cascade.cascade."""
    samples = signal.shape[-1]
    length = fast_length(samples + GUARD_SAMPLES)
    grid = circle(samples, length, FOLDED_DB, torch.float32, signal.device)
    response: Tensor = _Response.apply(  # type: ignore[no-untyped-call]
        coefficients, rounded, *_shapes(samples, length, signal.device)
    )
    return grid.filtered(signal, response[:, None])
