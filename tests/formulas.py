"""Computes the formulas of docs/processors.md as they are written there, with nothing of the processors.

A block is a run of indented lines, each `name = expression` or `name[n] = expression`. Lines without an `[n]`
are computed once, in order; the others for every sample, in order. A line that looks ahead, with an
`[n + …]`, is computed when all others are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIGNS = {"·": "*", "−": "-", "√": "sqrt", "^": "**", "≥": ">=", "π": "pi", ", else": " else"}
FUNCTIONS: dict[str, Any] = {
    name: getattr(math, name) for name in ("sin", "cos", "tan", "sqrt", "exp", "log10", "floor", "pi")
} | {"min": min, "max": max, "abs": abs, "round": round, "__builtins__": {}}
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Block:
    """Formulas, and the paragraph above them."""

    caption: str
    lines: tuple[str, ...]

    def having(self, *others: str) -> Block:
        """The block with other lines in place of those for the same names."""
        new = {_sides(line)[0]: line for line in others}
        return Block(self.caption, tuple(new.get(_sides(line)[0], line) for line in self.lines))


class Signal(dict[int, float]):
    """Samples by their numbers; 0 where there is none."""

    def __missing__(self, n: int) -> float:
        return 0.0


def section(document: str, title: str) -> str:
    """What stands under a heading of the second level."""
    (found,) = re.findall(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", document, re.DOTALL | re.MULTILINE)
    return str(found)


def blocks(text: str) -> list[Block]:
    """The blocks of formulas of a section, in order."""
    found: list[Block] = []
    caption: list[str] = []
    for paragraph in text.strip("\n").split("\n\n"):
        lines = paragraph.splitlines()
        if all(line.startswith("    ") for line in lines):
            found.append(Block(" ".join(caption), tuple(line.strip() for line in lines)))
        else:
            caption = lines
    return found


def computed(block: Block, samples: int, beyond: int = 0, **given: float | Array) -> dict[str, Any]:
    """Every name of a block with its value: a number, or (samples,) for a signal. `given`: controls and input
    signals by name; `beyond`: samples behind the end that others look ahead to."""
    names: dict[str, Any] = dict(FUNCTIONS)
    for line in block.lines:
        names.update({name: Signal() for name in re.findall(r"(\w+)\[", line)})
    for name, value in given.items():
        names[name] = Signal(enumerate(value.tolist())) if isinstance(value, np.ndarray) else value
    names["total"] = _total(names)
    once = [line for line in block.lines if "[n]" not in _sides(line)[0]]
    each = [line for line in block.lines if line not in once]
    ahead = [line for line in each if "[n +" in line]
    _run(once, names)
    steps = (([line for line in each if line not in ahead], samples + beyond), (ahead, samples))
    for lines, count in steps:
        code = compile("\n".join(map(python, lines)), "formulas", "exec")
        for n in range(count):
            names["n"] = n
            exec(code, names)
    made = {_sides(line)[0].split("[")[0] for line in block.lines}
    return {
        name: np.array([names[name][n] for n in range(samples)])
        if isinstance(names[name], Signal)
        else names[name]
        for name in made
    }


def python(line: str) -> str:
    """A formula in Python."""
    for sign, word in SIGNS.items():
        line = line.replace(sign, word)
    line = re.sub(r"\|([^|]+)\|", r"abs(\1)", line)
    return re.sub(r"Σ (.+?)(?= \+ Σ|$)", r"total(lambda i: \1)", line)


def _run(lines: Iterable[str], names: dict[str, Any]) -> None:
    for line in lines:
        exec(python(line), names)


def _sides(line: str) -> Sequence[str]:
    return line.split(" = ", 1)


def _total(names: dict[str, Any]) -> Callable[[Callable[[int], float]], float]:
    """Σ over i: all taps of h."""
    taps = max((len(value) for name, value in names.items() if name.startswith("h_")), default=0)
    return lambda term: math.fsum(term(i) for i in range(taps))
