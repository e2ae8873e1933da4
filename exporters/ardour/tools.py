"""The installed Ardour, run without a window: what it says of a session, and what it plays.

Ardour's export aborts at random (up to 40 % of runs of 7.3, whatever the session, less on one core), hangs at
times, and once in some thirty runs writes noise. So every run has one core, a limit of time and some tries;
noise is for the caller to find.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from mix2daw.errors import FormatError, OutputError

TRIES = 5
_TOOL = re.compile(r"ardour(\d+)-export")
_LOAD = """\
AudioEngine:set_backend ("None (Dummy)", "", "")
session = load_session ([==[{folder}]==], [==[{name}]==])
assert (session)
print ("LOADED " .. session:nominal_sample_rate ())
close_session ()
quit ()
"""
_COMPLAINT = re.compile(r"\[(ERROR|WARNING)\]")
_HARMLESS = "Falling back to Reasonable Synth"  # there is no soft synth for MIDI, and there is no MIDI


@dataclass(frozen=True)
class Ardour:
    """The command-line tools of one version."""

    version: int
    export_tool: str
    lua_tool: str

    def complaints(self, folder: Path, name: str, scratch: Path) -> tuple[str, ...]:
        """Errors and warnings of Ardour when it loads the session `folder`/`name`.ardour. `scratch`: a folder
        for a script. Raises OutputError if it does not load."""
        script = scratch / "load.lua"
        script.write_text(_LOAD.format(folder=folder, name=name), encoding="utf-8")
        lines = _run([self.lua_tool, str(script)], 120, "LOADED")
        return tuple(line for line in lines if _COMPLAINT.search(line) and _HARMLESS not in line)

    def export(self, folder: Path, name: str, wav: Path, duration_s: float) -> None:
        """Write what the master of `folder`/`name`.ardour puts out, 32-bit float, as `wav`.

        Raises OutputError if all tries fail."""
        command = [self.export_tool, "-b", "float", "-o", str(wav), str(folder), name]
        _run(command, 120 + 20 * duration_s)
        if not wav.is_file():
            raise OutputError(wav, "was not written by Ardour", "try again")


def installed() -> Ardour:
    """The newest Ardour whose `ardourN-export` and `ardourN-lua` are in the PATH. Raises FormatError."""
    versions: set[int] = set()
    for folder in os.get_exec_path():
        try:
            names = os.listdir(folder or ".")
        except OSError:
            continue
        versions |= {int(match[1]) for name in names if (match := _TOOL.fullmatch(name))}
    for version in sorted(versions, reverse=True):
        tools = (shutil.which(f"ardour{version}-export"), shutil.which(f"ardour{version}-lua"))
        if tools[0] and tools[1]:
            return Ardour(version, tools[0], tools[1])
    remedy = "install Ardour 7 or later with its command-line tools (`apt install ardour`)"
    raise FormatError(
        "ardour", "is not installed: ardour7-export and ardour7-lua are not in the PATH", remedy
    )


def _run(command: list[str], limit_s: float, sign: str = "") -> list[str]:
    """Lines of output of the first run that ends well within its time, and says `sign`."""
    last = "it ran out of time"
    for _ in range(TRIES):
        try:
            done = subprocess.run(
                [*_on_one_core(), *command], capture_output=True, timeout=limit_s, check=False
            )
        except subprocess.TimeoutExpired:
            continue
        lines = (done.stdout + done.stderr).decode("utf-8", "replace").splitlines()
        if done.returncode == 0 and any(sign in line for line in [*lines, ""]):
            return lines
        last = next((line for line in reversed(lines) if line.strip()), f"code {done.returncode}")
    name = Path(command[0]).name
    raise OutputError(
        name, f"failed {TRIES} times ({last.strip()})", "try again, or open the session by hand"
    )


def _on_one_core() -> list[str]:
    taskset = shutil.which("taskset")
    if taskset is None or not hasattr(os, "sched_getaffinity"):
        return []
    return [taskset, "-c", str(min(os.sched_getaffinity(0)))]
