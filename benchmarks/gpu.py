"""The search on a GPU: steps per second beside the CPU's, seconds per song, peak memory.

    python benchmarks/gpu.py [SONG …]

Songs are those of `search.py`. Each is searched twice: the first time kernels are compiled, too. Without a
CUDA device it says so and is content.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import torch
from _songs import songs_here

from mix2daw.console import build_console, preset
from mix2daw.progress import Silence
from mix2daw.search import Settings, search
from mix2daw.search.fit import Fit
from mix2daw.search.state import State
from mix2daw.session import Session, open_session

UNCOUNTED_STEPS, STEPS, RATE = 8, 40, 1.0


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


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("songs", nargs="*", default=["sample"], help="names of songs (default: sample)")
    names: list[str] = parser.parse_args().songs
    if not torch.cuda.is_available():
        print("this machine has no CUDA device: nothing to measure")
        return
    print(torch.cuda.get_device_name())
    for song in songs_here(names):
        session = open_session(song.stems, song.mix, song.groups)
        with tempfile.TemporaryDirectory() as folder:
            speeds = {
                device: steps_per_second(session, Settings(device=device), Path(folder))
                for device in ("cpu", "cuda")
            }
            print(f"{song.name}: {speeds['cuda']:.2f} steps/s (CPU {speeds['cpu']:.2f})")
            for turn in ("with", "without"):
                torch.cuda.reset_peak_memory_stats()
                begun = time.perf_counter()
                found = search(session, Path(folder), Settings(device="cuda"), Silence())
                seconds = time.perf_counter() - begun
                peak_mib = torch.cuda.max_memory_allocated() / 1024**2
                print(
                    f"    {seconds:.0f} s {turn} compilation, peak {peak_mib:.0f} MiB, "
                    f"La of the console {found.la_console:.3f}, stages {found.seconds}"
                )


if __name__ == "__main__":
    main()
