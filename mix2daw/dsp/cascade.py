"""A cascade of second-order sections: the plugins' float32 recursion forward, its exact adjoint backward.

Sections are (rows, sections, 5): b0, b1, b2, a1, a2 with a0 = 1, transposed direct form II, zero state at
the first sample. Time is cut into blocks that stay in the cache. Backward, a block's section outputs are
computed again from the filter state at its start, so that memory is that of the signal and no more.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numba import prange
from torch import Tensor

from mix2daw.dsp.gpu.cascade import cascade as cascade_on_gpu
from mix2daw.dsp.jit import compiled, compiled_parallel
from mix2daw.dsp.lanes import LANES, add, gather, load, mul, mul_add, mul_sub, scatter, store, sub
from mix2daw.dsp.rows import (
    Doubles,
    Floats,
    control_gradient,
    control_rows,
    rows_signal,
    signal_rows,
    wants_gradient,
)

BLOCK = 256
SNAP = np.float32(1e-8)  # JUCE clears a filter state below this ...
SNAP_SAMPLES = 8192  # ... at the end of each of pedalboard's blocks (a multiple of BLOCK)


@compiled
def _section(source: Floats, target: Floats, c: Floats, state: Floats) -> None:
    """One section over one block (samples, 8), in JUCE's order of operations; `state` (2, 8) goes on."""
    b0, b1, b2, a1, a2 = load(c, 0), load(c, 1), load(c, 2), load(c, 3), load(c, 4)
    s1, s2 = load(state, 0), load(state, 1)
    for n in range(source.shape[0]):
        v = load(source, n)
        out = add(mul(v, b0), s1)
        s1 = add(sub(mul(v, b1), mul(out, a1)), s2)
        s2 = sub(mul(v, b2), mul(out, a2))
        store(target, n, out)
    store(state, 0, s1)
    store(state, 1, s2)


@compiled
def _two_sections(source: Floats, between: Floats, target: Floats, c: Floats, state: Floats) -> None:
    """Two sections over one block, `between` what goes from one to the other: c (2, 5, 8), state (2, 2, 8).
    While a sample of the first waits for the one before it, the processor works on the second."""
    b0, b1, b2, a1, a2 = load(c[0], 0), load(c[0], 1), load(c[0], 2), load(c[0], 3), load(c[0], 4)
    d0, d1, d2, e1, e2 = load(c[1], 0), load(c[1], 1), load(c[1], 2), load(c[1], 3), load(c[1], 4)
    s1, s2, t1, t2 = load(state[0], 0), load(state[0], 1), load(state[1], 0), load(state[1], 1)
    for n in range(source.shape[0]):
        v = load(source, n)
        middle = add(mul(v, b0), s1)
        s1 = add(sub(mul(v, b1), mul(middle, a1)), s2)
        s2 = sub(mul(v, b2), mul(middle, a2))
        store(between, n, middle)
        out = add(mul(middle, d0), t1)
        t1 = add(sub(mul(middle, d1), mul(out, e1)), t2)
        t2 = sub(mul(middle, d2), mul(out, e2))
        store(target, n, out)
    store(state[0], 0, s1)
    store(state[0], 1, s2)
    store(state[1], 0, t1)
    store(state[1], 1, t2)


@compiled
def _section_adjoint(source: Floats, target: Floats, g: Doubles, c: Doubles, u: Doubles, dc: Doubles) -> None:
    """The adjoint of one section over one block, backwards in time: `g` (samples, 8) is replaced by the
    gradient of the section's input; `u` (2, 8) is the adjoint's state, `dc` (5, 8) collects the gradient of
    the coefficients."""
    b0, b1, b2, a1, a2 = load(c, 0), load(c, 1), load(c, 2), load(c, 3), load(c, 4)
    u1, u2 = load(u, 0), load(u, 1)
    d0, d1, d2, d3, d4 = load(dc, 0), load(dc, 1), load(dc, 2), load(dc, 3), load(dc, 4)
    last = source.shape[0] - 1
    for m in range(last + 1):
        x, y = load(source, last - m), load(target, last - m)
        u0 = mul_sub(a1, u1, mul_sub(a2, u2, load(g, last - m)))
        d0 = mul_add(u0, x, d0)
        d1 = mul_add(u1, x, d1)
        d2 = mul_add(u2, x, d2)
        d3 = mul_sub(u1, y, d3)
        d4 = mul_sub(u2, y, d4)
        store(g, last - m, mul_add(b2, u2, mul_add(b1, u1, mul(b0, u0))))
        u2, u1 = u1, u0
    store(u, 0, u1)
    store(u, 1, u2)
    store(dc, 0, d0)
    store(dc, 1, d1)
    store(dc, 2, d2)
    store(dc, 3, d3)
    store(dc, 4, d4)


@compiled
def _all_sections(signals: Floats, c: Floats, state: Floats) -> None:
    """One block through all sections, each from a row of `signals` (sections + 1, samples, 8) to the next: c
    (sections, 5, 8), state (sections, 2, 8)."""
    sections = c.shape[0]
    for j in range(0, sections - 1, 2):
        _two_sections(signals[j], signals[j + 1], signals[j + 2], c[j : j + 2], state[j : j + 2])
    if sections % 2 == 1:
        _section(signals[sections - 1], signals[sections], c[sections - 1], state[sections - 1])


@compiled
def _snap(state: Floats) -> None:
    """Clear the parts of a state (2, 8) that are as good as silence."""
    for k in range(2):
        for lane in range(LANES):
            if abs(state[k, lane]) <= SNAP:
                state[k, lane] = 0


