"""`check` on the sample song, and on what can be done to it: each cause gives its code, and no other one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pedalboard
import pytest
from check_helpers import (
    RATE,
    ROOT,
    SAMPLE,
    SAMPLES,
    found,
    gain,
    look,
    piece,
    shifted,
    stereo,
    stretched,
)
from scipy.interpolate import CubicSpline

from mix2daw.check.preflight import check
from mix2daw.progress import Silence
from mix2daw.stems import Signal

SONGS = ROOT.parent / "shared" / "songs"
REAL = {
    "leaving-tonite/mix.flac": {("stem-silent", "rodes"), ("stem-silent", "vocals-verse")},
    "leaving-tonite/mix-without-master-effects.flac": {
        ("stem-silent", "rodes"),
        ("stem-silent", "vocals-verse"),
    },
    "soul-foreign-plugins/mix.flac": set(),
}


def test_the_sample_song_is_ready_and_nothing_is_wrong_with_it() -> None:
    report = check(SAMPLE / "stems", SAMPLE / "mix.flac", SAMPLE / "groups.yaml", Silence())
    assert report.ready
    assert set(found(report, "warning")) == set()
    notes = found(report, "note")
    assert {code for code, _ in notes} == {"depth-differs", "channels-differ", "mix-level", "mix-explained"}
    explained = notes["mix-explained", "mix"].measured
    assert explained["explained_percent"] == pytest.approx(91, abs=2)
    assert notes["mix-level", "mix"].measured["loudness_lufs"] == pytest.approx(-16.4, abs=0.1)


@pytest.mark.parametrize("mix", REAL)
def test_real_songs_give_no_false_alarm(mix: str) -> None:
    path = SONGS / mix
    if not path.exists():
        pytest.skip(f"{path} is not there")
    report = check(path.parent / "stems", path, None, Silence())
    assert report.ready
    assert set(found(report, "warning")) == REAL[mix]


def test_a_lag_a_polarity_and_a_clock_each_for_itself(tmp_path: Path) -> None:
    stems, mix = piece()
    stems |= {
        "hats": -stems["hats"],
        "lead": shifted(stems["lead"], 777),
        "guitar": stretched(stems["guitar"], 30),
    }
    report = look(tmp_path, stems, mix)
    warnings, notes = found(report, "warning"), found(report, "note")
    assert set(warnings) == {("polarity-inverted", "hats"), ("drift", "guitar")}
    polarity = warnings["polarity-inverted", "hats"].measured
    assert polarity["agreement"] > 0.9 > 0.5 > polarity["upright"]
    drift = warnings["drift", "guitar"].measured
    assert drift["drift_ppm"] == pytest.approx(-30, abs=1)
    assert drift["factor"] == pytest.approx(1 - 30e-6, abs=1e-6)
    assert drift["late_samples"] == pytest.approx(-30e-6 * SAMPLES, abs=0.6)
    assert notes["lag", "lead"].measured["lag_samples"] == -777
    assert len([code for code, _ in notes if code == "lag"]) == 1


def test_a_clock_that_is_the_mixs_is_told_of_the_mix(tmp_path: Path) -> None:
    stems, mix = piece()
    report = look(tmp_path, {name: stretched(signal, -20) for name, signal in stems.items()}, mix)
    warnings = found(report, "warning")
    assert set(warnings) == {("drift", "mix")}
    assert warnings["drift", "mix"].measured["drift_ppm"] == pytest.approx(20, abs=1)
    explained = found(report, "note")["mix-explained", "mix"].measured
    assert explained["explained_percent"] > 88  # of a song by one clock


def test_a_drift_of_three_ppm_is_seen(tmp_path: Path) -> None:
    stems, mix = piece()
    report = look(tmp_path, stems | {"hats": stretched(stems["hats"], 3)}, mix)
    warnings = found(report, "warning")
    assert set(warnings) == {("drift", "hats")}
    assert warnings["drift", "hats"].measured["drift_ppm"] == pytest.approx(-3, abs=0.3)


def test_a_stem_that_the_mix_has_not(tmp_path: Path) -> None:
    stems, mix = piece()
    time_s = np.arange(SAMPLES) / RATE
    tone = (0.1 * np.sin(2 * np.pi * 440 * time_s))[None].astype(np.float32)
    elsewhere = np.roll(stems["piano"][:, ::-1], 3 * RATE, axis=1)
    report = look(tmp_path, stems | {"tone": tone, "backwards": np.ascontiguousarray(elsewhere)}, mix)
    warnings = found(report, "warning")
    assert set(warnings) == {("stem-not-in-mix", "tone"), ("stem-not-in-mix", "backwards")}
    assert all(warning.measured["times_chance"] < 1 for warning in warnings.values())


def test_a_soft_stem_among_others_that_are_ridden(tmp_path: Path) -> None:
    stems, _ = piece()
    generator, frames = np.random.default_rng(1), SAMPLES // 4410 + 2
    ride_db = np.interp(np.arange(SAMPLES) / 4410, np.arange(frames), generator.uniform(-14, 6, frames))
    others = [name for name in stems if name != "guitar"]
    ridden = [stereo(stems[name]) * 10 ** (np.roll(ride_db, 30000 * n) / 20) for n, name in enumerate(others)]
    total = np.sum(ridden, axis=0).astype(np.float32)
    report = look(tmp_path / "soft", stems, total + gain(-16) * stereo(stems["guitar"]))
    assert ("stem-not-in-mix", "guitar") not in found(report, "warning")
    report = look(tmp_path / "absent", stems, total)
    assert found(report, "warning")["stem-not-in-mix", "guitar"].measured["times_chance"] < 1


def test_a_faint_stem_is_in_the_mix(tmp_path: Path) -> None:
    stems, mix = piece()
    generator = np.random.default_rng(8)
    noise = (0.1 * generator.standard_normal((1, SAMPLES))).astype(np.float32)
    report = look(tmp_path, stems | {"faint": noise}, mix + gain(-30) * noise)
    assert set(found(report, "warning")) == set()


@pytest.mark.parametrize("missing", ["lead", "bass", "snare"])
def test_a_stem_that_is_missing(tmp_path: Path, missing: str) -> None:
    stems, mix = piece()
    del stems[missing]
    warnings = found(look(tmp_path, stems, mix), "warning")
    assert set(warnings) == {("mix-unexplained", "mix")}
    low_hz = warnings["mix-unexplained", "mix"].measured["low_hz"]
    assert {"lead": 250 < low_hz < 4000, "bass": low_hz < 250, "snare": low_hz >= 4000}[missing]


def test_a_tone_that_no_stem_has_is_found_where_it_is(tmp_path: Path) -> None:
    stems, mix = piece()
    time_s = np.arange(SAMPLES) / RATE
    tone = 0.2 * np.sin(2 * np.pi * 700 * time_s) * ((time_s > 7) & (time_s < 10.5))
    warnings = found(look(tmp_path, stems, mix + tone.astype(np.float32)), "warning")
    assert set(warnings) == {("mix-unexplained", "mix")}
    where = warnings["mix-unexplained", "mix"].measured
    assert (where["low_hz"], where["high_hz"]) == pytest.approx((630, 794), abs=1)
    assert where["from_s"] == pytest.approx(7, abs=0.1)
    assert where["to_s"] == pytest.approx(10.5, abs=0.1)
    assert where["left_percent"] > 60


def test_fades_of_the_mix(tmp_path: Path) -> None:
    stems, mix = piece()
    fade = np.ones(SAMPLES, np.float32)
    fade[: 2 * RATE] = np.linspace(0, 1, 2 * RATE)
    fade[-3 * RATE :] = np.linspace(1, 0, 3 * RATE)
    warnings = found(look(tmp_path, stems, fade * mix), "warning")
    assert set(warnings) == {("fade-in", "mix"), ("fade-out", "mix")}
    fade_in, fade_out = (warnings[code, "mix"].measured for code in ("fade-in", "fade-out"))
    one_db = gain(-1)  # where the level is that far down, a fade is said to begin
    assert fade_in["to_s"] == pytest.approx(2 * one_db, abs=0.3)
    assert fade_out["from_s"] == pytest.approx(14 - 3 * one_db, abs=0.3)
    assert fade_in["depth_db"] < -12
    assert fade_out["depth_db"] < -12


def test_a_song_that_fades_with_its_stems_has_no_fade(tmp_path: Path) -> None:
    stems, mix = piece()
    fade = np.ones(SAMPLES, np.float32)
    fade[-3 * RATE :] = np.linspace(1, 0, 3 * RATE)
    report = look(tmp_path, {name: fade * signal for name, signal in stems.items()}, fade * mix)
    assert set(found(report, "warning")) == set()


def test_a_limiter_on_the_mix(tmp_path: Path) -> None:
    stems, mix = piece()
    peak_db = 20 * np.log10(float(np.abs(mix).max()))
    limited = pedalboard.Limiter(threshold_db=peak_db - 4, release_ms=100)(mix, RATE)
    warnings = found(look(tmp_path, stems, gain(-1) * limited), "warning")
    assert set(warnings) == {("mix-limited", "mix")}
    ceiling = warnings["mix-limited", "mix"].measured
    assert ceiling["ceiling_dbfs"] == pytest.approx(-1, abs=0.01)
    assert ceiling["pile_up"] > 4
    assert ceiling["flat_tops"] > 0


def wobbling(signal: Signal, seed: int) -> Signal:
    """A delay of 0 to 6 ms that wanders four times a second."""
    points = np.random.default_rng(seed).uniform(0, 0.006 * RATE, 8 * SAMPLES // RATE)
    time = np.arange(SAMPLES)
    late = time - CubicSpline(np.linspace(0, SAMPLES, len(points)), points)(time)
    return np.stack([np.interp(late, time, channel) for channel in signal]).astype(np.float32)


@pytest.mark.parametrize("name", ["lead", "guitar"])
def test_phases_that_wander(tmp_path: Path, name: str) -> None:
    stems, mix = piece()
    warnings = found(look(tmp_path, stems | {name: wobbling(stems[name], 3)}, mix), "warning")
    assert set(warnings) == {("phases-disagree", name)}
    measured = warnings["phases-disagree", name].measured
    assert measured["bands"] > 0.7 * measured["heard_bands"]


def test_a_plain_sum_of_the_stems(tmp_path: Path) -> None:
    stems, _ = piece()
    total = np.sum([stereo(signal) for signal in stems.values()], axis=0)
    notes = found(look(tmp_path / "unity", stems, total), "note")
    assert notes["mix-is-sum", "mix"].measured["gains"] == "unity"
    levels_db = {name: -1.5 * number for number, name in enumerate(stems)}
    mixed = np.sum([gain(levels_db[name]) * stereo(signal) for name, signal in stems.items()], axis=0)
    report = look(tmp_path / "gains", stems, mixed)
    assert set(found(report, "warning")) == set()
    static = found(report, "note")["mix-is-sum", "mix"].measured
    assert static["low_db"] == pytest.approx(-10.5, abs=0.01)
    assert static["high_db"] == pytest.approx(0, abs=0.01)
    assert static["residual_db"] < -80


def test_a_muted_stem_of_a_plain_sum(tmp_path: Path) -> None:
    stems, _ = piece()
    total = np.sum([stereo(signal) for name, signal in stems.items() if name != "guitar"], axis=0)
    report = look(tmp_path, stems, total)
    assert set(found(report, "warning")) == {("stem-not-in-mix", "guitar")}
    gains = found(report, "note")["mix-is-sum", "mix"].measured
    assert gains["low_db"] == pytest.approx(0, abs=0.01)
    assert gains["high_db"] == pytest.approx(0, abs=0.01)
