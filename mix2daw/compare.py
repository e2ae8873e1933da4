"""How close is one signal to another: La and its parts, distortion, loudness.

Signals are float32 `(1 or 2, samples)` of one sample rate; a mono one counts as dual mono, and the shorter
of two is padded with silence. Levels of silence are −inf, ratios over nothing ±inf, and what is not defined
is NaN; `output.json_text` writes all of these as null.
"""

from __future__ import annotations

import math
import warnings

import numpy as np
import pyloudnorm
import torch
from numpy.typing import NDArray
from scipy import fft

from mix2daw.loss import published_la
from mix2daw.stems import Signal, stereo

SUBSONIC_HZ = 25.0
LOUDNESS_BLOCK_S = 0.4


def compare(estimate: Signal, target: Signal, sample_rate: int) -> dict[str, float]:
    """Named measures of `estimate` against `target`.

    - `la.full la.left_right la.mid la.side`: the published loss, as its code calls it; `la.paper.…` as the
      paper defines it (see `loss`);
    - `sdr_db`: Σ target² / Σ difference²; `sdr_above_25hz_db`: of what a loudspeaker plays;
    - `null_db`: level of the difference relative to the target (`residual_db`); `null_peak_dbfs`: its peak;
    - `loudness_lufs`, `target_loudness_lufs`: integrated loudness (ITU-R BS.1770-4); NaN below 0.4 s;
    - `loudness_difference_lu`: estimate − target; NaN unless both are finite.
    """
    estimate, target = _alike(estimate, target)
    la = published_la(torch.from_numpy(estimate), torch.from_numpy(target), sample_rate)
    difference = estimate - target
    loudness, target_loudness = (integrated_loudness(x, sample_rate) for x in (estimate, target))
    both = math.isfinite(loudness) and math.isfinite(target_loudness)
    return {
        **{f"la.{name}": value for name, value in la.items()},
        "sdr_db": -_ratio_db(_energy(difference), _energy(target)),
        "sdr_above_25hz_db": -_ratio_db(*(_audible_energy(x, sample_rate) for x in (difference, target))),
        "null_db": residual_db(estimate, target),
        "null_peak_dbfs": 2 * _ratio_db(float(np.abs(difference).max()), 1.0),
        "loudness_lufs": loudness,
        "target_loudness_lufs": target_loudness,
        "loudness_difference_lu": loudness - target_loudness if both else math.nan,
    }


def residual_db(estimate: Signal, target: Signal) -> float:
    """Level of `estimate − target` relative to `target`, in dB: −inf for equal signals, +inf over silence."""
    estimate, target = _alike(estimate, target)
    return _ratio_db(_energy(estimate - target), _energy(target))


def integrated_loudness(signal: Signal, sample_rate: int) -> float:
    """Integrated loudness in LUFS of `(1 or 2, samples)`; −inf for silence, NaN below 0.4 s."""
    if signal.shape[1] < LOUDNESS_BLOCK_S * sample_rate:
        return math.nan
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # Gating leaves no block of a silent signal: the mean over none of them warns and gives NaN.
        warnings.simplefilter("ignore")
        loudness = float(pyloudnorm.Meter(sample_rate).integrated_loudness(stereo(signal).T))
    return loudness if math.isfinite(loudness) else -math.inf


def _alike(estimate: Signal, target: Signal) -> tuple[Signal, Signal]:
    """Both in stereo and of one length."""
    samples = max(estimate.shape[1], target.shape[1])
    padded = (np.pad(stereo(x), ((0, 0), (0, samples - x.shape[1]))) for x in (estimate, target))
    first, second = padded
    return first, second


def _energy(signal: Signal) -> float:
    return float(sum(np.square(row, dtype=np.float64).sum() for row in signal))


def _audible_energy(signal: Signal, sample_rate: int) -> float:
    """Energy of the spectrum above `SUBSONIC_HZ`; its scale depends on the length of the signal."""
    length = fft.next_fast_len(signal.shape[1], real=True)
    first = math.ceil(SUBSONIC_HZ * length / sample_rate)
    spectra: list[NDArray[np.complex64]] = [fft.rfft(row, length)[first:] for row in signal]
    return float(sum(np.vdot(row, row).real for row in spectra))


def _ratio_db(numerator: float, denominator: float) -> float:
    """10 lg of a ratio of energies: −inf without a numerator, else +inf without a denominator."""
    if numerator <= 0:
        return -math.inf
    return 10 * math.log10(numerator / denominator) if denominator > 0 else math.inf
