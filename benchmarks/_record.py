"""What one recovery did, measured in a process of its own so that memory and CPU time are that song's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from _songs import Song

RECORD_FILE = "record.json"


@dataclass(frozen=True)
class Run:
    """What is asked of one recovery: a console, a way of pruning, and what La may lose by it."""

    preset: str = "studio"
    strategy: str = "saliency"
    tolerance: float = 0.01

    def folder_name(self, song: str) -> str:
        """Under which name its recovery of a song is kept."""
        return f"{song}-{self.preset}-{self.strategy}-{self.tolerance:g}"


@dataclass(frozen=True)
class Record:
    """One recovery as measured. `la_start` and `descent` are those of `search.Found`, `result` is
    result.json. `wall_s` and `cpu_s` (of all threads): the whole process, its imports too."""

    song: str
    run: Run
    la_start: float
    descent: tuple[float, ...]
    result: Mapping[str, Any]
    wall_s: float
    cpu_s: float


def read_record(path: Path) -> Record:
    """A record that was written by `recover_apart`."""
    fields = json.loads(path.read_text(encoding="utf-8"))
    return Record(**{**fields, "run": Run(**fields["run"]), "descent": tuple(fields["descent"])})


def recover_apart(song: Song, run: Run, out: Path) -> Record:
    """Recover a song into the folder `out`/recovered in a child process, all sessions with it, and keep the
    record beside it."""
    out.mkdir(parents=True, exist_ok=True)
    arguments = [song.stems, song.mix, song.groups or "", out, run.preset, run.strategy, run.tolerance]
    # As the command line has it: see `cli.main`.
    environment = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ}
    begun = time.perf_counter()
    child = [sys.executable, __file__, *map(str, arguments)]
    subprocess.run(child, check=True, env=environment)
    wall_s = time.perf_counter() - begun
    measured = json.loads((out / RECORD_FILE).read_text(encoding="utf-8"))
    record = Record(song=song.name, run=run, wall_s=round(wall_s, 1), **measured)
    (out / RECORD_FILE).write_text(json.dumps(asdict(record), indent=1) + "\n", encoding="utf-8")
    return record


def _child(arguments: Sequence[str]) -> None:
    """The recovery itself."""
    from mix2daw.progress import Silence
    from mix2daw.recover import Job, recover
    from mix2daw.search import Settings

    stems, mix, groups, out, preset, strategy, tolerance = arguments
    settings = Settings(preset=preset, strategy=strategy, tolerance=float(tolerance))
    place = Path(out) / "recovered"
    job = Job(Path(stems), Path(mix), place, Path(groups) if groups else None, settings=settings, force=True)
    recovery = recover(job, Silence())
    measured = {
        "la_start": recovery.found.la_start,
        "descent": recovery.found.descent,
        "result": json.loads(recovery.result.to_json()),
        "cpu_s": round(time.process_time(), 1),
    }
    (Path(out) / RECORD_FILE).write_text(json.dumps(measured), encoding="utf-8")


if __name__ == "__main__":
    _child(sys.argv[1:])
