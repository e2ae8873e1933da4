"""The impulse response of a reverb that all stems share, and how much each sends into it, from the residual.

What the dry console leaves of the mix is, where there is a reverb, Σ sends · feeds convolved with one
impulse response h. With the sends given h is a linear least-squares problem of a hundred thousand unknowns,
with h given the sends are one of a few: both are solved in turn. Errors are whitened, so that every octave
counts; h is solved by conjugate gradients, a few FFTs per iteration, under a prior that decays in time.

Feeds are the mono sums (L + R)/2 of the tracks after their faders; h has two ears.

The spectra lie on the device of the search. What is summed is summed by numpy on the CPU: there torch splits
sums by the number of threads, and the result would depend on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy import fft, optimize
from torch import Tensor

from mix2daw.search.least_squares import power_of
from mix2daw.search.whitening import smoothed, whitening

Levels = npt.NDArray[np.float64]

RIDGE = 0.02  # of the mean excitation
PRIOR_DB_PER_S = 17.0  # how fast the prior of the amplitude decays
ITERATIONS = 15
SEND_RIDGE = 1e-3


@dataclass(frozen=True)
class Stretch:
    """A part of the song: `feeds` (tracks, samples), `rest` (2, samples) what the dry console leaves of the
    mix, `mix` (2, samples); all on one device."""

    feeds: Tensor
    rest: Tensor
    mix: Tensor


class Deconvolution:
    """The problem for some stretches of one song; `taps`: length of the impulse response in samples.

    `observed` (per stretch): what is left to explain; `feeds`, `rests`: spectra. all of it is on `device`.
    """

    def __init__(self, stretches: Sequence[Stretch], sample_rate: int, taps: int) -> None:
        self.taps, self.sample_rate = taps, sample_rate
        self.device = stretches[0].rest.device
        longest = max(stretch.rest.shape[1] for stretch in stretches)
        self.length = fft.next_fast_len(longest + taps, real=True)
        power = sum(power_of(self._spectrum(s.mix)).sum(0) for s in stretches)
        white = whitening(torch.as_tensor(power).cpu().numpy(), sample_rate).astype(np.float32)
        self.weight = self._here(white)
        self.feeds = [self._spectrum(s.feeds) for s in stretches]
        self.observed = [s.rest.clone() for s in stretches]
        self.rests = [self._spectrum(observed) for observed in self.observed]
        seconds = np.arange(taps) / sample_rate
        self.prior = self._here((10 ** (-PRIOR_DB_PER_S / 20 * seconds)).astype(np.float32))

    def _here(self, array: npt.NDArray[np.floating]) -> Tensor:
        return torch.from_numpy(array).to(self.device)

    def _spectrum(self, signal: Tensor) -> Tensor:
        spectrum: Tensor = torch.fft.rfft(signal, self.length)
        return spectrum

    def _signal(self, spectrum: Tensor) -> Tensor:
        signal: Tensor = torch.fft.irfft(spectrum, self.length)
        return signal

    def smoothed(self, power: Tensor, share: float) -> Tensor:
        """Mean of a spectrum around each bin, see `smoothed`."""
        return self._here(smoothed(power.cpu().numpy(), share).astype(np.float32))

    def related(self, track: int) -> tuple[Tensor, Tensor]:
        """Power (bins,) of a track's feed, and its cross spectrum (bins,) with both ears of what is left."""
        feeds = [feeds[track] for feeds in self.feeds]
        power = torch.stack([power_of(feed) for feed in feeds]).sum(0)
        cross = [feed.conj() * (rest[0] + rest[1]) for feed, rest in zip(feeds, self.rests, strict=True)]
        return power, torch.stack(cross).sum(0)

    def error(self, sends: Levels | None = None, impulse: Tensor | None = None) -> float:
        """Whitened energy of what is left, relative to the mix; without arguments of what there was."""
        total = 0.0
        response = None if impulse is None else self._spectrum(impulse)
        for feeds, rest in zip(self.feeds, self.rests, strict=True):
            left = rest
            if sends is not None and response is not None:
                left = rest - response * _mixed(sends, feeds)
            total += float(summed(power_of(left).sum(0) * self.weight))
        return total

    def solve_impulse(self, sends: Levels, iterations: int = ITERATIONS) -> Tensor:
        """The impulse response (2, taps) for given sends (tracks,)."""
        excitation = torch.zeros(self.length // 2 + 1, device=self.device)
        right = torch.zeros(2, self.length // 2 + 1, dtype=torch.complex64, device=self.device)
        for feeds, rest in zip(self.feeds, self.rests, strict=True):
            feed = _mixed(sends, feeds)
            excitation += power_of(feed)
            right += feed.conj() * rest
        excitation *= self.weight
        mean = self.smoothed(excitation, 0.03)
        ridge = RIDGE * summed(mean).float() / len(mean)
        inverse = (mean + ridge).reciprocal()

        size = min(self.length, fft.next_fast_len(2 * self.taps, real=True))
        excited, levelled = self._within_taps(excitation, size), self._within_taps(inverse, size)

        def filtered(z: Tensor, spectrum: Tensor) -> Tensor:
            out: Tensor = torch.fft.irfft(torch.fft.rfft(z, size) * spectrum, size)[:, : self.taps]
            return out

        b = self._signal(right * self.weight)[:, : self.taps] * self.prior
        z, left = torch.zeros_like(b), b
        step = filtered(left, levelled)
        direction, slope = step, summed(left * step)
        for _ in range(iterations):
            image = filtered(direction * self.prior, excited) * self.prior + ridge * direction
            curvature = summed(direction * image)
            if not bool((curvature > 0).all()):
                break
            length = (slope / curvature).float()[:, None]
            z, left = z + length * direction, left - length * image
            step = filtered(left, levelled)
            new_slope = summed(left * step)
            direction = step + (new_slope / slope).float()[:, None] * direction
            slope = new_slope
        return z * self.prior

    def _within_taps(self, spectrum: Tensor, size: int) -> Tensor:
        """A zero-phase filter (bins,) for a transform of `size` samples, at least 2 · taps: the same for
        signals of `taps` samples of which as many are heard."""
        if size == self.length:
            return spectrum
        response = torch.fft.irfft(spectrum.double(), self.length)
        response[self.taps : size - self.taps + 1] = 0
        response[size - self.taps + 1 : size] = response[self.length - self.taps + 1 :].clone()
        folded: Tensor = torch.fft.rfft(response[:size]).real.float()
        return folded

    def subtract(self, sends: Levels, impulse: Tensor) -> None:
        """Take what a response explains out of the rests."""
        for observed, made in zip(self.observed, self.played(sends, impulse), strict=True):
            observed -= made[:, : observed.shape[1]]
        self.rests = [self._spectrum(observed) for observed in self.observed]

    def fill(self, sends: Levels, impulse: Tensor) -> None:
        """Let the rests end as this response does. Nobody knows them beyond the end of a stretch, and silence
        there would pull the next solution towards a reverb that stops."""
        self.rests = [
            self._spectrum(torch.cat([observed, made[:, observed.shape[1] :]], dim=1))
            for observed, made in zip(self.observed, self.played(sends, impulse), strict=True)
        ]

    def played(self, sends: Levels, impulse: Tensor) -> list[Tensor]:
        """What a response makes of the feeds, (2, samples and more) per stretch."""
        response = self._spectrum(impulse)
        return [self._signal(response * _mixed(sends, feeds)) for feeds in self.feeds]

    def explained(self, sends: Levels, impulses: Sequence[Tensor]) -> float:
        """How much of the error the best sum of some responses, at given sends, takes away."""
        responses = [self._spectrum(impulse) for impulse in impulses]
        gram, cross = np.zeros((len(responses),) * 2), np.zeros(len(responses))
        for feeds, rest in zip(self.feeds, self.rests, strict=True):
            feed = _mixed(sends, feeds)
            loud = power_of(feed) * self.weight
            goal = feed.conj() * rest * self.weight
            for i, one in enumerate(responses):
                cross[i] += float(summed(_inner(one, goal).sum(0)))
                for j, other in enumerate(responses[: i + 1]):
                    gram[i, j] += float(summed(_inner(one, other).sum(0) * loud))
                    gram[j, i] = gram[i, j]
        gram += np.diag(1e-9 * gram.diagonal() + np.finfo(np.float32).tiny)
        return float(cross @ np.linalg.solve(gram, cross))

    def solve_sends(self, impulse: Tensor, only: npt.NDArray[np.bool_] | None = None) -> Levels:
        """Sends (tracks,), none negative, for a given impulse response; `only` some tracks may send."""
        response = self._spectrum(impulse)
        loud = power_of(response).sum(0) * self.weight
        weighted = response.conj() * self.weight
        tracks = len(self.feeds[0])
        gram, cross = np.zeros((tracks, tracks)), np.zeros(tracks)
        for feeds, rest in zip(self.feeds, self.rests, strict=True):
            gram += _products(feeds * loud, feeds)
            cross += _products((weighted * rest).sum(0, keepdim=True), feeds)[0]
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


def _inner(one: Tensor, other: Tensor) -> Tensor:
    """Real part of conj(one) · other, value by value."""
    return one.real * other.real + one.imag * other.imag


def summed(values: Tensor) -> Tensor:
    """Sum over the last axis, in double precision, the same for any number of threads."""
    if values.device.type == "cpu":
        return torch.as_tensor(np.asarray(values.numpy().sum(-1, dtype=np.float64)))
    return values.sum(-1, dtype=torch.float64)


def _mixed(sends: Levels, feeds: Tensor) -> Tensor:
    """Σ sends · feeds, (bins,)."""
    if feeds.device.type == "cpu":
        return torch.from_numpy(sends.astype(np.float32) @ feeds.numpy())
    return torch.as_tensor(sends, dtype=torch.complex64, device=feeds.device) @ feeds


def _products(rows: Tensor, others: Tensor) -> Levels:
    """Real parts of the inner products of all rows with all others, (rows, others)."""
    if rows.device.type == "cpu":
        products: Levels = (rows.numpy() @ others.numpy().conj().T).real.astype(np.float64)
        return products
    on_device: Levels = (rows @ others.mH).real.double().cpu().numpy()
    return on_device
