"""Recursions along time, one row after the other on the CPU, one thread for each row on a GPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from torch import Tensor

from mix2daw.dsp.jit import compiled
from mix2daw.dsp.rows import Floats
from mix2daw.dsp.steps import follow, next_gain

Moves = np.ndarray[Any, np.dtype[np.uint8]]
Row = Callable[[int, Floats, Floats, Any, Any], None]  # row i of a recursion, in place


@compiled
def follow_row(i: int, v: Floats, controls: Floats, e: Floats, move: Moves) -> None:
    """Fill row i of e (rows, samples), the envelope of v, and of move: 0 attack, 1 release.
    controls (rows, 2): coefficients of attack and release."""
    attack, release = controls[i, 0], controls[i, 1]
    last = np.float32(0)
    for n in range(v.shape[1]):
        move[i, n] = 0 if v[i, n] > last else 1
        last = follow(v[i, n], last, attack, release)
        e[i, n] = last


@compiled
def limit_row(i: int, p: Floats, controls: Floats, gain: Floats, move: Moves) -> None:
    """Fill row i of gain (rows, samples), a limiter's for the peaks p, and of move: HELD, ATTACKED or
    RELEASED. controls (rows, 3): ceiling, k and lookahead in samples."""
    ceiling, k, ahead = controls[i, 0], controls[i, 1], np.int64(controls[i, 2])
    g, held = np.float32(1), np.int64(0)
    for n in range(p.shape[1]):
        g, held, what = next_gain(p[i, n], g, held, ceiling, k, ahead)
        gain[i, n] = g
        move[i, n] = what


@compiled
def adjoint_row(i: int, g: Floats, factors: Floats, move: Moves, total: Floats) -> None:
    """Fill row i of total, the whole gradient of a recursion's state, g being that of its output.
    factors (rows, moves): by what the state before a sample is multiplied at each kind of move."""
    carry = np.float64(0)
    for m in range(g.shape[1]):
        n = g.shape[1] - 1 - m
        carry += g[i, n]
        total[i, n] = carry
        carry *= factors[i, move[i, n]]


def over_rows(row: Row, a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> None:
    """Run a recursion over every row of `a`; all four are contiguous and without gradient."""
    if a.is_cuda:
        from mix2daw.dsp.gpu.kernels import launch  # numba.cuda is loaded only where it is used

        launch(row, a, b, c, d)
        return
    arrays = a.numpy(), b.numpy(), c.numpy(), d.numpy()
    for i in range(len(a)):
        row(i, *arrays)
