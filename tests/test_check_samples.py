"""What `check` finds in the samples of one file, and what it leaves alone."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pedalboard
import pytest
import soundfile
import soxr
from check_helpers import RATE, gain, piece
from scipy.signal import butter, sosfilt

from mix2daw.check.band import band_findings
from mix2daw.check.findings import Finding
from mix2daw.check.peaks import find_ceiling, level_findings, true_peak
from mix2daw.check.samples import find_clipping, sample_findings, silence
from mix2daw.stems import Signal

FILE = Path("stem.wav")
TIME_S = np.arange(4 * RATE) / RATE


def sine(hz: float, level_lin: float = 0.5) -> Signal:
    return (level_lin * np.sin(2 * np.pi * hz * TIME_S))[None].astype(np.float32)


def noise(channels: int = 1, seed: int = 0) -> Signal:
    shape = (channels, len(TIME_S))
    return (0.1 * np.random.default_rng(seed).standard_normal(shape)).astype(np.float32)


def coded(findings: list[Finding]) -> dict[str, Finding]:
    return {found.code.name: found for found in findings}


def in_file(signal: Signal) -> dict[str, Finding]:
    return coded(list(sample_findings(FILE, signal, RATE)))


def rounded(signal: Signal, bits: int) -> Signal:
    """As a file of so many bits has it."""
    scale = np.float32(2.0 ** (bits - 1))
    return np.round(signal * scale) / scale


@pytest.mark.parametrize("bits", [16, 24])
@pytest.mark.parametrize("turned_down_db", [0, -6.3])
@pytest.mark.parametrize("name", ["bass", "snare", "guitar"])
def test_clipped_peaks_are_found_at_any_level(name: str, turned_down_db: float, bits: int) -> None:
    signal = piece()[0][name]
    ceiling = 0.5 * float(np.abs(signal).max())
    clipped = rounded(gain(turned_down_db) * np.clip(signal, -ceiling, ceiling), bits)
    found = in_file(clipped)
    assert set(found) == {"clipped"}
    measured = found["clipped"].measured
    assert measured["ceiling_dbfs"] == pytest.approx(20 * np.log10(ceiling) + turned_down_db, abs=0.01)
    at = int(np.abs(signal).max(0)[: round(measured["first_s"] * RATE) + 1].argmax())
    assert np.abs(signal[:, at]).max() > ceiling


def test_flat_tops_are_counted() -> None:
    tone = sine(99.7)
    assert find_clipping(np.clip(tone, -0.25, 0.25)) is None  # most of the time at its peaks: a square wave
    clipping = find_clipping(np.clip(tone, -0.48, 0.48))
    assert clipping is not None
    assert clipping.runs == pytest.approx(2 * 99.7 * 4, abs=1)
    width = RATE / 99.7 * np.arccos(0.96) / np.pi
    assert clipping.longest_samples == pytest.approx(width, abs=1.5)


def smooth_peaks() -> dict[str, Signal]:
    held = np.repeat(noise()[:, ::6], 6, axis=1)
    return {
        "slow sine of 16 bits": rounded(sine(40, 0.02), 16),
        "slow sine of 24 bits": rounded(sine(40, 0.9), 24),
        "very slow sine": sine(0.5, 0.9),
        "full scale": sine(997, 1.0),
        "square wave": np.sign(sine(110)) * np.float32(0.5),
        "held samples": held,
        "noise": noise(),
    }


@pytest.mark.parametrize("name", smooth_peaks())
def test_peaks_that_are_not_clipped(name: str) -> None:
    assert "clipped" not in in_file(smooth_peaks()[name])


def test_a_steady_offset_is_one_and_slow_music_is_none() -> None:
    found = in_file(noise() + np.float32(0.01))
    assert found["dc-offset"].measured["offset_lin"] == pytest.approx(0.01, abs=5e-4)
    assert found["dc-offset"].measured["offset_dbfs"] == pytest.approx(-40, abs=0.5)
    assert "dc-offset" not in in_file(sine(0.3))
    burst = np.zeros_like(noise())
    burst[:, :RATE] = 0.2
    assert "dc-offset" not in in_file(burst)


def test_channels_that_are_no_two_channels() -> None:
    mono = noise()
    zeros = np.zeros_like(mono)
    assert set(in_file(np.concatenate([mono, mono]))) == {"dual-mono"}
    assert set(in_file(np.concatenate([mono, -mono]))) == {"channels-opposed"}
    one_sided = in_file(np.concatenate([zeros, mono]))
    assert set(one_sided) == {"channel-silent"}
    assert one_sided["channel-silent"].measured["silent"] == "left"
    assert set(in_file(noise(2))) == set()


def test_silence_and_denormal_noise() -> None:
    def code(signal: Signal) -> str | None:
        found = silence(FILE, signal)
        return found.code.name if found else None

    assert code(np.zeros((1, RATE), np.float32)) == "stem-silent"
    assert code(noise() * np.float32(1e-5)) == "stem-silent"
    assert code(noise() * np.float32(1e-18)) == "stem-denormal"
    assert code(noise() * np.float32(1e-40)) == "stem-denormal"
    assert code(noise() * np.float32(1e-2)) is None


def encoded(signal: Signal, form: str, subtype: str, level: float) -> Signal:
    """Through a lossy format and back."""
    file = io.BytesIO()
    soundfile.write(file, signal.T, RATE, format=form, subtype=subtype, compression_level=level)
    file.seek(0)
    return np.ascontiguousarray(soundfile.read(file, dtype="float32", always_2d=True)[0].T)


@pytest.mark.parametrize(
    ("form", "subtype", "level", "wall_hz"),
    [("MP3", "MPEG_LAYER_III", 0.5, 16800), ("OGG", "VORBIS", 0.9, 16800)],  # their low-passes
)
@pytest.mark.parametrize("name", ["mix", "hats"])
def test_a_lossy_source_is_heard(form: str, subtype: str, level: float, wall_hz: int, name: str) -> None:
    stems, mix = piece()
    signal = mix if name == "mix" else stems[name]
    assert not list(band_findings(FILE, signal, RATE))
    found = coded(list(band_findings(FILE, encoded(signal, form, subtype, level), RATE)))
    assert found["band-limit"].measured["wall_hz"] == pytest.approx(wall_hz, abs=200)
    assert found["band-limit"].measured["fall_db"] > 40


@pytest.mark.parametrize("rate", [24000, 32000])
def test_a_lower_sample_rate_is_heard(rate: int) -> None:
    low = soxr.resample(soxr.resample(piece()[0]["snare"].T, RATE, rate), rate, RATE).T
    found = coded(list(band_findings(FILE, np.ascontiguousarray(low), RATE)))
    assert 0.43 * rate < found["band-limit"].measured["wall_hz"] < 0.5 * rate
    assert f"{rate} Hz" in found["band-limit"].said


@pytest.mark.parametrize("quality", ["LQ", "MQ", "HQ", "VHQ"])
def test_a_usual_resampling_is_no_lower_rate(quality: str) -> None:
    finer = np.random.default_rng(3).standard_normal(4 * 48000)
    resampled = soxr.resample(finer, 48000, RATE, quality=quality)[None].astype(np.float32)
    assert not list(band_findings(FILE, 0.1 * resampled, RATE))


@pytest.mark.parametrize("order", [2, 8])
def test_an_equalizer_leaves_no_wall(order: int) -> None:
    filtered = sosfilt(butter(order, 12000, fs=RATE, output="sos"), noise(2)).astype(np.float32)
    assert not list(band_findings(FILE, filtered, RATE))
    assert not list(band_findings(FILE, sine(11000), RATE))


def test_true_peaks_lie_between_samples() -> None:
    tone = np.hanning(RATE) * np.sin(2 * np.pi * 0.25 * np.arange(RATE) + np.pi / 4)
    quarter = tone[None].astype(np.float32)
    assert true_peak(0.9 * quarter, RATE) == pytest.approx(0.9, abs=0.01)
    assert np.abs(0.9 * quarter).max() == pytest.approx(0.9 * np.sqrt(0.5), abs=1e-4)
    found = coded(list(level_findings(FILE, 1.2 * quarter, RATE)))
    assert found["true-peak"].measured["true_peak_dbtp"] == pytest.approx(20 * np.log10(1.2), abs=0.05)
    assert "mix-mono" in found


def test_a_limiter_is_told_from_music() -> None:
    stems, mix = piece()
    for signal in (mix, *stems.values(), noise(2)):
        assert find_ceiling(signal, RATE) is None
    peak_db = 20 * np.log10(float(np.abs(mix).max()))
    for reduction_db in (3, 6):
        limiter = pedalboard.Limiter(threshold_db=peak_db - reduction_db, release_ms=100)
        limited = gain(-0.5) * limiter(mix, RATE)
        ceiling = find_ceiling(limited, RATE)
        assert ceiling is not None
        assert ceiling.level_lin == pytest.approx(float(gain(-0.5)), abs=1e-3)
    limit = np.float32(10 ** ((peak_db - 6) / 20))
    found = coded(list(level_findings(FILE, np.clip(mix, -limit, limit), RATE)))
    assert {"mix-limited", "clipped"} & set(found) == {"mix-limited"}
    assert found["mix-limited"].measured["flat_tops"] > 100
    assert found["mix-limited"].measured["ceiling_dbfs"] == pytest.approx(peak_db - 6, abs=0.01)
