"""A lookahead limiter, linked over the channels of a strip, in float32, and its exact adjoint.

With the ceiling c, the lookahead L and p = the largest |x| of a strip's channels, the gain g starts at 1 and
t = min(1, c/p):   t < g: g = t, hold for L samples;   else p > c: hold for L samples;   else while held: g
stays;   else g += (1 − k)·(1 − g).   The output is x[m] · g[m + L].
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from numba import prange
from torch import Tensor

from mix2daw.dsp.gpu.brickwall import limit as limit_on_gpu
from mix2daw.dsp.jit import compiled_parallel
from mix2daw.dsp.rows import Doubles, Floats, Integers, control_rows, wants_gradient
from mix2daw.dsp.steps import ATTACKED, RELEASED, next_gain

Cube = npt.NDArray[np.float32]
Moves = npt.NDArray[np.uint8]


@compiled_parallel
def _forward(x: Cube, controls: Floats, lookahead: Integers, y: Cube, gain: Floats, move: Moves) -> None:
    """x, y (strips, channels, samples); controls (strips, 2): ceiling (amplitude) and k. gain and move
    (strips, samples + most lookahead) are filled if they are wanted, else they have no samples."""
    channels, samples = x.shape[1], x.shape[2]
    keep = gain.shape[1] > 0
    for i in prange(x.shape[0]):
        ceiling, k, ahead = controls[i, 0], controls[i, 1], lookahead[i]
        g, held = np.float32(1), np.int64(0)
        for n in range(samples + ahead):
            p = np.float32(0)
            if n < samples:
                for ch in range(channels):
                    p = max(p, abs(x[i, ch, n]))
            g, held, what = next_gain(p, g, held, ceiling, k, ahead)
            if keep:
                gain[i, n] = g
                move[i, n] = what
            if n >= ahead:
                for ch in range(channels):
                    y[i, ch, n - ahead] = x[i, ch, n - ahead] * g


@compiled_parallel
def _backward(
    x: Cube,
    gy: Cube,
    controls: Floats,
    lookahead: Integers,
    gain: Floats,
    move: Moves,
    gx: Cube,
    gc: Doubles,
) -> None:
    """Adjoint of `_forward`: fills gx (strips, channels, samples) and gc (strips, 2): ceiling, k. Channels
    that share the peak share its gradient."""
    channels, samples = x.shape[1], x.shape[2]
    for i in prange(x.shape[0]):
        ceiling, k, ahead = np.float64(controls[i, 0]), np.float64(controls[i, 1]), lookahead[i]
        for n in range(samples):
            for ch in range(channels):
                gx[i, ch, n] = gy[i, ch, n] * gain[i, n + ahead]
        carry, d_ceiling, d_k = np.float64(0), np.float64(0), np.float64(0)
        for n in range(samples + ahead - 1, -1, -1):
            if n >= ahead:
                for ch in range(channels):
                    carry += np.float64(gy[i, ch, n - ahead]) * x[i, ch, n - ahead]
            if move[i, n] == RELEASED:
                before = np.float64(gain[i, n - 1]) if n > 0 else 1.0
                d_k -= carry * (1.0 - before)
                carry *= k
            elif move[i, n] == ATTACKED:
                p, peaks = np.float32(0), 0
                for ch in range(channels):
                    p = max(p, abs(x[i, ch, n]))
                for ch in range(channels):
                    peaks += 1 if abs(x[i, ch, n]) == p else 0
                d_ceiling += carry / p
                of_peak = -carry * ceiling / (np.float64(p) * p) / peaks
                for ch in range(channels):
                    if abs(x[i, ch, n]) == p:
                        gx[i, ch, n] += np.float32(of_peak if x[i, ch, n] > 0 else -of_peak)
                carry = np.float64(0)
        gc[i, 0], gc[i, 1] = d_ceiling, d_k


def _run(
    signal: Tensor, controls: Tensor, lookahead_samples: Tensor, keep: bool
) -> tuple[Cube, tuple[Cube, Floats, Integers, Floats, Moves]]:
    """The output, and what the adjoint needs."""
    x: Cube = signal.detach().to("cpu", torch.float32).contiguous().numpy()
    rows = control_rows(controls, 1).astype(np.float32)
    ahead = control_rows(lookahead_samples, 1).astype(np.int64)
    length = x.shape[2] + int(ahead.max()) if keep else 0
    y, gain = np.empty_like(x), np.empty((len(x), length), np.float32)
    move = np.empty((len(x), length), np.uint8)
    _forward(x, rows, ahead, y, gain, move)
    return y, (x, rows, ahead, gain, move)


class _Brickwall(torch.autograd.Function):
    """signal (strips, channels, samples), controls (strips, 2) float64, lookahead_samples (strips,)."""

    @staticmethod
    def forward(ctx: Any, signal: Tensor, controls: Tensor, lookahead_samples: Tensor) -> Tensor:
        y, ctx.arrays = _run(signal, controls, lookahead_samples, keep=True)
        ctx.save_for_backward(controls)
        return torch.from_numpy(y).to(signal.device)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        gy: Cube = gradients[0].to("cpu", torch.float32).contiguous().numpy()
        x, rows, ahead, gain, move = ctx.arrays
        (controls,) = ctx.saved_tensors
        gx, gc = np.empty_like(x), np.zeros(rows.shape)
        _backward(x, gy, rows, ahead, gain, move, gx, gc)
        return torch.from_numpy(gx).to(gradients[0].device), torch.from_numpy(gc).to(controls), None


def limit(signal: Tensor, ceiling_lin: Tensor, release: Tensor, lookahead_samples: Tensor) -> Tensor:
    """The limited signal. ceiling_lin: amplitude; release: the factor k by which 1 − g shrinks in a sample;
    lookahead_samples: whole (no gradient); each (strips,) float64."""
    if signal.device.type != "cpu":
        return limit_on_gpu(signal, ceiling_lin, release, lookahead_samples)
    controls = torch.stack([ceiling_lin, release], 1)
    if wants_gradient(signal, controls):
        result: Tensor = _Brickwall.apply(signal, controls, lookahead_samples)  # type: ignore[no-untyped-call]
        return result
    return torch.from_numpy(_run(signal, controls, lookahead_samples, keep=False)[0]).to(signal.device)
