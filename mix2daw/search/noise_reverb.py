"""A reverb that only magnitudes show: decaying noise in bands, fitted by the spectral loss.

Where the tail in the mix moves (modulated or analogue reverb), or its phases agree with no stem, no impulse
response can be deconvolved; how loud it is in every band, and how fast it dies away, can still be heard. This
is the free-form noise reverb of the published method, in eight bands: https://arxiv.org/abs/2509.15948.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mix2daw.dsp.convolution import convolved
from mix2daw.loss import SegmentLoss
from mix2daw.search.adam import Adam
from mix2daw.search.space import Response

BAND_EDGES_HZ = (125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)
BANDS = len(BAND_EDGES_HZ) + 1
SEED = 20
ONSET_S = 0.001  # over which the noise fades in after the pre-delay
LOWEST_DECAY_S, HIGHEST_DECAY_S = 0.1, 8.0
LOWEST_DB, HIGHEST_DB = -70.0, 12.0
HIGHEST_PRE_DELAY_S = 0.12
STEPS, WARM_UP = 40, 4
START_DB, START_DECAY_S, START_PRE_DELAY_S = (-36.0, -26.0, -16.0, -6.0), (0.35, 0.9, 2.2), 0.01
RATES = {"level_db": 1.0, "log_decay": 0.07, "pre_delay_s": 0.002, "width": 0.04, "send_db": 0.8}
SEND_RIDGE = 2e-5  # per dB² by which a send differs from the mean of all


@dataclass(frozen=True)
class Tail:
    """Parameters: `level_db` (bands,) energy of the response in a band, dB; `decay_s` (bands,) seconds in
    which it falls by 60 dB; `pre_delay_s` scalar; `width` from 0 (both ears alike) to 1 (independent)."""

    level_db: Tensor
    decay_s: Tensor
    pre_delay_s: Tensor
    width: Tensor


@dataclass(frozen=True)
class Dry:
    """An excerpt without the reverb: `mix` (2, samples), `feeds` (tracks, samples); the first `skip` samples
    are not scored by `loss`."""

    mix: Tensor
    feeds: Tensor
    skip: int
    loss: SegmentLoss


@functools.lru_cache(maxsize=2)
def _noise(sample_rate: int, taps: int, seed: int) -> Tensor:
    """Two independent noises per band, of unit power, `(2, bands, taps)`. Neighbouring bands cross over
    around their edge at constant power; the outer ones go on to 0 Hz and to half the rate."""
    generator = torch.Generator().manual_seed(seed)
    spectrum = torch.fft.rfft(torch.randn(2, BANDS, taps, generator=generator))
    frequency_hz = torch.linspace(0, sample_rate / 2, spectrum.shape[-1], dtype=torch.float64)
    position = (
        torch.log2(frequency_hz.clamp(min=1.0) / BAND_EDGES_HZ[0])[None] - torch.arange(BANDS - 1)[:, None]
    )
    rising = torch.sin(math.pi / 2 * (position + 0.5).clamp(0, 1))  # half an octave to each side of an edge
    falling = torch.sin(math.pi / 2 * (0.5 - position).clamp(0, 1))
    one = torch.ones(1, len(frequency_hz), dtype=torch.float64)
    bands = (torch.cat([one, rising]) * torch.cat([falling, one])).float()
    noise: Tensor = torch.fft.irfft(spectrum * bands, taps)
    return noise / noise.square().mean((0, 2), keepdim=True).sqrt().clamp(min=1e-12)


def impulse(tail: Tail, sample_rate: int, taps: int, seed: int = SEED) -> Tensor:
    """The impulse response `(2, taps)` float32, differentiable in the tail's parameters."""
    noise = _noise(sample_rate, taps, seed).to(tail.level_db.device)
    seconds = torch.arange(taps, device=noise.device) / sample_rate - tail.pre_delay_s
    rate = math.log(1000) / tail.decay_s  # nepers per second
    # An exponential e^(-rt) holds the energy 1/2r: a level says how loud the band is, however long it lasts.
    amplitude = 10 ** (tail.level_db / 20) * torch.sqrt(2 * rate / sample_rate)
    envelope = torch.exp(-rate[:, None] * seconds.clamp(min=0)) * torch.sigmoid(seconds / ONSET_S * 4)
    common, apart = (noise * (amplitude[:, None] * envelope)).sum(1)
    angle = tail.width * (math.pi / 4)
    return torch.stack(
        [angle.cos() * common + angle.sin() * apart, angle.cos() * common - angle.sin() * apart]
    )


