"""The lookahead limiter: peaks → gain by recursion → product."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mix2daw.dsp.gpu.rows import (
    ADJOINT,
    LIMIT,
    chunks_of,
    from_chunks,
    one_before,
    over_rows,
    to_chunks,
)
from mix2daw.dsp.rows import beside
from mix2daw.dsp.steps import ATTACKED, RELEASED


class _Gain(torch.autograd.Function):
    """p (strips, samples) float32, controls (strips, 2) float64: ceiling and k; ahead (strips,) float32."""

    @staticmethod
    def forward(ctx: Any, p: Tensor, controls: Tensor, ahead: Tensor) -> Tensor:
        rows = torch.cat([controls.detach().float(), ahead[:, None]], 1)
        chunked = to_chunks(p, chunks_of(p.shape[1], p.device))
        gain, move = torch.empty_like(chunked), torch.empty_like(chunked, dtype=torch.uint8)
        over_rows(LIMIT, chunked, rows, gain, move)
        ctx.save_for_backward(chunked, rows, gain, move)
        return from_chunks(gain, p.shape[1])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        p, rows, gain, move = ctx.saved_tensors
        ceiling, k = rows[:, :1, None], rows[:, 1]
        factors = torch.stack([torch.ones_like(k), torch.zeros_like(k), k], 1)  # HELD, ATTACKED, RELEASED
        total = torch.empty_like(p)
        over_rows(ADJOINT, to_chunks(gradients[0], p.shape[2]), factors, move, total)
        # An attack sets the gain to ceiling / p, and only where p is above the ceiling.
        of_ceiling = torch.where(move == ATTACKED, total / p, torch.zeros_like(p))
        of_p = -of_ceiling * (ceiling / torch.maximum(p, ceiling))
        of_k = -total * (1 - one_before(gain, 1.0)) * (move == RELEASED)
        sums = [part.sum((1, 2), dtype=torch.float64) for part in (of_ceiling, of_k)]
        return from_chunks(of_p, gradients[0].shape[1]), torch.stack(sums, 1), None


def limit(signal: Tensor, ceiling_lin: Tensor, release: Tensor, lookahead_samples: Tensor) -> Tensor:
    """The limited signal; arguments as those of mix2daw.dsp.brickwall.limit. The lookahead is best on the
    host, which must know it: it decides how long a tensor is."""
    ahead = [int(samples) for samples in lookahead_samples.tolist()]
    samples = signal.shape[-1]
    peaks = torch.nn.functional.pad(signal.abs().amax(1), (0, max(ahead)))
    gain: Tensor = _Gain.apply(  # type: ignore[no-untyped-call]
        peaks,
        torch.stack([ceiling_lin, release], 1),
        beside(lookahead_samples, signal).float(),
    )
    shifted = [row[first : first + samples] for row, first in zip(gain.unbind(0), ahead, strict=True)]
    return signal * torch.stack(shifted)[:, None]
