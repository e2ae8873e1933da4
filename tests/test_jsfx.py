"""REAPER effects against the processors they are twins of: their sliders, and what they make of noise.

The effects run in an interpreter of our own; the processors null with pedalboard in tests of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import jsfx
import numpy as np
import pytest
import torch
from exporter_helpers import residual_db
from numpy.typing import NDArray

from mix2daw.dsp import biquad
from mix2daw.exporters import exporter
from mix2daw.exporters.reaper import effects
from mix2daw.exporters.words import unit_of
from mix2daw.processors import INSERTS, PROCESSORS
from mix2daw.processors.equalizer import BUTTERWORTH_DB, BUTTERWORTH_Q

EFFECTS = {name: jsfx.compiled(effects.text(name)) for name in sorted(effects.TYPES)}
BLEND_NULL_DB = -140.0  # the blend is rounded to 32 bits
NULL_DB = -150.0  # no more than a bit of single samples, where powers are rounded otherwise
EQUALIZER_NULL_DB = -110.0  # where the C library's sine or power is not the nearest 32-bit number
every_rate = pytest.mark.parametrize("rate", [44100, 48000, 96000])
SETTINGS: dict[str, list[dict[str, float]]] = {
    "compressor": [
        {"threshold_db": -30, "ratio": 4},
        {"threshold_db": -60, "ratio": 20, "attack_ms": 0.1, "release_ms": 5},
        {"threshold_db": -40, "ratio": 1.3, "attack_ms": 300, "release_ms": 3000},
        {"threshold_db": -30, "ratio": 4, "link": 1},
        {"threshold_db": -50, "ratio": 8, "link": 1, "attack_ms": 1, "release_ms": 1000},
    ],
    "gate": [
        {"threshold_db": -30, "ratio": 4},
        {"threshold_db": -20, "ratio": 20, "attack_ms": 0.1, "release_ms": 5},
        {"threshold_db": 0, "ratio": 1.5, "attack_ms": 300, "release_ms": 3000},
        {"threshold_db": -45, "ratio": 2, "attack_ms": 1, "release_ms": 50},
    ],
    "width": [{"width": 0}, {"width": 0.35}, {"width": 2}],
    "fader": [{"fader_db": -96}, {"fader_db": -4.37}, {"fader_db": 24}],
    "pan": [{"pan": -1}, {"pan": 0.31}],
    "delay": [
        {"delay_ms": 1, "feedback": 0.95, "mix": 0.5},
        {"delay_ms": 333.3, "feedback": 0.5, "mix": 1},
        {"delay_ms": 500.5 * 1000 / 48000, "mix": 1},
        {"delay_ms": 1000, "feedback": 0.3, "mix": 0.3},
    ],
    "limiter": [
        {"ceiling_db": -12},
        {"ceiling_db": -24, "release_ms": 2000, "lookahead_ms": 20},
        {"ceiling_db": -6, "release_ms": 1, "lookahead_ms": 0.1},
    ],
    "reverb": [
        {"wet_level": 0.5, "dry_level": 0},
        {"wet_level": 1, "dry_level": 0.5, "room_size": 1, "damping": 0, "width": 0},
        {"wet_level": 0.3, "dry_level": 0.4, "room_size": 0, "damping": 1, "width": 0.5},
    ],
    "equalizer": [
        {
            "high_pass_slope_db": 12, "low_shelf_db": 3, "bell_1_db": -3, "bell_2_db": 4, "bell_3_db": -5,
            "bell_4_db": 2, "high_shelf_db": 4, "low_pass_slope_db": 12,
        },
        {"high_pass_slope_db": 6, "high_pass_hz": 10, "low_pass_slope_db": 6, "low_pass_hz": 22000},
        {
            "bell_1_hz": 20, "bell_1_db": 24, "bell_1_q": 12,
            "bell_4_hz": 20000, "bell_4_db": -24, "bell_4_q": 0.1,
        },
        {
            "low_shelf_hz": 20, "low_shelf_db": -24, "low_shelf_q": 2,
            "high_shelf_hz": 500, "high_shelf_db": 24, "high_shelf_q": 0.2,
        },
    ],
}  # fmt: skip
CASES = [(name, values) for name in SETTINGS for values in SETTINGS[name]]


def signal(rate: int, channels: int = 2) -> NDArray[np.float32]:
    """Noise in bursts, another one on each side, with silence before, between and behind."""
    rng = np.random.default_rng(3)
    samples = 3 * rate // 2
    envelope = np.exp(-(np.arange(samples) % (rate // 3)) / (0.05 * rate))
    noise = 0.4 * envelope * rng.standard_normal((2, samples))
    noise[1] = np.roll(0.7 * noise[1], rate // 9)
    noise[:, :100] = noise[:, rate // 2 : rate // 2 + 3000] = noise[:, -5000:] = 0
    return noise[[0, channels - 1]].astype(np.float32)


def twin(name: str, x: NDArray[np.float32], rate: int, values: dict[str, float]) -> NDArray[np.float64]:
    """What the processor makes of `(2, samples)`."""
    complete = {**PROCESSORS[name].rest(), **values}
    controls = {key: torch.tensor([value], dtype=torch.float64) for key, value in complete.items()}
    return PROCESSORS[name].process(torch.from_numpy(x)[None], rate, **controls)[0].double().numpy()


def test_every_insert_that_is_held_has_an_effect() -> None:
    """That of the convolution, which needs a file, is played in tests of its own."""
    assert exporter("reaper").holds & set(INSERTS) == effects.DEVICES
    assert effects.DEVICES | {"fader", "pan"} == effects.TYPES
    assert set(SETTINGS) == effects.TYPES - {"convolution"}


@pytest.mark.parametrize("name", EFFECTS)
def test_sliders_are_the_controls_of_the_processor(name: str) -> None:
    """In order, with name, range and rest; the label says the unit; the last one is the blend."""
    *sliders, wet = EFFECTS[name].sliders
    assert [slider.number for slider in sliders] == list(range(1, len(sliders) + 1))
    for slider, param in zip(sliders, PROCESSORS[name].params, strict=True):
        declared = (slider.name, slider.low, slider.high, slider.rest)
        assert declared == (param.name, param.low, param.high, param.rest)
        unit = unit_of(param.name)
        assert slider.label.endswith(f"({unit})") == bool(unit)
        if param.name == "link":
            assert slider.choices == ("unlinked", "linked")
    assert (wet.name, wet.low, wet.high, wet.rest) == ("wet", 0, 1, 1)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [44100, 48000])
@pytest.mark.parametrize(("name", "values"), CASES)
def test_effect_is_the_twin_of_its_processor(
    name: str, values: dict[str, float], rate: int, channels: int
) -> None:
    x = signal(rate, channels)
    y = twin(name, x, rate, values)
    played = EFFECTS[name].play(x, rate, values)
    assert residual_db(played, y) < (EQUALIZER_NULL_DB if name == "equalizer" else NULL_DB)
    assert np.abs(y - x).max() > 1e-3 or (name, channels) == ("width", 1)


def test_coefficients_of_the_equalizer_on_a_grid() -> None:
    """Every kind of section, at ends and at random: the processor's 32-bit numbers, but for a last bit."""
    differing = total = 0
    for rate, values in grid(150):
        _, memory = EFFECTS["equalizer"].start(rate, values)
        wanted = sections_of(values, rate)
        found = memory[:60].reshape(12, 5)
        assert np.allclose(found, wanted, rtol=1e-4, atol=2e-6)
        differing += int((found != wanted).any(1).sum())
        total += len(wanted)
    assert differing < 0.03 * total


