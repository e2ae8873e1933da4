"""What a linear console can explain, where phases agree and where they do not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from mix2daw.search.agreement import ceiling_line, linear_ceiling
from mix2daw.search.least_squares import Responses, least_squares, mid_side_columns

RATE, SECONDS, SIZE = 44100, 5, 4096


def noise(generator: np.random.Generator, channels: int, period_s: float = 0.0) -> Tensor:
    """White noise (channels, samples), in decaying bursts if it has a period."""
    samples = SECONDS * RATE
    signal = generator.standard_normal((channels, samples))
    if period_s:
        signal *= np.exp(-(np.arange(samples) / RATE % period_s) / 0.1)
    return torch.from_numpy((0.1 * signal).astype(np.float32))


def fitted(stems: list[Tensor], mix: Tensor) -> Responses:
    columns, owner = mid_side_columns(stems)
    return least_squares(columns, owner, mix, SIZE)


@pytest.mark.parametrize("period_s", [0.0, 0.6])
@pytest.mark.parametrize("foreign", [0.0, 0.5, 1.0])
def test_the_ceiling_is_the_share_that_the_stems_made(period_s: float, foreign: float) -> None:
    generator = np.random.default_rng(5)
    stems = [noise(generator, channels, period_s) for channels in (1, 1, 2, 2)]
    own = sum(level * stem for level, stem in zip((0.5, 1.0, 0.7, 0.4), stems, strict=True))
    other = noise(generator, 2, period_s)
    other *= own.square().mean().sqrt() / other.square().mean().sqrt()
    responses = fitted(stems, (1 - foreign) ** 0.5 * own + foreign**0.5 * other)
    assert linear_ceiling(responses, RATE) == pytest.approx(1 - foreign, abs=0.07)


def test_a_filter_is_explained_and_silence_is_not() -> None:
    stem = noise(np.random.default_rng(6), 1)
    filtered = torch.nn.functional.conv1d(
        stem[:, None], torch.from_numpy(np.geomspace(1, 1e-2, 200, dtype=np.float32))[None, None]
    )[:, 0]
    mix = torch.nn.functional.pad(filtered, (0, stem.shape[1] - filtered.shape[1])).expand(2, -1)
    assert linear_ceiling(fitted([stem], mix), RATE) > 0.98
    assert linear_ceiling(fitted([stem], torch.zeros_like(mix)), RATE) == 0


def test_the_ceiling_is_said_in_decibels() -> None:
    line = ceiling_line(0.9, 0.093)
    assert line.startswith("no linear console with responses of up to 93 ms can explain more than 10.0 dB")
    assert line.endswith("of the mix (90.0 %)")
