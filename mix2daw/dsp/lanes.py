"""Eight rows at a time: a value of eight lanes is a tuple; its arithmetic compiles to vector instructions.

A recursive filter cannot be vectorised along time, but eight strips can step through time together. Every
lane rounds as a scalar would, so the result is that of eight separate filters, bit for bit.
"""

from __future__ import annotations

import numpy as np

from mix2daw.dsp.jit import compiled, compiled_fused
from mix2daw.dsp.rows import Doubles, Floats

LANES = 8
Lanes = tuple[float, float, float, float, float, float, float, float]


@compiled
def load(block: Floats | Doubles, n: int) -> Lanes:
    """Row n of a (rows, 8) array as a value of eight lanes."""
    return (
        block[n, 0], block[n, 1], block[n, 2], block[n, 3],
        block[n, 4], block[n, 5], block[n, 6], block[n, 7],
    )  # fmt: skip


@compiled
def store(block: Floats | Doubles, n: int, v: Lanes) -> None:
    """Write a value of eight lanes to row n of a (rows, 8) array."""
    block[n, 0], block[n, 1], block[n, 2], block[n, 3] = v[0], v[1], v[2], v[3]
    block[n, 4], block[n, 5], block[n, 6], block[n, 7] = v[4], v[5], v[6], v[7]


@compiled
def add(a: Lanes, b: Lanes) -> Lanes:
    """Lane by lane a + b."""
    return (
        a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3],
        a[4] + b[4], a[5] + b[5], a[6] + b[6], a[7] + b[7],
    )  # fmt: skip


@compiled
def sub(a: Lanes, b: Lanes) -> Lanes:
    """Lane by lane a − b."""
    return (
        a[0] - b[0], a[1] - b[1], a[2] - b[2], a[3] - b[3],
        a[4] - b[4], a[5] - b[5], a[6] - b[6], a[7] - b[7],
    )  # fmt: skip


@compiled
def mul(a: Lanes, b: Lanes) -> Lanes:
    """Lane by lane a · b."""
    return (
        a[0] * b[0], a[1] * b[1], a[2] * b[2], a[3] * b[3],
        a[4] * b[4], a[5] * b[5], a[6] * b[6], a[7] * b[7],
    )  # fmt: skip


@compiled_fused
def mul_add(a: Lanes, b: Lanes, c: Lanes) -> Lanes:
    """Lane by lane c + a · b, rounded once where the machine can."""
    return (
        c[0] + a[0] * b[0], c[1] + a[1] * b[1], c[2] + a[2] * b[2], c[3] + a[3] * b[3],
        c[4] + a[4] * b[4], c[5] + a[5] * b[5], c[6] + a[6] * b[6], c[7] + a[7] * b[7],
    )  # fmt: skip


@compiled_fused
def mul_sub(a: Lanes, b: Lanes, c: Lanes) -> Lanes:
    """Lane by lane c − a · b, rounded once where the machine can."""
    return (
        c[0] - a[0] * b[0], c[1] - a[1] * b[1], c[2] - a[2] * b[2], c[3] - a[3] * b[3],
        c[4] - a[4] * b[4], c[5] - a[5] * b[5], c[6] - a[6] * b[6], c[7] - a[7] * b[7],
    )  # fmt: skip


@compiled
def gather(rows: Floats, first: int, start: int, block: Floats | Doubles) -> None:
    """Copy eight rows from `first` on, samples from `start` on, into a (samples, 8) block. Rows that do not
    exist leave their lane as it is."""
    lanes = min(LANES, rows.shape[0] - first)
    for n in range(min(block.shape[0], rows.shape[1] - start)):
        for lane in range(lanes):
            block[n, lane] = rows[first + lane, start + n]


@compiled
def scatter(block: Floats | Doubles, rows: Floats, first: int, start: int) -> None:
    """The reverse of `gather`: write a (samples, 8) block back to its rows."""
    lanes = min(LANES, rows.shape[0] - first)
    for lane in range(lanes):
        for n in range(min(block.shape[0], rows.shape[1] - start)):
            rows[first + lane, start + n] = np.float32(block[n, lane])
