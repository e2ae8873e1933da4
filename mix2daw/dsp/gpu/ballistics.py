"""The ballistics filter of every detector, row by row, with its adjoint."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mix2daw.dsp.gpu.rows import adjoint_row, follow_row, over_rows


class _Follow(torch.autograd.Function):
    """v (rows, samples) float32, controls (rows, 2) float64: coefficients of attack and release."""

    @staticmethod
    def forward(ctx: Any, v: Tensor, controls: Tensor) -> Tensor:
        v, coefficients = v.contiguous(), controls.float().contiguous()
        envelope, move = torch.empty_like(v), torch.empty_like(v, dtype=torch.uint8)
        over_rows(follow_row, v, coefficients, envelope, move)
        ctx.save_for_backward(v, coefficients, envelope, move)
        return envelope

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor | None]:
        v, coefficients, envelope, move = ctx.saved_tensors
        total = torch.empty_like(v)
        over_rows(adjoint_row, gradients[0].contiguous(), coefficients, move, total)
        attack, release = coefficients[:, :1], coefficients[:, 1:]
        of_v = total * (1 - torch.where(move == 0, attack, release))
        if not ctx.needs_input_grad[1]:
            return of_v, None
        before = torch.nn.functional.pad(envelope[:, :-1], (1, 0))
        of_coefficient = total * (before - v)
        sums = [(of_coefficient * (move == kind)).sum(1, dtype=torch.float64) for kind in (0, 1)]
        return of_v, torch.stack(sums, 1)


def envelope_of(v: Tensor, attack: Tensor, release: Tensor) -> Tensor:
    """The envelope of v (strips, detectors, samples), which is not negative. attack and release: coefficients
    of the ballistics, (strips,) float64."""
    controls = torch.stack([attack, release], 1).repeat_interleave(v.shape[1], 0)
    rows: Tensor = _Follow.apply(v.reshape(-1, v.shape[-1]), controls)  # type: ignore[no-untyped-call]
    return rows.reshape(v.shape)