@compiled
def _pack_forward(x: Floats, first: int, c: Floats, y: Floats, states: Floats) -> None:
    """Eight rows from `first` on: c (sections, 5, 8); states (blocks or 0, sections, 2, 8) are those at the
    start of each block, if they are wanted."""
    sections = c.shape[0]
    signals = np.zeros((sections + 1, BLOCK, LANES), np.float32)
    state = np.zeros((sections, 2, LANES), np.float32)
    for start in range(0, x.shape[1], BLOCK):
        gather(x, first, start, signals[0])
        if states.shape[0] > 0:
            states[start // BLOCK] = state
        _all_sections(signals, c, state)
        if (start + BLOCK) % SNAP_SAMPLES == 0:
            for j in range(sections):
                _snap(state[j])
        scatter(signals[sections], y, first, start)


@compiled
def _pack_backward(
    x: Floats, first: int, states: Floats, gy: Floats, c: Floats, c64: Doubles, gx: Floats, gc: Doubles
) -> None:
    """Adjoint of `_pack_forward`: fills eight rows of gx (rows, samples), and gc (sections, 5, 8)."""
    sections = c.shape[0]
    signals = np.zeros((sections + 1, BLOCK, LANES), np.float32)
    state = np.empty((sections, 2, LANES), np.float32)
    g = np.zeros((BLOCK, LANES), np.float64)  # beyond the end nothing is heard
    u = np.zeros((sections, 2, LANES), np.float64)
    for b in range(states.shape[0] - 1, -1, -1):
        gather(x, first, b * BLOCK, signals[0])
        state[:] = states[b]
        _all_sections(signals, c, state)
        gather(gy, first, b * BLOCK, g)
        for j in range(sections - 1, -1, -1):
            _section_adjoint(signals[j], signals[j + 1], g, c64[j], u[j], gc[j])
        scatter(g, gx, first, b * BLOCK)


@compiled_parallel
def _forward(x: Floats, c: Floats, y: Floats, states: Floats) -> None:
    """x, y (rows, samples); c (packs, sections, 5, 8); states (packs, blocks or 0, sections, 2, 8)."""
    for pack in prange(c.shape[0]):
        _pack_forward(x, pack * LANES, c[pack], y, states[pack])


@compiled_parallel
def _backward(
    x: Floats, states: Floats, gy: Floats, c: Floats, c64: Doubles, gx: Floats, gc: Doubles
) -> None:
    """Adjoint of `_forward`: fills gx (rows, samples) and gc (packs, sections, 5, 8)."""
    for pack in prange(c.shape[0]):
        _pack_backward(x, pack * LANES, states[pack], gy, c[pack], c64[pack], gx, gc[pack])


def _packed(sections: Doubles) -> Doubles:
    """(rows, sections, 5) to (packs, sections, 5, 8); lanes without a row are filled with silence."""
    rows, count, _ = sections.shape
    packs = -(-rows // LANES)
    padded = np.zeros((packs * LANES, count, 5))
    padded[:rows] = sections
    return np.ascontiguousarray(padded.reshape(packs, LANES, count, 5).transpose(0, 2, 3, 1))


def _unpacked(packed: Doubles, rows: int) -> Doubles:
    """The reverse of `_packed`."""
    packs, count, _, _ = packed.shape
    return np.ascontiguousarray(packed.transpose(0, 3, 1, 2)).reshape(packs * LANES, count, 5)[:rows]


def _run(signal: Tensor, rounded: Tensor, keep: bool) -> tuple[Floats, Floats, Floats, Floats]:
    """Rows of the signal, packed float32 coefficients, states (empty unless `keep`), rows of the output."""
    x = signal_rows(signal)
    c = _packed(control_rows(rounded, signal.shape[1])).astype(np.float32)
    blocks = -(-x.shape[1] // BLOCK) if keep else 0
    states = np.empty((c.shape[0], blocks, c.shape[1], 2, LANES), np.float32)
    y = np.empty_like(x)
    _forward(x, c, y, states)
    return x, c, states, y


class _Cascade(torch.autograd.Function):
    """signal (strips, channels, samples), coefficients (strips, sections, 5) float64 and as rounded."""

    @staticmethod
    def forward(ctx: Any, signal: Tensor, coefficients: Tensor, rounded: Tensor) -> Tensor:
        x, c, states, y = _run(signal, rounded, keep=True)
        ctx.save_for_backward(coefficients)
        ctx.arrays = (x, c, states)
        return rows_signal(y, signal)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        (gradient,) = gradients
        (coefficients,) = ctx.saved_tensors
        x, c, states = ctx.arrays
        channels = gradient.shape[1]
        c64 = _packed(control_rows(coefficients, channels))
        gx, gc = np.empty_like(x), np.zeros_like(c64)
        _backward(x, states, signal_rows(gradient), c, c64, gx, gc)
        rows = _unpacked(gc, len(x))
        return rows_signal(gx, gradient), control_gradient(rows, channels, coefficients), None


def cascade(signal: Tensor, coefficients: Tensor, rounded: Tensor) -> Tensor:
    """Run the sections one after another over each channel.

    signal: (strips, channels, samples) float32. coefficients: (strips, sections, 5) float64, the ones that
    are differentiated. rounded: the same as the plugin rounds them to float32; these are heard.
    """
    if coefficients.shape[1] == 0 or signal.numel() == 0:
        return signal
    if signal.device.type != "cpu":
        return cascade_on_gpu(signal, coefficients, rounded)
    if wants_gradient(signal, coefficients):
        result: Tensor = _Cascade.apply(signal, coefficients, rounded)  # type: ignore[no-untyped-call]
        return result
    return rows_signal(_run(signal, rounded, keep=False)[3], signal)
