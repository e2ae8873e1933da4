"""Records of recoveries as a table and as a picture."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from _record import Record
from _songs import Song

AT_STEPS = (0, 25, 50, 100, 200)
EXCERPTS = 4  # steps see them in turn: only their mean tells one step from another
DASH = "–"
FOOTNOTE_WIDTH = 76  # characters across a plot
COLUMNS = (
    *("song", "preset", "strategy", "tolerance", "La: sum of stems"),
    *(f"{steps} steps" for steps in AT_STEPS),
    *("full console", "**pruned**", "published code", "SDR dB", "devices", "pruned share"),
    *("wall s", "of it pruning", "CPU s", "peak MiB", "null dB"),
)
NOTES = """\
La is the published loss (0: equal) of the whole song, but for the columns of steps beyond 0: those are means
over the four excerpts that the steps around that one saw (a dash: fewer steps were made). 0 steps: after the
warm start. The returns come in after the first fit; after the console's fit, some 80 steps on, pruning
begins, and the steps are those of a smaller console. Full console: fitted, before anything was pruned.
Devices: of the full console → of the result; inserts, sends, and a strip's fader with its pan as one, as the
published method counts them. Wall and CPU seconds and memory are of the whole process, all sessions
written. Null: the torch engine's render against pedalboard's (−300: bit for bit the same)."""


def around(descent: Sequence[float], steps: int) -> float:
    """Mean La over the excerpts, of the steps around one; NaN if there were no so many."""
    if not 0 < steps <= len(descent):
        return math.nan
    first = max(0, min(steps - EXCERPTS // 2, len(descent) - EXCERPTS))
    seen = descent[first : first + EXCERPTS]
    return sum(seen) / len(seen)


def _number(value: float | None, digits: int) -> str:
    return DASH if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def row(record: Record, song: Song | None = None) -> str:
    """One line of the table; `song` knows what the published code did."""
    result, run = record.result, record.run
    before, after = (result[f"devices_{when}"] for when in ("before", "after"))
    at_steps = (around(record.descent, steps) if steps else record.la_start for steps in AT_STEPS)
    published = song.published if song else None
    cells = (
        record.song,
        run.preset,
        run.strategy,
        f"{run.tolerance:g}",
        _number(result["la_sum_of_stems"], 3),
        *(_number(la, 3) for la in at_steps),
        _number(result["la_console"], 3),
        f"**{_number(result['la']['full'], 3)}**",
        f"{published.la:.3f} in {published.seconds:.0f} s" if published else DASH,
        _number(result["sdr_db"], 1),
        f"{before['total']} → {after['total']}",
        f"{1 - after['total'] / max(1, before['total']):.0%}",
        f"{record.wall_s:.0f}",
        f"{result['seconds'].get('prune', 0) / result['seconds']['total']:.0%}",
        f"{record.cpu_s:.0f}",
        _number(result["peak_rss_mib"], 0),
        _number(result["null_db"]["torch_pedalboard"], 0),
    )
    return f"| {' | '.join(cells)} |"


def table(records: Iterable[Record], songs: Mapping[str, Song], machine: str) -> str:
    """The whole Markdown file."""
    records = list(records)
    head = [f"| {' | '.join(COLUMNS)} |", "|" + "---|" * len(COLUMNS)]
    rows = [row(record, songs.get(record.song)) for record in records]
    names = dict.fromkeys(record.song for record in records)
    how = [
        f"Published code on {name}: {published.how}."
        for name in names
        if name in songs and (published := songs[name].published)
    ]
    return "\n".join([f"{machine}.", "", *head, *rows, "", NOTES, *how]) + "\n"


def plot(records: Iterable[Record], songs: Mapping[str, Song], path: Path) -> None:
    """One picture per song: La over the steps of each of its recoveries, in a PNG."""
    from matplotlib.figure import Figure  # an optional library, and slow to load

    by_song: dict[str, list[Record]] = {}
    for record in records:
        by_song.setdefault(record.song, []).append(record)
    columns = min(2, len(by_song))
    rows = math.ceil(len(by_song) / columns)
    figure = Figure(figsize=(5.6 * columns, 3.6 * rows), layout="constrained")
    places = figure.subplots(rows, columns, squeeze=False).flat
    for axes, (name, of_song) in zip(places, by_song.items(), strict=False):
        _draw(axes, of_song, songs.get(name))
    for axes in list(places)[len(by_song) :]:
        axes.remove()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def _draw(axes: Any, records: Sequence[Record], song: Song | None) -> None:
    """The recoveries of one song: a curve and the level of the result for each, and what to compare with."""
    axes.set_title(records[0].song, fontsize=10)
    axes.set(xlabel="steps", ylabel="La", yscale="log")
    axes.axhline(records[0].result["la_sum_of_stems"], color="grey", linestyle=":", label="sum of stems")
    for index, record in enumerate(records):
        colour, run = f"C{index}", record.run
        name = run.preset if run.strategy == "saliency" else f"{run.preset}, {run.strategy}"
        steps = range(1, len(record.descent) + 1)
        curve = [record.la_start, *(around(record.descent, step) for step in steps)]
        axes.plot(range(len(curve)), curve, color=colour, label=f"{name}: fit")
        result = record.result["la"]["full"]
        axes.axhline(result, color=colour, linestyle="--", linewidth=1, label=f"{name}: pruned, {result:.3f}")
    if song and song.published:
        label = f"published code, {song.published.la:.3f} in {song.published.seconds:.0f} s"
        axes.axhline(song.published.la, color="black", linestyle="-.", linewidth=1, label=label)
        how = textwrap.fill(f"published code: {song.published.how}", FOOTNOTE_WIDTH)
        axes.set_xlabel(f"steps\n{how}", fontsize=8)
    axes.legend(fontsize=7)
