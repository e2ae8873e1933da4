"""What a recovery takes, and how well `mix2daw.cost` and `mix2daw.eta` know it.

    python benchmarks/cost.py --record sample,leaving-tonite       # songs that the model is checked on
    python benchmarks/cost.py --record 4x15,4x60,16x30,8x120       # stems x seconds, which it is fitted to
    python benchmarks/cost.py --fit                                # prints the constants of mix2daw/cost.py
    python benchmarks/cost.py                                      # writes cost.md

Each recovery runs in a process of its own, and what it told while it ran is kept in build/cost/. Seconds are
CPU seconds × 0.76, which is what a quiet machine of two cores took (benchmarks/search.md): they hardly depend
on what else the machine does. `scale.py` says how the songs to fit to are made.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from _songs import every_song, machine
from scale import make_song
from scipy.optimize import nnls

from mix2daw.cost import AGAIN, FITTED_FORMATS, WORK, Size, expected, memory_mib, stage_s
from mix2daw.eta import Cost, Eta
from mix2daw.search.settings import Settings

KEPT = Path(__file__).resolve().parent.parent / "build" / "cost"
TABLE = Path(__file__).with_suffix(".md")
WALL_PER_CPU = 0.76
MARKS = (0.25, 0.5, 0.75)
KINDS: dict[str, tuple[str, ...]] = {
    "Reading": ("fixed", "stems"),
    "warm start": ("fixed", "analysis", "stems"),
    "first fit": ("first fit",),
    "space": ("fixed", "analysis"),
    "console fit": ("fixed", "fit", "trials"),
    f"space{AGAIN}": ("fixed", "analysis", "stems"),
    "prune": ("fixed", "trials"),
    "refit": ("fit", "trials", "stems"),
    f"prune{AGAIN}": ("fixed", "trials"),
    "simplify": ("scores",),
    "final fit": ("fit", "trials", "stems"),
    "confidence": ("scores",),
    "Rendering": ("stems", "song"),
    "Comparing": ("song",),
    "Writing sessions": ("stems", "song"),
    "Report": ("fixed", "stems", "song"),
}
MEMORY_KINDS = ("fixed", "scores", "song", "kept")


@dataclass(frozen=True)
class Recording:
    """One recovery: `stages`, in order, each with its name, announced steps, and the wall and CPU seconds
    since the beginning at which it began and at which each of its steps was done."""

    name: str
    size: Size
    stages: list[tuple[str, int, list[tuple[float, float]]]]
    wall_s: float
    cpu_s: float
    peak_mib: float

    def cpu_of(self) -> dict[str, float]:
        """CPU seconds per stage; that of a second time by its own name."""
        begun = [moments[0][1] for _, _, moments in self.stages]
        found: dict[str, float] = {}
        for (name, _, _), first, last in zip(self.stages, begun, [*begun[1:], self.cpu_s], strict=True):
            found[name + AGAIN if name in found else name] = last - first
        return found


class Listener:
    """A Progress that notes when what happens."""

    def __init__(self) -> None:
        self.begun = time.perf_counter(), time.process_time()
        self.stages: list[tuple[str, int, list[tuple[float, float]]]] = []

    def now(self) -> tuple[float, float]:
        """Wall and CPU seconds since the beginning."""
        wall, cpu = time.perf_counter() - self.begun[0], time.process_time() - self.begun[1]
        return round(wall, 3), round(cpu, 3)

    def expect(self, costs: Iterable[Cost]) -> None:
        """Not noted."""

    def stage(self, name: str, steps: int) -> None:
        """A stage begins."""
        self.stages.append((name, steps, [self.now()]))

    def step(self, note: str = "") -> None:  # noqa: ARG002
        """A step is done."""
        self.stages[-1][2].append(self.now())

    def stands(self, la: float | None, devices: int | None) -> None:
        """Not noted."""

    def say(self, line: str) -> None:
        """Not noted."""


def record(name: str, stems: Path, mix: Path, groups: Path | None, preset: str) -> None:
    """Recover a song in this process and keep what it told."""
    from mix2daw.recover import Job, peak_rss_mib, recover

    listener = Listener()
    with tempfile.TemporaryDirectory() as place:
        job = Job(stems, mix, Path(place) / "out", groups, settings=Settings(preset=preset))
        recovery = recover(job, listener)
    wall_s, cpu_s = listener.now()
    assert recovery.found.offered is not None
    size = Size.of(recovery.found.offered)
    done = Recording(name, size, listener.stages, wall_s, cpu_s, float(peak_rss_mib() or 0))
    KEPT.mkdir(parents=True, exist_ok=True)
    (KEPT / f"{name}.json").write_text(json.dumps(asdict(done)), encoding="utf-8")


def kept(name: str) -> Recording:
    """A recording, read."""
    found = json.loads((KEPT / f"{name}.json").read_text(encoding="utf-8"))
    return Recording(**{**found, "size": Size(**found["size"])})


def fitted(rows: Sequence[tuple[Size, float]], kinds: Sequence[str], still: str = "") -> dict[str, float]:
    """The slopes, none below zero, that tell these figures best; all kinds of work but `still` grow with the
    sample rate."""
    work = np.array(
        [
            [WORK[kind](size) * (1 if kind == still else size.sample_rate / 44100) for kind in kinds]
            for size, _ in rows
        ]
    )
    told = np.array([figure for _, figure in rows])
    weight = np.maximum(told, 0.5) ** -0.5  # errors grow with what is measured, and less than it
    slopes, _ = nnls(work * weight[:, None], told * weight)
    return {kind: float(f"{slope:.3g}") for kind, slope in zip(kinds, slopes, strict=True) if slope > 0}


def constants(recordings: Sequence[Recording]) -> str:
    """The tables of mix2daw/cost.py."""
    lines = ["SECONDS: dict[str, dict[str, float]] = {"]
    for stage, kinds in KINDS.items():
        rows = [
            (each.size, WALL_PER_CPU * cpu_s) for each in recordings if (cpu_s := each.cpu_of().get(stage))
        ]
        lines.append(f'    "{stage}": {json.dumps(fitted(rows, kinds))},')
    memory = fitted([(each.size, each.peak_mib) for each in recordings], MEMORY_KINDS, "fixed")
    return "\n".join([*lines, "}", f"MEMORY_MIB: dict[str, float] = {json.dumps(memory)}"]) + "\n"


def estimates(recording: Recording, clock: int) -> list[tuple[float, float]]:
    """What was estimated to be left at each of MARKS, and what was, in seconds of a clock (0: wall, 1:
    CPU)."""
    whole_s = (recording.wall_s, recording.cpu_s)[clock]
    events = [
        (moment[clock], name, steps, number)
        for name, steps, moments in recording.stages
        for number, moment in enumerate(moments)
    ]
    now_s = 0.0
    eta = Eta(lambda: now_s)
    marks, found = [mark * whole_s for mark in MARKS], list[tuple[float, float]]()
    for moment_s, name, steps, number in [*events, (whole_s, "", 0, 1)]:
        while marks and marks[0] <= moment_s:
            now_s = marks.pop(0)
            found.append((eta.remaining_s() or 0.0, whole_s - now_s))
        now_s = moment_s
        if number:
            eta.step()
            continue
        eta.begin(name, steps)
        if name == "Reading":
            eta.expect(expected(recording.size, Settings(), FITTED_FORMATS, True)[1:])
    return found


def table(recordings: Sequence[Recording]) -> str:
    """What was measured and what is expected, as Markdown."""
    slower = np.median([each.wall_s / (WALL_PER_CPU * each.cpu_s) for each in recordings])
    errors = [_errors(recordings, clock, name) for clock, name in enumerate(("wall", "CPU"))]
    lines = [
        f"{machine()}. Seconds: CPU seconds × {WALL_PER_CPU},",
        "which is what a quiet machine takes (search.md); the expected ones were fitted to the songs called",
        "STEMSxSECONDS, and the others check them. Left: seconds as they were estimated / as they turned out",
        f"at 25, 50 and 75 % of the run, on a machine that others used, too ({slower:.1f} times slower), and",
        "in brackets by CPU seconds, as on one that does nothing else. Errors of the estimate, as a share of",
        "the whole run, mean (largest):",
        "",
        *errors,
        "",
        "| song | channels | length s | seconds | expected | MiB | expected | left, 25 % | 50 % | 75 % |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for each in recordings:
        size = each.size
        seconds = sum(stage_s(stage, size) for stage in KINDS)
        pairs = zip(estimates(each, 0), estimates(each, 1), strict=True)
        left = [f"{a:.0f} / {b:.0f} ({c:.0f} / {d:.0f})" for (a, b), (c, d) in pairs]
        lines.append(
            f"| {each.name} | {size.channels} | {size.seconds:.0f} | {WALL_PER_CPU * each.cpu_s:.0f} "
            f"| {seconds:.0f} | {each.peak_mib:.0f} | {memory_mib(size):.0f} | {' | '.join(left)} |"
        )
    return "\n".join(lines) + "\n"


def _errors(recordings: Sequence[Recording], clock: int, name: str) -> str:
    """By how much the estimates of a clock are off at each of MARKS, in one line."""
    off = np.array(
        [
            [abs(told - left) / (each.wall_s, each.cpu_s)[clock] for told, left in estimates(each, clock)]
            for each in recordings
        ]
    )
    marks = zip(MARKS, off.mean(0), off.max(0), strict=True)
    told = ", ".join(
        f"{100 * mean:.0f} % ({100 * most:.0f} %) at {100 * mark:.0f} %" for mark, mean, most in marks
    )
    return f"- by {name} seconds: {told}"


def main() -> None:
    """Record, fit, or write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--record", metavar="NAMES", help="real songs by name, or stems x seconds")
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--one", nargs=5, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        name, stems, mix, groups, preset = given.one
        record(name, Path(stems), Path(mix), Path(groups) if groups else None, preset)
        return
    known = {song.name: song for song in every_song()}
    for name in given.record.split(",") if given.record else ():
        with tempfile.TemporaryDirectory() as place:
            found = known.get(name)
            folder, groups = Path(place), None
            if found is None:
                stems, seconds = name.split("x")
                make_song(folder, int(stems), float(seconds) / 60)
                paths = (folder / "stems", folder / "mix.flac")
            else:
                paths, groups = (found.stems, found.mix), found.groups
            one = [name, *map(str, paths), str(groups or ""), "studio"]
            subprocess.run([sys.executable, __file__, "--one", *one], check=True)
        print(name, flush=True)
    recordings = sorted((kept(path.stem) for path in KEPT.glob("*.json")), key=lambda each: each.cpu_s)
    if given.fit:
        print(constants([each for each in recordings if "x" in each.name]))
    elif not given.record:
        TABLE.write_text(table(recordings), encoding="utf-8")


if __name__ == "__main__":
    main()
