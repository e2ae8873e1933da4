"""What the report measures, on signals of which it is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from exporter_helpers import device

from mix2daw.exporters.chains import apply_device
from mix2daw.report.curves import eq_curve, level_change, tail, transfer
from mix2daw.report.heat import png
from mix2daw.report.measure import (
    BLOCK_S,
    a_weighting,
    band_edges_hz,
    band_energies,
    frames_of,
    integrated_lufs,
    loudest_start,
    lufs,
    octaves,
    weighted_blocks,
)
from mix2daw.report.moments import residual_cells, worst_moments
from mix2daw.report.rides import overlap
from mix2daw.report.verdict import hz_range, loudness_within_lu, sentence, unexplained

RATE = 44100


def tone(hz: float, seconds: float, peak: float = 0.1, rate: int = RATE) -> np.ndarray:
    """A sine on both channels."""
    wave = peak * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)
    return np.stack([wave, wave]).astype(np.float32)


def noise(seconds: float, seed: int, level: float = 0.1) -> np.ndarray:
    """White noise, (2, samples)."""
    shape = (2, round(seconds * RATE))
    return (level * np.random.default_rng(seed).standard_normal(shape)).astype(np.float32)


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
def test_a_tone_is_as_loud_as_the_standard_says(rate: int) -> None:
    """ITU-R BS.1770-4: a sine of 997 Hz at full scale on one channel is −3.01 LUFS."""
    signal = tone(997, 5, 1.0, rate)
    signal[1] = 0
    assert integrated_lufs(signal, rate) == pytest.approx(-3.01, abs=0.05)
    assert lufs(weighted_blocks(signal, rate))[10:-10] == pytest.approx(-3.01, abs=0.05)


def test_the_loudest_section_is_found() -> None:
    signal = noise(12, 1)
    signal[:, 5 * RATE : 7 * RATE] *= 3
    assert loudest_start(weighted_blocks(signal, RATE), 20) * BLOCK_S == pytest.approx(5.0, abs=0.11)


@pytest.mark.parametrize("rate", [16000, 44100, 96000])
def test_a_tone_is_in_its_band_and_in_mid_or_side(rate: int) -> None:
    middle = tone(1500, 2, rate=rate)
    side = middle * np.array([[1], [-1]], np.float32)
    band = int(np.searchsorted(band_edges_hz(), 1500)) - 1
    for signal, where in ((middle, 0), (side, 1)):
        energies = band_energies(signal, rate).sum(-1)
        assert energies[where].argmax() == band
        assert energies[where, band] > 0.98 * energies.sum()


def test_a_weighting_is_that_of_the_standard() -> None:
    """IEC 61672, read between the thirds of its table at 44, 177, 707, 2828 and 11314 Hz, against 1414 Hz."""
    gains = 10 * np.log10(a_weighting() / a_weighting()[5])
    for octave, expected_db in {0: -32.5, 2: -12.3, 4: -1.4, 6: 1.2, 8: -3.4}.items():
        assert gains[octave] == pytest.approx(expected_db - 0.8, abs=0.5)


def test_the_residual_is_where_it_was_put() -> None:
    target = noise(10, 2)
    rest = np.zeros_like(target)
    rest[:, 4 * RATE : 6 * RATE] = 0.05 * tone(3000, 2) * np.array([[1], [-1]], np.float32) / 0.1
    energies = [band_energies(x, RATE) for x in (target, rest)]
    blocks = [weighted_blocks(x, RATE) for x in (target, rest)]
    found = unexplained(*energies, [], RATE)
    assert found.hz == (2000.0, 4000.0)
    assert found.side_share > 0.9
    assert found.seconds == pytest.approx((4.0, 6.0), abs=1.0)
    moments = worst_moments(*blocks, energies[1], 10.0)
    assert 4.0 <= moments[0].start_s <= 5.1
    assert (moments[0].hz, moments[0].where) == ((2000.0, 4000.0), "side")
    cells = residual_cells(*energies)
    assert cells[0].max() < cells[1].max()
    words = sentence(0.31, 3, 9, found)
    assert "2–4 kHz in the sides from 0:04 to 0:06" in words
    assert "fader" not in words


def test_equal_signals_leave_nothing() -> None:
    target = noise(4, 3)
    silence = np.zeros_like(target)
    assert unexplained(*(band_energies(x, RATE) for x in (target, silence)), [], RATE) is None
    blocks = weighted_blocks(target, RATE)
    assert worst_moments(blocks, weighted_blocks(silence, RATE), band_energies(silence, RATE), 4.0) == ()
    assert loudness_within_lu(blocks, blocks) == 0
    assert loudness_within_lu(0 * blocks, 0 * blocks) is None


def test_loudness_that_is_off_is_told() -> None:
    target = noise(10, 4)
    blocks = [weighted_blocks(x, RATE) for x in (target, 0.9 * target)]
    assert loudness_within_lu(*blocks) == pytest.approx(-20 * math.log10(0.9), abs=1e-3)


def ridden(change: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two strips, and what is left when the first is `change` times louder than in the console."""
    first, second = noise(20, 5), noise(20, 6)
    return first, second, first * (change - 1).astype(np.float32)


