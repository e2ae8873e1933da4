"""Recover songs and tabulate how close, how small, how fast and how large: benchmarks/search.md.

    python benchmarks/search.py             the sample, and the songs in ../shared/songs if present
    python benchmarks/search.py --reuse     tabulate what lies in --out, recover the rest
    python benchmarks/search.py --songs sample --strategy saliency,hybrid --tolerance 0.01,0.1

Each recovery takes minutes, in a process of its own. Run it on an otherwise idle machine: on a shared one,
compare ratios within one run only. A picture of La over the steps goes to docs/search.png, if matplotlib is
here: pip install -e '.[bench]'.
"""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from itertools import product
from pathlib import Path

from _record import RECORD_FILE, Record, Run, read_record, recover_apart
from _search_report import COLUMNS, plot, row, table
from _songs import ROOT, SHARED, every_song, machine, names, songs_here

from mix2daw.console import preset
from mix2daw.errors import MixError
from mix2daw.search.settings import STRATEGIES, Settings


def parser_of_options() -> argparse.ArgumentParser:
    """What may be asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--songs", type=names, help="by comma; all that are here if not given")
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder of the songs but the sample")
    parser.add_argument("--presets", type=names, default=("studio",), help="studio, paper, by comma")
    ways = f"of pruning: {', '.join(STRATEGIES)}, by comma"
    parser.add_argument("--strategy", type=names, default=("saliency",), help=ways)
    parser.add_argument("--tolerance", type=names, default=("0.01",), help="of La, by comma")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "search", help="folder of the recoveries")
    parser.add_argument("--table", type=Path, default=Path(__file__).with_suffix(".md"), help="Markdown file")
    parser.add_argument("--plot", type=Path, default=ROOT / "docs" / "search.png", help="PNG file")
    parser.add_argument("--reuse", action="store_true", help="do not recover again what lies in --out")
    parser.add_argument("--note", help="what should be known of the machine (other work beside, …)")
    return parser


def runs(options: argparse.Namespace) -> list[Run]:
    """Every console with every way and tolerance of pruning; MixError for one that does not exist."""
    found = [
        Run(name, way, float(tolerance))
        for name, way, tolerance in product(options.presets, options.strategy, options.tolerance)
    ]
    for run in found:
        preset(run.preset)
        Settings(strategy=run.strategy, tolerance=run.tolerance)
    return found


def main() -> None:
    """Recover, print and write table and picture, song after song."""
    parser = parser_of_options()
    options = parser.parse_args()
    try:
        asked, songs = runs(options), list(songs_here(options.songs, options.shared))
    except (MixError, ValueError) as error:
        parser.error(str(error))
    known = {song.name: song for song in every_song(options.shared)}
    where = machine() + (f"; {options.note}" if options.note else "")
    records: list[Record] = []
    print(f"| {' | '.join(COLUMNS)} |")
    for song, run in product(songs, asked):
        out = options.out / run.folder_name(song.name)
        kept = out / RECORD_FILE
        records.append(
            read_record(kept) if options.reuse and kept.exists() else recover_apart(song, run, out)
        )
        print(row(records[-1], song), flush=True)
        # Written after every song: the next one takes minutes and may be stopped.
        options.table.write_text(table(records, known, where), encoding="utf-8")
        if find_spec("matplotlib"):
            plot(records, known, options.plot)


if __name__ == "__main__":
    main()
