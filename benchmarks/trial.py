"""What a trial of pruning costs beside playing everything anew: benchmarks/trial.md.

    python benchmarks/trial.py                 the songs that are here
    python benchmarks/trial.py --songs sample

A trial leaves one insert of one track out of the full console and scores the excerpts: the strips that do not
hear it are not played again.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from _songs import SHARED, Song, machine, songs_here
from _start import started

from mix2daw.exporters.pedalboard import render
from mix2daw.search import Settings
from mix2daw.search.returns import final_impulses
from mix2daw.stems import write_wav

TRIALS, REPEATS = 16, 3
HEAD = (
    "| song | inserts on tracks | one trial s | play and score all s | share "
    "| pedalboard, whole song s | share |\n"
    "|---|---|---|---|---|---|---|"
)
NOTES = """\
Medians, on the full console after the warm start, the returns that were found with it. The full play scores
all of a song shorter than 45 s, about 30 s of a longer one; a trial hears four stretches of a short song, and
what the full play hears of a longer one. Pedalboard renders the whole song and reads its stems first."""


def median_s(*actions: Callable[[], object]) -> float:
    """Median wall time of some actions, each done once."""
    seconds = []
    for action in actions:
        begun = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)


def row(song: Song) -> str:
    """Measure a song: one line of the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        state = started(song, Settings(), folder=folder)
        judge, whole = state.trial_judge(), state.judge()
        tracks = {strip.name for strip in state.graph.of_kind("track")}
        keys = [key for key in judge.candidates() if key.strip in tracks and key.which.isdigit()]
        tried = random.Random(0).sample(keys, min(TRIALS, len(keys)))
        judge.without(tried[:1])  # what is made once is not counted
        trial_s = median_s(*(lambda key=key: judge.without([key]) for key in tried))
        full_s = median_s(*[whole.refresh] * REPEATS)
        graph, impulses = final_impulses(state.graph, state.impulses)
        for path, impulse in impulses.items():
            (folder / path).parent.mkdir(exist_ok=True)
            write_wav(folder / path, impulse, graph.sample_rate)
        pedalboard_s = median_s(*[lambda: render(graph, folder)] * REPEATS)
    cells = (
        song.name,
        f"{len(keys)}",
        f"{trial_s:.2f}",
        f"{full_s:.2f}",
        f"{trial_s / full_s:.0%}",
        f"{pedalboard_s:.2f}",
        f"{trial_s / pedalboard_s:.0%}",
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--songs", nargs="+", metavar="NAME", help="all that are here if not given")
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder of the songs but the sample")
    parser.add_argument("--table", type=Path, default=Path(__file__).with_suffix(".md"), help="Markdown file")
    parser.add_argument("--note", help="what should be known of the machine (other work beside, …)")
    options = parser.parse_args()
    where = machine() + (f"; {options.note}" if options.note else "")
    try:
        songs = list(songs_here(options.songs, options.shared))
    except ValueError as error:
        parser.error(str(error))
    rows: list[str] = []
    for song in songs:
        rows.append(row(song))
        print(rows[-1], flush=True)
        text = "\n".join([f"{where}.", "", HEAD, *rows, "", NOTES]) + "\n"
        options.table.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
