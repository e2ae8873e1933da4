"""An equalizer and a level for a measured response: the start of the fit.

The measured response of a stem (least squares) is averaged coherently in bands, weighted by how much of the
mix the stem is there, and an equalizer's settings are fitted to its magnitude with a ridge on band gains.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mix2daw.processors import PROCESSORS
from mix2daw.search.engine import CPU
from mix2daw.search.equalizer_descent import equalizer_curve_db, equalizer_response, fit_equalizers
from mix2daw.search.least_squares import Responses
from mix2daw.search.magnitudes import Magnitudes

BANDS, BAND_LOW_HZ, BAND_HIGH_HZ, BAND_WIDTH = 56, 30.0, 17000.0, 0.09
TINY = 1e-200


@dataclass(frozen=True)
class Match:
    """`settings[control]` `(stems,)` of an equalizer, `level` `(stems, 2)` signed, linear, left and right,
    `width` `(stems,)` of stereo stems (1 for mono)."""

    settings: dict[str, Tensor]
    level: Tensor
    width: Tensor


def _grid(size: int, sample_rate: int) -> Tensor:
    return torch.arange(size // 2 + 1, dtype=torch.float64) * (sample_rate / size)


def _direct(responses: Responses, stem: int) -> tuple[Tensor, Tensor]:
    """Response of a stem to left and right `(bins, 2)`, mid and side taken together, and its power."""
    columns = responses.columns(stem)
    if len(columns) == 1:
        return responses.response[:, columns[0]], responses.power[:, columns[0]]
    mid, side = columns
    mid_power, side_power = responses.power[:, mid], responses.power[:, side]
    power = mid_power + side_power
    signs = torch.tensor([1.0, -1.0])
    total = (
        mid_power[:, None] * responses.response[:, mid]
        + side_power[:, None] * responses.response[:, side] * signs
    )
    return total / power.clamp(min=1e-20)[:, None], power


def _width(responses: Responses, stem: int) -> float:
    """How much wider than the source a stereo stem is in the mix: coherent side over coherent mid."""
    columns = responses.columns(stem)
    if len(columns) == 1:
        return 1.0
    mid, side = (responses.response[:, column] for column in columns)
    to_mid, to_side = mid.sum(1), side[:, 0] - side[:, 1]
    weight = responses.power[:, columns[1]]
    mid_weight = responses.power[:, columns[0]]
    if float(weight.sum()) < 1e-3 * float(mid_weight.sum()):
        return 1.0
    share = (weight * (to_side * to_mid.conj()).real).sum() / (weight * to_mid.abs().square()).sum()
    return float(share.clamp(0.0, 2.0))


def match_bands(size: int, sample_rate: int) -> tuple[Tensor, Tensor]:
    """Centres `(bands,)` on a log scale, and Gaussian weights `(bands, bins)` that sum to one."""
    top = min(BAND_HIGH_HZ, 0.42 * sample_rate)
    centres = torch.exp(torch.linspace(math.log(BAND_LOW_HZ), math.log(top), BANDS, dtype=torch.float64))
    grid = _grid(size, sample_rate)
    distance = grid.clamp(min=1.0).log()[None] - centres.log()[:, None]
    weights = torch.exp(-0.5 * (distance / BAND_WIDTH).square())
    weights += 1e-6 * ((grid[None] - centres[:, None]).abs() < sample_rate / size)
    weights[:, 0] = 0
    return centres, weights / weights.sum(-1, keepdim=True)


def band_weights(loudness: Tensor, coherence: Tensor) -> Tensor:
    """How much each band of each stem counts, `(stems, bands)`, one in sum: where the stem is loud, against
    the others and against itself, and its response is trusted (`coherence`, 0 to 1). Of a stem that is not
    heard or trusted anywhere, nothing counts."""
    share = (loudness / loudness.sum(0, keepdim=True).clamp(min=TINY)).clamp(min=1e-6).sqrt()
    own = (loudness / loudness.amax(-1, keepdim=True).clamp(min=TINY)).clamp(min=1e-7) ** 0.25
    weight = share * own * coherence
    return weight / weight.sum(-1, keepdim=True).clamp(min=TINY)


def match_equalizers(
    responses: Responses,
    stems: int,
    sample_rate: int,
    flat: bool = False,
    magnitudes: Magnitudes | None = None,
    device: torch.device = CPU,
) -> Match:
    """Fit one equalizer per stem to its measured response; `flat`: levels only, for strips without one;
    `magnitudes`: what to take instead where phases do not agree, in `match_bands`; `device`: where to
    descend."""
    size = (responses.response.shape[0] - 1) * 2
    centres, bands = match_bands(size, sample_rate)
    target_db, heard, coherence, direct = [], [], [], []
    for stem in range(stems):
        response, power = _direct(responses, stem)
        response, power = response.to(torch.complex128), power.double()
        weighted = power[:, None] * response
        energy = (bands @ power).clamp(min=1e-20)
        mean = torch.complex(bands @ weighted.real, bands @ weighted.imag) / energy[:, None]
        coherent = mean.abs().square().mean(-1)
        total = (bands @ (power * response.abs().square().mean(-1))) / energy
        target_db.append(10 * torch.log10(coherent + 1e-9))
        heard.append(energy * coherent)
        coherence.append((coherent / total.clamp(min=1e-20)).clamp(0, 1))
        direct.append((response, power))
        if magnitudes is not None:
            coherent = magnitudes.band_power(stem, coherent)
            target_db[-1], heard[-1] = 10 * torch.log10(coherent + 1e-9), energy * coherent
            coherence[-1] = magnitudes.band_trust(stem, coherence[-1])
    weight = band_weights(torch.stack(heard), torch.stack(coherence))
    if flat:
        rest = PROCESSORS["equalizer"].rest()
        settings = {name: torch.full((stems,), value, dtype=torch.float64) for name, value in rest.items()}
    else:
        settings, _ = fit_equalizers(torch.stack(target_db), weight, centres, sample_rate, device=device)
    curve = equalizer_response(settings, _grid(size, sample_rate), sample_rate)
    levels = []
    for stem, ((response, power), shape) in enumerate(zip(direct, curve, strict=True)):
        inner = (power[:, None] * response * shape.conj()[:, None]).real
        loud = power * shape.abs().square()
        if magnitudes is not None:
            inner, loud = magnitudes.level_terms(stem, inner, loud, power, shape)
        levels.append(inner.sum(0) / loud.sum())
    width = torch.tensor([_width(responses, stem) for stem in range(stems)])
    if magnitudes is not None:
        width[magnitudes.stems()] = 1.0
    return Match(settings, torch.stack(levels), width)


def rematch(
    rows: Sequence[Sequence[Mapping[str, float]]],
    spectra: Tensor,
    sample_rate: int,
    device: torch.device = CPU,
) -> list[tuple[dict[str, float], float]]:
    """The same curves said with fewer decibels: a filter instead of a deep shelf where that fits.

    `rows`: settings of equalizers that follow each other, to be said as one; `spectra` `(rows, bins)`: power
    of what they hear; `device`: where to descend. Returns new settings, and the level in dB that they need to
    be as loud as the old ones.
    """
    rest = PROCESSORS["equalizer"].rest()
    centres, bands = match_bands((spectra.shape[1] - 1) * 2, sample_rate)
    curve_db = torch.zeros(len(rows), len(centres), dtype=torch.float64)
    for equalizers in itertools.zip_longest(*rows, fillvalue=rest):
        settings = {
            name: torch.tensor([values[name] for values in equalizers], dtype=torch.float64) for name in rest
        }
        curve_db += equalizer_curve_db(settings, centres, sample_rate)
    energy = (spectra.double() @ bands.T).clamp(min=1e-20)
    weight = (energy / energy.amax(-1, keepdim=True)).clamp(min=1e-7) ** 0.25
    weight = weight / weight.sum(-1, keepdim=True)
    found, level_db = fit_equalizers(curve_db, weight, centres, sample_rate, plain=True, device=device)
    return [
        ({name: float(value[index]) for name, value in found.items()}, float(level_db[index]))
        for index in range(len(rows))
    ]
