"""How many songs an hour a collection takes, and what that comes to up to a million songs.

    python benchmarks/throughput.py --songs 40

Short songs are cut from the sample's stems and mixed by random consoles (`mix2daw synth`). The command line
recovers them with one process, with two, and on a local Ray cluster with room for two, each song on one
thread, and then once more, with everything done. What was measured, and the larger songs of `scale.md` and
the search of `gpu.md`, make the model. Writes a Markdown table and a plot.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import soundfile
from _throughput_model import Costs, Measured, Prices, SongKind, model_table, plot

from mix2daw.collection.tables import TABLES
from mix2daw.excerpt import MIX_FILE
from mix2daw.progress import Silence
from mix2daw.synthetic.corpus import Synthesis, synthesize

HERE = Path(__file__).resolve().parent
SONG = HERE.parent / "samples" / "song"
SONGS_OF_A_CUT, STEMS_OF_A_CUT = 8, 4


@dataclass(frozen=True)
class Crew:
    """A way to spread the songs."""

    name: str
    options: tuple[str, ...]


CREWS = (
    Crew("one process", ("--workers", "1", "--threads", "1")),
    Crew("two processes", ("--workers", "2", "--threads", "1")),
    Crew("Ray, two at a time", ("--ray", "local", "--threads", "1")),
)


def make_corpus(folder: Path, songs: int, seconds: float) -> Path:
    """Write short songs, and a manifest of them: always four stems of the sample, from another part of it."""
    stems = sorted((SONG / "stems").glob("*.flac"))
    lines: list[str] = []
    for cut in range(-(-songs // SONGS_OF_A_CUT)):
        place = folder / f"cut-{cut}"
        (place / "stems").mkdir(parents=True)
        for path in (stems[cut % len(stems) :] + stems[: cut % len(stems)])[:STEMS_OF_A_CUT]:
            rate = soundfile.info(path).samplerate
            start = round((1 + 3 * cut % 14) * rate)
            audio, _ = soundfile.read(path, start=start, frames=round(seconds * rate), dtype="int16")
            soundfile.write(place / "stems" / path.name, audio, rate, subtype="PCM_16")
        count = min(SONGS_OF_A_CUT, songs - cut * SONGS_OF_A_CUT)
        names = synthesize(Synthesis(place / "stems", place / "mixes", count, seed=cut), Silence())
        lines += [
            json.dumps(
                {
                    "song": f"{cut}/{name}",
                    "stems": f"cut-{cut}/stems",
                    "mix": f"cut-{cut}/mixes/{name}/mix.flac",
                }
            )
            for name in names
        ]
    manifest = folder / "songs.jsonl"
    manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return manifest


def collected(manifest: Path, out: Path, crew: Crew, options: list[str]) -> tuple[float, float]:
    """Wall seconds of one collection, and of its tables alone."""
    command = [sys.executable, "-m", "mix2daw", "collect", str(manifest), "--out", str(out)]
    begun = time.perf_counter()
    done = subprocess.run(
        [*command, *crew.options, *options, "--verbose", "--no-settings"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"},
    )
    wall_s = time.perf_counter() - begun
    told = re.search(r"Writing tables: ([\d.]+) s", done.stderr)
    if told is None:
        raise RuntimeError(f"collect did not tell of its tables: {done.stderr}")
    return wall_s, float(told[1])


def graphs_of(out: Path) -> dict[str, bytes]:
    """Every graph of a collection."""
    return {path.parent.name: path.read_bytes() for path in sorted(out.rglob("graph.json"))}


def size_of(folder: Path) -> int:
    """Bytes of all files in it, but the part of the mix that a preview is of."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != MIX_FILE)
    return sum(path.stat().st_size for path in files)


def measure(folder: Path, songs: int, seconds: float, options: list[str]) -> Measured:
    """Recover the same songs with every crew."""
    manifest = make_corpus(folder, songs, seconds)
    walls: dict[str, float] = {}
    first: dict[str, bytes] | None = None
    for number, crew in enumerate(CREWS):
        # Beside one another: graphs name their stems as seen from where they lie.
        out = folder / f"out-{number}"
        walls[crew.name], _ = collected(manifest, out, crew, options)
        print(f"{crew.name}: {walls[crew.name]:.0f} s", flush=True)
        first = first or graphs_of(out)
        if graphs_of(out) != first:
            raise RuntimeError(f"{crew.name}: other graphs than {CREWS[0].name}")
    again_s, tables_s = collected(manifest, folder / "out-1", CREWS[1], options)
    out = folder / "out-0"
    return Measured(
        songs=songs,
        seconds=seconds,
        stems=STEMS_OF_A_CUT,
        options=" ".join(options),
        walls=walls,
        again_s=again_s,
        tables_s=tables_s,
        graph_bytes=size_of(out / "graphs"),
        table_bytes=sum((out / name).stat().st_size for name in TABLES),
    )


def kinds() -> list[SongKind]:
    """Larger songs, as other benchmarks measured them: CPU seconds of a recovery."""
    found = []
    for stems, minutes, cpu_s in rows_of(HERE / "scale.md", ("stems", "minutes", "CPU s")):
        if (float(stems), float(minutes)) in ((8, 1), (24, 4)):
            found.append(SongKind(int(stems), float(minutes), float(cpu_s), "scale.md"))
    return found


def gpu_search_s() -> float:
    """Of the song that was searched for on a GPU."""
    told = re.search(r"whole search.*?\*\*([\d.]+) s\*\*", (HERE / "gpu.md").read_text(encoding="utf-8"))
    if told is None:
        raise RuntimeError("gpu.md does not tell how long a whole search takes")
    return float(told[1])


def rows_of(path: Path, columns: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Some columns of the first table of a Markdown file."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [tuple(row[cells[0].index(name)] for name in columns) for row in cells[2:]]


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--songs", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each song")
    parser.add_argument("--full", action="store_true", help="whole recoveries, not previews")
    parser.add_argument("--core-hour", type=float, default=0.04, help="price, in any currency")
    parser.add_argument("--gpu-hour", type=float, default=2.5, help="price")
    parser.add_argument("--gigabyte-month", type=float, default=0.02, help="price of storage")
    parser.add_argument("--table", type=Path, default=Path(__file__).with_suffix(".md"))
    parser.add_argument("--plot", type=Path, default=Path(__file__).with_suffix(".png"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        measured = measure(Path(place), given.songs, given.seconds, [] if given.full else ["--preview"])
    costs = Costs(
        measured, kinds(), Prices(given.core_hour, given.gpu_hour, given.gigabyte_month), gpu_search_s()
    )
    given.table.write_text(model_table(costs), encoding="utf-8")
    if find_spec("matplotlib"):
        plot(costs, given.plot)


if __name__ == "__main__":
    main()
