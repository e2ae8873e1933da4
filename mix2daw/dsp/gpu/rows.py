"""Recursions along time, for a GPU: every row is cut into chunks that run side by side.

A chunk needs the state that the one before it leaves, and that is guessed: all chunks run from their guesses
and say how their end depends on their start, near the guess at least, as min(slope · start + offset, cap).
From that better guesses follow, until none moves. Where the dependence holds everywhere (adjoints, limiter),
two rounds are enough; elsewhere (ballistics: rising one way, falling another) it is Newton's method, and a
few are. After n rounds the first n chunks are exact in any case.

Signals are (rows, size, chunks): sample n of chunk k is sample k · size + n of the row, so that neighbouring
threads read neighbouring numbers. On the CPU a row is one chunk.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mix2daw.dsp.jit import compiled
from mix2daw.dsp.rows import Floats
from mix2daw.dsp.steps import RELEASED, follow, next_gain

MOST_CHUNKS, CHUNK_SAMPLES = 1024, 128  # threads of a block, fewer for short signals; samples at least

Moves = np.ndarray[Any, np.dtype[np.uint8]]


@compiled
def follow_chunk(
    i: int, k: int, start: float, _count: int, v: Floats, controls: Floats, e: Floats, move: Moves
) -> tuple[float, float, float]:
    """Fill chunk k of row i of e, the envelope of v, and of move: 0 attack, 1 release. controls (rows, 2):
    coefficients of attack and release. Returns slope, offset and cap."""
    attack, release = controls[i, 0], controls[i, 1]
    last, slope = np.float32(start), np.float64(1)
    for n in range(v.shape[1]):
        rises = v[i, n, k] > last
        move[i, n, k] = 0 if rises else 1
        slope *= attack if rises else release
        last = follow(v[i, n, k], last, attack, release)
        e[i, n, k] = last
    return slope, last - slope * start, np.inf


@compiled
def limit_chunk(
    i: int, k: int, start: float, count: int, p: Floats, controls: Floats, gain: Floats, move: Moves
) -> tuple[float, float, float]:
    """As `follow_chunk`: a limiter's gain for the peaks p, and move: HELD, ATTACKED or RELEASED. controls
    (rows, 3): ceiling, k and lookahead in samples. `count`: for how many samples the gain is still held."""
    ceiling, k_lin, ahead = controls[i, 0], controls[i, 1], np.int64(controls[i, 2])
    g, held = np.float32(start), np.int64(count)
    slope, offset, cap = np.float64(1), np.float64(0), np.inf
    for n in range(p.shape[1]):
        g, held, what = next_gain(p[i, n, k], g, held, ceiling, k_lin, ahead)
        gain[i, n, k] = g
        move[i, n, k] = what
        if what == RELEASED:
            slope, offset, cap = k_lin * slope, k_lin * offset + (1 - k_lin), k_lin * cap + (1 - k_lin)
        elif p[i, n, k] > ceiling:
            cap = min(cap, np.float64(ceiling / p[i, n, k]))
    return slope, offset, cap


@compiled
def adjoint_chunk(
    i: int, k: int, start: float, _count: int, g: Floats, factors: Floats, move: Moves, total: Floats
) -> tuple[float, float, float]:
    """As `follow_chunk`, from the last sample to the first: total, the whole gradient of a recursion's state,
    g being that of its output. factors (rows, moves): by what the state before a sample is multiplied at each
    kind of move."""
    carry, slope = np.float64(start), np.float64(1)
    for m in range(g.shape[1]):
        n = g.shape[1] - 1 - m
        carry += g[i, n, k]
        total[i, n, k] = carry
        factor = factors[i, move[i, n, k]]
        carry *= factor
        slope *= factor
    return slope, carry - slope * start, np.inf


@compiled
def nothing_counted(_i: int, _k: int, _v: Floats, _controls: Floats) -> int:
    """No chunk has a count to begin with."""
    return 0


@compiled
def still_held(i: int, k: int, p: Floats, controls: Floats) -> int:
    """For how many samples a limiter's gain is still held when chunk k begins, whatever it is: from the last
    peak above the ceiling."""
    ceiling, ahead = controls[i, 0], np.int64(controls[i, 2])
    first = np.int64(k) * p.shape[1]
    for back in range(min(ahead, first)):
        place = first - 1 - back
        if p[i, place % p.shape[1], place // p.shape[1]] > ceiling:
            return int(ahead - back)
    return 0


@dataclass(frozen=True)
class Recursion:
    """`chunk` runs one, `count` is what it begins with beside the guess; the first chunk (the last one if
    `backwards`) starts at `initial`."""

    chunk: Callable[..., tuple[float, float, float]]
    count: Callable[[int, int, Floats, Floats], int] = nothing_counted
    initial: float = 0.0
    backwards: bool = False


FOLLOW = Recursion(follow_chunk)
LIMIT = Recursion(limit_chunk, still_held, initial=1.0)
ADJOINT = Recursion(adjoint_chunk, backwards=True)


def chunks_of(samples: int, device: torch.device) -> int:
    """Into how many chunks a row of a signal is cut."""
    if device.type != "cuda":
        return 1
    return min(MOST_CHUNKS, max(1, samples // (32 * CHUNK_SAMPLES)) * 32)


def to_chunks(rows: Tensor, chunks: int) -> Tensor:
    """(rows, samples) as (rows, size, chunks), zeros at the end; contiguous and without gradient."""
    samples = rows.shape[-1]
    size = -(-samples // chunks)
    padded = torch.nn.functional.pad(rows.detach(), (0, chunks * size - samples))
    return padded.reshape(len(rows), chunks, size).transpose(1, 2).contiguous()


def from_chunks(chunked: Tensor, samples: int) -> Tensor:
    """The (rows, samples) of `to_chunks`."""
    return chunked.transpose(1, 2).reshape(len(chunked), -1)[:, :samples]


def one_before(chunked: Tensor, initial: float) -> Tensor:
    """Every sample's predecessor, that of the first one being `initial`."""
    last = torch.nn.functional.pad(chunked[:, -1:, :-1], (1, 0), value=initial)
    return torch.cat([last, chunked[:, :-1]], 1)


def over_rows(recursion: Recursion, a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> None:
    """Run a recursion over every row of `a`, in place; all four are contiguous and without gradient."""
    if a.is_cuda:
        from mix2daw.dsp.gpu.kernels import launch  # numba.cuda is loaded only where it is used

        launch(recursion, a, b, c, d)
        return
    arrays = a.numpy(), b.numpy(), c.numpy(), d.numpy()
    for i in range(len(a)):
        recursion.chunk(i, 0, recursion.initial, 0, *arrays)
