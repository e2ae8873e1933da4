"""A recovery of a real song that is killed at random moments and gone on with: benchmarks/kill.md.

    python benchmarks/kill.py                       20 kills, a preview of the first song that is here
    python benchmarks/kill.py --song sample --kills 5
    python benchmarks/kill.py --whole               all of the song, not its preview

Moments are spread over the whole run: reading, every step of the search, rendering, sessions, report. Each
process goes on from what the one before it left, until one ends; that is compared, byte by byte, with an
undisturbed run, and another run begins, until all kills are done.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from _kills import MEASURED, Kill, Outcome, killed, recovered
from _songs import SHARED, Song, machine, songs_here

from mix2daw.search import Settings
from mix2daw.search.course import from_stems

SONGS = ("leaving-tonite", "soul-foreign-plugins", "sample")
HEAD = "| kill | run | after s | it was about | steps kept |\n|---|---|---|---|---|"
NOTES = f"""\
`kill -9`, `recover … --resume --force` over an older result. *run*: it ends, is compared, and the next
begins. *after s*: seconds of the process that was killed. *steps kept*: of the search; the next process goes
on from there. Compared are all files, byte by byte, but for what a run measures of itself: in result.json
{" and ".join(MEASURED)}, and the same numbers in the report."""


def row(number: int, kill: Kill, steps: int) -> str:
    """One line of the table."""
    cells = (number, kill.round, f"{kill.after_s:.1f}", kill.within, f"{kill.kept} of {steps}")
    return f"| {' | '.join(map(str, cells))} |"


def conclusion(outcome: Outcome) -> str:
    """How it ended, in words."""
    counted = f"{len(outcome.kills)} kills in {outcome.rounds} runs"
    if outcome.wrong:
        return f"{counted}: {'; '.join(outcome.wrong)}."
    same = f"each of the {outcome.files} files was the same as undisturbed"
    return f"{counted}; {same}, and nothing else was left."


def measured(song: Song, options: argparse.Namespace) -> tuple[Outcome, float, Sequence[str]]:
    """The outcome for a song, the seconds of its undisturbed run, and the steps of the search."""
    settings = Settings(quick=not options.whole)
    steps = [step.__name__.strip("_").replace("_", " ") for step in from_stems(settings)]
    arguments = [str(song.stems), str(song.mix), *([] if options.whole else ["--preview"])]
    with tempfile.TemporaryDirectory(dir=options.out) as name:
        whole = Path(name).resolve() / "whole"
        whole_s = recovered(arguments, whole)
        print(f"{song.name}: undisturbed {whole_s:.0f} s\n{HEAD}", flush=True)
        seen: list[Kill] = []

        def tell(kill: Kill) -> None:
            seen.append(kill)
            print(row(len(seen), kill, len(steps)), flush=True)

        return killed(arguments, whole, whole_s, steps, options.kills, options.seed, tell), whole_s, steps


def main() -> None:
    """Kill, print and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--song", help="the first of those that are here if not given")
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder of the songs but the sample")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--whole", action="store_true", help="all of the song, not its preview")
    parser.add_argument("--out", type=Path, help="folder to work in (None: a temporary one)")
    parser.add_argument("--table", type=Path, default=Path(__file__).with_suffix(".md"), help="Markdown file")
    options = parser.parse_args()
    try:
        songs = list(songs_here([options.song] if options.song else SONGS, options.shared))
    except ValueError as error:
        parser.error(str(error))
    if not songs:
        return
    outcome, whole_s, steps = measured(songs[0], options)
    rows = [row(number, kill, len(steps)) for number, kill in enumerate(outcome.kills, 1)]
    what = (
        f"{songs[0].name}{'' if options.whole else ', `--preview`'}; {machine()}; undisturbed {whole_s:.0f} s"
    )
    text = "\n".join([f"{what}.", "", conclusion(outcome), "", HEAD, *rows, "", NOTES]) + "\n"
    options.table.write_text(text, encoding="utf-8")
    print(conclusion(outcome))
    if outcome.wrong:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
