"""What a JSFX host gives its effects beyond arithmetic: transforms and one file, by the published reference.

A transform takes pairs of real and imaginary parts, 16 to 32768 of them, which must not lie across a multiple
of 65536 items; what comes out is scaled by nothing and in an order of its own: here that of reversed bits. An
effect that counted on another order would be wrong here, as it may be in REAPER.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
import soundfile
from numpy.typing import NDArray

PAGE_ITEMS = 65536
_HEADER = 3  # of an open file: channels, sample rate, how many items were read


def opened(path: Path | None) -> NDArray[np.float64]:
    """A file as an effect reads it: interleaved samples behind a header. None: a file that is not there."""
    if path is None or not path.is_file():
        return np.array([0.0, 0.0, -1.0])
    frames, rate = soundfile.read(str(path), dtype="float32", always_2d=True)
    return np.concatenate([[frames.shape[1], rate, 0.0], frames.ravel().astype(np.float64)])


@numba.njit
def file_open(m: Any, d: Any, _index: float) -> float:
    """A handle, or -1."""
    if d[2] < 0:
        return -1.0
    d[2] = 0.0
    return 1.0


@numba.njit
def file_avail(m: Any, d: Any, _handle: float) -> float:
    """Items that are left."""
    return float(d.size - _HEADER) - d[2]


@numba.njit
def file_mem(m: Any, d: Any, _handle: float, start: float, items: float) -> float:
    """The next items into memory; how many there were."""
    at, first = int(start + 1e-5), _HEADER + int(d[2])
    count = max(0, min(int(items), d.size - first))
    m[at : at + count] = d[first : first + count]
    d[2] += count
    return float(count)


@numba.njit
def file_close(m: Any, d: Any, _handle: float) -> float:
    """Nothing is left to do."""
    return 0.0


@numba.njit
def memcpy(m: Any, d: Any, target: float, source: float, items: float) -> float:
    """Copies memory; the two places may overlap."""
    to, at, count = int(target + 1e-5), int(source + 1e-5), int(items)
    m[to : to + count] = m[at : at + count].copy()
    return target


@numba.njit
def _checked(start: float, size: float) -> tuple[int, int]:
    at, count = int(start + 1e-5), int(size)
    assert 16 <= count <= 32768 and count & (count - 1) == 0  # noqa: PT018 (numba)
    assert at // PAGE_ITEMS == (at + 2 * count - 1) // PAGE_ITEMS
    return at, count


@numba.njit
def fft(m: Any, d: Any, start: float, size: float) -> float:
    """In place, decimation in frequency: in order in, in reversed bits out."""
    at, count = _checked(start, size)
    half = count // 2
    while half >= 1:
        for k in range(half):
            angle = -np.pi * k / half
            cos, sin = np.cos(angle), np.sin(angle)
            for first in range(k, count, 2 * half):
                a, b = at + 2 * first, at + 2 * (first + half)
                re, im = m[a] - m[b], m[a + 1] - m[b + 1]
                m[a] += m[b]
                m[a + 1] += m[b + 1]
                m[b], m[b + 1] = re * cos - im * sin, re * sin + im * cos
        half //= 2
    return start


@numba.njit
def ifft(m: Any, d: Any, start: float, size: float) -> float:
    """In place, decimation in time: in reversed bits in, in order out."""
    at, count = _checked(start, size)
    half = 1
    while half < count:
        for k in range(half):
            angle = np.pi * k / half
            cos, sin = np.cos(angle), np.sin(angle)
            for first in range(k, count, 2 * half):
                a, b = at + 2 * first, at + 2 * (first + half)
                re, im = m[b] * cos - m[b + 1] * sin, m[b] * sin + m[b + 1] * cos
                m[b], m[b + 1] = m[a] - re, m[a + 1] - im
                m[a] += re
                m[a + 1] += im
        half *= 2
    return start


@numba.njit
def convolve_c(m: Any, d: Any, target: float, source: float, size: float) -> float:
    """`size` pairs times other pairs, as complex numbers."""
    at, count = _checked(target, size)
    other = _checked(source, size)[0]
    for i in range(count):
        a, b = at + 2 * i, other + 2 * i
        m[a], m[a + 1] = m[a] * m[b] - m[a + 1] * m[b + 1], m[a] * m[b + 1] + m[a + 1] * m[b]
    return target


HOST: dict[str, Callable[..., float]] = {
    function.__name__: function
    for function in (file_open, file_avail, file_mem, file_close, memcpy, fft, ifft, convolve_c)
}
