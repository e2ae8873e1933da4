"""Compressor in one pass: |x| → ballistics → gain computer → product, and its exact adjoint.

The knee is hard, there is no make-up gain. With the envelope e, the threshold t and k = 1/ratio − 1, the
gain is (e/t)^k where e ≥ t, else 1. The channels of a strip are detected apart from each other, or linked:
then one detector hears the larger |x| of both, the key, and its gain is that of both.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numba import prange
from torch import Tensor

from mix2daw.dsp.gpu.dynamics import compress as compress_on_gpu
from mix2daw.dsp.jit import compiled_parallel
from mix2daw.dsp.libm import amplitude
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
from mix2daw.dsp.steps import follow


@compiled_parallel
def _forward(x: Floats, detectors: Integers, controls: Floats, y: Floats, envelope: Floats) -> None:
    """x, y (rows, samples); detectors (detectors, 2): the first and the last row that each hears; controls
    (rows, 4): attack and release coefficients, threshold (amplitude), k. `envelope` (rows, samples) is
    filled in each detector's first row if it is wanted, else it is (rows, 0)."""
    keep = envelope.shape[1] > 0
    for d in prange(detectors.shape[0]):
        i, j = detectors[d, 0], detectors[d, 1]
        attack, release, threshold, k = controls[i, 0], controls[i, 1], controls[i, 2], controls[i, 3]
        inverse = np.float32(1) / threshold
        e = np.float32(0)
        if i == j:
            for n in range(x.shape[1]):
                s = x[i, n]
                e = follow(abs(s), e, attack, release)
                if keep:
                    envelope[i, n] = e
                y[i, n] = s if e < threshold else s * (e * inverse) ** k
        else:
            for n in range(x.shape[1]):
                v = max(abs(x[i, n]), abs(x[j, n]))
                e = follow(v, e, attack, release)
                if keep:
                    envelope[i, n] = e
                if e < threshold or v == 0:
                    y[i, n], y[j, n] = x[i, n], x[j, n]
                else:
                    # The key is rounded to float32 once it is compressed, as it is where an unlinked plugin
                    # plays it. In float64 the gain read from it gives the louder channel those same bits.
                    gain = np.float64(v * (e * inverse) ** k) / np.float64(v)
                    y[i, n], y[j, n] = np.float32(x[i, n] * gain), np.float32(x[j, n] * gain)


@compiled_parallel
def _backward(
    x: Floats, detectors: Integers, envelope: Floats, gy: Floats, controls: Floats, gx: Floats, gc: Doubles
) -> None:
    """Adjoint of `_forward`: fills gx (rows, samples), and gc (rows, 4): attack, release, ln threshold, k,
    in each detector's first row. The key's gradient goes to the channel that is the louder; equal ones
    share it."""
    for d in prange(detectors.shape[0]):
        i, j = detectors[d, 0], detectors[d, 1]
        attack, release, threshold, k = controls[i, 0], controls[i, 1], controls[i, 2], controls[i, 3]
        inverse = np.float32(1) / threshold
        carry = 0.0  # gradient of the envelope that later samples hand back
        d_attack, d_release, d_threshold, d_k = 0.0, 0.0, 0.0, 0.0
        for n in range(x.shape[1] - 1, -1, -1):
            s, other = x[i, n], x[j, n]
            v = max(abs(s), abs(other))
            e = envelope[i, n]
            before = envelope[i, n - 1] if n > 0 else np.float32(0)
            gain = 1.0
            g = carry
            if e >= threshold:
                over = np.log(e * inverse)
                gain = np.float64(np.exp(k * over))
                of_ln_gain = np.float64(gy[i, n]) * gain * s
                if i != j:
                    of_ln_gain += np.float64(gy[j, n]) * gain * other
                d_k += of_ln_gain * over
                d_threshold -= of_ln_gain * k
                g += of_ln_gain * k / e
            step = g * (np.float64(before) - v)
            if v > before:
                carry = attack * g
                d_attack += step
            else:
                carry = release * g
                d_release += step
            through = g - carry
            if i != j:
                if abs(s) == abs(other):
                    through *= 0.5
                of_other = through if abs(other) == v else 0.0
                through = through if abs(s) == v else 0.0
                gx[j, n] = np.float32(gy[j, n] * gain + (of_other if other > 0 else -of_other))
            gx[i, n] = np.float32(gy[i, n] * gain + (through if s > 0 else -through))
        gc[i, 0], gc[i, 1], gc[i, 2], gc[i, 3] = d_attack, d_release, d_threshold, d_k


class _Compression(torch.autograd.Function):
    """signal (strips, channels, samples), controls (strips, 4) float64 as for `_backward`, link (strips,)."""

    @staticmethod
    def forward(ctx: Any, signal: Tensor, controls: Tensor, link: Tensor) -> Tensor:
        x, rows = signal_rows(signal), _rounded_rows(controls, signal.shape[1])
        detectors = _detectors(link, signal.shape[1])
        y, envelope = np.empty_like(x), np.empty_like(x)
        _forward(x, detectors, rows, y, envelope)
        ctx.arrays = (x, detectors, envelope, rows)
        ctx.save_for_backward(controls)
        return rows_signal(y, signal)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        (gradient,) = gradients
        x, detectors, envelope, rows = ctx.arrays
        (controls,) = ctx.saved_tensors
        gx, gc = np.empty_like(x), np.zeros(rows.shape)
        _backward(x, detectors, envelope, signal_rows(gradient), rows, gx, gc)
        return rows_signal(gx, gradient), control_gradient(gc, gradient.shape[1], controls), None


def _rounded_rows(controls: Tensor, channels: int) -> Floats:
    """(rows, 4) float32 as the plugin has them, the threshold as an amplitude instead of its logarithm."""
    rows = control_rows(controls, channels)
    threshold = amplitude(rows[:, 2])
    slope = np.float32(1) / (1 / (rows[:, 3] + 1)).astype(np.float32) - np.float32(1)
    rounded: Floats = rows.astype(np.float32)
    rounded[:, 2], rounded[:, 3] = threshold, slope
    return rounded


def _detectors(link: Tensor, channels: int) -> Integers:
    """(detectors, 2), the first and the last row that each hears: one detector a row, one a linked strip."""
    linked = control_rows(link, channels) != 0
    rows = np.arange(len(linked))
    first = rows[~linked | (rows % channels == 0)]
    return np.stack([first, first + linked[first] * (channels - 1)], 1)


def compress(
    signal: Tensor, attack: Tensor, release: Tensor, threshold_ln: Tensor, k: Tensor, link: Tensor
) -> Tensor:
    """The compressed signal, (strips, 1 or 2, samples). attack, release: coefficients of the ballistics;
    threshold_ln: natural logarithm of the threshold's amplitude; k = 1/ratio − 1; link: 0 or 1 (linked; no
    gradient); each (strips,) float64."""
    if signal.device.type != "cpu":
        return compress_on_gpu(signal, attack, release, threshold_ln, k, link)
    controls = torch.stack([attack, release, threshold_ln, k], 1)
    if wants_gradient(signal, controls):
        result: Tensor = _Compression.apply(signal, controls, link)  # type: ignore[no-untyped-call]
        return result
    x, rows = signal_rows(signal), _rounded_rows(controls, signal.shape[1])
    y = np.empty_like(x)
    _forward(x, _detectors(link, signal.shape[1]), rows, y, np.empty((len(x), 0), np.float32))
    return rows_signal(y, signal)