def verdict_of(first: np.ndarray, second: np.ndarray, rest: np.ndarray) -> str:
    """The sentence of such a song."""
    overlaps = [
        overlap(name, x, list(frames_of(rest, RATE)), RATE) for name, x in (("one", first), ("two", second))
    ]
    energies = (band_energies(x, RATE) for x in (first + second + rest, rest))
    return sentence(None, 1, 2, unexplained(*energies, overlaps, RATE))


def test_a_ride_is_called_one_and_a_fader_that_stands_wrong_is_not() -> None:
    time = np.arange(20 * RATE) / RATE
    ride = np.where((time > 8) & (time < 13), 10 ** (5 / 20), 1.0)
    words = verdict_of(*ridden(ride))
    assert "likely a fader ride on one" in words
    assert "from 0:08 to 0:13" in words
    words = verdict_of(*ridden(np.full(len(time), 10 ** (2 / 20))))
    assert "ride" not in words
    assert "where +2.0 dB on one would explain 100 %" in words


def test_noise_of_its_own_is_explained_by_no_gain() -> None:
    first, second = noise(20, 7), noise(20, 8)
    words = verdict_of(first, second, noise(20, 9, 0.05))
    assert "not explained" in words
    assert "would explain" not in words


def test_frequencies_are_named_as_a_person_does() -> None:
    assert hz_range(2000, 4000) == "2–4 kHz"
    assert hz_range(125, 500) == "125–500 Hz"
    assert hz_range(500, 1000) == "500 Hz–1 kHz"


def test_an_equalizer_is_drawn_as_it_sounds() -> None:
    bell = device("equalizer", bell_1_hz=1000, bell_1_db=6, bell_1_q=1.0)
    freqs, gains = eq_curve(bell, RATE)
    assert gains[np.abs(freqs - 1000).argmin()] == pytest.approx(6.0, abs=0.05)
    assert gains[0] == pytest.approx(0.0, abs=0.1)
    played = apply_device(tone(1000, 1), bell, RATE)[0, RATE // 2 :]
    assert 20 * np.log10(np.abs(played).max() / 0.1) == pytest.approx(gains.max(), abs=0.05)


@pytest.mark.parametrize(
    "dynamics",
    [
        device("compressor", threshold_db=-30, ratio=3, attack_ms=1, release_ms=20),
        device("limiter", ceiling_db=-25),
    ],
    ids=lambda d: d.type,
)
def test_the_transfer_curve_is_that_of_a_square_wave(dynamics: object) -> None:
    """A square wave holds a peak detector still: what comes out is the curve, but for a limiter's safety."""
    levels, curve = transfer(dynamics)
    for level in (-45.0, -20.0, -10.0):
        square = np.sign(tone(100, 2)).astype(np.float32) * np.float32(10 ** (level / 20))
        played = apply_device(square, dynamics, RATE)[0, RATE:]
        out = 20 * np.log10(np.sqrt(np.square(played, dtype=np.float64).mean()))
        assert np.interp(level, levels, curve) == pytest.approx(out, abs=0.4)


def test_the_change_of_level_is_that_of_the_signal() -> None:
    before = tone(500, 4)
    before[:, : RATE // 2] = 0
    after = before.copy()
    after[:, 2 * RATE :] *= 0.5
    means, furthest = level_change(before, after, RATE)
    assert np.isnan(means[: len(means) // 8 - 1]).all()
    assert np.nanmax(np.abs(means[len(means) // 4 : len(means) // 2 - 1])) < 0.01
    assert means[len(means) // 2 + 1 :] == pytest.approx(-6.02, abs=0.01)
    assert np.nanmin(furthest) == pytest.approx(-6.02, abs=0.01)


def test_the_picture_is_a_png_of_its_cells(tmp_path: object) -> None:
    from matplotlib.image import imread

    indices = np.arange(12, dtype=np.uint8).reshape(3, 4)
    colours = np.stack([np.arange(12) * 20, np.zeros(12), np.arange(12), np.full(12, 255)], axis=1)
    path = tmp_path / "heat.png"
    path.write_bytes(png(indices, colours.astype(np.uint8)))
    pixels = np.round(imread(path) * 255).astype(int)
    np.testing.assert_array_equal(pixels[..., 0], indices.astype(int) * 20)
    assert octaves(np.ones((2, 27, 5))).shape == (2, 9, 5)


def test_a_tail_dies_away_as_its_impulse_does() -> None:
    """By 60 dB in 1.2 s; and not as a sum with what is dry."""
    time_s = np.arange(2 * RATE) / RATE
    impulse = (noise(2, 4) * 10 ** (-3 * time_s / 1.2)).astype(np.float32)
    played = device("convolution", wet_level=1.0, dry_level=0.0)
    seconds, level_db = tail(played, RATE, impulse)
    assert seconds[-1] == pytest.approx(1.2, abs=0.1)
    slope = np.polyfit(seconds, level_db, 1)[0]
    assert slope == pytest.approx(-50, rel=0.05)


def test_a_tail_of_echoes() -> None:
    played = device("delay", delay_ms=100.0, feedback=0.5, mix=1.0)
    seconds, level_db = tail(played, RATE)
    for repeat in range(1, 8):
        step = int(np.argmin(np.abs(seconds - 0.1 * repeat)))
        assert level_db[step] == pytest.approx(-6.02 * (repeat - 1), abs=0.1)
        assert level_db[step + 4] < -60
