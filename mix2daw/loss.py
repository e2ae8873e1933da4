"""What is compared when a reconstruction is scored: the published mel loss La and a waveform error.

La (Lee et al., arXiv 2509.15948): both signals at 30 kHz, A-weighted; for left, right, mid = L + R and
side = L − R and FFT sizes 512, 1024 and 4096, magnitudes in 96 mel bands, compared by

    mean |ln P − ln T| + ‖P − T‖ / ‖T‖,

averaged over the sizes; "full" is the mean of the four channels, "left_right" of the first two. The
published code calls its loss with the arguments exchanged and so divides by ‖P‖, the estimate's norm:
order "called"; the order of the paper is "paper". Published figures are "called".

Estimates and targets are `(2, samples)` float32 tensors at the song's own rate, full scale ±1.
"""

from __future__ import annotations

import copy
import functools
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mix2daw.dsp.mel import mel_magnitudes, overlapping_pairs
from mix2daw.dsp.resample import FilteredResampler, fast_length
from mix2daw.dsp.weighting import a_weighting_fir, mel_filterbank
from mix2daw.stems import resample

Order = Literal["called", "paper"]

RATE_HZ = 30000
FFT_SIZES = (512, 1024, 4096)
BANDS = 96
MAGNITUDE_FLOOR = 1e-2
SEGMENT_SAMPLES, HOP_SAMPLES, WARM_UP_SAMPLES = 114000, 84000, 30000


@functools.cache
def _window_and_bands(fft_size: int, device: torch.device) -> tuple[Tensor, Tensor]:
    bands = torch.from_numpy(mel_filterbank(RATE_HZ, fft_size, BANDS)).float()
    return torch.hann_window(fft_size).to(device), bands.to(device)


