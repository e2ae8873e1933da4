"""Fuzz one part of mix2daw for a while, guided by its coverage.

    pip install atheris
    python benchmarks/fuzz/run.py TARGET --seconds 600 [--corpus FOLDER]

It does not stop at the first fault: each is told once, by its type and its innermost places, and its input is
kept in the corpus' folder as `fault-N`. The last line is a JSON object: executions, inputs that
reached something new, faults. A hang of 60 s, two GiB of memory, and a crash in a library end the run.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pkgutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

try:
    import atheris
except ImportError:
    sys.exit("atheris is missing: pip install atheris (Linux and macOS)")

from mix2daw import dsp

# First and as it is: numba does not compile what is instrumented.
for module in pkgutil.iter_modules(dsp.__path__, f"{dsp.__name__}."):
    importlib.import_module(module.name)

with atheris.instrument_imports(include=["mix2daw", "yaml", "tomllib", "consoles"]):
    import targets

    from mix2daw.errors import MixError
    from mix2daw.exporters import FORMATS, exporter

    for name in FORMATS:
        exporter(name)

HANG_S, MEMORY_MIB = 60, 2048


class Fuzzer:
    """Runs a target on inputs and counts. `kept`: where inputs that found a fault are written."""

    def __init__(self, target: targets.Target, kept: Path) -> None:
        self.target, self.kept = target, kept
        self.faults: dict[str, int] = {}
        self.executions = self.refused = self.accepted = 0
        self.started = time.monotonic()
        self._folder = tempfile.TemporaryDirectory(prefix="mix2daw-fuzz-", dir=_memory_folder())

    def one(self, data: bytes) -> None:
        """One input."""
        self.executions += 1
        try:
            self.target.run(data, Path(self._folder.name))
            self.accepted += 1
        except MixError as error:
            self.refused += 1
            if "\n" in str(error):
                self._fault(data, f"a message of several lines: {error.what[:80]!r}")
        except Exception as error:
            frames = reversed(traceback.extract_tb(error.__traceback__)[-3:])
            places = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames)
            self._fault(data, f"{type(error).__name__} at {places}: {error!s:.120}")

    def _fault(self, data: bytes, words: str) -> None:
        key = words.split(": ")[0]
        if key not in self.faults:
            path = self.kept / f"fault-{len(self.faults) + 1}"
            path.write_bytes(data)
            sys.stdout.write(f"FAULT {path}: {words}\n")
            sys.stdout.flush()
        self.faults[key] = self.faults.get(key, 0) + 1

    def close(self) -> None:
        """Take the folder of the inputs away."""
        self._folder.cleanup()

    def summary(self) -> dict[str, object]:
        """What was done so far."""
        return {
            "executions": self.executions,
            "accepted": self.accepted,
            "refused": self.refused,
            "seconds": round(time.monotonic() - self.started),
            "faults": self.faults,
        }


def _memory_folder() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Fuzz one part of mix2daw.")
    parser.add_argument("target", choices=[*targets.TARGETS])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--corpus", type=Path, default=None, help="a folder to keep inputs in")
    arguments = parser.parse_args()
    target = targets.TARGETS[arguments.target]
    corpus = arguments.corpus or Path(tempfile.mkdtemp(prefix="mix2daw-corpus-"))
    seeds, kept = corpus / "seeds", corpus / "kept"
    for folder in (seeds, kept):
        folder.mkdir(parents=True, exist_ok=True)
    fuzzer = Fuzzer(target, kept)
    for number, seed in enumerate(target.seeds()):
        (seeds / f"seed-{number}").write_bytes(seed)
        fuzzer.one(seed)  # what is compiled at its first use is compiled here
    before = len([*seeds.iterdir()])
    fuzzer.started = time.monotonic()

    def one(data: bytes) -> None:
        fuzzer.one(data)
        if time.monotonic() - fuzzer.started > arguments.seconds:
            found = len([*seeds.iterdir()]) - before
            record = {"target": arguments.target, "new inputs": found, **fuzzer.summary()}
            sys.stdout.write(f"{json.dumps(record)}\n")
            sys.stdout.flush()
            fuzzer.close()
            os._exit(0)  # libFuzzer has no other end that leaves its last words

    options = [
        f"-timeout={HANG_S}",
        f"-rss_limit_mb={MEMORY_MIB}",
        f"-max_len={target.most_bytes}",
        "-seed=1",
    ]
    options += [f"-artifact_prefix={kept}/"]
    atheris.Setup([sys.argv[0], *options, str(seeds)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
