"""A feedback delay line: d[n] = v[n − D] with v = x + feedback · d, in float32, and its exact adjoint."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from mix2daw.dsp.gpu.echo import echo as echo_on_gpu
from mix2daw.dsp.jit import compiled
from mix2daw.dsp.rows import (
    Doubles,
    Floats,
    Integers,
    control_gradient,
    control_rows,
    rows_signal,
    signal_rows,
    wants_gradient,
)


@compiled
def _forward(x: Floats, lag: Integers, feedback: Floats, d: Floats) -> None:
    """x, d (rows, samples); lag (rows,) ≥ 1 in samples; d is zero before the first echo."""
    for i in range(x.shape[0]):
        first = min(lag[i], x.shape[1])
        d[i, :first] = 0
        for n in range(first, x.shape[1]):
            d[i, n] = x[i, n - lag[i]] + feedback[i] * d[i, n - lag[i]]


@compiled
def _backward(d: Floats, gd: Floats, lag: Integers, feedback: Floats, gx: Floats, gf: Doubles) -> None:
    """Adjoint of `_forward`: fills gx (rows, samples) and gf (rows,)."""
    for i in range(d.shape[0]):
        end = max(d.shape[1] - lag[i], 0)
        gx[i, end:] = 0
        total = 0.0
        for m in range(end - 1, -1, -1):
            g = gd[i, m + lag[i]] + feedback[i] * gx[i, m + lag[i]]
            gx[i, m] = g
            total += np.float64(g) * d[i, m]
        gf[i] = total


def _run(signal: Tensor, lag_samples: Tensor, feedback: Tensor) -> tuple[Floats, Integers, Floats]:
    x, channels = signal_rows(signal), signal.shape[1]
    lag = control_rows(lag_samples, channels).astype(np.int64)
    share = control_rows(feedback, channels).astype(np.float32)
    d = np.empty_like(x)
    _forward(x, lag, share, d)
    return d, lag, share


class _Echo(torch.autograd.Function):
    """signal (strips, channels, samples), lag_samples and feedback (strips,) float64."""

    @staticmethod
    def forward(ctx: Any, signal: Tensor, lag_samples: Tensor, feedback: Tensor) -> Tensor:
        ctx.arrays = _run(signal, lag_samples, feedback)
        ctx.save_for_backward(feedback)
        return rows_signal(ctx.arrays[0], signal)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, Tensor]:
        (gradient,) = gradients
        d, lag, share = ctx.arrays
        (feedback,) = ctx.saved_tensors
        gx, gf = np.empty_like(d), np.zeros(len(d))
        _backward(d, signal_rows(gradient), lag, share, gx, gf)
        return rows_signal(gx, gradient), None, control_gradient(gf, gradient.shape[1], feedback)


def echo(signal: Tensor, lag_samples: Tensor, feedback: Tensor) -> Tensor:
    """The echoes alone, without the direct signal. lag_samples (strips,): whole, at least 1; feedback
    (strips,): 0 to below 1."""
    if signal.device.type != "cpu":
        return echo_on_gpu(signal, lag_samples, feedback)
    if wants_gradient(signal, feedback):
        result: Tensor = _Echo.apply(signal, lag_samples, feedback)  # type: ignore[no-untyped-call]
        return result
    return rows_signal(_run(signal, lag_samples, feedback)[0], signal)
