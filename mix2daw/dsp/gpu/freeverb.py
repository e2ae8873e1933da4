"""Freeverb in closed form: eight combs in parallel, then four allpasses, for each ear.

A comb is z^−N / (1 − g·z^−N) with g = f·(1 − d) / (1 − d·z^−1); an allpass (−1 + 1.5·z^−M) / (1 − z^−M/2).
In float64: a large room rings longer than any grid, so that what is folded must be damped deeply.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor

from mix2daw.dsp.gpu.spectrum import circle
from mix2daw.dsp.resample import fast_length
from mix2daw.dsp.rows import Integers

FOLDED_DB = -120.0
Lengths = tuple[tuple[int, ...], ...]  # of the lines, samples, for each ear


class _Combs(torch.autograd.Function):
    """g (strips, bins) complex128 → the sum of the combs of each ear, (strips, ears, bins)."""

    @staticmethod
    def forward(ctx: Any, g: Tensor, log_z: Tensor, lengths: Lengths) -> Tensor:
        total = g.new_zeros(len(g), len(lengths), g.shape[1])
        slope = torch.zeros_like(total)
        for ear, lines in enumerate(lengths):
            for line in lines:
                late = torch.exp(-line * log_z)
                comb = late / (1 - g * late)
                total[:, ear] += comb
                slope[:, ear] += comb * comb
        ctx.save_for_backward(slope)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (slope,) = ctx.saved_tensors
        return (gradients[0] * slope.conj()).sum(1), None, None


@functools.lru_cache(maxsize=8)
def _allpasses(samples: int, length: int, lengths: Lengths, device: torch.device) -> Tensor:
    """The allpasses of each ear, (ears, bins) complex128; no control moves them."""
    log_z = circle(samples, length, FOLDED_DB, torch.float64, device).log_z
    ears = []
    for lines in lengths:
        ear = torch.ones_like(log_z)
        for line in lines:
            late = torch.exp(-line * log_z)
            ear = ear * (1.5 * late - 1) / (1 - 0.5 * late)
        ears.append(ear)
    return torch.stack(ears)


def freeverb(source: Tensor, lines: tuple[Integers, Integers], feedback: Tensor, damping: Tensor) -> Tensor:
    """The two ears' reverberation (strips, 2, samples) of a mono source (strips, samples). lines: lengths of
    combs (2, 8) and allpasses (2, 4) in samples; feedback and damping as mix2daw.dsp.freeverb.freeverb's."""
    combs, allpasses = (tuple(map(tuple, kind.tolist())) for kind in lines)
    samples = source.shape[-1]
    length = fast_length(2 * samples)
    grid = circle(samples, length, FOLDED_DB, torch.float64, source.device)
    f, d = feedback[:, None], damping[:, None]
    g = f * (1 - d) / (1 - d * torch.exp(-grid.log_z))
    ears = _Combs.apply(g, grid.log_z, combs) * _allpasses(  # type: ignore[no-untyped-call]
        samples, length, allpasses, source.device
    )
    return grid.filtered(source.double()[:, None], ears).float()
