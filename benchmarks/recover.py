"""Recover songs and tabulate how close, how small, how fast and how large: benchmarks/recover.md.

    python benchmarks/recover.py                   the sample, and the songs in ../shared/songs if present
    python benchmarks/recover.py STEMS MIX [YAML]  one song

Each song is one run of the command line, so that memory is that song's own. Run it on an otherwise idle
machine: on a shared one, compare ratios within one run only.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "songs"
HEAD = (
    "| song | La: sum | La: console | La: result | SDR dB | devices | null dB | seconds | MiB |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


def songs(arguments: list[str]) -> list[tuple[str, Path, Path, Path | None]]:
    """Name, stems, mix and groups of each song to recover."""
    if arguments:
        stems, mix = Path(arguments[0]), Path(arguments[1])
        return [(stems.resolve().parent.name, stems, mix, Path(arguments[2]) if arguments[2:] else None)]
    sample = ROOT / "samples" / "song"
    found: list[tuple[str, Path, Path, Path | None]] = [
        ("sample", sample / "stems", sample / "mix.flac", sample / "groups.yaml")
    ]
    if SHARED.is_dir():
        found += [(s.name, s / "stems", s / "mix.flac", None) for s in sorted(SHARED.iterdir())]
    return found


def recovered(stems: Path, mix: Path, groups: Path | None) -> Mapping[str, Any]:
    """result.json of one song."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "mix2daw", "recover", stems, mix, "--out", Path(folder) / "out"]
        command += ["--json", "--quiet", *(["--groups", groups] if groups else [])]
        done = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)
    result: Mapping[str, Any] = json.loads(done.stdout)
    return result


def row(name: str, result: Mapping[str, Any]) -> str:
    """One line of the table."""
    cells = (
        name,
        f"{result['la_sum_of_stems']:.3f}",
        f"{result['la_console']:.3f}",
        f"{result['la']['full']:.3f}",
        f"{result['sdr_db']:.1f}",
        f"{result['devices_before']['total']} → {result['devices_after']['total']}",
        f"{result['null_db']['torch_pedalboard']:.0f}",
        f"{result['seconds']['total']:.0f}",
        f"{result['peak_rss_mib']:.0f}",
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Recover, print and write the table."""
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    lines = [machine, "", HEAD]
    for name, stems, mix, groups in songs(sys.argv[1:]):
        lines.append(row(name, recovered(stems, mix, groups)))
        print(lines[-1], flush=True)
    Path(__file__).with_suffix(".md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
