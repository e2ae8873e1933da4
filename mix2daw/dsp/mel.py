"""Mel magnitudes of left, right, mid and side from one pair of spectra, in one pass, and their exact adjoint.

Magnitudes are √power, at least `FLOOR`. Triangular bands overlap so that a bin belongs to two neighbours at
most: instead of a matrix, each bin has its lower band and two weights. Sums are float64; spectra may be of
either precision.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from numba import prange
from torch import Tensor

from mix2daw.dsp.jit import compiled_parallel
from mix2daw.dsp.rows import Doubles, Floats, Integers, wants_gradient

FLOOR = 1e-2
CHANNELS = 4  # left, right, mid = L + R, side = L − R


@compiled_parallel
def _forward(z: Floats | Doubles, band: Integers, weight: Doubles, mel: Doubles) -> None:
    """z (2, frames, bins, 2): left and right, real and imaginary; band (bins,) the lower band of each bin;
    weight (bins, 2) of that and of the next one; mel (frames, bands + 1, 4) is filled."""
    bins = z.shape[2]
    for frame in prange(z.shape[1]):
        magnitude = np.empty((CHANNELS, bins), z.dtype)
        floor = FLOOR
        for b in range(bins):
            lr, li, rr, ri = z[0, frame, b, 0], z[0, frame, b, 1], z[1, frame, b, 0], z[1, frame, b, 1]
            mr, mi, sr, si = lr + rr, li + ri, lr - rr, li - ri
            magnitude[0, b] = max(floor, np.sqrt(lr * lr + li * li))
            magnitude[1, b] = max(floor, np.sqrt(rr * rr + ri * ri))
            magnitude[2, b] = max(floor, np.sqrt(mr * mr + mi * mi))
            magnitude[3, b] = max(floor, np.sqrt(sr * sr + si * si))
        for k in range(mel.shape[1]):
            for c in range(CHANNELS):
                mel[frame, k, c] = 0
        for b in range(bins):
            k, low, high = band[b], weight[b, 0], weight[b, 1]
            for c in range(CHANNELS):
                mel[frame, k, c] += low * magnitude[c, b]
                mel[frame, k + 1, c] += high * magnitude[c, b]


@compiled_parallel
def _backward(z: Floats | Doubles, band: Integers, weight: Doubles, g: Doubles, gz: Floats | Doubles) -> None:
    """Adjoint of `_forward`: g (frames, bands + 1, 4) to gz, shaped as z."""
    zero = 0.0
    for frame in prange(z.shape[1]):
        for b in range(z.shape[2]):
            lr, li, rr, ri = z[0, frame, b, 0], z[0, frame, b, 1], z[1, frame, b, 0], z[1, frame, b, 1]
            mr, mi, sr, si = lr + rr, li + ri, lr - rr, li - ri
            left, right = np.sqrt(lr * lr + li * li), np.sqrt(rr * rr + ri * ri)
            mid, side = np.sqrt(mr * mr + mi * mi), np.sqrt(sr * sr + si * si)
            k, low, high = band[b], weight[b, 0], weight[b, 1]
            gl = (low * g[frame, k, 0] + high * g[frame, k + 1, 0]) / left if left > FLOOR else zero
            gr = (low * g[frame, k, 1] + high * g[frame, k + 1, 1]) / right if right > FLOOR else zero
            gm = (low * g[frame, k, 2] + high * g[frame, k + 1, 2]) / mid if mid > FLOOR else zero
            gs = (low * g[frame, k, 3] + high * g[frame, k + 1, 3]) / side if side > FLOOR else zero
            gz[0, frame, b, 0] = gl * lr + gm * mr + gs * sr
            gz[0, frame, b, 1] = gl * li + gm * mi + gs * si
            gz[1, frame, b, 0] = gr * rr + gm * mr - gs * sr
            gz[1, frame, b, 1] = gr * ri + gm * mi - gs * si


def overlapping_pairs(bands: npt.NDArray[np.float64]) -> tuple[Integers, Doubles]:
    """A filterbank (bands, bins) whose bins belong to two neighbouring bands at most, as the lower band of
    each bin (bins,) and the weights (bins, 2) of it and of the next; ValueError for another filterbank."""
    count, bins = bands.shape
    first = np.where(bands.any(0), (bands > 0).argmax(0), 0).astype(np.int64)
    weight = np.zeros((bins, 2))
    for offset in (0, 1):
        row = np.minimum(first + offset, count - 1)
        weight[:, offset] = np.where(first + offset < count, bands[row, np.arange(bins)], 0)
    if not np.array_equal(weight.sum(1), bands.sum(0)):
        raise ValueError("a bin belongs to more than two neighbouring bands")
    return first, weight


class _Mel(torch.autograd.Function):
    """spectra (2, frames, bins) complex."""

    @staticmethod
    def forward(ctx: Any, spectra: Tensor, band: Integers, weight: Doubles, bands: int) -> Tensor:
        z = _parts(spectra)
        ctx.arrays = (z, band, weight)
        return _run(z, band, weight, bands)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        z, band, weight = ctx.arrays
        channels, bands, frames = gradients[0].shape
        g = np.zeros((frames, bands + 1, channels))
        g[:, :bands] = gradients[0].permute(2, 1, 0).numpy()
        gz = np.empty_like(z)
        _backward(z, band, weight, g, gz)
        return torch.view_as_complex(torch.from_numpy(gz)), None, None, None


def _parts(spectra: Tensor) -> Floats | Doubles:
    parts: Floats | Doubles = torch.view_as_real(spectra.detach().contiguous()).numpy()
    return parts


def _run(z: Floats | Doubles, band: Integers, weight: Doubles, bands: int) -> Tensor:
    mel = np.empty((z.shape[1], bands + 1, CHANNELS))
    _forward(z, band, weight, mel)
    # In the order of its axes: torch sums other layouts less precisely.
    return torch.from_numpy(np.ascontiguousarray(mel[:, :bands].transpose(2, 1, 0), z.dtype))


def mel_magnitudes(spectra: Tensor, pairs: tuple[Integers, Doubles], bands: int) -> Tensor:
    """Mel magnitudes (4, bands, frames) of left, right, mid and side.

    spectra: (2, frames, bins) complex, left and right. pairs: the filterbank, from `overlapping_pairs`.
    """
    if wants_gradient(spectra):
        result: Tensor = _Mel.apply(spectra, *pairs, bands)  # type: ignore[no-untyped-call]
        return result
    return _run(_parts(spectra), *pairs, bands)
