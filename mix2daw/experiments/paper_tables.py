"""The published tables of a corpus of one's own, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mix2daw.collection.figures import Row, kept_types
from mix2daw.experiments import published
from mix2daw.experiments.markdown import table
from mix2daw.experiments.plan import Plan, console_name
from mix2daw.recover import PREVIEW_S

Rows = Mapping[str, Sequence[Row]]  # of songs, by the name of a search
NONE = "–"
NOTES = """\
La: the mean over the songs of the published loss, as their code calls it, of what pedalboard plays of the
graph. ρ: the mean share of the console's devices that is pruned; a send counts as one, and so do a strip's
fader and pan together. Published: {source}. Those songs are others, so their columns are no measure of ours.
"""


def mean(rows: Sequence[Row], column: str) -> float:
    """Of a column over songs; not a number where no song has it."""
    values = [row[column] for row in rows if row[column] is not None]
    return float(np.mean(values)) if values else float("nan")


def markdown(planned: Plan, found: Rows, failed: Sequence[str], preview: bool) -> str:
    """All tables. `found`: rows of the same songs for every search that is done; `failed`: songs that are in
    no table."""
    songs = next(iter(found.values()))
    heard = f"the loudest {PREVIEW_S:g} s of each" if preview else "whole"
    counted = "1 song" if len(songs) == 1 else f"{len(songs)} songs"
    parts = [f"{counted}, {heard}; {songs[0]['preset']} console; mix2daw {songs[0]['version']}"]
    if failed:
        parts.append(f"Not in the tables, as a search failed on them: {', '.join(failed)}")
    parts.append(NOTES.format(source=published.SOURCE).rstrip())
    made = (
        ("Consoles, before pruning", _consoles(planned, found, songs)),
        ("Strategies and tolerances", _pruning(planned, found)),
        ("ρ by type", _types(planned, found)),
        ("Seeds", _seeds(planned, found)),
    )
    parts += [part for title, text in made if text for part in (f"## {title}", text)]
    return "\n\n".join(parts) + "\n"


def _consoles(planned: Plan, found: Rows, songs: Sequence[Row]) -> str:
    sum_of_stems = (
        "sum of stems",
        NONE,
        _la(mean(songs, "la_sum_of_stems")),
        NONE,
        f"{published.SUM_OF_STEMS:g}",
    )
    rows = [
        (
            console_name(type_),
            f"{mean(found[search.name], 'devices_before'):.1f}",
            _la(mean(found[search.name], "la_full")),
            f"{mean(found[search.name], 'wall_s'):.0f}",
            _la(published.CONSOLES.get(type_)),
        )
        for type_, search in planned.consoles.items()
        if search.name in found
    ]
    return (
        table(("console", "devices", "La", "seconds", "La, published"), [sum_of_stems, *rows]) if rows else ""
    )


def _pruning(planned: Plan, found: Rows) -> str:
    rows = []
    for (strategy, tolerance), search in planned.pruning.items():
        if search.name not in found:
            continue
        songs, theirs = found[search.name], published.PRUNING.get((strategy, tolerance))
        minutes = None if theirs is None else theirs.minutes
        rows.append(
            (
                strategy,
                f"{tolerance:g}",
                _la(mean(songs, "la_console")),
                _la(mean(songs, "la_full")),
                f"{mean(songs, 'devices_after'):.1f}",
                _share(mean(songs, "pruned_share")),
                f"{mean(songs, 'wall_s'):.0f}",
                _la(None if theirs is None else theirs.la),
                _share(None if theirs is None else theirs.share),
                NONE if minutes is None else f"{60 * minutes:.0f}",
            )
        )
    head = ("strategy", "τ", "La before", "La", "devices", "ρ", "seconds")
    return table((*head, "La, published", "ρ", "seconds"), rows) if rows else ""


def _types(planned: Plan, found: Rows) -> str:
    kept = {
        pair: {one.type: one for one in kept_types(found[search.name])}
        for pair, search in planned.pruning.items()
        if search.name in found
    }
    types = list(dict.fromkeys(type_ for of_type in kept.values() for type_ in of_type))
    rows = [
        (
            strategy,
            f"{tolerance:g}",
            *(_share(of_type[type_].pruned) if type_ in of_type else NONE for type_ in types),
        )
        for (strategy, tolerance), of_type in kept.items()
    ]
    return table(("strategy", "τ", *(type_.replace("_", ", ") for type_ in types)), rows) if rows else ""


def _seeds(planned: Plan, found: Rows) -> str:
    """A row per seed, and how far a song's numbers lie apart from seed to seed."""
    by_seed = {seed: found[search.name] for seed, search in planned.seeds.items() if search.name in found}
    if not by_seed:
        return ""
    columns = (("la_full", 3), ("devices_after", 1), ("pruned_share", 3), ("wall_s", 0))
    rows = [
        (str(seed), *(f"{mean(songs, column):.{digits}f}" for column, digits in columns))
        for seed, songs in by_seed.items()
    ]
    if len(by_seed) > 1:
        deviations = (
            np.array([[row[column] for row in songs] for songs in by_seed.values()], float).std(0, ddof=1)
            for column, _ in columns
        )
        spread = (f"{np.mean(one):.{digits}f}" for one, (_, digits) in zip(deviations, columns, strict=True))
        rows.append(("deviation of a song", *spread))
    return table(("seed", "La", "devices", "ρ", "seconds"), rows)


def _la(value: float | None) -> str:
    return NONE if value is None else f"{value:.3f}"


def _share(value: float | None) -> str:
    return NONE if value is None else f"{100 * value:.0f} %"
