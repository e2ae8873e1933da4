"""By how many samples does a stem start later in the mix than in its file?

Two questions are asked, of whole-song filters from all stems to the mix at once (`block_filters`):

- Far away: what the other stems leave of the mix is correlated with the stem, both whitened, at every lag.
  Music repeats by beats and bars, so a peak counts only if no other place comes near it, the present one
  least of all.
- To the sample: filters delay, too, but the phase of an equalizer follows from its magnitude (minimum phase).
  What phase is left beyond that is a lag.

A stem that is not clearly elsewhere stays where it is. The limits are between what aligned stems and stems
moved by 1 to 48000 samples measure in three songs with equalizers, compressors, reverb and echo: see each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import median_filter

from mix2daw.block_filters import BlockFilters, SongSpectra, block_filters
from mix2daw.stems import Signal

LONGEST_S = 10.0
ROUNDS = 5
NEAR_S = 0.0005  # a filter's own delay
# Of the highest peak, in standard deviations of all lags: 33 and more in the songs, 5 by chance.
FAR_SIGMA = 10.0
# Over the height of the present place: aligned stems 1.0, moved ones 4 and more.
FAR_RATIO = 2.0
RIVAL_RATIO = 1.15  # over that of the highest peak elsewhere: 1.4 and more
FINE_S, MOVED_FINE_SAMPLES = 0.002, 16
FINE_LOW_HZ, FINE_HIGH_SHARE = 30.0, 0.45
# Of an amplitude's square over its variance: what counts; and no phase is taken to be better known than CAP.
CLEAR, CAP, CLEAR_BLOCKS = 20.0, 20.0, 9
CURVE_POINTS, CURVE_RIDGE, PHASE_SIZE = 160, 3.0, 16384
# Mean cosine of the phases' errors at the new place; by how much it is better there than at the old one
# (aligned stems up to .012, stems moved by one sample .066 and more); the same times what counts (10, 270).
AGREED, GAIN, EVIDENCE = 0.9, 0.03, 50.0
# Agreement of inverted phases, and by how much it has to be above that of phases as they are. In four mixes
# the second is 0.71 and more, the first mostly below 0.4; in narrow bands they come as near as 0.08.
INVERTED, CLEARLY, POLARITY_EVIDENCE = 0.6, 0.15, 300.0


@dataclass(frozen=True)
class Lag:
    """`samples` of the mix's rate by which a stem starts later in the mix than in its file; `unsure`: it
    seems to be elsewhere, but more than one place fits; `samples` is 0 then.

    `agreement`, 0 to 1: the mean cosine of what its phases differ from those of a minimum-phase filter, where
    they do least within some samples of that place; `inverted`: the same for a stem of inverted polarity;
    `evidence`: how many phases both are means of, each counted as far as it is known. All three are what was
    measured, and no part of which lag it is."""

    samples: int = 0
    unsure: bool = False
    agreement: float = field(default=0.0, compare=False)
    inverted: float = field(default=0.0, compare=False)
    evidence: float = field(default=0.0, compare=False)

    @property
    def is_known(self) -> bool:
        """Whether there is enough to tell a polarity by."""
        return self.evidence > POLARITY_EVIDENCE

    @property
    def is_inverted(self) -> bool:
        """Whether the stem is clearly in the mix with inverted polarity."""
        return self.is_known and self.inverted > max(INVERTED, self.agreement + CLEARLY)


@dataclass(frozen=True)
class _Peak:
    """The highest correlation of a stem: its `lag`, its `height`, that of the present place (`here`) and of
    the highest other place (`rival`), all in standard deviations."""

    lag: int
    height: float
    here: float
    rival: float

    def elsewhere(self) -> bool:
        return self.height > max(FAR_SIGMA, FAR_RATIO * self.here)

    def alone(self) -> bool:
        return self.height > RIVAL_RATIO * self.rival


def find_lags(stems: Sequence[Signal], mix: Signal, sample_rate: int) -> list[Lag]:
    """The lag of every stem `(1 or 2, samples)` against the mix `(2, samples)`: up to ±10 s or half the mix.

    Stems may be longer than the mix; none is silent.
    """
    if not stems:
        return []
    longest = min(round(LONGEST_S * sample_rate), mix.shape[1] // 2)
    spectra = SongSpectra(stems, mix, sample_rate, longest)
    lags, peaks = [0] * len(stems), list[_Peak]()
    for _ in range(ROUNDS):
        filters = block_filters(spectra, lags)
        peaks = _peaks(spectra, lags, filters, longest)
        moved = [i for i, peak in enumerate(peaks) if peak.elsewhere() and peak.alone()]
        if not moved:
            break
        for i in moved:
            lags[i] = peaks[i].lag
    else:
        filters = block_filters(spectra, lags)
    found = []
    for stem, peak in enumerate(peaks):
        unsure = lags[stem] == 0 and peak.elsewhere()
        fine = Lag(unsure=True) if unsure else _fine(spectra, filters, stem, lags[stem] != 0)
        found.append(replace(fine, samples=lags[stem] + fine.samples))
    return found


def _peaks(spectra: SongSpectra, lags: Sequence[int], filters: BlockFilters, longest: int) -> list[_Peak]:
    """Correlation of each stem with what the others leave, at lags up to `longest` samples."""
    blocks = slice(0, spectra.below)
    response = filters.response[:, blocks].to(torch.complex64)
    rest = spectra.mix[:, blocks].clone()
    for stem, lag in enumerate(lags):
        for channel in range(2):
            rest[channel] -= response[channel, :, stem, None] * spectra.placed(stem, channel, lag, blocks)
    size = fft.next_fast_len(2 * spectra.below * spectra.bins, real=True)
    step = spectra.length / size  # samples between two lags
    place = np.arange(-int(longest / step), int(longest / step) + 1)
    near = max(3, round(NEAR_S * spectra.sample_rate / step))
    peaks = []
    for stem, lag in enumerate(lags):
        white = torch.zeros(spectra.below, spectra.bins, dtype=torch.complex64)
        for channel in range(2):
            own, power = response[channel, :, stem], filters.power[channel, blocks, stem]
            goal = rest[channel] + own[:, None] * spectra.placed(stem, channel, lag, blocks)
            goal_power = filters.left[channel, blocks] + own.abs().square() * power
            scale = (power * goal_power).clamp(min=1e-30).rsqrt() * (power > 1e-9 * power.max())
            white += scale[:, None].float() * spectra.placed(stem, channel, 0, blocks).conj() * goal
        height = np.abs(fft.irfft(white.flatten().numpy(), size))
        height = height[place] / max(float(np.sqrt(np.mean(np.square(height)))), 1e-30)
        best = int(height.argmax())
        here = np.abs(place - lag / step) <= near
        rival = np.abs(place - place[best]) > 5 * near
        peaks.append(
            _Peak(
                round(float(place[best]) * step),
                float(height[best]),
                float(height[here].max()),
                float(height[rival].max(initial=0.0)),
            )
        )
    return peaks


def _fine(spectra: SongSpectra, filters: BlockFilters, stem: int, moved: bool) -> Lag:
    """Of a stem where it is placed: by how much it is later than that, beyond what its filter delays it."""
    hz, rate = spectra.frequency_hz, spectra.sample_rate
    weight = filters.variance[..., stem].clamp(min=1e-30).reciprocal()
    mean = (filters.response[..., stem] * weight).sum(0) / weight.sum(0)
    clear = (mean.abs().square() * weight.sum(0)).numpy()
    counts = median_filter(clear, CLEAR_BLOCKS, mode="nearest") > CLEAR
    counts &= (clear > CLEAR / 2) & (hz > FINE_LOW_HZ) & (hz < FINE_HIGH_SHARE * rate)
    if not counts.any():
        return Lag()
    hz, response, clear = hz[counts], mean.numpy()[counts], clear[counts]
    counted = clear * CAP / (clear + CAP)
    lags = np.arange(-MOVED_FINE_SAMPLES, MOVED_FINE_SAMPLES + 1)
    if not moved:
        lags = np.arange(-round(FINE_S * rate), round(FINE_S * rate) + 1)
    turned = np.exp(2j * np.pi / rate * np.outer(lags, hz))
    direction = counted * response / np.abs(response)
    phase = _minimum_phase(hz, np.log(np.abs(response)), counted, rate)
    evidence = float(counted.sum())
    signed = (turned @ (direction * np.exp(-1j * phase))).real / evidence
    linear = float(direction.real.sum()) / evidence
    found = Lag(0, False, max(float(signed.max()), linear), max(float(-signed.min()), -linear), evidence)
    agreement = np.abs(signed)
    best = int(agreement.argmax())
    if moved:
        return replace(found, samples=int(lags[best]))
    # A filter of linear phase, its delay made up for, is no reason to move either.
    gain = float(agreement[best]) - max(float(agreement[lags == 0][0]), abs(linear))
    sure = agreement[best] > AGREED and gain > GAIN and gain * evidence > EVIDENCE
    return replace(found, samples=int(lags[best]) if sure else 0)


def _minimum_phase(
    hz: NDArray[np.float64], log_magnitude: NDArray[np.float64], weight: NDArray[np.float64], rate: int
) -> NDArray[np.float64]:
    """The phase at `hz` of the minimum-phase filter of a magnitude, smoothed, and held beyond its ends."""
    grid = np.geomspace(FINE_LOW_HZ / 2, rate / 2, CURVE_POINTS)
    position = np.interp(np.log(hz), np.log(grid), np.arange(CURVE_POINTS))
    left = np.minimum(position.astype(int), CURVE_POINTS - 2)
    share = position - left
    normal, right = np.zeros((CURVE_POINTS, CURVE_POINTS)), np.zeros(CURVE_POINTS)
    for index, part in ((left, 1 - share), (left + 1, share)):
        np.add.at(right, index, weight * part * log_magnitude)
        np.add.at(normal, (index, left), weight * part * (1 - share))
        np.add.at(normal, (index, left + 1), weight * part * share)
    slope = np.diff(np.eye(CURVE_POINTS), axis=0)
    curve = np.linalg.solve(normal + CURVE_RIDGE * slope.T @ slope, right)
    bins_hz = np.fft.rfftfreq(PHASE_SIZE, 1 / rate)
    cepstrum = np.fft.irfft(np.interp(np.log(bins_hz.clip(1)), np.log(grid), curve), PHASE_SIZE)
    cepstrum[1 : PHASE_SIZE // 2] *= 2
    cepstrum[PHASE_SIZE // 2 + 1 :] = 0
    phase: NDArray[np.float64] = np.interp(hz, bins_hz, np.fft.rfft(cepstrum).imag)
    return phase
