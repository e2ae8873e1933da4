"""Spectral weightings of the loss: the A-weighting filter and the mel bands."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import signal as sps

# Corner frequencies and the gain at 1 kHz of the A curve (IEC 61672).
A_CORNERS_HZ = (20.598997, 107.65265, 737.86223, 12194.217)
A_AT_1KHZ_DB = 1.9997


def a_weighting_fir(sample_rate: float, taps: int = 101) -> NDArray[np.float64]:
    """Linear-phase FIR of the A curve, `(taps,)`, as the published loss designs it (auraloss `FIRFilter`).

    The analog prototype goes through the bilinear transform without prewarping; the FIR is a least-squares
    fit to the magnitude of the result on 512 frequencies. `taps` is odd.
    """
    f1, f2, f3, f4 = A_CORNERS_HZ
    numerator = [(2 * np.pi * f4) ** 2 * 10 ** (A_AT_1KHZ_DB / 20), 0, 0, 0, 0]
    denominator = np.polymul(
        np.polymul([1, 4 * np.pi * f4, (2 * np.pi * f4) ** 2], [1, 4 * np.pi * f1, (2 * np.pi * f1) ** 2]),
        np.polymul([1, 2 * np.pi * f3], [1, 2 * np.pi * f2]),
    )
    b, a = sps.bilinear(numerator, denominator, fs=sample_rate)
    frequency_hz, response = sps.freqz(b, a, worN=512, fs=sample_rate)
    fir: NDArray[np.float64] = sps.firls(taps, frequency_hz, np.abs(response), fs=sample_rate)
    return fir


def hz_to_mel(frequency_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slaney's mel scale: linear (3 mel in 200 Hz) up to 1 kHz, above it 27 mel for each factor of 6.4."""
    linear = frequency_hz * 3 / 200
    above = 15 + 27 * np.log(np.maximum(frequency_hz, 1000) / 1000) / np.log(6.4)
    return np.where(frequency_hz < 1000, linear, above)


def mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse of `hz_to_mel`."""
    return np.where(mel < 15, mel * 200 / 3, 1000 * 6.4 ** ((np.maximum(mel, 15) - 15) / 27))


def mel_filterbank(
    sample_rate: float, fft_size: int, bands: int = 96, low_hz: float = 0.0, high_hz: float | None = None
) -> NDArray[np.float64]:
    """Triangles of equal area on Slaney's mel scale, `(bands, fft_size // 2 + 1)`; `high_hz` None: Nyquist.

    As `librosa.filters.mel(norm="slaney", htk=False)`.
    """
    ends_hz = np.array([low_hz, sample_rate / 2 if high_hz is None else high_hz])
    low_mel, high_mel = hz_to_mel(ends_hz).tolist()
    edges_hz = mel_to_hz(np.linspace(low_mel, high_mel, bands + 2))[:, None]
    bins_hz = np.fft.rfftfreq(fft_size, 1 / sample_rate)
    rising = (bins_hz - edges_hz[:-2]) / (edges_hz[1:-1] - edges_hz[:-2])
    falling = (edges_hz[2:] - bins_hz) / (edges_hz[2:] - edges_hz[1:-1])
    area = 2 / (edges_hz[2:] - edges_hz[:-2])
    return np.maximum(0, np.minimum(rising, falling)) * area
