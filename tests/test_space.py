"""Echoes and reverbs in what a dry console leaves of the mix: their time, level, decay, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import signal as sps

from mix2daw.search.deconvolution import Deconvolution, Stretch
from mix2daw.search.space import Response, Room, decay_s, find_space, room_response, solve

CPU = torch.device("cpu")
RATE = 22050
SECONDS = 10
SENDS = np.array([0.3, 0.0, 0.12])
Signal = NDArray[np.float32]


def feeds() -> Signal:
    """Three tracks (3, samples): drum-like bursts at other times and in other colours."""
    generator = np.random.default_rng(3)
    t = np.arange(SECONDS * RATE) / RATE
    rows = []
    for period_s, decay, tilt in ((0.41, 25, 0.2), (0.67, 12, 0.6), (1.13, 6, 0.4)):
        noise = sps.lfilter([1], [1, -tilt], generator.standard_normal(t.size))
        accents = generator.uniform(0.3, 1, int(SECONDS / period_s) + 1)[(t / period_s).astype(int)]
        rows.append(0.2 * accents * noise * np.exp(-decay * (t % period_s)))
    return np.array(rows, np.float32)


def plate(decay: float, seconds: float = 1.0) -> Signal:
    """Decaying noise (2, taps) of unit energy per ear on average; `decay`: seconds to −60 dB."""
    t = np.arange(round(seconds * RATE)) / RATE
    noise = np.random.default_rng(8).standard_normal((2, t.size)) * 10 ** (-3 * t / decay)
    return (noise / np.sqrt(np.square(noise).sum() / 2)).astype(np.float32)


def through(impulse: Signal, sends: NDArray[np.float64] = SENDS) -> Signal:
    """What a return plays: the sum of the sends through a response, (2, samples)."""
    feed = sends @ feeds()
    return np.stack([sps.fftconvolve(feed, ear)[: feed.size] for ear in impulse]).astype(np.float32)


def stretch(rest: Signal, noise_db: float = -60.0) -> Stretch:
    dry = np.repeat(feeds().sum(0, keepdims=True), 2, axis=0)
    noise = np.random.default_rng(9).standard_normal(rest.shape) * np.std(dry) * 10 ** (noise_db / 20)
    rest = rest + noise.astype(np.float32)
    return Stretch(*(torch.from_numpy(signal) for signal in (feeds(), rest, dry + rest)))


def test_the_impulse_response_and_the_sends_are_solved() -> None:
    impulse = plate(0.8)
    problem = Deconvolution([stretch(through(impulse))], RATE, impulse.shape[1])
    found = solve(problem, rounds=4)
    solved = found.impulse.numpy()
    alike = np.vdot(solved, impulse) / (np.linalg.norm(solved) * np.linalg.norm(impulse))
    assert alike > 0.97
    assert found.sends_lin == pytest.approx(SENDS, abs=0.01)
    assert problem.error(found.sends_lin, found.impulse) < 0.02 * problem.error()


def test_a_plate_becomes_a_convolution_that_decays_as_long() -> None:
    space = find_space([stretch(through(plate(0.8, 2.0)))], RATE)
    assert isinstance(space.reverb, Response)
    assert decay_s(space.reverb.impulse.numpy(), RATE) == pytest.approx(0.8, rel=0.15)
    assert space.explained > 0.9


def test_an_algorithmic_reverb_is_known_by_its_sound() -> None:
    settings = {"room_size": 0.6, "damping": 0.3, "wet_level": 1 / 3, "dry_level": 0.0}
    space = find_space([stretch(through(room_response(settings, RATE, 2 * RATE, CPU).numpy()))], RATE)
    assert isinstance(space.reverb, Room)
    assert space.reverb.settings["room_size"] == pytest.approx(0.6, abs=0.04)
    assert space.reverb.settings["damping"] == pytest.approx(0.3, abs=0.1)
    assert space.reverb.sends_lin == pytest.approx(SENDS, abs=0.02)


def test_only_what_is_allowed_stands_for_a_reverb() -> None:
    rest = stretch(through(plate(0.8)))
    assert isinstance(find_space([rest], RATE, ["reverb"]).reverb, Room)
    assert find_space([rest], RATE, ["delay"]).reverb is None


def test_an_echo_is_found_to_the_sample() -> None:
    lag, feedback = 7001, 0.4
    impulse = np.zeros((2, SECONDS * RATE), np.float32)
    for repeat in range(1, 12):
        impulse[:, repeat * lag] = feedback ** (repeat - 1)
    space = find_space([stretch(through(impulse, np.array([0.0, 0.2, 0.0])))], RATE)
    assert space.echo is not None
    assert space.echo.delay_samples == lag
    assert space.echo.feedback == pytest.approx(feedback, abs=0.02)
    assert space.echo.sends_lin == pytest.approx([0.0, 0.2, 0.0], abs=0.02)
    assert space.reverb is None


def test_a_reverb_that_one_half_of_the_song_hardly_tells_of_is_found() -> None:
    wet = through(plate(0.8, 2.0))
    noise = np.random.default_rng(6).standard_normal(wet.shape).astype(np.float32)
    first = slice(None, wet.shape[1] // 2)
    wet[:, first] += 2.2 * np.sqrt(np.square(wet).mean()) * noise[:, first]
    assert isinstance(find_space([stretch(wet)], RATE).reverb, Response)


def test_a_rest_that_has_nothing_to_do_with_the_stems_has_no_space() -> None:
    space = find_space([stretch(np.zeros((2, SECONDS * RATE), np.float32), noise_db=-20)], RATE)
    assert space.echo is None
    assert space.reverb is None


@pytest.mark.parametrize("decay", [0.4, 1.2, 2.5])
def test_the_decay_of_noise_is_read_from_its_slope(decay: float) -> None:
    assert decay_s(plate(decay, 3.0), RATE) == pytest.approx(decay, rel=0.05)
    assert decay_s(np.zeros((2, 100)), RATE) == 0
