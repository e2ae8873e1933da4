"""The installed Ardour, run without a window: what it says of a session, and what it plays.

It is run by scripts for its own Lua (`host/`), with settings of their own, so that those of the user stay as
they are. The export tool that comes with it is of no use here: it starts before the latencies of a session
are known. Ardour aborts at random (one export in five by 7.3, whatever the session, more on several cores),
hangs at times, and may write noise. So every run has one core, a limit of time and some tries; noise is for
the caller to find.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from mix2daw.errors import FormatError, OutputError

TRIES = 8
_TOOL = re.compile(r"ardour(\d+)-lua")
_EXPORT_FILES = ("mix2daw.format", "mix2daw.preset")  # 32-bit float at the rate of the session
_COMPLAINT = re.compile(r"\[(ERROR|WARNING)\]")
# There is no MIDI: neither a soft synth nor lists of its patches are of interest.
_HARMLESS = re.compile("Falling back to Reasonable Synth|MIDI patch file")


@dataclass(frozen=True)
class Ardour:
    """The command-line tool of one version."""

    version: int
    lua_tool: str

    def complaints(self, folder: Path, name: str) -> tuple[str, ...]:
        """Errors and warnings of Ardour when it loads the session `folder`/`name`.ardour. Raises OutputError
        if it does not load."""
        run = self._run("load.lua", {"folder": str(folder), "name": name}, 120, "LOADED")
        return tuple(line for line in run.lines if _COMPLAINT.search(line) and not _HARMLESS.search(line))

    def export(self, folder: Path, name: str, wav: Path, duration_s: float) -> float:
        """Write what the master of `folder`/`name`.ardour puts out, 32-bit float, as `wav`; how long that
        took in seconds. `duration_s`: of the session. Raises OutputError if all tries fail."""
        blanks = {"folder": str(folder), "name": name, "stem": wav.stem, "out": str(wav.parent)}
        return self._run("export.lua", blanks, 60 + 6 * duration_s, "EXPORTED", makes=wav).seconds

    def _run(
        self, script: str, blanks: Mapping[str, str], limit_s: float, sign: str, makes: Path | None = None
    ) -> _Run:
        """The first run of a script that says `sign` within its time, and `makes` a file. How it ends after
        that does not matter: Ardour may abort or hang as it closes. `blanks`: what the script leaves open."""
        last = ""
        for _ in range(TRIES):
            if makes is not None:
                makes.unlink(missing_ok=True)
            run = self._run_once(script, blanks, limit_s)
            is_made = makes is None or makes.is_file()
            if is_made and any(line.startswith(sign) for line in run.lines):
                return run
            said = next((line.strip() for line in reversed(run.lines) if line.strip()), "it said nothing")
            last = "it ran out of time" if run.is_late else said
        what = f"failed {TRIES} times ({last})"
        raise OutputError(Path(self.lua_tool).name, what, "try again, or open the session by hand")

    def _run_once(self, script: str, blanks: Mapping[str, str], limit_s: float) -> _Run:
        host = resources.files("mix2daw.exporters.ardour") / "host"
        with tempfile.TemporaryDirectory(prefix="mix2daw-") as name:
            scratch = Path(name)
            settings = scratch / f"ardour{self.version}" / "export"
            settings.mkdir(parents=True)
            for file in _EXPORT_FILES:
                (settings / file).write_bytes((host / file).read_bytes())
            text = (host / script).read_text(encoding="utf-8").format(**blanks)
            (scratch / script).write_text(text, encoding="utf-8")
            command = [*_on_one_core(), self.lua_tool, str(scratch / script)]
            environment = {**os.environ, "XDG_CONFIG_HOME": str(scratch)}
            started = time.monotonic()
            done: subprocess.CompletedProcess[bytes] | subprocess.TimeoutExpired
            try:
                done = subprocess.run(
                    command, capture_output=True, timeout=limit_s, check=False, env=environment
                )
            except subprocess.TimeoutExpired as late:
                done = late
            seconds = time.monotonic() - started
        said = (done.stdout or b"") + (done.stderr or b"")
        is_late = isinstance(done, subprocess.TimeoutExpired)
        return _Run(said.decode("utf-8", "replace").splitlines(), seconds, is_late)


@dataclass(frozen=True)
class _Run:
    """What a run said, how long it took, and whether it was ended for that."""

    lines: list[str]
    seconds: float
    is_late: bool


def installed() -> Ardour:
    """The newest Ardour whose `ardourN-lua` is in the PATH. Raises FormatError."""
    versions: set[int] = set()
    for folder in os.get_exec_path():
        try:
            names = os.listdir(folder or ".")
        except OSError:
            continue
        versions |= {int(match[1]) for name in names if (match := _TOOL.fullmatch(name))}
    for version in sorted(versions, reverse=True):
        tool = shutil.which(f"ardour{version}-lua")
        if tool:
            return Ardour(version, tool)
    remedy = "install Ardour 7 or later with its command-line tools (`apt install ardour`)"
    raise FormatError("ardour", "is not installed: ardour7-lua is not in the PATH", remedy)


def _on_one_core() -> list[str]:
    taskset = shutil.which("taskset")
    if taskset is None or not hasattr(os, "sched_getaffinity"):
        return []
    return [taskset, "-c", str(min(os.sched_getaffinity(0)))]
