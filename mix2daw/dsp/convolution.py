"""Convolution of stereo signals with impulse responses, by multiplication of spectra; differentiable in both.

Layouts of an impulse response, by its number of channels:
    2   mono in, stereo out: the mean of both inputs * h_L to the left ear, * h_R to the right
    4   true stereo, in the order L→L, L→R, R→L, R→R
A signal is (strips, 2, samples), an impulse response (strips, 2 or 4, taps), all float32.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mix2daw.dsp.resample import fast_length
from mix2daw.dsp.rows import wants_gradient

EARS = 2
BLOCKS_FROM_SAMPLES = 1 << 18  # up to here one FFT takes the whole signal
BLOCK_TAPS = 4  # an FFT of a block is about this many times as long as the impulse response


def convolved(signal: Tensor, impulse: Tensor) -> Tensor:
    """The two ears (strips, 2, samples) of a signal in the space of an impulse response, without its tail
    past the end.

    A long signal that wants no gradient is done in blocks, so that memory stays that of a few blocks.
    """
    samples = signal.shape[-1]
    impulse = impulse[..., :samples].to(signal.device)  # later taps are heard after the end only
    inputs = impulse.shape[1] // EARS
    feed = signal if inputs == 2 else (signal[:, :1] + signal[:, 1:]) * 0.5
    taps = impulse.shape[-1]
    by_blocks = samples > max(BLOCKS_FROM_SAMPLES, BLOCK_TAPS * taps)
    if by_blocks and not wants_gradient(signal, impulse):
        return _overlap_added(feed, impulse)
    size = fast_length(samples + taps - 1)
    ears: Tensor = torch.fft.irfft(_product(torch.fft.rfft(feed, size), torch.fft.rfft(impulse, size)), size)
    return ears[..., :samples]


def _product(feed: Tensor, impulse: Tensor) -> Tensor:
    """Spectra (strips, 1 or 2 inputs, bins) through (strips, inputs · ears, bins): (strips, ears, bins)."""
    by_input = impulse.reshape(len(impulse), -1, EARS, impulse.shape[-1])
    return (feed.unsqueeze(2) * by_input).sum(1)


def _overlap_added(feed: Tensor, impulse: Tensor) -> Tensor:
    """Block after block, each with the tail that it leaves in the next ones."""
    samples, taps = feed.shape[-1], impulse.shape[-1]
    size = fast_length(max(BLOCK_TAPS * taps, BLOCKS_FROM_SAMPLES // 4))
    spectrum = torch.fft.rfft(impulse, size)
    ears = feed.new_zeros(len(feed), EARS, samples)
    step = size - taps + 1
    for start in range(0, samples, step):
        block = torch.fft.rfft(feed[..., start : start + step], size)
        end = min(start + size, samples)
        ears[..., start:end] += torch.fft.irfft(_product(block, spectrum), size)[..., : end - start]
    return ears


def delayed(signal: Tensor, lag_samples: Tensor) -> Tensor:
    """Every strip later by a whole number of samples, (strips,), from silence and cut at the end."""
    samples = signal.shape[-1]
    lags = [min(int(lag), samples) for lag in lag_samples.tolist()]
    if not any(lags):
        return signal
    rows = [
        torch.nn.functional.pad(strip[..., : samples - lag], (lag, 0))
        for strip, lag in zip(signal, lags, strict=True)
    ]
    return torch.stack(rows)


def stacked(impulses: Sequence[Tensor]) -> Tensor:
    """Impulse responses (2 or 4, taps) as one tensor (strips, 2 or 4, longest taps).

    Where layouts differ, those of 2 channels become the true stereo that sounds the same.
    """
    channels = max(impulse.shape[0] for impulse in impulses)
    taps = max(impulse.shape[1] for impulse in impulses)
    alike = [
        impulse if impulse.shape[0] == channels else 0.5 * torch.cat([impulse, impulse])
        for impulse in impulses
    ]
    return torch.stack([torch.nn.functional.pad(h, (0, taps - h.shape[1])) for h in alike])
