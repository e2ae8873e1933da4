"""A recovery that is killed again and again, and gone on with: does it end as if nothing had been?"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mix2daw.search import STATE_FILE

OFTEN_S = 0.05  # between looks at a process
AFTER_SEARCH = ("confidence", "Rendering", "Comparing", "Writing sessions", "Report")
# Wall time and memory are the run's own: of result.json these fields, of the report the paragraph of them.
MEASURED = ("seconds", "peak_rss_mib")
_MEASURED_PART = re.compile(r"<h3>Seconds .*?</ul>", re.DOTALL)


@dataclass(frozen=True)
class Kill:
    """One `kill -9`: in which round, after how many seconds of its process, in what the process was about,
    and how many steps of the search were kept by then."""

    round: int
    after_s: float
    within: str
    kept: int


@dataclass
class Outcome:
    """What came of it: the kills, how often a run came to its end, the `files` compared each time, and what
    was wrong."""

    kills: list[Kill] = field(default_factory=list)
    rounds: int = 0
    files: int = 0
    wrong: list[str] = field(default_factory=list)


def content(folder: Path) -> dict[str, bytes]:
    """All files of a result by their paths, without what is measured of the run itself."""
    found = {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}
    if "result.json" in found:
        numbers = json.loads(found["result.json"])
        found["result.json"] = json.dumps({k: v for k, v in numbers.items() if k not in MEASURED}).encode()
    if "report.html" in found:
        found["report.html"] = _MEASURED_PART.sub("", found["report.html"].decode()).encode()
    return found


def recovered(arguments: Sequence[str], out: Path) -> float:
    """`mix2daw recover` without a kill; returns its seconds."""
    begun = time.monotonic()
    subprocess.run(_command(arguments, out), env=_environment(), check=True, capture_output=True)
    return time.monotonic() - begun


def killed(
    arguments: Sequence[str],
    whole: Path,
    whole_s: float,
    steps: Sequence[str],
    kills: int,
    seed: int,
    tell: Callable[[Kill], None] = lambda _: None,
) -> Outcome:
    """Kill `mix2daw recover ARGUMENTS --resume --force` that often, each time it has got a random bit
    further, and start it again; when one ends, what it wrote is compared with `whole` (undisturbed, in
    `whole_s` seconds), and the rest of the kills is for another round. `steps`: those of the search, by name.

    It works in `whole`'s folder. An older result is there to be replaced: after every kill it must be.
    """
    out, chance, outcome = whole.with_name("killed"), random.Random(seed), Outcome()
    arguments = [*arguments, "--resume", "--force", "--verbose"]
    expected, siblings = content(whole), {path.name for path in whole.parent.iterdir()}
    outcome.files = len(expected)
    while len(outcome.kills) < kills:
        outcome.rounds += 1
        shutil.copytree(whole, out)
        (out / "groups.yaml").write_text("# an older result\n", encoding="utf-8")
        older = content(out)
        left = kills - len(outcome.kills)
        moments = [(index + chance.random()) / left * whole_s for index in range(left)]
        for moment in moments:
            wait_s = moment - _kept(out, steps)[1]
            kill = _run(arguments, out, max(wait_s, chance.uniform(0.1, 0.5)), steps, outcome.rounds)
            if kill is None:
                break
            outcome.kills.append(kill)
            tell(kill)
            outcome.wrong += _lost(out, older, expected)
        else:
            _run(arguments, out, None, steps, outcome.rounds)
        found = content(out)
        outcome.wrong += [
            f"round {outcome.rounds}: {name} differs"
            for name in sorted(expected.keys() | found.keys())
            if expected.get(name) != found.get(name)
        ]
        shutil.rmtree(out)
        left_over = {path.name for path in whole.parent.iterdir()} - siblings
        outcome.wrong += [f"round {outcome.rounds}: {name} is left" for name in sorted(left_over)]
    return outcome


def _command(arguments: Sequence[str], out: Path) -> list[str]:
    return [sys.executable, "-m", "mix2daw", "recover", *arguments, "--out", str(out)]


def _environment() -> dict[str, str]:
    return {**os.environ, "OMP_WAIT_POLICY": "passive"}


def _run(
    arguments: Sequence[str], out: Path, wait_s: float | None, steps: Sequence[str], number: int
) -> Kill | None:
    """Run for so long (None: to the end), and kill it; None if it ended before. CalledProcessError if it
    failed."""
    said = out.with_name("said.txt")
    begun = time.monotonic()
    with said.open("wb") as file:
        process = subprocess.Popen(
            _command(arguments, out), env=_environment(), stdout=subprocess.DEVNULL, stderr=file
        )
        while process.poll() is None and (wait_s is None or time.monotonic() - begun < wait_s):
            time.sleep(OFTEN_S)
        ended = process.poll()
        process.send_signal(signal.SIGKILL)
        process.wait()
    lines = said.read_text(encoding="utf-8").splitlines()
    said.unlink()
    if ended is not None:
        if ended:
            raise subprocess.CalledProcessError(ended, process.args, stderr="\n".join(lines))
        return None
    done = _kept(out, steps)[0]
    return Kill(number, time.monotonic() - begun, _within(lines, steps, done), done)


def _kept(out: Path, steps: Sequence[str]) -> tuple[int, float]:
    """Steps of the search that are kept, and the seconds that they took."""
    try:
        kept = json.loads((out.with_name(f".{out.name}.work") / STATE_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return 0, 0.0
    return min(int(kept["done"]), len(steps)), float(kept["elapsed_s"])


def _within(lines: Sequence[str], steps: Sequence[str], done: int) -> str:
    """What a process was about, by the stages that it told are over, and by the steps that are kept."""
    over = [line.split(": ")[1] for line in lines if re.match(r"mix2daw: [A-Za-z ]+: [\d.]+ s", line)]
    if not over:
        return "Reading"
    if done < len(steps):
        return steps[done]
    place = AFTER_SEARCH.index(over[-1]) + 1 if over[-1] in AFTER_SEARCH else 0
    return AFTER_SEARCH[min(place, len(AFTER_SEARCH) - 1)]


def _lost(out: Path, older: dict[str, bytes], new: dict[str, bytes]) -> list[str]:
    """What is wrong right after a kill: neither the older result nor the new one is there as a whole."""
    here = [out, *out.parent.glob(f".{out.name}.*.old")]
    if any(folder.is_dir() and content(folder) in (older, new) for folder in here):
        return []
    return ["after a kill there was neither the old nor the new result"]
