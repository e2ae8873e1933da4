"""The search on a GPU: seconds, steps and memory beside the CPU's, a large song, and several songs at once.

    python benchmarks/gpu.py leaving-tonite
    python benchmarks/gpu.py leaving-tonite --large 24x4 --together 1,2,4

Songs are those of `search.py`. Each is searched twice in one process: the first time kernels are compiled,
too, and the second must end with the same graph. `--large` makes a song as `scale.py` does, stems × minutes.
`--together` collects short songs with so many processes that share the GPU. Writes a Markdown table; without
a CUDA device it says so and is content.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from _songs import songs_here
from scale import make_song
from throughput import Crew, collected, graphs_of, make_corpus

from mix2daw.console import build_console, preset
from mix2daw.experiments.markdown import table
from mix2daw.progress import Silence
from mix2daw.search import Settings, search
from mix2daw.search.fit import Fit
from mix2daw.search.state import State
from mix2daw.session import Session, open_session

UNCOUNTED_STEPS, STEPS, RATE = 8, 40, 1.0
LARGE_RATE = 48000
SHORT_SONGS, SHORT_S = 8, 8.0
SEARCH_HEADS = (
    *("song", "stems", "search", "s", "stages, s", "La of the console", "devices left", "peak MiB"),
    "the same graph",
)
TOGETHER_HEADS = ("processes", "s", "songs an hour", "graphs like those of one process")


def steps_per_second(session: Session, settings: Settings, folder: Path) -> float:
    """Speed of the descent on the full console."""
    console = build_console(session, preset(settings.preset), folder)
    state = State(session, console, settings, Silence())
    fit = Fit(state.graph, state.controls, state.training)
    fit.run(UNCOUNTED_STEPS, RATE)
    fit = Fit(state.graph, state.controls, state.training)
    begun = time.perf_counter()
    fit.run(STEPS, RATE)  # its last reading waits for the device
    return STEPS / (time.perf_counter() - begun)


def searches(name: str, session: Session, folder: Path, settings: Settings) -> Iterator[tuple[str, ...]]:
    """Rows of two searches for the same, one after the other."""
    first = ""
    for turn in ("first", "second"):
        if settings.device == "cuda":
            torch.cuda.reset_peak_memory_stats()
        begun = time.perf_counter()
        found = search(session, folder, settings, Silence())
        seconds = time.perf_counter() - begun
        peak = torch.cuda.max_memory_allocated() / 1024**2 if settings.device == "cuda" else float("nan")
        graph = found.graph.model_dump_json()
        first = first or graph
        stages = ", ".join(f"{stage} {spent:.1f}" for stage, spent in found.seconds.items())
        same = "yes" if graph == first else "no"
        row = (
            *(name, str(len(session.tracks)), turn, f"{seconds:.1f}", stages, f"{found.la_console:.4f}"),
            *(str(sum(found.devices_after.values())), f"{peak:.0f}", same if turn == "second" else ""),
        )
        print(" | ".join(row), flush=True)
        yield row


def together(crews: list[int], folder: Path, device: str) -> Iterator[tuple[str, ...]]:
    """Rows of collections of the same songs, by so many processes."""
    manifest = make_corpus(folder, SHORT_SONGS, SHORT_S)
    alone: dict[str, bytes] = {}
    for workers in crews:
        out = folder / f"out-{workers}"
        crew = Crew(f"{workers} processes", ("--workers", str(workers), "--threads", "1"))
        wall_s, _ = collected(manifest, out, crew, ["--device", device])
        graphs = graphs_of(out)
        alone = alone or graphs
        same = sum(graph == alone[name] for name, graph in graphs.items())
        yield str(workers), f"{wall_s:.0f}", f"{3600 * len(graphs) / wall_s:.0f}", f"{same} of {len(graphs)}"


def sizes(text: str) -> tuple[int, float]:
    """ "24x4" as 24 stems of 4 minutes."""
    stems, _, minutes = text.partition("x")
    return int(stems), float(minutes)


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("songs", nargs="*", default=["sample"], help="names of songs (default: sample)")
    parser.add_argument("--large", type=sizes, help="STEMSxMINUTES of a made song to search, too")
    counts = "processes that share the GPU, by comma"
    parser.add_argument("--together", type=lambda text: [int(n) for n in text.split(",")], help=counts)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="cpu: to try this script")
    parser.add_argument("--table", type=Path, default=Path(__file__).with_suffix(".md"))
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        print("this machine has no CUDA device: nothing to measure")
        return
    parts = [torch.cuda.get_device_name() if options.device == "cuda" else "The CPU"]
    rows: list[tuple[str, ...]] = []
    settings = Settings(device=options.device)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for song in songs_here(options.songs):
            session = open_session(song.stems, song.mix, song.groups)
            speeds = {
                device: steps_per_second(session, Settings(device=device), folder)
                for device in dict.fromkeys(("cpu", options.device))
            }
            told = ", ".join(f"{speed:.2f} ({device})" for device, speed in speeds.items())
            parts.append(f"{song.name}: steps per second on the full console {told}.")
            rows += searches(song.name, session, folder, settings)
        if options.large:
            stems, minutes = options.large
            make_song(folder / "large", stems, minutes, LARGE_RATE)
            session = open_session(folder / "large" / "stems", folder / "large" / "mix.flac")
            rows += searches(f"made, {minutes:g} min", session, folder, settings)
        parts.append(table(SEARCH_HEADS, rows))
        if options.together:
            beside = list(together(options.together, folder, options.device))
            parts.append(f"{SHORT_SONGS} songs of 4 stems and {SHORT_S:g} s, collected:")
            parts.append(table(TOGETHER_HEADS, beside))
    text = "\n\n".join(parts) + "\n"
    options.table.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
