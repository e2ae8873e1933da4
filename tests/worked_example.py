"""Follows a document that changes the source: a copy of the source, in which its blocks are put into place.

A block of python becomes the file whose name stands last before it, in backquotes. A diff changes that file:
its lines without `+` must be there, once, and give way to those without `-`. A console is what to run: lines
that begin with `$ `.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("mix2daw", "exporters", "tests", "samples", "docs", "README.md", "pyproject.toml")
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"`([\w./-]+\.\w+)`")


@dataclass(frozen=True)
class CodeBlock:
    """`kind`: the word after the fence; `file`: the last one that is named before it."""

    kind: str
    text: str
    file: str | None


def code_blocks(document: str) -> Iterator[CodeBlock]:
    """Every fenced block, in order."""
    for found in _FENCE.finditer(document):
        before = _FENCE.sub("", document[: found.start()])
        files = _FILE.findall(before)
        yield CodeBlock(found[1], found[2], files[-1] if files else None)


def commands(document: str) -> Iterator[str]:
    """What the consoles of a document run."""
    for block in code_blocks(document):
        if block.kind == "console":
            yield from (line[2:] for line in block.text.splitlines() if line.startswith("$ "))


class Copy:
    """A copy of the source in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                leave = shutil.ignore_patterns("__pycache__", "exporters" if name == "mix2daw" else "")
                shutil.copytree(source, folder / name, ignore=leave)
            else:
                shutil.copyfile(source, folder / name)
        # As in an installed package: the name that it is imported by.
        (folder / "mix2daw" / "exporters").symlink_to(folder / "exporters")

    def follow(self, document: str) -> None:
        """Put every block of a document into place."""
        for block in code_blocks(document):
            if block.kind in ("python", "diff"):
                assert block.file is not None
                path = self.folder / block.file
                if block.kind == "diff":
                    self._change(path, block.text)
                else:
                    assert not path.exists(), f"{block.file} is there already"
                    path.write_text(block.text, encoding="utf-8")

    def replace(self, file: str, before: str, after: str) -> None:
        """Change a text that is in a file once."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert text.count(before) == 1, f"{file} has {text.count(before)} times:\n{before}"
        path.write_text(text.replace(before, after), encoding="utf-8")

    def run(self, *command: str) -> str:
        """What a command prints; it must end well. `python` is this one."""
        environment = {**os.environ, "PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}
        ended = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, f"{shlex.join(command)}\n{ended.stdout}\n{ended.stderr}"
        return ended.stdout

    def _change(self, path: Path, diff: str) -> None:
        lines = diff.splitlines()
        assert all(line[:1] in ("", " ", "+", "-") for line in lines)
        before = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("+"))
        after = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("-"))
        assert before
        self.replace(str(path.relative_to(self.folder)), before, after)
