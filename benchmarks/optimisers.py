"""Adam, L-BFGS and Gauss-Newton from the same console, at equal wall time: benchmarks/optimisers.md.

    python benchmarks/optimisers.py                           all songs, 20 s and 40 s
    python benchmarks/optimisers.py --songs sample --fitted   from the console after the first fit

All begin after the warm start with the returns that the residual shows, and are scored on the whole song;
neither that nor the start is counted.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from _descents import MARKS, Trace, adam, l_bfgs
from _gauss_newton import gauss_newton
from _songs import SHARED, machine, names, songs_here
from _start import started

from mix2daw.search import Settings
from mix2daw.search.state import State

WAYS: dict[str, tuple[Callable[[State, float], Trace], str]] = {
    "Adam": (adam, "steps"),
    "L-BFGS": (l_bfgs, "gradients"),
    "Gauss-Newton": (gauss_newton, "linearisations and steps tried"),
}
NOTES = """\
In each cell La of the whole song (0: equal) and its whitened waveform error (1: as for silence), at the share
of the time. Adam sees one excerpt per step, the others all of them at every one. L-BFGS: on the loss of the
search, strong Wolfe line search, 20 pairs. Gauss-Newton: Levenberg-Marquardt on the waveform alone; each
column of a Jacobian would cost a render, so conjugate gradients solve the damped step instead: forwards by a
small move of all controls, back by the gradient."""


class Descent(NamedTuple):
    """One way, so many seconds on one song."""

    song: str
    way: str
    seconds: float
    trace: Trace


def row(descent: Descent) -> str:
    """One line of the table."""
    song, way, seconds, trace = descent
    marks = []
    for share in (0.0, *MARKS):
        # The last look comes when the last step ends, or a little before the time if nothing moved any more.
        seen = [point for point in trace.points if point.seconds >= share * seconds] or trace.points[-1:]
        marks.append(f"{seen[0].la:.3f}, {seen[0].error:.3f}")
    cells = (song, way, f"{seconds:.0f}", *marks, f"{trace.evaluations} {WAYS[way][1]}")
    return f"| {' | '.join(cells)} |"


def head() -> str:
    """Head of the table."""
    columns = ("song", "optimiser", "seconds", "start", *(f"{share:.0%}" for share in MARKS), "made")
    return f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|"


def conclusion(descents: Sequence[Descent]) -> str:
    """Who came closest to one song in the longest time."""
    longest = max(descent.seconds for descent in descents)
    last = {descent.way: descent.trace.points[-1] for descent in descents if descent.seconds == longest}
    best = min(last, key=lambda way: last[way].la)
    others = ", ".join(f"{way} at {point.la:.3f}" for way, point in last.items() if way != best)
    return f"- {descents[0].song}: after {longest:.0f} s {best} is closest: La {last[best].la:.3f}, {others}."


def text(descents: Sequence[Descent], where: str) -> str:
    """The table, who won, and what the figures mean."""
    songs = {descent.song: None for descent in descents}
    winners = [conclusion([descent for descent in descents if descent.song == song]) for song in songs]
    return "\n".join([where, "", head(), *map(row, descents), "", *winners, "", NOTES]) + "\n"


def main() -> None:
    """Measure, print and write the table, descent after descent."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--songs", type=names, help="by comma; all that are here if not given")
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder of the songs but the sample")
    parser.add_argument("--seconds", type=float, nargs="+", default=[20.0, 40.0], help="of each descent")
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--fitted", action="store_true", help="begin after the first fit")
    parser.add_argument("--table", type=Path, default=Path(__file__).with_suffix(".md"), help="Markdown file")
    parser.add_argument("--note", help="what should be known of the machine (other work beside, …)")
    options = parser.parse_args()
    try:
        songs = list(songs_here(options.songs, options.shared))
    except ValueError as error:
        parser.error(str(error))
    start = "the first fit" if options.fitted else "the warm start"
    where = f"From {start}, with its returns. {machine()}" + (f"; {options.note}." if options.note else ".")
    descents: list[Descent] = []
    for song in songs:
        state = started(song, Settings(), options.fitted)
        graph = state.graph
        for seconds in options.seconds:
            for way in options.ways:
                state.adopt(graph)
                descents.append(Descent(song.name, way, seconds, WAYS[way][0](state, seconds)))
                print(row(descents[-1]), flush=True)
                options.table.write_text(text(descents, where), encoding="utf-8")


if __name__ == "__main__":
    main()
