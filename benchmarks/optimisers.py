"""Adam, L-BFGS and Gauss-Newton from the same console, at equal wall time: benchmarks/optimisers.md.

    python benchmarks/optimisers.py                           the sample, 20 s and 40 s
    python benchmarks/optimisers.py --seconds 60 --fitted     from the console after the first fit

All begin after the warm start with the returns that the residual shows, and are scored on the whole song;
neither that nor the start is counted.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from _descents import MARKS, Trace, adam, l_bfgs
from _gauss_newton import gauss_newton
from _songs import SHARED, machine, songs_here
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


def row(name: str, seconds: float, trace: Trace) -> str:
    """One line of the table."""
    marks = []
    for share in (0.0, *MARKS):
        # The last look comes when the last step ends, or a little before the time if nothing moved any more.
        seen = [point for point in trace.points if point.seconds >= share * seconds] or trace.points[-1:]
        marks.append(f"{seen[0].la:.3f}, {seen[0].error:.3f}")
    cells = (name, f"{seconds:.0f}", *marks, f"{trace.evaluations} {WAYS[name][1]}")
    return f"| {' | '.join(cells)} |"


def head() -> str:
    """Head of the table."""
    names = ("optimiser", "seconds", "start", *(f"{share:.0%}" for share in MARKS), "made")
    return f"| {' | '.join(names)} |\n{'|---' * len(names)}|"


def conclusion(finals: Sequence[tuple[str, float, Trace]]) -> str:
    """Who came closest in the longest time."""
    longest = max(seconds for _, seconds, _ in finals)
    last = {name: trace.points[-1] for name, seconds, trace in finals if seconds == longest}
    best = min(last, key=lambda name: last[name].la)
    others = ", ".join(f"{name} at {point.la:.3f}" for name, point in last.items() if name != best)
    return f"After {longest:.0f} s {best} is closest: La {last[best].la:.3f}, {others}."


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--song", default="sample")
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder of the songs but the sample")
    parser.add_argument("--seconds", type=float, nargs="+", default=[20.0, 40.0], help="of each descent")
    parser.add_argument("--only", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--fitted", action="store_true", help="begin after the first fit")
    parser.add_argument("--table", type=Path, default=Path(__file__).with_suffix(".md"), help="Markdown file")
    parser.add_argument("--note", help="what should be known of the machine (other work beside, …)")
    options = parser.parse_args()
    try:
        songs = list(songs_here([options.song], options.shared))
    except ValueError as error:
        parser.error(str(error))
    if not songs:
        return
    state = started(songs[0], Settings(), options.fitted)
    graph = state.graph
    where = machine() + (f"; {options.note}" if options.note else "")
    start = "the first fit" if options.fitted else "the warm start"
    finals: list[tuple[str, float, Trace]] = []
    rows: list[str] = []
    for seconds in options.seconds:
        for name in options.only:
            state.adopt(graph)
            finals.append((name, seconds, WAYS[name][0](state, seconds)))
            rows.append(row(*finals[-1]))
            print(rows[-1], flush=True)
            lines = [f"{options.song}, from {start} with its returns. {where}.", "", head(), *rows]
            text = "\n".join([*lines, "", conclusion(finals), "", NOTES]) + "\n"
            options.table.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
