"""The impulse response of a reverb that all stems share, and how much each sends into it, from the residual.

What the dry console leaves of the mix is, where there is a reverb, Σ sends · feeds convolved with one
impulse response h. With the sends given h is a linear least-squares problem of a hundred thousand unknowns,
with h given the sends are one of a few: both are solved in turn. Errors are whitened, so that every octave
counts; h is solved by conjugate gradients, a few FFTs per iteration, under a prior that decays in time.

Feeds are the mono sums (L + R)/2 of the tracks after their faders; h has two ears.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy import fft, optimize
from torch import Tensor

Reals = npt.NDArray[np.float32]
Spectra = npt.NDArray[np.complex64]
Levels = npt.NDArray[np.float64]

LOW_HZ, HIGH_HZ = 25.0, 16000.0
WHITENING, WHITE_FLOOR = 0.8, 1e-5
RIDGE = 0.02  # of the mean excitation
PRIOR_DB_PER_S = 17.0  # how fast the prior of the amplitude decays
ITERATIONS = 15
SEND_RIDGE = 1e-3


def smoothed(power: npt.NDArray[np.floating], share: float) -> npt.NDArray[np.float64]:
    """Mean of a spectrum over bins from (1 − share) to (1 + share) times each bin, and a few at least."""
    bins = np.arange(len(power))
    first = (bins * (1 - share)).astype(np.int64)
    last = np.minimum((bins * (1 + share)).astype(np.int64) + 8, len(power) - 1)
    total = np.concatenate([[0.0], np.cumsum(power, dtype=np.float64)])
    mean: npt.NDArray[np.float64] = (total[last + 1] - total[first]) / (last + 1 - first)
    return mean


def whitening(power: npt.NDArray[np.floating], sample_rate: int) -> npt.NDArray[np.float64]:
    """Weights (bins,) by which every octave of a mix from 25 Hz to 16 kHz counts nearly alike, from its power
    per bin, 0 Hz to half the rate; times that power they sum to one (to zero for silence)."""
    white = smoothed(power, 0.22) ** WHITENING
    frequency_hz = np.linspace(0, sample_rate / 2, len(power))
    heard = (frequency_hz > LOW_HZ) & (frequency_hz < HIGH_HZ)
    tiny = np.finfo(np.float32).tiny
    weight = heard / (white + WHITE_FLOOR * white.max() + tiny)
    whitened: npt.NDArray[np.float64] = weight / max(float((power * weight).sum(dtype=np.float64)), tiny)
    return whitened


@dataclass(frozen=True)
class Stretch:
    """A part of the song: `feeds` (tracks, samples), `rest` (2, samples) what the dry console leaves of the
    mix, `mix` (2, samples)."""

    feeds: Reals
    rest: Reals
    mix: Reals


class Deconvolution:
    """The problem for some stretches of one song; `taps`: length of the impulse response in samples.

    `observed` (per stretch): what is left to explain; `feeds`, `rests`: spectra.
    """

    def __init__(self, stretches: Sequence[Stretch], sample_rate: int, taps: int) -> None:
        self.taps, self.sample_rate = taps, sample_rate
        longest = max(stretch.rest.shape[1] for stretch in stretches)
        self.length = fft.next_fast_len(longest + taps, real=True)
        power = sum(np.square(np.abs(self._spectrum(s.mix))).sum(0) for s in stretches)
        self.weight = whitening(np.asarray(power), sample_rate).astype(np.float32)
        self.feeds = [self._spectrum(s.feeds) for s in stretches]
        self.observed = [s.rest.copy() for s in stretches]
        self.rests = [self._spectrum(observed) for observed in self.observed]
        seconds = np.arange(taps) / sample_rate
        self.prior = (10 ** (-PRIOR_DB_PER_S / 20 * seconds)).astype(np.float32)

    def _spectrum(self, signal: Reals) -> Spectra:
        spectrum: Spectra = torch.fft.rfft(torch.from_numpy(signal), self.length).numpy()
        return spectrum

    def _signal(self, spectrum: Spectra) -> Reals:
        signal: Reals = torch.fft.irfft(torch.from_numpy(spectrum), self.length).numpy()
        return signal

    def error(self, sends: Levels | None = None, impulse: Reals | None = None) -> float:
        """Whitened energy of what is left, relative to the mix; without arguments of what there was."""
        total = 0.0
        response = None if impulse is None else self._spectrum(impulse)
        for feeds, rest in zip(self.feeds, self.rests, strict=True):
            left = rest
            if sends is not None and response is not None:
                left = rest - response * (sends.astype(np.float32) @ feeds)
            total += float((np.square(np.abs(left)).sum(0) * self.weight).sum(dtype=np.float64))
        return total

    def solve_impulse(self, sends: Levels, iterations: int = ITERATIONS) -> Reals:
        """The impulse response (2, taps) for given sends (tracks,)."""
        excitation: Reals = np.zeros(self.length // 2 + 1, np.float32)
        right = np.zeros((2, self.length // 2 + 1), np.complex64)
        for feeds, rest in zip(self.feeds, self.rests, strict=True):
            feed = sends.astype(np.float32) @ feeds
            excitation += np.square(np.abs(feed))
            right += feed.conj() * rest
        excitation *= self.weight
        mean: Reals = smoothed(excitation, 0.03).astype(np.float32)
        ridge = np.float32(RIDGE * mean.mean())
        inverse: Reals = np.reciprocal(mean + ridge)

        size = min(self.length, fft.next_fast_len(2 * self.taps, real=True))
        excited, levelled = self._within_taps(excitation, size), self._within_taps(inverse, size)

        def filtered(z: Reals, spectrum: Tensor) -> Reals:
            transformed = torch.fft.rfft(torch.from_numpy(z), size) * spectrum
            out: Reals = torch.fft.irfft(transformed, size)[:, : self.taps].numpy()
            return out

        weighted = (right * self.weight).astype(np.complex64, copy=False)
        b = self._signal(weighted)[:, : self.taps] * self.prior
        z, left = np.zeros_like(b), b
        step = filtered(left, levelled)
        direction, gain = step, (left * step).sum(-1, keepdims=True, dtype=np.float64)
        for _ in range(iterations):
            image = filtered(direction * self.prior, excited) * self.prior + ridge * direction
            curvature = (direction * image).sum(-1, keepdims=True, dtype=np.float64)
            if not (curvature > 0).all():
                break
            length = (gain / curvature).astype(np.float32)
            z, left = z + length * direction, left - length * image
            step = filtered(left, levelled)
            new_gain = (left * step).sum(-1, keepdims=True, dtype=np.float64)
            direction = step + (new_gain / gain).astype(np.float32) * direction
            gain = new_gain
        result: Reals = z * self.prior
        return result

    def _within_taps(self, spectrum: Reals, size: int) -> Tensor:
        """A zero-phase filter (bins,) for a transform of `size` samples, at least 2 · taps: the same for
        signals of `taps` samples of which as many are heard."""
        if size == self.length:
            return torch.from_numpy(spectrum)
        response = torch.fft.irfft(torch.from_numpy(spectrum).double(), self.length)
        response[self.taps : size - self.taps + 1] = 0
        response[size - self.taps + 1 : size] = response[self.length - self.taps + 1 :].clone()
        folded: Tensor = torch.fft.rfft(response[:size]).real.float()
        return folded

    def subtract(self, sends: Levels, impulse: Reals) -> None:
        """Take what a response explains out of the rests."""
        for observed, made in zip(self.observed, self.played(sends, impulse), strict=True):
            observed -= made[:, : observed.shape[1]]
        self.rests = [self._spectrum(observed) for observed in self.observed]

    def fill(self, sends: Levels, impulse: Reals) -> None:
        """Let the rests end as this response does. Nobody knows them beyond the end of a stretch, and silence
        there would pull the next solution towards a reverb that stops."""
        self.rests = [
            self._spectrum(np.concatenate([observed, made[:, observed.shape[1] :]], axis=1))
            for observed, made in zip(self.observed, self.played(sends, impulse), strict=True)
        ]

    def played(self, sends: Levels, impulse: Reals) -> list[Reals]:
        """What a response makes of the feeds, (2, samples and more) per stretch."""
        response = self._spectrum(impulse)
        return [self._signal(response * (sends.astype(np.float32) @ feeds)) for feeds in self.feeds]

    def explained(self, sends: Levels, impulses: Sequence[Reals]) -> float:
        """How much of the error the best sum of some responses, at given sends, takes away."""
        responses = [self._spectrum(impulse) for impulse in impulses]
        gram, cross = np.zeros((len(responses),) * 2), np.zeros(len(responses))
        for feeds, rest in zip(self.feeds, self.rests, strict=True):
            feed = sends.astype(np.float32) @ feeds
            loud = np.square(np.abs(feed)) * self.weight
            goal = feed.conj() * rest * self.weight
            for i, one in enumerate(responses):
                cross[i] += float((one.conj() * goal).real.sum(dtype=np.float64))
                for j, other in enumerate(responses):
                    gram[i, j] += float(((one.conj() * other).real * loud).sum(dtype=np.float64))
        gram += np.diag(1e-9 * gram.diagonal() + np.finfo(np.float32).tiny)
        return float(cross @ np.linalg.solve(gram, cross))

    def solve_sends(self, impulse: Reals, only: npt.NDArray[np.bool_] | None = None) -> Levels:
        """Sends (tracks,), none negative, for a given impulse response; `only` some tracks may send."""
        response = self._spectrum(impulse)
        loud = (np.square(np.abs(response)).sum(0) * self.weight).astype(np.float32)
        weighted = response.conj() * self.weight
        tracks = len(self.feeds[0])
        gram, cross = np.zeros((tracks, tracks)), np.zeros(tracks)
        for feeds, rest in zip(self.feeds, self.rests, strict=True):
            gram += ((feeds * loud) @ feeds.conj().T).real
            cross += (feeds.conj() @ (weighted * rest).sum(0)).real
        if only is not None:
            gram, cross = gram[np.ix_(only, only)], cross[only]
        gram += np.diag(SEND_RIDGE * gram.diagonal() + 1e-12 * gram.trace() + np.finfo(np.float32).tiny)
        root = np.linalg.cholesky(gram)
        found: Levels = optimize.nnls(root.T, np.linalg.solve(root, cross))[0]
        if only is None:
            return found
        levels = np.zeros(tracks)
        levels[only] = found
        return levels
