"""The lookahead limiter: peaks → gain by recursion → product."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mix2daw.dsp.gpu.rows import adjoint_row, limit_row, over_rows
from mix2daw.dsp.steps import ATTACKED, RELEASED


class _Gain(torch.autograd.Function):
    """p (strips, samples) float32, controls (strips, 2) float64: ceiling and k; ahead (strips,) float32."""

    @staticmethod
    def forward(ctx: Any, p: Tensor, controls: Tensor, ahead: Tensor) -> Tensor:
        p, rows = p.contiguous(), torch.cat([controls.float(), ahead[:, None]], 1)
        gain, move = torch.empty_like(p), torch.empty_like(p, dtype=torch.uint8)
        over_rows(limit_row, p, rows, gain, move)
        ctx.save_for_backward(p, rows, gain, move)
        return gain

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        p, rows, gain, move = ctx.saved_tensors
        ceiling, k = rows[:, :1], rows[:, 1]
        factors = torch.stack([torch.ones_like(k), torch.zeros_like(k), k], 1)  # HELD, ATTACKED, RELEASED
        total = torch.empty_like(p)
        over_rows(adjoint_row, gradients[0].contiguous(), factors, move, total)
        # An attack sets the gain to ceiling / p, and only where p is above the ceiling.
        of_ceiling = torch.where(move == ATTACKED, total / p, torch.zeros_like(p))
        of_p = -of_ceiling * (ceiling / torch.maximum(p, ceiling))
        before = torch.nn.functional.pad(gain[:, :-1], (1, 0), value=1.0)
        of_k = -total * (1 - before) * (move == RELEASED)
        sums = [part.sum(1, dtype=torch.float64) for part in (of_ceiling, of_k)]
        return of_p, torch.stack(sums, 1), None


def limit(signal: Tensor, ceiling_lin: Tensor, release: Tensor, lookahead_samples: Tensor) -> Tensor:
    """The limited signal; arguments as those of mix2daw.dsp.brickwall.limit. The lookahead is best on the
    host, which must know it: it decides how long a tensor is."""
    ahead = [int(samples) for samples in lookahead_samples.tolist()]
    samples = signal.shape[-1]
    peaks = torch.nn.functional.pad(signal.abs().amax(1), (0, max(ahead)))
    gain: Tensor = _Gain.apply(  # type: ignore[no-untyped-call]
        peaks,
        torch.stack([ceiling_lin, release], 1),
        lookahead_samples.to(signal.device, torch.float32, non_blocking=True),
    )
    shifted = [row[first : first + samples] for row, first in zip(gain.unbind(0), ahead, strict=True)]
    return signal * torch.stack(shifted)[:, None]
