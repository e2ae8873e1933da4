"""What is heard of a signal: its loudness over time, and its energy per band and time.

Loudness is K-weighted (ITU-R BS.1770-4, the filters of pyloudnorm). Energies are of mid `(L + R) / √2` and
side `(L − R) / √2`, so that both together are the energy of left and right; bands are thirds of octaves.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyloudnorm
from numpy.typing import NDArray
from scipy import fft

from mix2daw.dsp.weighting import A_CORNERS_HZ
from mix2daw.stems import Signal, stereo

Floats = NDArray[np.float64]

BLOCK_S = 0.1  # of the loudness over time
SHORT_TERM_BLOCKS = 30
SILENT_LUFS = -70.0  # the absolute gate of BS.1770
LOWEST_HZ, OCTAVES, PARTS = 31.25, 9, 3
FFT_SIZE = 8192  # at 44.1 and 48 kHz; a hop is half of it
FRAMES_AT_ONCE = 256
FFT_THREADS = 2  # a spectrum does not depend on it
TINY = 1e-20


def integrated_lufs(signal: Signal, sample_rate: int) -> float:
    """Integrated loudness; −inf for silence and for less than 0.4 s."""
    if signal.shape[1] < 0.4 * sample_rate:
        return -math.inf
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # gating leaves no block of silence
        loudness = float(pyloudnorm.Meter(sample_rate).integrated_loudness(stereo(signal).T))
    return loudness if math.isfinite(loudness) else -math.inf


def weighted_blocks(signal: Signal, sample_rate: int) -> Floats:
    """K-weighted power of blocks of 100 ms, the channels added up; the last one may be shorter."""
    shelf = pyloudnorm.IIRfilter(4.0, 1 / math.sqrt(2), 1500.0, sample_rate, "high_shelf")
    high_pass = pyloudnorm.IIRfilter(0.0, 0.5, 38.0, sample_rate, "high_pass")
    size = round(BLOCK_S * sample_rate)
    starts = np.arange(0, signal.shape[1], size)
    total = np.zeros(len(starts))
    for row in stereo(signal):
        heard = high_pass.apply_filter(shelf.apply_filter(row.astype(np.float64)))
        total += np.add.reduceat(np.square(heard), starts)
    power: Floats = total / np.minimum(size, signal.shape[1] - starts)
    return power


def lufs(power: Floats) -> Floats:
    """K-weighted power as loudness; silence is −120."""
    return -0.691 + 10 * np.log10(np.maximum(power, 1e-12))


def sliding(blocks: Floats, count: int) -> Floats:
    """The mean of `count` blocks around every block, of fewer at the ends."""
    sums = np.concatenate(([0.0], np.cumsum(blocks)))
    middle = np.arange(len(blocks))
    first = np.maximum(0, middle - count // 2)
    last = np.minimum(len(blocks), middle - count // 2 + count)
    mean: Floats = (sums[last] - sums[first]) / (last - first)
    return mean


def loudest_start(blocks: Floats, count: int) -> int:
    """Where the `count` blocks begin that are loudest together; the first of equals."""
    if count >= len(blocks):
        return 0
    sums = np.concatenate(([0.0], np.cumsum(blocks)))
    return int(np.argmax(np.round(sums[count:] - sums[:-count], 12)))


def band_edges_hz() -> Floats:
    """Edges of the thirds of octaves, from 31.25 Hz to 16 kHz."""
    return LOWEST_HZ * 2 ** (np.arange(OCTAVES * PARTS + 1) / PARTS)


def hop_samples(sample_rate: int) -> int:
    """From frame to frame: about 90 ms at any rate."""
    return max(64, round(FFT_SIZE / 2 * 2.0 ** round(math.log2(sample_rate / 44100))))


@dataclass(frozen=True)
class Frames:
    """Spectra of some frames: `spectra` (mid and side, frames, bins); `first`: the number of the first."""

    first: int
    spectra: NDArray[np.complex64]


def frames_of(signal: Signal, sample_rate: int) -> Iterator[Frames]:
    """Spectra of a whole signal, some at a time; a frame is centred on a multiple of the hop."""
    left, right = stereo(signal)
    half = math.sqrt(0.5)
    both = np.stack([(left + right) * np.float32(half), (left - right) * np.float32(half)])
    hop = hop_samples(sample_rate)
    count = -(-both.shape[1] // hop)
    padded = np.pad(both, ((0, 0), (hop, count * hop + hop - both.shape[1])))
    window = np.hanning(2 * hop + 1)[:-1].astype(np.float32)
    views = np.lib.stride_tricks.sliding_window_view(padded, 2 * hop, axis=1)[:, ::hop][:, :count]
    for first in range(0, count, FRAMES_AT_ONCE):
        some = views[:, first : first + FRAMES_AT_ONCE] * window
        yield Frames(first, fft.rfft(some, axis=-1, workers=FFT_THREADS))


def in_bands(values: NDArray[np.float32], sample_rate: int) -> Floats:
    """Sums over the bins (…, bins) of every band; a band above half the sample rate is 0."""
    edges = np.round(band_edges_hz() * 2 * hop_samples(sample_rate) / sample_rate).astype(int)
    sums = np.cumsum(values, axis=-1, dtype=np.float64)
    last = np.minimum(edges, values.shape[-1] - 1)
    found: Floats = sums[..., last[1:]] - sums[..., last[:-1]]
    return found


def band_energies(signal: Signal, sample_rate: int) -> Floats:
    """Energy (mid and side, bands, frames) of a signal."""
    parts = [
        in_bands(np.square(np.abs(some.spectra)), sample_rate).swapaxes(-1, -2)
        for some in frames_of(signal, sample_rate)
    ]
    return np.concatenate(parts, axis=-1)


def columns(energies: Floats, count: int) -> Floats:
    """Energies (…, frames) added up into at most `count` columns of nearly equal length."""
    starts = np.unique(np.linspace(0, energies.shape[-1], min(count, energies.shape[-1]), False).astype(int))
    summed: Floats = np.add.reduceat(energies, starts, axis=-1)
    return summed


def octaves(energies: Floats) -> Floats:
    """Thirds of octaves (…, bands, frames) as octaves."""
    shape = (*energies.shape[:-2], OCTAVES, PARTS, energies.shape[-1])
    added: Floats = energies.reshape(shape).sum(-2)
    return added


def decibels(ratio: Floats) -> Floats:
    """A ratio of energies in dB, not below −200."""
    level: Floats = 10 * np.log10(np.maximum(ratio, TINY))
    return level


def octave_hz(first: int, last: int) -> tuple[float, float]:
    """Edges of a run of octaves."""
    return LOWEST_HZ * 2.0**first, LOWEST_HZ * 2.0 ** (last + 1)


def a_weighting() -> Floats:
    """The A curve (IEC 61672) in the middle of every octave, as a factor of energy, of arbitrary level."""
    square = np.array([octave_hz(n, n)[0] * octave_hz(n, n)[1] for n in range(OCTAVES)])
    f1, f2, f3, f4 = (corner**2 for corner in A_CORNERS_HZ)
    gain: Floats = square**2 / ((square + f1) * np.sqrt((square + f2) * (square + f3)) * (square + f4))
    return gain**2
