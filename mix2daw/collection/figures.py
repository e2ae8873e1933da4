"""What a collection shows: counts, shares and spreads over the rows of its tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mix2daw.collection.tables import LA_PARTS, TYPES
from mix2daw.exporters.bands import in_use
from mix2daw.exporters.words import unit_of
from mix2daw.params import Param
from mix2daw.processors import PROCESSORS

Row = Mapping[str, Any]
MOST_INSTRUMENTS = 24
FEWEST = 3  # values, of which a spread is shown
FADER = Param("fader_db", -30.0, 12.0, 0.0)
PAN = Param("pan", -1.0, 1.0, 0.0)
SEND = Param("send_db", -60.0, 6.0, 0.0)


@dataclass(frozen=True)
class Spread:
    """A tenth, a quarter, a half, three quarters and nine tenths of `count` values of a control are below
    `quantiles`; `places`: where these lie on the control's scale, in percent."""

    name: str
    unit: str
    count: int
    quantiles: tuple[float, ...]
    places: tuple[float, ...]


@dataclass(frozen=True)
class Kept:
    """Devices of a type on all consoles before and after pruning."""

    type: str
    before: int
    after: int

    @property
    def pruned(self) -> float:
        """The share that was taken out: ρ of the type."""
        return 1 - self.after / self.before


@dataclass(frozen=True)
class Measure:
    """A number of every song: mean, median and the nine tenths that are below."""

    name: str
    mean: float
    median: float
    high: float


@dataclass(frozen=True)
class Instrument:
    """Tracks of one instrument. `shares`: how many of them have a device of a type;
    `level`: fader and pan; `knobs`: by type of device."""

    name: str
    tracks: int
    shares: Mapping[str, float]
    level: tuple[Spread, ...]
    knobs: Mapping[str, tuple[Spread, ...]]


def measures(songs: Sequence[Row]) -> list[Measure]:
    """La in all its parts, beside what it is without a console, and what came of the search."""
    names = {
        **{f"la_{part}": f"La, {part.replace('_', '/')}" for part in LA_PARTS},
        **{f"la_paper_{part}": f"La as published, {part.replace('_', '/')}" for part in LA_PARTS},
        "la_console": "La, before pruning",
        "la_sum_of_stems": "La, sum of stems",
        "pruned_share": "ρ, share of devices pruned",
        "sdr_db": "signal to difference, dB",
        "wall_s": "seconds",
    }
    found = []
    for column, name in names.items():
        values = [row[column] for row in songs if row[column] is not None]
        if values:
            high = float(np.quantile(values, 0.9))
            found.append(Measure(name, float(np.mean(values)), float(np.median(values)), high))
    return found


def kept_types(songs: Sequence[Row]) -> list[Kept]:
    """Of every type that any console had."""
    counts = [
        Kept(
            type_,
            sum(row[f"{type_}_before"] for row in songs),
            sum(row[f"{type_}_after"] for row in songs),
        )
        for type_ in TYPES
    ]
    return [one for one in counts if one.before]


def instruments(strips: Sequence[Row], devices: Sequence[Row]) -> list[Instrument]:
    """The most frequent ones among tracks, and what is done with them."""
    by_name: dict[str, list[Row]] = {}
    for row in strips:
        if row["kind"] == "track" and not row["muted"]:
            by_name.setdefault(row["instrument"] or "other", []).append(row)
    often = sorted(by_name, key=lambda name: (-len(by_name[name]), name))[:MOST_INSTRUMENTS]
    own: dict[str, list[Row]] = {name: [] for name in often}
    for row in devices:
        if row["kind"] == "track" and (row["instrument"] or "other") in own:
            own[row["instrument"] or "other"].append(row)
    return [_instrument(name, by_name[name], own[name]) for name in often]


def _instrument(name: str, tracks: Sequence[Row], devices: Sequence[Row]) -> Instrument:
    types = [type_ for type_ in TYPES if any(row["type"] == type_ for row in devices)]
    having = {
        type_: len({(row["song"], row["strip"]) for row in devices if row["type"] == type_}) / len(tracks)
        for type_ in types
    }
    level = [spread(param, (row[param.name] for row in tracks)) for param in (FADER, PAN)]
    knobs = {type_: tuple(_knobs(type_, [row for row in devices if row["type"] == type_])) for type_ in types}
    return Instrument(
        name,
        len(tracks),
        having,
        tuple(one for one in level if one is not None),
        {type_: spreads for type_, spreads in knobs.items() if spreads},
    )


def _knobs(type_: str, rows: Sequence[Row]) -> Iterable[Spread]:
    params = (SEND,) if type_ == "send" else PROCESSORS[type_].params
    for param in params:
        used = (row for row in rows if type_ != "equalizer" or in_use(row, param.name))
        found = spread(param, (row[param.name] for row in used))
        if found is not None:
            yield found


def spread(param: Param, values: Iterable[float | None]) -> Spread | None:
    """How the values of a control lie; None if there are hardly any."""
    known = [value for value in values if value is not None]
    if len(known) < FEWEST:
        return None
    quantiles = tuple(float(value) for value in np.quantile(known, (0.1, 0.25, 0.5, 0.75, 0.9)))
    log = param.scale == "log"

    def place(value: float) -> float:
        inside = min(max(value, param.low), param.high)
        if log:
            return float(100 * np.log(inside / param.low) / np.log(param.high / param.low))
        return 100 * (inside - param.low) / (param.high - param.low)

    name, unit = param.name, unit_of(param.name)
    if unit:
        name = name.removesuffix("_slope_db" if unit == "dB/oct" else param.name[param.name.rindex("_") :])
    places = tuple(place(value) for value in quantiles)
    return Spread(name.replace("_", " "), unit, len(known), quantiles, places)
