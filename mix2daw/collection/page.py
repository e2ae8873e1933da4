"""corpus.html: the tables of a collection to look at, on one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from mix2daw import report
from mix2daw.collection.figures import Row, instruments, kept_types, measures
from mix2daw.collection.tables import Rows
from mix2daw.report.plots import Plot, Scale, grid, joined

PAGE_FILE = "corpus.html"
MOST_SONGS = 500  # lines of the list; the tables have all
TICKS = tuple(digit * 10.0**power for power in range(-2, 6) for digit in (1, 2, 5))


def corpus_html(rows: Rows, graphs: str, failed: int, every: int = 1) -> str:
    """The page. `graphs`: the folder of the songs' results beside it; `failed`: songs that are in no table;
    `every`: of how many songs one is in `rows`.
    The same rows make the same page."""
    songs = sorted(rows.songs, key=lambda row: (-row["la_full"], row["song"]))
    return _environment().get_template("corpus.html.j2").render(
        songs=songs[:MOST_SONGS],
        count=len(songs),
        failed=failed,
        every=every,
        hours=sum(row["seconds"] for row in songs) / 3600,
        measures=measures(songs),
        types=kept_types(songs),
        instruments=instruments(rows.strips, rows.devices),
        speed=_speed(songs) if songs else None,
        per_hour=_per_hour(songs),
        highest=max((max(row["la_full"], row["la_sum_of_stems"]) for row in songs), default=1.0) or 1.0,
        place_of=lambda name: f"{quote(graphs)}/{quote(name)}",
        median=lambda column: float(np.median([row[column] for row in songs if row[column] is not None])),
        version=songs[0]["version"] if songs else "",
    )  # fmt: skip


def _per_hour(songs: Sequence[Row]) -> float | None:
    """Songs that one process recovers in an hour."""
    seconds = [row["wall_s"] for row in songs if row["wall_s"]]
    return 3600 * len(seconds) / sum(seconds) if seconds else None


def _speed(songs: Sequence[Row]) -> Plot | None:
    """Seconds of a recovery over the minutes of all its stems together."""
    points = [
        (row["tracks"] * row["seconds"] / 60, row["wall_s"])
        for row in songs
        if row["wall_s"] and row["tracks"]
    ]
    if not points:
        return None
    work, seconds = (np.array(values) for values in zip(*points, strict=True))
    x_scale = Scale(float(work.min()) / 1.5, float(work.max()) * 1.5, log=True)
    y_scale = Scale(float(seconds.min()) / 1.5, float(seconds.max()) * 1.5, log=True, upright=True)
    x_ticks, y_ticks = (
        scale.ticks([(value, f"{value:g}") for value in TICKS if scale.low <= value <= scale.high])
        for scale in (x_scale, y_scale)
    )
    # A line without length and with round ends is a dot, however the plot is stretched.
    dots = "".join(f"M{x:.0f} {y:.0f}h0" for x, y in zip(x_scale(work), y_scale(seconds), strict=True))
    body = joined(grid(x_ticks, y_ticks), Markup('<path class="dots" d="{}"/>').format(dots))
    label = (
        f"Seconds of a recovery over stem-minutes: {len(points)} songs, "
        f"{seconds.min():.0f} to {seconds.max():.0f} s for {work.min():.1f} to {work.max():.1f} stem-minutes"
    )
    return Plot(label, body, x_ticks, y_ticks, "speed")


def _environment() -> Environment:
    """Templates beside this file, with the style of the report of a song."""
    folder, other = (Path(str(at)).parent / "templates" for at in (__file__, report.__file__))
    environment = Environment(
        loader=FileSystemLoader([folder, other]), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.globals["style"] = Markup((other / "style.css").read_text(encoding="utf-8"))
    environment.filters["short"] = _short
    return environment


def _short(value: float) -> str:
    """Three digits, with a true minus."""
    return f"{value:.3g}".replace("-", "−")