class _Model:
    """The free parameters, and the loss of an excerpt."""

    def __init__(self, tracks: int, sample_rate: int, taps: int, device: torch.device) -> None:
        self.sample_rate, self.taps = sample_rate, taps
        self.free = {
            "level_db": torch.full((BANDS,), START_DB[0], device=device),
            "log_decay": torch.full((BANDS,), math.log(START_DECAY_S[0]), device=device),
            "pre_delay_s": torch.tensor(START_PRE_DELAY_S, device=device),
            "width": torch.tensor(0.9, device=device),
            "send_db": torch.zeros(tracks, device=device),
        }

    def tail(self) -> Tail:
        f = self.free
        return Tail(f["level_db"], f["log_decay"].exp(), f["pre_delay_s"], f["width"])

    def sends_lin(self) -> Tensor:
        """Sends (tracks,) around one: how loud the whole is the tail says."""
        return 10 ** ((self.free["send_db"] - self.free["send_db"].mean()) / 20)

    def loss(self, dry: Dry) -> Tensor:
        """La of an excerpt with the reverb."""
        feed = (self.sends_lin() @ dry.feeds).expand(1, 2, -1)
        wet = convolved(feed, impulse(self.tail(), self.sample_rate, self.taps)[None])[0]
        return dry.loss((dry.mix + wet)[:, dry.skip :])["full"]

    def start(self, dry: Sequence[Dry]) -> None:
        """The best of a few levels and decays, the same in all bands."""
        trials = [(level_db, decay_s) for level_db in START_DB for decay_s in START_DECAY_S]
        losses = []
        with torch.no_grad():
            for level_db, decay_s in trials:
                self.free["level_db"].fill_(level_db - 10 * math.log10(BANDS))
                self.free["log_decay"].fill_(math.log(decay_s))
                losses.append(torch.stack([self.loss(excerpt) for excerpt in dry[:2]]).mean())
        level_db, decay_s = trials[int(torch.stack(losses).argmin())]
        self.free["level_db"].fill_(level_db - 10 * math.log10(BANDS))
        self.free["log_decay"].fill_(math.log(decay_s))

    def keep_in_range(self) -> None:
        with torch.no_grad():
            self.free["level_db"].clamp_(LOWEST_DB, HIGHEST_DB)
            self.free["log_decay"].clamp_(math.log(LOWEST_DECAY_S), math.log(HIGHEST_DECAY_S))
            self.free["pre_delay_s"].clamp_(0.0, HIGHEST_PRE_DELAY_S)
            self.free["width"].clamp_(0.0, 1.0)


def fit_tail(dry: Sequence[Dry], sample_rate: int, taps: int, steps: int = STEPS) -> tuple[Tail, Tensor]:
    """The tail, and sends `(tracks,)` into it, linear, by which the dry excerpts come closest to the mix."""
    model = _Model(len(dry[0].feeds), sample_rate, taps, dry[0].mix.device)
    model.start(dry)
    leaves = [value.requires_grad_() for value in model.free.values()]
    adam = Adam([(leaf, RATES[name]) for name, leaf in model.free.items()], steps)
    for index in range(steps):
        cosine = 0.5 * (1 + math.cos(math.pi * index / steps))
        adam.rate = min(1.0, (index + 1) / WARM_UP) * (0.05 + 0.95 * cosine)
        ridge = SEND_RIDGE * (model.free["send_db"] - model.free["send_db"].mean()).square().mean()
        loss = model.loss(dry[index % len(dry)]) + ridge
        adam.step(loss, torch.autograd.grad(loss, leaves))
        model.keep_in_range()
    with torch.no_grad():
        tail = model.tail()
        return Tail(
            tail.level_db.detach(), tail.decay_s, tail.pre_delay_s.detach(), tail.width.detach()
        ), model.sends_lin()


def noise_reverb(dry: Sequence[Dry], sample_rate: int, taps: int) -> Response:
    """The fitted reverb as an impulse response of unit energy and sends."""
    tail, sends_lin = fit_tail(dry, sample_rate, taps)
    response = impulse(tail, sample_rate, taps).cpu()
    loudness = (response.double().square().sum() / 2).sqrt().clamp(min=1e-9)
    return Response((response / loudness).float(), (sends_lin.cpu().double() * loudness).numpy())
