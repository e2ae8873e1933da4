"""How much of known consoles a collection has found, and what the confidence of its devices is worth.

    mix2daw synth STEMS --out MIXES --songs 100
    mix2daw collect MIXES/manifest.jsonl --out CORPUS
    python benchmarks/recovery.py MIXES CORPUS          or several: MIXES CORPUS MIXES CORPUS …

Compares every recovered console with the one that made its mix: devices found, missed and invented by type
and instrument, errors of settings, and how often devices of some confidence are in the truth. Writes a
Markdown table and a plot. A song takes about a minute: its mix is played once without each of its devices.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from _calibration import calibrated
from _recovery_report import plot, report
from _recovery_songs import Pair, compared, read_pairs

from mix2daw.errors import MixError


def how_recovered(pairs: Sequence[Pair], absent: Sequence[str]) -> str:
    """What was recovered, with which effort, and how close it came."""
    results = [pair.result for pair in pairs]
    of = f" of {len(pairs) + len(absent)}" if absent else ""
    tracks = _range([len(pair.truth.of_kind("track")) for pair in pairs])
    rate = pairs[0].recovered.sample_rate
    seconds = _range([round(pair.recovered.length_samples / rate) for pair in pairs])
    previews = sum(pair.preview for pair in pairs)
    settings = sorted({f"{r.preset}, {r.strategy}, tolerance {r.tolerance:g}" for r in results})
    cut = sum(result.out_of_time for result in results)
    sources = len({pair.stems for pair in pairs})
    whose = "one song's" if sources == 1 else f"{sources} songs'"
    effort = [
        f"{len(pairs)}{of} songs of {tracks} tracks, {seconds} s heard of each ({'; '.join(settings)}).",
        f"**{previews} of them are previews: the loudest 20 s, a fifth of the steps.**" if previews else "",
        f"**{cut} were cut short by a budget.**" if cut else "",
        f"All are random mixes of {whose} stems: how it goes with other material, they do not tell.",
        f"La: median {np.median([result.la['full'] for result in results]):.3f}, worst "
        f"{max(result.la['full'] for result in results):.3f}.",
        f"Not in the collection: {', '.join(absent)}." if absent else "",
    ]
    return "\n".join(line for line in effort if line)


def _range(numbers: Sequence[int]) -> str:
    low, high = min(numbers), max(numbers)
    return f"{low}" if low == high else f"{low} to {high}"


def main() -> None:
    """Compare, and write the table and the plot."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "folders",
        type=Path,
        nargs="+",
        metavar="MIXES CORPUS",
        help="a folder that `mix2daw synth` made and the collection of its manifest, and so on",
    )
    parser.add_argument("--table", type=Path, default=Path(__file__).with_suffix(".md"))
    parser.add_argument("--plot", type=Path, default=Path(__file__).with_suffix(".png"))
    options = parser.parse_args()
    if len(options.folders) % 2:
        parser.error("folders come in twos: MIXES CORPUS")
    pairs: list[Pair] = []
    absent: list[str] = []
    try:
        for mixes, corpus in zip(options.folders[::2], options.folders[1::2], strict=True):
            found_there, missing = read_pairs(mixes, corpus)
            pairs += found_there
            absent += missing
        songs = []
        for pair in pairs:
            songs.append(compared(pair))
            parts = songs[-1].score.parts
            print(f"{pair.song}: missed {', '.join(parts.missed) or 'none'}", end="; ", flush=True)
            print(f"false {', '.join(parts.false) or 'none'}", flush=True)
    except MixError as error:
        parser.error(str(error))
    cases = [case for song in songs for case in song.cases]
    found = calibrated(cases) if cases else None
    text = report(how_recovered(pairs, absent), songs, found)
    options.table.write_text(text, encoding="utf-8")
    if found and find_spec("matplotlib"):
        plot(songs, found, options.plot)
    print(text)


if __name__ == "__main__":
    main()
