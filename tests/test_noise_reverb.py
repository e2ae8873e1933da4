"""The noise reverb: its response, and that it is found where there is one and only there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from mix2daw.console import build_console, cut_down, preset
from mix2daw.loss import SegmentLoss
from mix2daw.progress import Silence
from mix2daw.search import Settings
from mix2daw.search.noise_reverb import BANDS, Dry, Tail, fit_tail, impulse
from mix2daw.search.returns import find_returns, without_returns
from mix2daw.search.space import decay_s
from mix2daw.search.state import State
from mix2daw.selection import Selection
from mix2daw.session import Session, Track
from mix2daw.spool import Spool

RATE, SECONDS, TAPS = 44100, 6, 88200
DECAY_S, LEVEL_DB = 1.2, -12.0


def tail(level_db: float = LEVEL_DB, seconds: float = DECAY_S, width: float = 1.0) -> Tail:
    level = torch.full((BANDS,), level_db - 10 * np.log10(BANDS))
    return Tail(level, torch.full((BANDS,), seconds), torch.tensor(0.015), torch.tensor(width))


def song() -> Tensor:
    """Drums and keys (2 tracks, samples), mono and dry."""
    generator, samples = np.random.default_rng(8), SECONDS * RATE
    t = np.arange(samples) / RATE
    drums = 0.5 * generator.standard_normal(samples) * np.exp(-(t % 0.5) / 0.04)
    keys = np.zeros(samples)
    for start, pitch_hz in zip(
        np.arange(0, SECONDS, 0.75), (220, 277, 330, 440, 262, 196, 247, 294), strict=True
    ):
        heard = np.maximum(t - start, 0)
        tone = sum(np.sin(2 * np.pi * pitch_hz * n * heard) / n for n in range(1, 12))
        keys += 0.12 * tone * (t >= start) * (t < start + 0.4) * np.exp(-heard / 0.15)
    return torch.from_numpy(np.stack([drums, keys]).astype(np.float32))


def excerpt(wet_by: Tail | None) -> Dry:
    feeds = song()
    mix = feeds.sum(0).expand(2, -1)
    target = mix
    if wet_by is not None:
        response = impulse(wet_by, RATE, TAPS, seed=99)
        size = feeds.shape[1] + TAPS
        wet = torch.fft.irfft(torch.fft.rfft(feeds.sum(0), size) * torch.fft.rfft(response, size), size)
        target = mix + wet[:, : feeds.shape[1]]
    return Dry(mix, feeds, RATE // 2, SegmentLoss(target[:, RATE // 2 :], RATE, order="called"))


@pytest.mark.parametrize("seconds", [0.4, 1.2])
@pytest.mark.parametrize("width", [0.0, 1.0])
def test_the_response_is_what_its_parameters_say(seconds: float, width: float) -> None:
    response = impulse(tail(-6.0, seconds, width), RATE, TAPS)
    assert response.shape == (2, TAPS)
    assert float(10 * torch.log10(response.square().sum() / 2)) == pytest.approx(-6.0, abs=0.7)
    assert decay_s(response.numpy(), RATE) == pytest.approx(seconds, rel=0.1)
    alike = float(torch.corrcoef(response)[0, 1])
    assert alike == pytest.approx(1 - width, abs=0.15)  # low bands hold few independent samples
    assert float(response[:, : int(0.010 * RATE)].abs().max()) < 1e-6
    assert torch.equal(response, impulse(tail(-6.0, seconds, width), RATE, TAPS))


def test_every_parameter_has_a_gradient() -> None:
    free = tail()
    leaves = (free.level_db, free.decay_s, free.pre_delay_s, free.width)
    for leaf in leaves:
        leaf.requires_grad_()
    response = impulse(free, RATE, 8820)
    (response[0].abs().sum() + response.square().cumsum(1).sum()).backward()
    assert all(leaf.grad is not None and bool((leaf.grad != 0).all()) for leaf in leaves)


def wet_loss(dry: Dry, found: Tail, sends_lin: Tensor) -> float:
    size = dry.mix.shape[1] + TAPS
    spectra = torch.fft.rfft(sends_lin @ dry.feeds, size) * torch.fft.rfft(impulse(found, RATE, TAPS), size)
    wet = torch.fft.irfft(spectra, size)[:, : dry.mix.shape[1]]
    return float(dry.loss((dry.mix + wet)[:, dry.skip :])["full"])


def test_a_reverb_of_another_noise_is_found() -> None:
    dry = excerpt(tail())
    found, sends_lin = fit_tail([dry], RATE, TAPS)
    response = impulse(found, RATE, TAPS)
    before, after = float(dry.loss(dry.mix[:, dry.skip :])["full"]), wet_loss(dry, found, sends_lin)
    assert decay_s(response.numpy(), RATE) == pytest.approx(DECAY_S, rel=0.15)
    level_db = float(10 * torch.log10(response.square().sum() / 2))
    assert level_db == pytest.approx(LEVEL_DB, abs=2.0)
    assert after < 0.7 * before


def test_a_dry_song_gets_none() -> None:
    dry = excerpt(None)
    found, sends_lin = fit_tail([dry], RATE, TAPS)
    assert wet_loss(dry, found, sends_lin) > float(dry.loss(dry.mix[:, dry.skip :])["full"])


def moving_reverb(feed: Tensor) -> Tensor:
    """A reverb whose noise is another one every half second: no impulse response explains it."""
    wet = torch.zeros(2, len(feed) + TAPS)
    for number, start in enumerate(range(0, len(feed), RATE // 2)):
        part = feed[start : start + RATE // 2]
        size = len(part) + TAPS
        response = impulse(tail(), RATE, TAPS, seed=100 + number)
        ears = torch.fft.irfft(torch.fft.rfft(part, size) * torch.fft.rfft(response, size), size)
        wet[:, start : start + size] += ears
    return wet[:, : len(feed)]


@pytest.mark.parametrize("wet", [True, False])
def test_a_moving_reverb_becomes_a_return(tmp_path: Path, wet: bool) -> None:
    feeds = song()
    mix = feeds.sum(0).expand(2, -1)
    if wet:
        mix = mix + moving_reverb(feeds.sum(0))
    tracks = tuple(
        Track(name, tmp_path / f"{name}.wav", Spool().keep(feed[None].numpy()), None, "")
        for name, feed in zip(("drums", "keys"), feeds, strict=True)
    )
    session = Session(RATE, mix.contiguous().numpy(), tmp_path / "mix.wav", tracks, (), {}, ())
    only = Settings(only=Selection.of("--only", ["reverb"]))
    console = cut_down(build_console(session, preset("studio"), tmp_path), only.allows)
    state = State(session, console, Settings(), Silence())
    state.adopt(without_returns(console))
    before = state.judge().score
    find_returns(state)
    returns = list(state.graph.of_kind("return"))
    assert len(returns) == wet
    for strip in returns:
        assert [device.type for device in strip.devices] == ["convolution"]
        assert decay_s(state.impulse_of(strip).numpy(), RATE) == pytest.approx(DECAY_S, rel=0.15)
        assert state.judge().score < 0.7 * before
