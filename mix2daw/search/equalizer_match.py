"""An equalizer and a level for a measured response: the start of the fit.

The measured response of a stem (least squares) is averaged coherently in bands, weighted by how much of the
mix the stem is there, and an equalizer's settings are fitted to its magnitude with a ridge on band gains.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mix2daw.dsp.biquad import Design, bell, high_pass, high_shelf, low_pass, low_shelf, section
from mix2daw.processors import PROCESSORS
from mix2daw.processors.equalizer import BUTTERWORTH_DB, BUTTERWORTH_Q
from mix2daw.search.least_squares import Responses
from mix2daw.search.magnitudes import Magnitudes

BANDS, BAND_LOW_HZ, BAND_HIGH_HZ, BAND_WIDTH = 56, 30.0, 17000.0, 0.09
ITERATIONS = 300
RATES = {"_db": 0.5, "_hz": 0.04, "_q": 0.03}  # dB, natural logarithms
RIDGE = {"_db": 1e-3, "_hz": 1e-2, "_q": 2e-2}
PLAIN_RIDGE = {"_db": 4e-3, "_hz": 1e-2, "_q": 2e-2}  # for curves that need no deep bands
FILTER_STARTS_HZ = ((30.0, 17000.0), (90.0, 17000.0), (250.0, 17000.0), (30.0, 7000.0))
SHAPES: tuple[tuple[str, Design], ...] = (
    ("low_shelf", low_shelf),
    ("bell_1", bell),
    ("bell_2", bell),
    ("bell_3", bell),
    ("bell_4", bell),
    ("high_shelf", high_shelf),
)


@dataclass(frozen=True)
class Match:
    """`settings[control]` `(stems,)` of an equalizer, `level` `(stems, 2)` signed, linear, left and right,
    `width` `(stems,)` of stereo stems (1 for mono)."""

    settings: dict[str, Tensor]
    level: Tensor
    width: Tensor


def _grid(size: int, sample_rate: int) -> Tensor:
    return torch.arange(size // 2 + 1, dtype=torch.float64) * (sample_rate / size)


def equalizer_response(settings: Mapping[str, Tensor], frequency_hz: Tensor, sample_rate: int) -> Tensor:
    """Complex response `(stems, frequencies)`, differentiable in `(stems,)` settings."""
    z = torch.polar(torch.ones_like(frequency_hz), -2 * math.pi / sample_rate * frequency_hz)
    everywhere = torch.ones(len(settings["bell_1_hz"]), dtype=torch.bool)

    def response(design: Design, hz: Tensor, db: Tensor, q: Tensor) -> Tensor:
        b0, b1, b2, a1, a2 = (
            c[:, None] for c in section(design, everywhere, hz, db, q, sample_rate)[0].unbind(-1)
        )
        return (b0 + b1 * z + b2 * z * z) / (1 + a1 * z + a2 * z * z)

    total = torch.ones(len(everywhere), len(frequency_hz), dtype=torch.complex128)
    for name, design in SHAPES:
        total = total * response(
            design, settings[f"{name}_hz"], settings[f"{name}_db"], settings[f"{name}_q"]
        )
    for name, design in (("high_pass", high_pass), ("low_pass", low_pass)):
        hz, slope = settings[f"{name}_hz"], settings[f"{name}_slope_db"][:, None]
        unused = torch.zeros_like(hz)
        first = response(design, hz, unused, unused)
        corner = response(bell, hz, unused + BUTTERWORTH_DB, unused + BUTTERWORTH_Q)
        shape = torch.where(slope >= 12, first * first * corner, first)
        total = total * torch.where(slope > 0, shape, torch.ones_like(shape))
    return total


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


def match_equalizers(
    responses: Responses,
    stems: int,
    sample_rate: int,
    flat: bool = False,
    magnitudes: Magnitudes | None = None,
) -> Match:
    """Fit one equalizer per stem to its measured response; `flat`: levels only, for strips without one;
    `magnitudes`: what to take instead where phases do not agree, in `match_bands`."""
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
    loudness = torch.stack(heard)
    share = (loudness / loudness.sum(0, keepdim=True)).clamp(min=1e-6).sqrt()
    own = (loudness / loudness.amax(-1, keepdim=True)).clamp(min=1e-7) ** 0.25
    weight = share * own * torch.stack(coherence)
    weight = weight / weight.sum(-1, keepdim=True)
    if flat:
        rest = PROCESSORS["equalizer"].rest()
        settings = {name: torch.full((stems,), value, dtype=torch.float64) for name, value in rest.items()}
    else:
        settings, _ = _descend(torch.stack(target_db), weight, centres, sample_rate, RIDGE)
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
    equalizers: Sequence[Mapping[str, float]], spectra: Tensor, sample_rate: int
) -> list[tuple[dict[str, float], float]]:
    """The same curves said with fewer decibels: a filter instead of a deep shelf where that fits.

    `equalizers`: settings as fitted, `spectra` `(equalizers, bins)`: power of what they hear. Returns new
    settings, and the level in dB that they need to be as loud as the old ones.
    """
    settings = {
        name: torch.tensor([values[name] for values in equalizers], dtype=torch.float64)
        for name in PROCESSORS["equalizer"].rest()
    }
    centres, bands = match_bands((spectra.shape[1] - 1) * 2, sample_rate)
    curve_db = 20 * torch.log10(equalizer_response(settings, centres, sample_rate).abs() + 1e-9)
    energy = (spectra.double() @ bands.T).clamp(min=1e-20)
    weight = (energy / energy.amax(-1, keepdim=True)).clamp(min=1e-7) ** 0.25
    weight = weight / weight.sum(-1, keepdim=True)
    found, level_db = _descend(curve_db, weight, centres, sample_rate, PLAIN_RIDGE)
    return [
        ({name: float(value[index]) for name, value in found.items()}, float(level_db[index]))
        for index in range(len(equalizers))
    ]


def _descend(
    target_db: Tensor, weight: Tensor, centres: Tensor, sample_rate: int, ridge: Mapping[str, float]
) -> tuple[dict[str, Tensor], Tensor]:
    """Equalizer settings `(stems,)` whose magnitude follows `target_db` `(stems, bands)` up to a level, and
    that level in dB. `ridge`: what it costs to move a bell or shelf, per kind of control.

    A filter's corner hardly finds its way from afar, so each stem is fitted from several corners at once
    and keeps the best.
    """
    starts = len(FILTER_STARTS_HZ)
    stems = len(target_db)
    target_db, weight = target_db.repeat(starts, 1), weight.repeat(starts, 1)
    rows = starts * stems
    rest = PROCESSORS["equalizer"].rest()
    settings = {name: torch.full((rows,), value, dtype=torch.float64) for name, value in rest.items()}
    settings["high_pass_slope_db"] += 12
    settings["low_pass_slope_db"] += 12
    for start, (high_pass_hz, low_pass_hz) in enumerate(FILTER_STARTS_HZ):
        settings["high_pass_hz"][start * stems : (start + 1) * stems] = high_pass_hz
        settings["low_pass_hz"][start * stems : (start + 1) * stems] = min(low_pass_hz, 0.45 * sample_rate)
    level_db = (weight * target_db).sum(-1).clone().requires_grad_(True)
    free = {
        name: (value if name.endswith("_db") else value.log()).clone().requires_grad_(True)
        for name, value in settings.items()
        if not name.endswith(("slope_db", "shelf_q"))
    }
    origin = {name: value.detach().clone() for name, value in free.items()}
    groups = [
        {"params": [v for n, v in free.items() if n.endswith(kind)], "lr": r} for kind, r in RATES.items()
    ]
    optimiser = torch.optim.Adam([*groups, {"params": [level_db], "lr": 0.3}])
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, ITERATIONS, 1e-3)

    def current() -> dict[str, Tensor]:
        return settings | {n: v if n.endswith("_db") else v.exp() for n, v in free.items()}

    def misfit() -> Tensor:
        """Of every row: distance from the target plus how far bells and shelves were moved."""
        curve_db = 20 * torch.log10(equalizer_response(current(), centres, sample_rate).abs() + 1e-9)
        error = curve_db + level_db[:, None] - target_db
        total = (weight * torch.sqrt(error.square() + 0.25)).sum(-1)
        for name, value in free.items():
            if not name.startswith(("high_pass", "low_pass")):
                cost = next(r for kind, r in ridge.items() if name.endswith(kind))
                total = total + cost * (value - origin[name]).square()
        return total

    for _ in range(ITERATIONS):
        optimiser.zero_grad()
        torch.autograd.backward(misfit().sum())
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        best = misfit().reshape(starts, stems).argmin(0) * stems + torch.arange(stems)
    return {name: value[best] for name, value in _tidied(current()).items()}, level_db.detach()[best]


def _tidied(settings: dict[str, Tensor]) -> dict[str, Tensor]:
    """Inside the ranges of the controls; a filter that ended beyond hearing is off."""
    equalizer = PROCESSORS["equalizer"]
    inside = {
        name: value.detach().clamp(equalizer.param(name).low, equalizer.param(name).high)
        for name, value in settings.items()
    }
    low, high = inside["high_pass_hz"] > 36.0, inside["low_pass_hz"] < 15000.0
    inside["high_pass_slope_db"] = torch.where(low, 12.0, 0.0).double()
    inside["low_pass_slope_db"] = torch.where(high, 12.0, 0.0).double()
    return inside
