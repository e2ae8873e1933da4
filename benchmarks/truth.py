"""Recover mixes whose console is known, and tabulate how much of it is found.

    python benchmarks/truth.py                    the sample, and five random mixes of its stems
    python benchmarks/truth.py --only sample 2    some of them
    python benchmarks/truth.py --reuse            score the recoveries that lie in --out once more

Each mix lies in its own folder under --out: truth.json, mix.flac and recovered/. The table goes to --table
(Markdown), and every single error to a JSON file beside it. A recovery takes minutes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from _truth_parts import audible_parts
from _truth_scores import Score, score

from mix2daw.exporters.pedalboard import render
from mix2daw.graph import Graph, read_graph
from mix2daw.overview import progress_bar
from mix2daw.processors import PROCESSORS, checked_graph
from mix2daw.recover import Job, recover
from mix2daw.synthetic.manner import Manner
from mix2daw.synthetic.mixes import random_mix

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "samples" / "song"
MANNER = Manner(
    centred=("kick", "bass", "lead"),
    glued=("drums", "keys"),
    to_reverb=("snare", "hats", "guitar", "piano", "pad", "lead"),
    to_delay=("snare", "guitar", "piano", "lead"),
)
MOST_FALSE, MOST_LEVEL_DB, MOST_PAN, MOST_CURVE_DB, MOST_DECAY_PERCENT = 0.10, 0.5, 0.03, 1.0, 15.0
HEAD = (
    "| mix | La | SDR dB | audible parts found | false | fader dB | level dB | pan | EQ dB | GR dB | delay "
    "| decay |\n|---|---|---|---|---|---|---|---|---|---|---|---|"
)
DEMANDED = (
    f"| demanded | | | all | ≤ {MOST_FALSE:.0%} | ≤ {MOST_LEVEL_DB} | ≤ {MOST_LEVEL_DB} | ≤ {MOST_PAN} "
    f"| ≤ {MOST_CURVE_DB:.0f} | ≤ {MOST_CURVE_DB:.0f} | exact | ≤ {MOST_DECAY_PERCENT:.0f} % |"
)
NOTES = """\
Cells with two numbers: median and worst of all tracks (GR: of all strips with a compressor); bold is out of
bounds. False: recovered inserts and sends of a type that the truth does not have there. Fader: all faders on
a track's way to the master; it and a compressor that is never at rest are one level, which is known: its
output, with the faders that follow. EQ: RMS of the curve over the stem's power, about its mean. GR: RMS of
the gain reduction over frames of 10 ms, about its mean. Delay: to the sample. Decay: RT60 of the reverb.
"""


@dataclass(frozen=True)
class Case:
    """One mix to recover: its truth, the folder of that, and the mix."""

    name: str
    truth: Graph
    folder: Path
    mix: Path


def sample_case() -> Case:
    """The sample song as it is."""
    truth = checked_graph(read_graph(SAMPLE / "truth.json"), PROCESSORS)
    return Case("sample", truth, SAMPLE, SAMPLE / "mix.flac")


def random_case(seed: int, number: int, folder: Path, reuse: bool = False) -> Case:
    """A random mix of the sample's stems, written into `folder`: truth.json and a mix.flac of 24 bit.
    `reuse`: take the mix that lies there, if there is one, even if another would be made today."""
    if reuse and (folder / "mix.flac").exists():
        truth = checked_graph(read_graph(folder / "truth.json"), PROCESSORS)
        return Case(str(number), truth, folder, folder / "mix.flac")
    truth = random_mix(sample_case().truth, SAMPLE, folder, seed, number, MANNER)
    (folder / "truth.json").write_text(truth.to_json(), encoding="utf-8")
    mix = render(truth, folder)
    soundfile.write(folder / "mix.flac", mix.T, truth.sample_rate, subtype="PCM_24")
    return Case(str(number), truth, folder, folder / "mix.flac")


def recovered_graph(case: Case, out: Path, reuse: bool) -> Graph:
    """The console found for a mix; `reuse`: take what lies in `out` if there is any."""
    if not (reuse and (out / "graph.json").exists()):
        job = Job(SAMPLE / "stems", case.mix, out, SAMPLE / "groups.yaml", formats=(), force=True)
        with progress_bar(quiet=False) as progress:
            recover(job, progress)
    return checked_graph(read_graph(out / "graph.json"), PROCESSORS)


def _pair(errors: Collection[float], bound: float, digits: int) -> str:
    """Median and worst absolute error; the worst in bold if it is out of bounds."""
    sizes = [abs(error) for error in errors] or [0.0]
    worst = f"{max(sizes):.{digits}f}"
    return f"{np.median(sizes):.{digits}f}, {f'**{worst}**' if max(sizes) > bound else worst}"


def _bold(text: str, wrong: bool) -> str:
    return f"**{text}**" if wrong else text


def row(name: str, result: Score, numbers: dict[str, Any]) -> str:
    """One line of the table; `numbers`: the result.json of the recovery."""
    tracks, parts = result.tracks.values(), result.parts
    found = f"{parts.audible - len(parts.missed)} of {parts.audible}"
    decay = result.decay_percent
    cells = (
        name,
        f"{numbers['la']['full']:.4f}",
        f"{numbers['sdr_db']:.1f}",
        _bold(found, bool(parts.missed)),
        _bold(f"{parts.false_share:.0%}", parts.false_share > MOST_FALSE),
        _pair([track.fader_db for track in tracks], MOST_LEVEL_DB, 2),
        _pair([track.level_db for track in tracks], MOST_LEVEL_DB, 2),
        _pair([track.pan for track in tracks], MOST_PAN, 3),
        _pair([track.equalizer_db for track in tracks], MOST_CURVE_DB, 2),
        _pair(result.reduction_db.values(), MOST_CURVE_DB, 2),
        {None: "", True: "exact", False: "**wrong**"}[result.delay_exact],
        "" if decay is None else _bold(f"{decay:.0f} %", decay > MOST_DECAY_PERCENT),
    )
    return f"| {' | '.join(cells)} |"


def details(name: str, result: Score) -> str:
    """One line on what was missed and what is false."""
    missed, false = (", ".join(which) or "none" for which in (result.parts.missed, result.parts.false))
    return f"- {name}: missed {missed}; false {false}"


def main() -> None:
    """Recover, print and write the table, mix after mix."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--mixes", type=int, default=5, help="how many random mixes")
    parser.add_argument("--seed", type=int, default=0, help="of the random mixes")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "truth", help="folder of the mixes")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="'sample' or numbers of mixes, from 1")
    parser.add_argument("--table", type=Path, help="the table; truth.md in --out if not given")
    parser.add_argument("--reuse", action="store_true", help="do not recover again what lies in --out")
    options = parser.parse_args()
    every = ["sample", *(str(number) for number in range(1, options.mixes + 1))]
    names = options.only or every
    if unknown := sorted(set(names) - set(every)):
        parser.error(f"there is no mix {unknown[0]!r}: use some of {', '.join(every)}")
    table = options.table or options.out / "truth.md"
    rows, remarks, record = [], [], {}
    for name in names:
        folder = options.out / (name if name == "sample" else f"seed-{options.seed}-mix-{name}")
        folder.mkdir(parents=True, exist_ok=True)
        random = name != "sample"
        case = random_case(options.seed, int(name), folder, options.reuse) if random else sample_case()
        out = folder / "recovered"
        graph = recovered_graph(case, out, options.reuse)
        result = score(case.truth, case.folder, graph, out, audible_parts(case.truth, case.folder))
        numbers = json.loads((out / "result.json").read_text(encoding="utf-8"))
        rows.append(row(name, result, numbers))
        remarks.append(details(name, result))
        record[name] = {**asdict(result), "la": numbers["la"]["full"]}
        print(f"{rows[-1]}\n{remarks[-1]}", flush=True)
        # Written after every mix: the next one takes minutes and may be stopped.
        table.parent.mkdir(parents=True, exist_ok=True)
        text = "\n".join([HEAD, *rows, DEMANDED, "", NOTES, *remarks]) + "\n"
        table.write_text(text, encoding="utf-8")
        table.with_suffix(".json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
