"""Jezar's Freeverb as JUCE runs it: eight combs in parallel, then four allpasses, for each ear.

With the mono input s, feedback f and damping d, a comb of length N is, in float32 and JUCE's order,
    v[n] = w[n − N],   l[n] = v[n]·(1 − d) + l[n − 1]·d,   w[n] = s[n] + l[n]·f,
an allpass of length M   w[n] = x[n] + w[n − M]/2,   y[n] = w[n − M] − x[n].
JUCE adds and subtracts 0.1 to keep denormals away; so do we, and it is skipped by the adjoint.
Only what is asked for is kept: backward, each comb is run again, so memory is that of a few signals.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numba import prange
from torch import Tensor

from mix2daw.dsp.gpu.freeverb import freeverb as freeverb_on_gpu
from mix2daw.dsp.jit import compiled, compiled_parallel
from mix2daw.dsp.rows import Doubles, Floats, Integers, control_rows, signal_rows, wants_gradient

COMBS = (1116, 1188, 1277, 1356, 1422, 1491, 1557, 1617)  # samples at 44.1 kHz
ALLPASSES = (556, 441, 341, 225)
SPREAD = 23  # the right ear's lines are longer by this
EARS = 2


def line_lengths(sample_rate: int) -> tuple[Integers, Integers]:
    """Lengths of combs (2, 8) and allpasses (2, 4) in samples, left ear first."""
    ears = np.array([[0], [SPREAD]])
    return tuple(sample_rate * (np.array([lines]) + ears) // 44100 for lines in (COMBS, ALLPASSES))  # type: ignore[return-value]


@compiled
def _comb(s: Floats, length: int, f: float, d: float, w: Floats, low: Floats) -> None:
    """Fill w, what enters the line, and low, its damped output; both (samples,)."""
    keep = np.float32(1) - d
    tiny = np.float32(0.1)
    last = np.float32(0)
    for n in range(s.shape[0]):
        v = w[n - length] if n >= length else np.float32(0)
        last = ((v * keep + last * d) + tiny) - tiny
        low[n] = last
        w[n] = ((s[n] + last * f) + tiny) - tiny


@compiled
def _ear_forward(s: Floats, combs: Integers, allpasses: Integers, f: float, d: float, y: Floats) -> None:
    """One ear: s, y (samples,); combs (8,), allpasses (4,)."""
    samples = s.shape[0]
    w, low = np.empty(samples, np.float32), np.empty(samples, np.float32)
    for n in range(samples):
        y[n] = 0
    for j in range(combs.shape[0]):
        _comb(s, combs[j], f, d, w, low)
        for n in range(combs[j], samples):
            y[n] += w[n - combs[j]]
    tiny, half = np.float32(0.1), np.float32(0.5)
    for j in range(allpasses.shape[0]):
        for n in range(samples):
            back = w[n - allpasses[j]] if n >= allpasses[j] else np.float32(0)
            w[n] = ((y[n] + back * half) + tiny) - tiny
            y[n] = back - y[n]


@compiled
def _ear_backward(
    s: Floats, gy: Floats, combs: Integers, allpasses: Integers, f: float, d: float, gs: Floats, gc: Doubles
) -> None:
    """Adjoint of `_ear_forward`: fills gs (samples,) and gc (2,)."""
    samples = s.shape[0]
    f64, d64 = np.float64(f), np.float64(d)
    w, low = np.empty(samples, np.float32), np.empty(samples, np.float32)
    g, back = np.empty(samples, np.float32), np.empty(samples, np.float32)
    for n in range(samples):
        g[n] = gy[n]
        gs[n] = 0
    for j in range(allpasses.shape[0] - 1, -1, -1):  # `back` is the gradient of w
        for n in range(samples - 1, -1, -1):
            later = n + allpasses[j]
            back[n] = g[later] + np.float32(0.5) * back[later] if later < samples else np.float32(0)
        for n in range(samples):
            g[n] = back[n] - g[n]
    d_f, d_d = 0.0, 0.0
    for j in range(combs.shape[0]):
        length = combs[j]
        _comb(s, length, f, d, w, low)
        u = 0.0  # gradient of l
        for n in range(samples - 1, -1, -1):
            later = n + length
            gw = np.float64(g[later]) + np.float64(back[later]) if later < samples else 0.0
            u = f64 * gw + d64 * u
            back[n] = np.float32((1.0 - d64) * u)  # gradient of v[n], which is w[n − N]
            gs[n] += np.float32(gw)
            d_f += gw * low[n]
            v = np.float64(w[n - length]) if n >= length else 0.0
            before = np.float64(low[n - 1]) if n > 0 else 0.0
            d_d += u * (before - v)
    gc[0], gc[1] = d_f, d_d


@compiled_parallel
def _forward(s: Floats, combs: Integers, allpasses: Integers, controls: Floats, y: Floats) -> None:
    """s (strips, samples); controls (strips, 2): feedback, damping; y (strips · ears, samples)."""
    for q in prange(y.shape[0]):
        strip, ear = q // EARS, q % EARS
        _ear_forward(s[strip], combs[ear], allpasses[ear], controls[strip, 0], controls[strip, 1], y[q])


@compiled_parallel
def _backward(
    s: Floats, gy: Floats, combs: Integers, allpasses: Integers, controls: Floats, gs: Floats, gc: Doubles
) -> None:
    """Adjoint of `_forward`: fills gs (strips · ears, samples) and gc (strips · ears, 2)."""
    for q in prange(gy.shape[0]):
        strip, ear = q // EARS, q % EARS
        f, d = controls[strip, 0], controls[strip, 1]
        _ear_backward(s[strip], gy[q], combs[ear], allpasses[ear], f, d, gs[q], gc[q])


def _run(source: Tensor, sample_rate: int, controls: Tensor) -> tuple[Floats, Floats, Floats]:
    s, rows = signal_rows(source), control_rows(controls, 1).astype(np.float32)
    y = np.empty((len(s) * EARS, s.shape[1]), np.float32)
    _forward(s, *line_lengths(sample_rate), rows, y)
    return y, s, rows


def _ears(rows: Floats, like: Tensor) -> Tensor:
    return torch.from_numpy(rows).reshape(-1, EARS, rows.shape[1]).to(like.device)


class _Freeverb(torch.autograd.Function):
    """source (strips, samples), controls (strips, 2) float64: feedback and damping."""

    @staticmethod
    def forward(ctx: Any, source: Tensor, controls: Tensor, sample_rate: int) -> Tensor:
        y, s, rows = _run(source, sample_rate, controls)
        ctx.arrays, ctx.sample_rate = (s, rows), sample_rate
        ctx.save_for_backward(controls)
        return _ears(y, source)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        (gradient,) = gradients
        s, rows = ctx.arrays
        (controls,) = ctx.saved_tensors
        gy = signal_rows(gradient)
        gs, gc = np.empty_like(gy), np.zeros((len(gy), 2))
        _backward(s, gy, *line_lengths(ctx.sample_rate), rows, gs, gc)
        of_controls = torch.from_numpy(gc).reshape(-1, EARS, 2).sum(1).to(controls)
        return _ears(gs, gradient).sum(1), of_controls, None


def freeverb(source: Tensor, sample_rate: int, feedback: Tensor, damping: Tensor) -> Tensor:
    """The two ears' reverberation (strips, 2, samples) of a mono source (strips, samples), without any
    direct sound. feedback and damping: (strips,), 0 to below 1."""
    if source.device.type != "cpu":
        return freeverb_on_gpu(source, line_lengths(sample_rate), feedback, damping)
    controls = torch.stack([feedback, damping], 1)
    if wants_gradient(source, controls):
        result: Tensor = _Freeverb.apply(source, controls, sample_rate)  # type: ignore[no-untyped-call]
        return result
    return _ears(_run(source, sample_rate, controls)[0], source)
