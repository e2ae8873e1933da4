"""Measures of closeness on signals whose answers are known beforehand."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from mix2daw.compare import compare, integrated_loudness, residual_db
from mix2daw.output import json_text

RATE = 48000


def noise(seconds: float = 1.5, seed: int = 0, level: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (level * rng.standard_normal((2, int(seconds * RATE)))).astype(np.float32)


def sine(frequency_hz: float, seconds: float = 2, level: float = 0.5) -> np.ndarray:
    tone = level * np.sin(2 * np.pi * frequency_hz * np.arange(int(seconds * RATE)) / RATE)
    return np.stack([tone, tone]).astype(np.float32)


@pytest.mark.parametrize("level_db", [-60.0, -20.0, 0.0, 6.0])
def test_a_known_difference_is_read_back(level_db: float) -> None:
    target, error = noise(), noise(seed=1)
    error *= 10 ** (level_db / 20) * np.linalg.norm(target) / np.linalg.norm(error)
    measures = compare(target + error, target, RATE)
    assert residual_db(target + error, target) == pytest.approx(level_db, abs=1e-3)
    assert measures["null_db"] == pytest.approx(level_db, abs=1e-3)
    assert measures["sdr_db"] == pytest.approx(-level_db, abs=1e-3)
    assert measures["null_peak_dbfs"] == pytest.approx(20 * np.log10(np.abs(error).max()), abs=1e-2)


def test_a_gain_is_a_loudness_difference() -> None:
    measures = compare(noise() * np.float32(10 ** (-7 / 20)), noise(), RATE)
    assert measures["loudness_difference_lu"] == pytest.approx(-7, abs=1e-3)
    assert measures["sdr_db"] == pytest.approx(-20 * np.log10(1 - 10 ** (-7 / 20)), abs=1e-3)


def test_loudness_of_the_standards_tone() -> None:
    # ITU-R BS.1770: a sine of 997 Hz at 0 dBFS in one channel is -3.01 LUFS; in both it is 0.
    both = sine(997, level=1.0)
    one = both * np.array([[1.0], [0.0]], dtype=np.float32)
    assert integrated_loudness(one, RATE) == pytest.approx(-3.01, abs=0.05)
    assert integrated_loudness(both, RATE) == pytest.approx(0.0, abs=0.05)
    assert integrated_loudness(both[:1], RATE) == pytest.approx(0.0, abs=0.05)


def test_what_no_loudspeaker_plays_counts_only_in_the_plain_sdr() -> None:
    target = sine(997)
    rumble = sine(8, level=0.5)
    measures = compare(target + rumble, target, RATE)
    assert measures["sdr_db"] == pytest.approx(0, abs=0.1)
    assert measures["sdr_above_25hz_db"] > 60
    heard = compare(target + sine(40, level=0.05), target, RATE)
    assert heard["sdr_above_25hz_db"] == pytest.approx(20, abs=0.01)


def test_equal_signals() -> None:
    measures = compare(noise(), noise(), RATE)
    assert measures["sdr_db"] == measures["sdr_above_25hz_db"] == math.inf
    assert measures["null_db"] == measures["null_peak_dbfs"] == -math.inf
    assert measures["loudness_difference_lu"] == 0
    assert [value for name, value in measures.items() if name.startswith("la.")] == [0.0] * 8


def test_silence_on_either_side_is_defined_and_can_be_written() -> None:
    silence = np.zeros_like(noise())
    for estimate, target, sdr_db in (
        (silence, noise(), 0.0),
        (noise(), silence, -math.inf),
        (silence, silence, math.inf),
    ):
        measures = compare(estimate, target, RATE)
        assert measures["sdr_db"] == pytest.approx(sdr_db, abs=1e-9)
        assert math.isnan(measures["loudness_difference_lu"])
        assert all(math.isfinite(value) for name, value in measures.items() if name.startswith("la."))
        written = json.loads(json_text(measures))
        assert written["loudness_difference_lu"] is None
    assert integrated_loudness(silence, RATE) == -math.inf


def test_mono_is_dual_mono_and_the_shorter_is_padded() -> None:
    target = noise()
    mono = target[:1]
    assert compare(mono, target, RATE) == compare(np.concatenate([mono, mono]), target, RATE)
    short = target[:, :RATE]
    padded = np.pad(short, ((0, 0), (0, RATE // 2)))
    assert compare(short, target, RATE) == compare(padded, target, RATE)
    assert residual_db(target, short) == residual_db(target, padded)


def test_a_blink_has_no_loudness_but_all_the_rest() -> None:
    measures = compare(noise(0.1), noise(0.1, seed=1), RATE)
    undefined = {name for name, value in measures.items() if math.isnan(value)}
    assert undefined == {"loudness_lufs", "target_loudness_lufs", "loudness_difference_lu"}
