"""Noise gate in one pass: x² → 50 ms ballistics → √ → ballistics → gain computer, and its exact adjoint.

Rows are detected apart from each other. With the envelope e, the threshold t and k = ratio − 1, the gain is
(e/t)^k where e ≤ t, else 1: a downward expander.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numba import prange
from torch import Tensor

from mix2daw.dsp.gpu.dynamics import gate as gate_on_gpu
from mix2daw.dsp.jit import compiled_parallel
from mix2daw.dsp.libm import amplitude
from mix2daw.dsp.rows import (
    Doubles,
    Floats,
    control_gradient,
    control_rows,
    rows_signal,
    signal_rows,
    wants_gradient,
)
from mix2daw.dsp.steps import SILENCE, follow


@compiled_parallel
def _forward(x: Floats, controls: Floats, y: Floats, power: Floats, envelope: Floats) -> None:
    """controls (rows, 5): attack and release coefficients, threshold (amplitude), k, coefficient of the mean
    square. `power` and `envelope` (rows, samples) are filled if they are wanted, else they are (rows, 0)."""
    keep = envelope.shape[1] > 0
    for i in prange(x.shape[0]):
        attack, release, threshold, k = controls[i, 0], controls[i, 1], controls[i, 2], controls[i, 3]
        window = controls[i, 4]
        inverse = np.float32(1) / threshold
        p, e = np.float32(0), np.float32(0)
        for n in range(x.shape[1]):
            s = x[i, n]
            square = s * s
            if square > p:
                p = square
            else:
                p = square + window * (p - square)
                if p < SILENCE:
                    p = np.float32(0)
            e = follow(np.sqrt(p), e, attack, release)
            if keep:
                power[i, n] = p
                envelope[i, n] = e
            if e > threshold or k == 0:
                y[i, n] = s
            elif e == 0:
                y[i, n] = np.float32(0)
            else:
                y[i, n] = s * (e * inverse) ** k


@compiled_parallel
def _backward(
    x: Floats, power: Floats, envelope: Floats, gy: Floats, controls: Floats, gx: Floats, gc: Doubles
) -> None:
    """Adjoint of `_forward`: fills gx (rows, samples) and gc (rows, 5): attack, release, ln
    threshold, k, and 0 for the window."""
    for i in prange(x.shape[0]):
        attack, release, threshold, k = controls[i, 0], controls[i, 1], controls[i, 2], controls[i, 3]
        window = np.float64(controls[i, 4])
        inverse = np.float32(1) / threshold
        carry_e, carry_p = np.float64(0), np.float64(0)  # gradients that later samples hand back
        d_attack, d_release, d_threshold, d_k = 0.0, 0.0, 0.0, 0.0
        for n in range(x.shape[1] - 1, -1, -1):
            s = x[i, n]
            e, v = envelope[i, n], np.sqrt(np.float64(power[i, n]))
            e_before = envelope[i, n - 1] if n > 0 else np.float32(0)
            p_before = power[i, n - 1] if n > 0 else np.float32(0)
            direct = np.float64(gy[i, n])
            g = carry_e
            if e <= threshold and e > 0:
                under = np.log(e * inverse)
                direct *= np.exp(k * under)
                of_ln_gain = direct * s
                d_k += of_ln_gain * under
                d_threshold -= of_ln_gain * k
                g += of_ln_gain * k / e
            elif e == 0 and k > 0:
                direct = np.float64(0)
            step = g * (np.float64(e_before) - v)
            if v > e_before:
                carry_e = attack * g
                d_attack += step
            else:
                carry_e = release * g
                d_release += step
            of_power = carry_p
            if v > 0:
                of_power += (g - carry_e) / (2 * v)
            carry_p = np.float64(0) if s * s > p_before else window * of_power
            gx[i, n] = np.float32(direct + (of_power - carry_p) * 2 * s)
        gc[i, 0], gc[i, 1], gc[i, 2], gc[i, 3] = d_attack, d_release, d_threshold, d_k


class _Gating(torch.autograd.Function):
    """signal (strips, channels, samples), controls (strips, 5) float64 as for `_backward`."""

    @staticmethod
    def forward(ctx: Any, signal: Tensor, controls: Tensor) -> Tensor:
        x, rows = signal_rows(signal), _rounded_rows(controls, signal.shape[1])
        y, power, envelope = np.empty_like(x), np.empty_like(x), np.empty_like(x)
        _forward(x, rows, y, power, envelope)
        ctx.arrays = (x, power, envelope, rows)
        ctx.save_for_backward(controls)
        return rows_signal(y, signal)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor]:
        (gradient,) = gradients
        x, power, envelope, rows = ctx.arrays
        (controls,) = ctx.saved_tensors
        gx, gc = np.empty_like(x), np.zeros((len(x), 5))
        _backward(x, power, envelope, signal_rows(gradient), rows, gx, gc)
        return rows_signal(gx, gradient), control_gradient(gc, gradient.shape[1], controls)


def _rounded_rows(controls: Tensor, channels: int) -> Floats:
    """(rows, 5) float32 as the plugin has them, the threshold as an amplitude instead of its logarithm."""
    rows = control_rows(controls, channels)
    threshold = amplitude(rows[:, 2])
    rounded: Floats = rows.astype(np.float32)
    rounded[:, 2] = threshold
    return rounded


def gate(
    signal: Tensor, attack: Tensor, release: Tensor, threshold_ln: Tensor, k: Tensor, window: Tensor
) -> Tensor:
    """The gated signal. attack, release, window: coefficients of the ballistics (window: of the mean
    square, not differentiated); threshold_ln: natural logarithm of the threshold's amplitude;
    k = ratio − 1; each (strips,) float64."""
    if signal.device.type != "cpu":
        return gate_on_gpu(signal, attack, release, threshold_ln, k, window)
    controls = torch.stack([attack, release, threshold_ln, k, window.detach()], 1)
    if wants_gradient(signal, controls):
        result: Tensor = _Gating.apply(signal, controls)  # type: ignore[no-untyped-call]
        return result
    x, rows = signal_rows(signal), _rounded_rows(controls, signal.shape[1])
    y, nothing = np.empty_like(x), np.empty((len(x), 0), np.float32)
    _forward(x, rows, y, nothing, nothing)
    return rows_signal(y, signal)
