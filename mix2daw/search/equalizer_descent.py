"""Equalizers whose curves follow given ones: a descent on the settings, many equalizers at once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from mix2daw.dsp.biquad import (
    Design,
    audible_hz,
    bell,
    high_pass,
    high_shelf,
    low_pass,
    low_shelf,
    section,
)
from mix2daw.processors import PROCESSORS
from mix2daw.processors.equalizer import BUTTERWORTH_DB, BUTTERWORTH_Q
from mix2daw.search.adam import Adam
from mix2daw.search.engine import CPU
from mix2daw.search.replay import replayed

ITERATIONS = 300
RATES = {"_db": 0.5, "_hz": 0.04, "_q": 0.03}  # dB, natural logarithms
LEVEL_RATE, LAST_RATE = 0.3, 0.003  # dB; a factor on all rates
RIDGE = {"_db": 1e-3, "_hz": 1e-2, "_q": 2e-2}
# Per decibel, for curves that are to be said with few bands: a sum of magnitudes leaves most of them at 0.
PLAIN, PLAIN_KNEE_DB = 0.02, 0.1
FILTERS = ("high_pass", "low_pass")
FILTER_STARTS_HZ = ((30.0, 17000.0), (90.0, 17000.0), (250.0, 17000.0), (30.0, 7000.0))
SHAPES: tuple[tuple[str, Design], ...] = (
    ("low_shelf", low_shelf),
    ("bell_1", bell),
    ("bell_2", bell),
    ("bell_3", bell),
    ("bell_4", bell),
    ("high_shelf", high_shelf),
)


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


def equalizer_curve_db(settings: Mapping[str, Tensor], frequency_hz: Tensor, sample_rate: int) -> Tensor:
    """Magnitude of `equalizer_response` in dB, `(stems, frequencies)`: in real numbers and all sections at
    once, since a descent asks for it hundreds of times."""
    hp, lp = (settings[f"{name}_slope_db"] for name in ("high_pass", "low_pass"))
    unused = torch.zeros_like(hp)
    corner_db, corner_q = unused + BUTTERWORTH_DB, unused + BUTTERWORTH_Q
    bells = [[settings[f"bell_{index}_{what}"] for what in ("hz", "db", "q")] for index in range(1, 5)]
    bells += [[settings[f"{name}_hz"], corner_db, corner_q] for name in ("high_pass", "low_pass")]
    hz, db, q = (torch.cat(values) for values in zip(*bells, strict=True))

    def designed(design: Design, hz: Tensor, db: Tensor, q: Tensor) -> Tensor:
        return design(audible_hz(hz, sample_rate), db, q, sample_rate, torch.float64)

    def shelf(name: str, design: Design) -> Tensor:
        return designed(design, *(settings[f"{name}_{what}"] for what in ("hz", "db", "q")))

    sections = torch.cat(
        [
            designed(bell, hz, db, q),
            shelf("low_shelf", low_shelf),
            shelf("high_shelf", high_shelf),
            designed(high_pass, settings["high_pass_hz"], unused, unused),
            designed(low_pass, settings["low_pass_hz"], unused, unused),
        ]
    )
    turn = 2 * math.pi / sample_rate * frequency_hz
    cosines = torch.stack([torch.ones_like(turn), turn.cos(), (2 * turn).cos()])
    b0, b1, b2, a1, a2 = sections.unbind(-1)
    above = torch.stack([b0 * b0 + b1 * b1 + b2 * b2, 2 * b1 * (b0 + b2), 2 * b0 * b2], -1) @ cosines
    below = torch.stack([1 + a1 * a1 + a2 * a2, 2 * a1 * (1 + a2), 2 * a2], -1) @ cosines
    each_db = 10 * torch.log10((above / below).clamp(min=1e-18)).reshape(10, len(hp), -1)
    one = torch.ones_like(hp)
    steep = (hp >= 12).to(one), (lp >= 12).to(one)
    used = [one] * 4 + [*steep, one, one, (hp > 0) + steep[0], (lp > 0) + steep[1]]
    return (each_db * torch.stack(used)[..., None]).sum(0)


def fit_equalizers(
    target_db: Tensor,
    weight: Tensor,
    centres: Tensor,
    sample_rate: int,
    plain: bool = False,
    now: Mapping[str, Tensor] | None = None,
    device: torch.device = CPU,
) -> tuple[dict[str, Tensor], Tensor]:
    """Equalizer settings `(stems,)` whose magnitude follows `target_db` `(stems, bands)` up to a level, and
    that level in dB. `plain`: with few bands, and little of that level. `now`: settings `(stems,)` that are
    nearly right; `device`: where to descend; what is given and found is on the CPU.

    A filter's corner hardly finds its way from afar, so each stem is fitted from several corners at once
    and keeps the best; with `now`, from there and without filters, too.
    """
    rest = PROCESSORS["equalizer"].rest()
    flat = {name: torch.full((len(target_db),), value, dtype=torch.float64) for name, value in rest.items()}
    begins = [_with_filters(flat, hz, sample_rate) for hz in FILTER_STARTS_HZ]
    if now is not None:
        begins += [flat, dict(now)]
    starts, stems = len(begins), len(target_db)
    target_db, weight = target_db.repeat(starts, 1), weight.repeat(starts, 1)
    target_db, weight, centres = (tensor.to(device) for tensor in (target_db, weight, centres))
    settings = {name: torch.cat([begin[name] for begin in begins]).to(device) for name in rest}
    level_db = (weight * target_db).sum(-1).requires_grad_(True)
    # Settings of one kind are one tensor (settings, rows), those of filters last: each operation costs the
    # same for one of them as for all.
    names = {kind: _free(rest, kind) for kind in RATES}
    bounded = {kind: sum(not name.startswith(FILTERS) for name in names[kind]) for kind in RATES}

    def raw(values: Mapping[str, Tensor], kind: str) -> Tensor:
        stacked = torch.stack([values[name] for name in names[kind]])
        return stacked if kind == "_db" else stacked.log()

    free = {kind: raw(settings, kind).requires_grad_(True) for kind in RATES}
    origin = {kind: raw(flat, kind)[: bounded[kind], :1].to(device) for kind in RATES}
    leaves = [*((free[kind], rate) for kind, rate in RATES.items()), (level_db, LEVEL_RATE)]
    # torch's own Adam loads its compiler, seconds for a descent of one.
    adam = Adam(leaves, ITERATIONS)

    def current() -> dict[str, Tensor]:
        values = {kind: value if kind == "_db" else value.exp() for kind, value in free.items()}
        return settings | {
            name: value for kind in RATES for name, value in zip(names[kind], values[kind], strict=True)
        }

    def misfit() -> Tensor:
        """Of every row: distance from the target plus how far bells and shelves were moved."""
        curve_db = equalizer_curve_db(current(), centres, sample_rate)
        error = curve_db + level_db[:, None] - target_db
        total = (weight * torch.sqrt(error.square() + 0.25)).sum(-1)
        if plain:
            total = total + PLAIN * torch.sqrt(level_db.square() + PLAIN_KNEE_DB**2)
        for kind, value in free.items():
            moved = (value[: bounded[kind]] - origin[kind]).square()
            if plain and kind == "_db":
                total = total + PLAIN * torch.sqrt(moved + PLAIN_KNEE_DB**2).sum(0)
            else:
                total = total + RIDGE[kind] * moved.sum(0)
        return total

    def descend(_which: int) -> Tensor:
        slopes = torch.autograd.grad(misfit().sum(), [leaf for leaf, _ in leaves])
        # A row that went astray stays where it is; the others go on.
        return adam.step(level_db.new_zeros(()), [slope.nan_to_num(0.0, 0.0, 0.0) for slope in slopes])

    step = replayed(descend, device)
    for index in range(ITERATIONS):
        adam.rate = LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * index / ITERATIONS))
        step(0)
    with torch.no_grad():
        # A descent that came to nothing finite does not count; where none did, the equalizer is flat.
        lost = ~torch.stack([misfit(), level_db, *current().values()]).isfinite().all(0)
        lost = lost.cpu()
        error = torch.where(lost, math.inf, misfit().cpu()).reshape(starts, stems)
        best = error.argmin(0) * stems + torch.arange(stems)
        ended = {name: value.cpu() for name, value in current().items()}
        found = {name: torch.where(lost, rest[name], value) for name, value in _tidied(ended).items()}
        return {n: value[best] for n, value in found.items()}, torch.where(lost, 0.0, level_db.cpu())[best]


def _free(names: Iterable[str], kind: str) -> list[str]:
    """Those settings of a kind that a descent moves, those of filters last."""
    free = [name for name in names if name.endswith(kind) and not name.endswith(("slope_db", "shelf_q"))]
    return sorted(free, key=lambda name: name.startswith(FILTERS))


def _with_filters(
    settings: Mapping[str, Tensor], corners_hz: tuple[float, float], sample_rate: int
) -> dict[str, Tensor]:
    """The settings with a high-pass and a low-pass at these corners."""
    high_pass_hz, low_pass_hz = corners_hz
    on = torch.ones_like(settings["high_pass_hz"])
    return {
        **settings,
        "high_pass_hz": on * high_pass_hz,
        "high_pass_slope_db": on * 12,
        "low_pass_hz": on * min(low_pass_hz, 0.45 * sample_rate),
        "low_pass_slope_db": on * 12,
    }


def _tidied(settings: dict[str, Tensor]) -> dict[str, Tensor]:
    """Inside the ranges of the controls; a filter that ended beyond hearing is off."""
    equalizer = PROCESSORS["equalizer"]
    inside = {
        name: value.detach().clamp(equalizer.param(name).low, equalizer.param(name).high)
        for name, value in settings.items()
    }
    inside["high_pass_slope_db"] *= inside["high_pass_hz"] > 36.0
    inside["low_pass_slope_db"] *= inside["low_pass_hz"] < 15000.0
    return inside