@functools.cache
def _mel_pairs(fft_size: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    return overlapping_pairs(mel_filterbank(RATE_HZ, fft_size, BANDS))


@functools.lru_cache(maxsize=16)  # excerpts of one song have few lengths
def _weighting(samples: int, sample_rate: int, device: torch.device) -> FilteredResampler:
    return FilteredResampler(samples, sample_rate, RATE_HZ, a_weighting_fir(RATE_HZ), device)


def mel_spectra(weighted: Tensor) -> tuple[Tensor, ...]:
    """Mel magnitudes of an A-weighted stereo signal at 30 kHz, `(2, samples)` of more than 2048 samples.

    One `(4, bands, frames)` per FFT size, in the order left, right, mid, side. Centred frames with reflected
    ends, hop a quarter, periodic Hann window; magnitudes below 0.01 count as 0.01.
    """
    return tuple(_mel_spectrum(weighted, size, size // 4) for size in FFT_SIZES)


def _mel_spectrum(weighted: Tensor, size: int, hop: int) -> Tensor:
    """Of the rows of `weighted`: all left channels, then all right ones; their frames follow one another."""
    window, bands = (constant.to(weighted) for constant in _window_and_bands(size, weighted.device))
    if weighted.device.type == "cpu":
        spectra = torch.stft(weighted, size, hop, window=window, return_complex=True)
        spectra = spectra.transpose(1, 2).reshape(2, -1, spectra.shape[1])
        return mel_magnitudes(spectra, _mel_pairs(size), BANDS)
    # On a GPU the adjoint of torch's own frames adds up in an order that is never the same.
    frames = _centred(weighted, size // 2).unfold(-1, size, hop) * window
    left, right = torch.fft.rfft(frames).reshape(2, -1, size // 2 + 1).transpose(1, 2)
    # Mid and side are formed before the magnitude: from powers, a side far below the mid would drown.
    channels = (left, right, left + right, left - right)
    return torch.stack([bands @ channel.abs().clamp(min=MAGNITUDE_FLOOR) for channel in channels])


def _centred(rows: Tensor, half: int) -> Tensor:
    """Rows (rows, samples) with `half` samples more at both ends, reflected."""
    before, after = rows[:, 1 : half + 1], rows[:, -half - 1 : -1]
    return torch.cat([before.flip(1), rows, after.flip(1)], 1)


def mel_distance(estimate: tuple[Tensor, ...], target: tuple[Tensor, ...], order: Order) -> dict[str, Tensor]:
    """La and its parts "full", "left_right", "mid", "side", from the mel magnitudes of both: scalars, or one
    for each of several stretches where the magnitudes are `(4, stretches, bands, frames)`."""
    scales = []
    for p, t in zip(estimate, target, strict=True):
        log_term = (p.log() - t.log()).abs().mean((-1, -2))
        norm = torch.linalg.vector_norm(p if order == "called" else t, dim=(-1, -2))
        scales.append(log_term + torch.linalg.vector_norm(p - t, dim=(-1, -2)) / norm)
    left, right, mid, side = torch.stack(scales).mean(0).unbind(0)
    left_right = (left + right) / 2
    return {
        "full": left_right / 2 + mid / 4 + side / 4,
        "left_right": left_right,
        "mid": mid,
        "side": side,
    }


class SegmentLoss:
    """La of one excerpt against a target whose spectra are kept.

    `target`: `(2, samples)` at `sample_rate`. The first `skip_samples` of both signals (pre-roll in which
    the processors' states settle) are not scored. The loss takes part in gradients of the estimate.
    """

    def __init__(
        self, target: Tensor, sample_rate: int, skip_samples: int = 0, order: Order = "paper"
    ) -> None:
        scored = target.shape[-1] - skip_samples
        self._weight = _weighting(scored, sample_rate, target.device)
        if self._weight.out_samples <= FFT_SIZES[-1] // 2:
            raise ValueError(f"{scored} samples at {sample_rate} Hz are too short to be scored")
        self._skip = skip_samples
        self._order: Order = order
        with torch.no_grad():
            self._target = self._mel(target.detach())

    def _mel(self, signal: Tensor) -> tuple[Tensor, ...]:
        return mel_spectra(self._weight(signal[:, self._skip :]))

    def __call__(self, estimate: Tensor) -> dict[str, Tensor]:
        """Differentiable scalars "full", "left_right", "mid", "side" of a `(2, samples)` estimate."""
        return mel_distance(self._mel(estimate), self._target, self._order)


class SongScore:
    """La of a longer excerpt, as the published method scores a song, in one pass: stretches of 2.8 s that
    join without a gap; a last one that is less than half is left out. Without gradients.

    `target`: `(2, samples)` at `sample_rate`. `skip_samples` at the start are not scored. Frames are half as
    many as the published loss has (hop half a frame): the mean hardly changes, the time halves.
    """

    HOP_SHARE = 2

    def __init__(self, target: Tensor, sample_rate: int, skip_samples: int = 0) -> None:
        self._skip = skip_samples
        scored = target.shape[-1] - skip_samples
        self._weight = _weighting(scored, sample_rate, target.device)
        samples = self._weight.out_samples
        self._length = HOP_SAMPLES if samples >= HOP_SAMPLES else samples
        if self._length <= FFT_SIZES[-1] // 2:
            raise ValueError(f"{scored} samples at {sample_rate} Hz are too short to be scored")
        self.stretches = max(1, (samples + HOP_SAMPLES // 2) // HOP_SAMPLES)
        with torch.no_grad():
            self._target = self._mel(target)

    def _mel(self, signal: Tensor) -> tuple[Tensor, ...]:
        weighted = self._weight(signal[:, self._skip :])
        needed = self.stretches * self._length
        if weighted.shape[1] < needed:
            weighted = torch.nn.functional.pad(weighted, (0, needed - weighted.shape[1]))
        rows = weighted[:, :needed].reshape(2 * self.stretches, self._length)
        spectra = []
        for size in FFT_SIZES:
            mel = _mel_spectrum(rows, size, size // self.HOP_SHARE)
            spectra.append(mel.reshape(4, BANDS, self.stretches, -1).transpose(1, 2))
        return tuple(spectra)

    def __call__(self, estimate: Tensor) -> Tensor:
        """La of each stretch of a `(2, samples)` estimate, `(stretches,)`."""
        with torch.no_grad():
            return mel_distance(self._mel(estimate), self._target, "called")["full"]


class WaveformLoss:
    """Whitened waveform error √(Σ|P − T|²W / Σ|T|²W + 1e-8) over 25 Hz to 16 kHz: about 1 for silence.

    W = 1 / (smoothed target power ^ 0.8 + floor) makes bass and air count nearly alike, so that phase and
    timing are heard by the loss where La, which sees magnitudes only, is deaf. Arguments as SegmentLoss.
    """

    WHITENING = 0.8
    LOW_HZ, HIGH_HZ = 25.0, 16000.0

    def __init__(self, target: Tensor, sample_rate: int, skip_samples: int = 0) -> None:
        self._skip = skip_samples
        scored = target.detach()[:, skip_samples:]
        self._length = fast_length(scored.shape[-1])
        self._target = torch.fft.rfft(scored, self._length)
        power = self._target.abs().square().sum(0).double()
        bins = torch.arange(len(power), device=power.device)
        # The mean over bins from 0.8 to 1.25 times the frequency (half an octave and a bit).
        first = (bins * 0.8).long()
        last = torch.minimum((bins * 1.25).long() + 8, bins[-1])
        # On a GPU, running sums add up in an order that is never the same.
        total = torch.cumsum(power.cpu(), 0).to(power.device)
        smooth = ((total[last] - total[first]) / (last - first).clamp(min=1)).clamp(min=0) ** self.WHITENING
        frequency_hz = bins * (sample_rate / self._length)
        heard = (frequency_hz > self.LOW_HZ) & (frequency_hz < self.HIGH_HZ)
        weight = heard / (smooth + 1e-5 * smooth.max() + torch.finfo(torch.float32).tiny)
        reference = (power * weight).sum()
        # A silent target leaves nothing to divide by; its estimate is then measured against one unit.
        self._weight = (weight / reference if reference > 0 else heard.double()).float()

    def trusting(self, coherence: Tensor) -> WaveformLoss:
        """This loss with errors counted as far as `coherence` says, 0 to 1 at frequencies (bins,) from 0 Hz
        to half the rate: below 1, no waveform can be hit, and one that is too soft would seem closer."""
        place = torch.linspace(0, len(coherence) - 1, len(self._weight), dtype=torch.float64)
        below = place.long().clamp(max=len(coherence) - 2)
        share = torch.lerp(coherence.double()[below], coherence.double()[below + 1], place - below)
        trusting = copy.copy(self)
        trusting._weight = self._weight * share.to(self._weight)
        return trusting

    def __call__(self, estimate: Tensor) -> Tensor:
        """The differentiable error of a `(2, samples)` estimate."""
        error = torch.fft.rfft(estimate[:, self._skip :], self._length) - self._target
        power = error.real.square() + error.imag.square()
        relative: Tensor = (power * self._weight).sum()
        return (relative + 1e-8).sqrt()


def published_la(estimate: Tensor, target: Tensor, sample_rate: int) -> dict[str, float]:
    """La of a whole song, comparable with published figures.

    Both `(2, samples)`, of one length; computed where the estimate is. Keys "full", "left_right", "mid",
    "side" (as the published code calls it) and "paper.full" … (as the paper defines it). Scored are 2.8 s
    stretches, each after the second that the published segments spend on warm-up; they join without a gap,
    so that only the song's first second is never scored. A last stretch that is mostly padding is left out.
    A song shorter than one segment is scored in one piece, without its first second if that is less than
    half of it.
    """
    if estimate.shape != target.shape or target.ndim != 2 or target.shape[0] != 2:
        raise ValueError(f"expected two (2, samples), got {tuple(estimate.shape)} and {tuple(target.shape)}")
    signals = torch.stack([_at_rate(signal, sample_rate) for signal in (estimate, target)]).to(
        estimate.device
    )
    samples = signals.shape[-1]
    starts = range(WARM_UP_SAMPLES, samples - HOP_SAMPLES // 2 + 1, HOP_SAMPLES)
    length = HOP_SAMPLES
    if samples < SEGMENT_SAMPLES:
        start = WARM_UP_SAMPLES if samples > 2 * WARM_UP_SAMPLES else 0
        starts, length = range(start, start + 1), max(samples - start, FFT_SIZES[-1])
    weight = _weighting(length, RATE_HZ, signals.device)
    totals: dict[str, float] = {}
    with torch.no_grad():
        for start in starts:
            scored = signals[:, :, start : start + length]
            scored = torch.nn.functional.pad(scored, (0, length - scored.shape[-1]))
            p, t = (mel_spectra(weight(signal)) for signal in scored)
            orders: tuple[tuple[str, Order], ...] = (("", "called"), ("paper.", "paper"))
            for prefix, order in orders:
                for name, value in mel_distance(p, t, order).items():
                    totals[prefix + name] = totals.get(prefix + name, 0.0) + float(value)
    return {name: total / len(starts) for name, total in totals.items()}


def _at_rate(signal: Tensor, sample_rate: int) -> Tensor:
    return torch.from_numpy(resample(signal.detach().cpu().float().numpy(), sample_rate, RATE_HZ))
