"""The REAPER effect of a convolution against its processor, played with a file beside it."""

from __future__ import annotations

from pathlib import Path

import jsfx
import numpy as np
import pytest
import soundfile
import torch
from exporter_helpers import residual_db
from numpy.typing import NDArray

from mix2daw.exporters.reaper import effects
from mix2daw.exporters.reaper.impulses import MEMORY_ITEMS, Impulse, memory_items
from mix2daw.processors import PROCESSORS

NULL_DB = -130.0  # the processor's transforms are of 32 bits, the effect's of 64
HALL = {"wet_level": 0.8, "dry_level": 0.3, "width": 0.6, "pre_delay_ms": 23}


def impulse(taps: int, channels: int) -> NDArray[np.float32]:
    """Noise that decays, `(channels, taps)`."""
    rng = np.random.default_rng(taps)
    return (rng.standard_normal((channels, taps)) * np.geomspace(0.3, 1e-3, taps)).astype(np.float32)


def effect(folder: Path, response: NDArray[np.float32], rate: int) -> jsfx.Effect:
    """The effect with its file, as a project has them."""
    (folder / "space.jsfx").write_text(effects.text("convolution"), encoding="utf-8")
    soundfile.write(str(folder / "mix2daw_impulse.wav"), response.T, rate, subtype="FLOAT")
    return jsfx.effect(folder / "space.jsfx")


def noise(samples: int) -> NDArray[np.float32]:
    """Another one on each side, with a silent middle, so that tails are heard alone."""
    signal = 0.3 * np.random.default_rng(5).standard_normal((2, samples))
    signal[:, samples // 3 : 2 * samples // 3] = 0
    return signal.astype(np.float32)


def twin(
    x: NDArray[np.float32], response: NDArray[np.float32], rate: int, values: dict[str, float]
) -> object:
    """What the processor makes of it."""
    complete = {**PROCESSORS["convolution"].rest(), **values}
    controls = {key: torch.tensor([value], dtype=torch.float64) for key, value in complete.items()}
    signal, taps = torch.from_numpy(x)[None], torch.from_numpy(response)[None]
    return PROCESSORS["convolution"].process(signal, rate, taps, **controls)[0].double().numpy()


@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("taps", [1, 31, 32, 33, 255, 257, 4095, 4097, 8192, 30000])
def test_effect_is_the_twin_of_its_processor(taps: int, channels: int, tmp_path: Path) -> None:
    """Across the ends of every size of blocks; no latency."""
    x, response = noise(50000), impulse(taps, channels)
    played = effect(tmp_path, response, 48000)
    variables, _ = played.start(48000, HALL)
    assert variables[played.cells["pdc_delay"]] == 0
    assert residual_db(played.play(x, 48000, HALL), twin(x, response, 48000, HALL)) < NULL_DB


@pytest.mark.parametrize("rate", [44100, 96000])
@pytest.mark.parametrize(
    "values",
    [
        {"wet_level": 1, "dry_level": 0},
        {"wet_level": 4, "dry_level": 1, "width": 0},
        {"wet_level": 0.5, "dry_level": 0.5, "width": 2, "pre_delay_ms": 250},
    ],
)
def test_settings_and_rates(values: dict[str, float], rate: int, tmp_path: Path) -> None:
    x, response = noise(60000), impulse(9000, 4)
    played = effect(tmp_path, response, rate).play(x, rate, values)
    assert residual_db(played, twin(x, response, rate, values)) < NULL_DB


def test_effect_blends_with_its_dry_signal(tmp_path: Path) -> None:
    x, response = noise(20000), impulse(5000, 2)
    wanted = 0.3 * twin(x, response, 48000, HALL) + 0.7 * x
    assert (
        residual_db(effect(tmp_path, response, 48000).play(x, 48000, {**HALL, "wet": 0.3}), wanted) < NULL_DB
    )


def test_without_its_file_the_effect_plays_the_dry_signal(tmp_path: Path) -> None:
    x = noise(10000)
    played = effect(tmp_path, impulse(5000, 2), 48000)
    (tmp_path / "mix2daw_impulse.wav").unlink()
    alone = jsfx.Effect(effects.text("convolution"), tmp_path)
    dry = np.float32(0.5) * x
    assert np.array_equal(alone.play(x, 48000, {"wet_level": 1, "dry_level": 0.5}), dry)
    assert residual_db(played.play(x, 48000, {"wet_level": 1, "dry_level": 0.5}), dry) > -20


@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("taps", [100, 4000, 200000])
def test_memory_is_as_much_as_was_reckoned(taps: int, channels: int, tmp_path: Path) -> None:
    response = np.zeros((channels, taps), np.float32)
    played = effect(tmp_path, response, 48000)
    variables, _ = played.start(48000, {})
    assert variables[played.cells["used"]] == memory_items(Impulse("", response), 48000) < MEMORY_ITEMS
