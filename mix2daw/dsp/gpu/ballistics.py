"""The ballistics filter of every detector, row by row, with its adjoint."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mix2daw.dsp.gpu.rows import (
    ADJOINT,
    FOLLOW,
    chunks_of,
    from_chunks,
    one_before,
    over_rows,
    to_chunks,
)


class _Follow(torch.autograd.Function):
    """v (rows, samples) float32, controls (rows, 2) float64: coefficients of attack and release."""

    @staticmethod
    def forward(ctx: Any, v: Tensor, controls: Tensor) -> Tensor:
        coefficients = controls.detach().float().contiguous()
        chunked = to_chunks(v, chunks_of(v.shape[1], v.device))
        envelope, move = torch.empty_like(chunked), torch.empty_like(chunked, dtype=torch.uint8)
        over_rows(FOLLOW, chunked, coefficients, envelope, move)
        ctx.save_for_backward(chunked, coefficients, envelope, move)
        return from_chunks(envelope, v.shape[1])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor | None]:
        v, coefficients, envelope, move = ctx.saved_tensors
        total = torch.empty_like(v)
        over_rows(ADJOINT, to_chunks(gradients[0], v.shape[2]), coefficients, move, total)
        attack, release = coefficients[:, :1, None], coefficients[:, 1:, None]
        of_v = from_chunks(total * (1 - torch.where(move == 0, attack, release)), gradients[0].shape[1])
        if not ctx.needs_input_grad[1]:
            return of_v, None
        of_coefficient = total * (one_before(envelope, 0.0) - v)
        sums = [(of_coefficient * (move == kind)).sum((1, 2), dtype=torch.float64) for kind in (0, 1)]
        return of_v, torch.stack(sums, 1)


def envelope_of(v: Tensor, attack: Tensor, release: Tensor) -> Tensor:
    """The envelope of v (strips, detectors, samples), which is not negative. attack and release: coefficients
    of the ballistics, (strips,) float64."""
    controls = torch.stack([attack, release], 1).repeat_interleave(v.shape[1], 0)
    rows: Tensor = _Follow.apply(v.reshape(-1, v.shape[-1]), controls)  # type: ignore[no-untyped-call]
    return rows.reshape(v.shape)
