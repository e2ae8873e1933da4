"""Where stems lie and which way up they are, found again after they were moved: benchmarks/alignment.md.

    python benchmarks/alignment.py

The sample's stems are moved, turned over and resampled, and its mix is cut, padded and resampled; what
`recover` finds of that is held against what was done.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mix2daw.intake import take_in
from mix2daw.session import Session
from mix2daw.source import stretched
from mix2daw.stems import Signal, read_audio, write_wav

ROOT = Path(__file__).resolve().parent.parent
SONG = ROOT / "samples" / "song"
TABLE = Path(__file__).with_suffix(".md")
MOVED = ("bass", "hats", "lead", "piano")
MOVES_SAMPLES = (1, -1, 26, -26, 480, -480, 48000, -48000)
TRIM_S, CLOCKS_PPM = 7.85, (10.0, -40.0, 100.0)
HEAD = (
    "| what was done | places off by, samples | polarities right | clocks off by, ppm | told of the mix |\n"
    "|---|---|---|---|---|"
)
NOTES = f"""\
Moved are {", ".join(MOVED)}; the other four of the eight stems stay. *Places off by*: the largest error of
any stem, moved or not. *Polarities right*: of all eight stems, turned over or not. *Clocks off by*: with
`--correct-drift`, the largest error of any stem, also of those that were not resampled. Lines about single
stems are left out."""


@dataclass(frozen=True)
class Case:
    """What is done to stems and mix. `move_samples`: by how much later the moved stems start in their files;
    `turned`: which stems are turned over; `ppm`: by how much stems are longer; `cut_s`: what goes of the
    mix's start (below 0: comes before it), `end_s` of its end; `mix_ppm`: by how much the mix is longer."""

    name: str
    move_samples: int = 0
    turned: tuple[str, ...] = ()
    ppm: Mapping[str, float] = field(default_factory=dict)
    cut_s: float = 0.0
    end_s: float = 0.0
    mix_ppm: float = 0.0


def cases() -> list[Case]:
    """All that is tried."""
    found = [Case("nothing"), Case("every stem turned over", turned=tuple(_names()))]
    found += [Case(f"moved by {move:+d}", move) for move in MOVES_SAMPLES]
    found += [Case(f"moved by {move:+d}, turned over", move, MOVED) for move in (1, -26, 480, -48000)]
    found += [
        Case(f"mix cut by {TRIM_S} s at its start", cut_s=TRIM_S),
        Case(f"mix cut by {TRIM_S} s at its end", end_s=TRIM_S),
        Case(f"mix starts {TRIM_S} s before the stems", cut_s=-TRIM_S),
        Case(f"mix cut by {TRIM_S} s, four stems moved by +480 and turned over", 480, MOVED, cut_s=TRIM_S),
    ]
    found += [Case(f"one stem by a clock of {ppm:+g} ppm", ppm={"guitar": ppm}) for ppm in CLOCKS_PPM]
    found += [Case("mix by a clock of +100 ppm", mix_ppm=100.0)]
    return found


def _names() -> list[str]:
    return [path.stem for path in sorted((SONG / "stems").iterdir())]


def moved(signal: Signal, samples: int) -> Signal:
    """Later by some samples; earlier: what is before the start is gone."""
    return np.pad(signal[:, max(0, -samples) :], ((0, 0), (max(0, samples), 0)))


def taken(case: Case, folder: Path) -> Session:
    """What `recover` takes of a case, whose files are written into a folder."""
    (folder / "stems").mkdir()
    rate = 44100
    for path in sorted((SONG / "stems").iterdir()):
        signal = stretched(read_audio(path), case.ppm.get(path.stem, 0.0))
        signal = moved(signal, case.move_samples if path.stem in MOVED else 0)
        signal = -signal if path.stem in case.turned else signal
        write_wav(folder / "stems" / f"{path.stem}.wav", np.ascontiguousarray(signal), rate)
    mix = stretched(read_audio(SONG / "mix.flac"), case.mix_ppm)
    mix = moved(mix[:, : mix.shape[1] - round(case.end_s * rate)], -round(case.cut_s * rate))
    write_wav(folder / "mix.wav", np.ascontiguousarray(mix), rate)
    drifts = bool(case.ppm or case.mix_ppm)
    return take_in(folder / "stems", folder / "mix.wav", correct_drift=drifts)


def row(case: Case) -> str:
    """Try a case: one line of the table."""
    with tempfile.TemporaryDirectory() as folder:
        session = taken(case, Path(folder))
    late = -round(case.cut_s * session.sample_rate)
    off, right, ppm = 0, 0, 0.0
    for track in session.tracks:
        placed = late - (case.move_samples if track.name in MOVED else 0)
        off = max(off, abs(track.offset_samples - placed))
        right += track.inverted == (track.name in case.turned)
        ppm = max(ppm, abs(track.stretch_ppm + case.ppm.get(track.name, 0.0) - case.mix_ppm))
    names = {track.name for track in session.tracks}
    told = [line for line in session.findings if line.split(":")[0] not in names]
    clock = f"{ppm:.1f}" if case.ppm or case.mix_ppm else "–"
    return f"| {case.name} | {off} | {right} of {len(session.tracks)} | {clock} | {'; '.join(told) or '–'} |"


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--table", type=Path, default=TABLE)
    arguments = parser.parse_args()
    lines = [HEAD]
    for case in cases():
        lines.append(row(case))
        print(lines[-1], flush=True)
    text = "\n".join(lines)
    title = "# Places, polarities and clocks"
    arguments.table.write_text(f"{title}\n\n{text}\n\n{NOTES}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
