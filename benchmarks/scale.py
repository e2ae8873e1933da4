"""How time and memory grow with the number of stems and the length of a song.

    python benchmarks/scale.py --stems 4,8,16,32 --minutes 0.5,1,2,4
    python benchmarks/scale.py --stems 24 --minutes 4

Songs are made from the sample's stems, repeated and shifted in time, each copy by another amount, all in
stereo; the mix is the sum of the sample's mix shifted likewise. Every song is recovered by the command line
in a process of its own. Growth is told by CPU seconds, which other work beside it changes less. Writes a
Markdown table and a plot.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

SONG = Path(__file__).resolve().parent.parent / "samples" / "song"
SHIFT_S = 3.37
Signal = NDArray[np.float32]


def tiled(signal: Signal, samples: int, shift_samples: int) -> Signal:
    """A signal (channels, …) in stereo, repeated to a length and shifted around. The right channel of a mono
    one is a little softer, so that it is not taken as mono again."""
    stereo = signal * np.array([[1.0], [0.98]], np.float32) if len(signal) == 1 else signal
    whole = np.tile(stereo, (1, -(-samples // stereo.shape[1])))[:, :samples]
    return np.roll(whole, shift_samples, axis=1)


def make_song(folder: Path, stems: int, minutes: float, rate: int) -> None:
    """Write `stems` stereo stems of that many minutes at a rate in Hz, and their mix. Another rate than the
    sample's plays it faster or slower: all of them alike, so the mix stays theirs."""
    (folder / "stems").mkdir(parents=True)
    paths = sorted((SONG / "stems").glob("*.flac"))
    mix, _ = soundfile.read(SONG / "mix.flac", dtype="float32", always_2d=True)
    samples = round(minutes * 60 * rate)
    total: Signal = np.zeros((2, samples), np.float32)
    copies = -(-stems // len(paths))
    for copy in range(copies):
        shift = round(copy * SHIFT_S * rate)
        for path in paths[: stems - copy * len(paths)]:
            stem, _ = soundfile.read(path, dtype="float32", always_2d=True)
            name = folder / "stems" / f"{path.stem}-{copy + 1}.flac"
            soundfile.write(name, tiled(stem.T, samples, shift).T, rate, subtype="PCM_16")
        total += tiled(mix.T, samples, shift) / copies
    soundfile.write(folder / "mix.flac", total.T, rate, subtype="PCM_24")


def measure(stems: int, minutes: float, rate: int, formats: str) -> dict[str, float]:
    """Recover one such song; its wall and CPU seconds, memory and outcome."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        make_song(folder, stems, minutes, rate)
        command = [
            sys.executable,
            "-m",
            "mix2daw",
            "recover",
            str(folder / "stems"),
            str(folder / "mix.flac"),
        ]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [*command, "--out", str(folder / "out"), "--to", formats, "--json"],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"},
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        result = json.loads(done.stdout)
    seconds = result["seconds"]["total"]
    cpu_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "stems": stems,
        "minutes": minutes,
        "rate_hz": rate,
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "cpu_seconds_per_stem_minute": cpu_seconds / (stems * minutes),
        "peak_rss_mib": result["peak_rss_mib"],
        "la": result["la"]["full"],
        "la_sum_of_stems": result["la_sum_of_stems"],
    }


def table(rows: list[dict[str, float]]) -> str:
    """The rows as Markdown."""
    lines = [
        f"{os.cpu_count()} cores; the whole `recover` with one session and the report",
        "",
        "| stems | minutes | kHz | seconds | CPU s | CPU s per stem-minute | MiB | La: sum | La: result |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {r['stems']:.0f} | {r['minutes']:g} | {r['rate_hz'] / 1000:g} "
        f"| {r['seconds']:.0f} | {r['cpu_seconds']:.0f} | {r['cpu_seconds_per_stem_minute']:.1f} "
        f"| {r['peak_rss_mib']:.0f} | {r['la_sum_of_stems']:.3f} | {r['la']:.3f} |"
        for r in rows
    ]
    return "\n".join(lines) + "\n"


def plot(rows: list[dict[str, float]], path: Path) -> None:
    """CPU seconds and memory over stems times minutes; the line is proportional to the work."""
    from matplotlib.figure import Figure  # an optional library, and slow to load

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    time, memory = figure.subplots(1, 2)
    work = [row["stems"] * row["minutes"] for row in rows]
    for axes, name, unit in ((time, "cpu_seconds", "CPU seconds"), (memory, "peak_rss_mib", "MiB")):
        axes.plot(work, [row[name] for row in rows], "o", color="C0")
        for x, row in zip(work, rows, strict=True):
            label = f"{row['stems']:.0f} × {row['minutes']:g}"
            axes.annotate(label, (x, row[name]), textcoords="offset points", xytext=(5, 4), fontsize=7)
        axes.set(xscale="log", yscale="log", xlabel="stem-minutes", ylabel=unit)
        axes.grid(alpha=0.3, which="both")
    ends = [min(work), max(work)]
    per_minute = max(rows, key=lambda row: row["stems"] * row["minutes"])["cpu_seconds_per_stem_minute"]
    time.plot(ends, [per_minute * end for end in ends], "--", color="0.6", label="proportional")
    time.legend(fontsize=8)
    figure.savefig(path, dpi=110)


def main() -> None:
    """Measure what the command line asks for, and write the table after each song."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stems", default="4,8,16,32")
    parser.add_argument("--minutes", default="1")
    parser.add_argument("--rate", type=int, default=48000, help="in Hz")
    parser.add_argument("--also", nargs="*", default=[], metavar="STEMSxMINUTES", help="further sizes")
    parser.add_argument("--to", default="reaper", help="session formats")
    parser.add_argument("--table", type=Path, default=Path(__file__).with_suffix(".md"))
    parser.add_argument("--plot", type=Path, default=Path(__file__).with_suffix(".png"))
    given = parser.parse_args()
    rows: list[dict[str, float]] = []
    sizes = [
        (int(stems), float(minutes))
        for stems in given.stems.split(",")
        for minutes in given.minutes.split(",")
    ]
    sizes += [(int(stems), float(minutes)) for stems, minutes in (size.split("x") for size in given.also)]
    for stems, minutes in sizes:
        rows.append(measure(stems, minutes, given.rate, given.to))
        given.table.write_text(table(rows), encoding="utf-8")
        if find_spec("matplotlib"):
            plot(rows, given.plot)
        print(json.dumps(rows[-1]), flush=True)


if __name__ == "__main__":
    main()