def grid(count: int) -> Iterator[tuple[int, dict[str, float]]]:
    """Rates, and settings of an equalizer with every section heard."""
    rng = np.random.default_rng(11)
    for number in range(count):
        values = {"high_pass_slope_db": 12.0, "low_pass_slope_db": 12.0}
        for param in PROCESSORS["equalizer"].params:
            if param.scale == "choice":
                continue
            ends = np.log([param.low, param.high]) if param.scale == "log" else (param.low, param.high)
            value = float(rng.choice(ends)) if rng.random() < 0.2 else float(rng.uniform(*ends))
            value = float(np.exp(value)) if param.scale == "log" else value
            values[param.name] = min(max(value, param.low), param.high)
        yield (44100, 48000, 96000)[number % 3], values


def sections_of(values: dict[str, float], rate: int) -> NDArray[np.float64]:
    """The twelve sections of such an equalizer as the processor has them, (12, 5)."""
    sections = butterworth(biquad.high_pass, values["high_pass_hz"], rate)
    for name in ("low_shelf", *(f"bell_{number}" for number in range(1, 5)), "high_shelf"):
        design = getattr(biquad, name.split("_")[0] if name.startswith("bell") else name)
        hz, level_db, q = (values[f"{name}_{unit}"] for unit in ("hz", "db", "q"))
        sections.append(coefficients(design, hz, rate, level_db, q))
    sections += butterworth(biquad.low_pass, values["low_pass_hz"], rate)
    return np.stack(sections)


def butterworth(design: biquad.Design, hz: float, rate: int) -> list[NDArray[np.float64]]:
    """The three sections of 12 dB an octave."""
    first = coefficients(design, hz, rate)
    return [first, first, coefficients(biquad.bell, hz, rate, BUTTERWORTH_DB, BUTTERWORTH_Q)]


def coefficients(
    design: biquad.Design, hz: float, rate: int, level_db: float = 0.0, q: float = 1.0
) -> NDArray[np.float64]:
    """The five coefficients of one section as the processor has them."""
    controls = (torch.tensor([value], dtype=torch.float64) for value in (hz, level_db, q))
    return biquad.section(design, torch.tensor([True]), *controls, rate)[1][0].numpy()


@pytest.mark.parametrize(("name", "values"), [(name, SETTINGS[name][0]) for name in SETTINGS])
def test_effect_blends_with_its_dry_signal(name: str, values: dict[str, float]) -> None:
    x = signal(48000)
    wanted = 0.3 * twin(name, x, 48000, values) + 0.7 * x.astype(np.float64)
    assert residual_db(EFFECTS[name].play(x, 48000, {**values, "wet": 0.3}), wanted) < BLEND_NULL_DB


@every_rate
@pytest.mark.parametrize("name", EFFECTS)
def test_effect_at_rest_passes_its_input(name: str, rate: int) -> None:
    x = signal(rate)
    assert np.array_equal(EFFECTS[name].play(x, rate, {}), x)


@pytest.mark.parametrize("name", SETTINGS)
def test_effect_rests_in_silence(name: str) -> None:
    values = SETTINGS[name][0]
    assert not EFFECTS[name].play(np.zeros((2, 30000), np.float32), 48000, values).any()


def test_names_of_effects_are_their_own() -> None:
    """REAPER finds an effect by its base name wherever it lies."""
    names = [effects.file_name(name) for name in effects.TYPES]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"mix2daw_[a-z]+\.jsfx", name) for name in names)
    assert all(effects.text(name).isascii() for name in effects.TYPES)
