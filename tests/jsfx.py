"""Plays JSFX effects: their sliders, @init, @slider and @sample, as REAPER does when playback starts."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numba
import numpy as np
from eel2 import Function, Parser, one_spelling
from eel2_host import HOST, opened
from eel2_python import Writer
from numpy.typing import NDArray

PARTS = ("init", "slider", "sample")
MEMORY_CELLS = 8 << 20  # what REAPER gives an effect that does not ask for more
_FILE = re.compile(r"^filename:0,(.+)$", re.MULTILINE)
_SLIDER = re.compile(
    r"slider(?P<number>\d+):(?P<name>\w+)=(?P<rest>[^<]+)<(?P<low>[^,]+),(?P<high>[^,]+),(?P<step>[^,>:{]+)"
    r"(?P<shape>:log)?(\{(?P<choices>[^}]*)\})?>(?P<label>.+)"
)
_PLAY = """
def play(v, m, d, x, y):
    for n in range(x.shape[1]):
        v[0], v[1] = x[0, n], x[1, n]
        f_sample(v, m, d)
        y[0, n], y[1, n] = v[0], v[1]
"""


@dataclass(frozen=True)
class Slider:
    """One slider as its line declares it."""

    number: int
    name: str
    rest: float
    low: float
    high: float
    choices: tuple[str, ...]
    label: str


class Effect:
    """One .jsfx file, compiled. `folder`: where the file lies that it may open."""

    def __init__(self, text: str, folder: Path | None = None) -> None:
        head, *sections = re.split(r"^@", text, flags=re.MULTILINE)
        assert head.startswith("desc:")
        self.sliders = [_slider(line) for line in head.splitlines() if line.startswith("slider")]
        named = _FILE.search(head)
        self._file = opened(folder / named[1] if named and folder else None)
        names = tuple(slider.name for slider in self.sliders)
        self.cells, self._functions = _functions("\n@".join(("", *sections)), names)

    def start(self, sample_rate: int, values: Mapping[str, float]) -> tuple[NDArray[np.float64], ...]:
        """Variables and memory after @init and @slider."""
        v, m = np.zeros(len(self.cells)), np.zeros(MEMORY_CELLS)
        v[self.cells["srate"]] = sample_rate
        settings = {slider.name: slider.rest for slider in self.sliders}
        assert not set(values) - set(settings)
        for name, value in {**settings, **values}.items():
            v[self.cells[name]] = value
        self._functions["f_init"](v, m, self._file)
        self._functions["f_slider"](v, m, self._file)
        return v, m

    def play(
        self, signal: NDArray[Any], sample_rate: int, values: Mapping[str, float]
    ) -> NDArray[np.float64]:
        """`(2, samples)` through the effect, from silence, its latency taken out as the host does."""
        v, m = self.start(sample_rate, values)
        latency = round(v[self.cells["pdc_delay"]])
        x = np.pad(signal.astype(np.float64), ((0, 0), (0, latency)))
        y = np.empty_like(x)
        self._functions["play"](v, m, self._file, x, y)
        return y[:, latency:]


def effect(path: Path) -> Effect:
    """The effect at `path`."""
    text = path.read_text(encoding="utf-8")
    return compiled(text, path.parent if _FILE.search(text) else None)


@functools.cache
def _functions(code: str, sliders: tuple[str, ...]) -> tuple[dict[str, int], dict[str, Any]]:
    """The variables and the functions of a code; effects that differ in their head alone share them."""
    sections = re.split(r"^@", code, flags=re.MULTILINE)[1:]
    one_spelling("\n".join(sections))
    parts = dict(re.match(r"(\w+)[^\n]*\n(.*)", section, re.DOTALL).groups() for section in sections)
    cells = {"spl0": 0, "spl1": 1, "srate": 2, "pdc_delay": 3}
    for name in sliders:
        cells[name] = len(cells)
    functions: dict[str, Function] = {}
    trees = {name: Parser(parts.get(name, ""), functions).program() for name in PARTS}
    texts = [
        Writer(functions, cells).function(name, function.params, function.locals, function.body)
        for name, function in functions.items()
    ]
    texts += [Writer(functions, cells).function(name, [], [], tree) for name, tree in trees.items()]
    space: dict[str, Any] = {"np": np, "math": math, **HOST}
    for text in (*texts, _PLAY):
        exec(text, space)  # the effects are ours
        name = re.match(r"\s*def (\w+)", text)[1]
        space[name] = numba.njit(space[name])
    return cells, space


@functools.cache
def compiled(text: str, folder: Path | None = None) -> Effect:
    """The effect that a text is; the same text is compiled once."""
    return Effect(text, folder)


def _slider(line: str) -> Slider:
    match = _SLIDER.fullmatch(line)
    assert match, line
    choices = tuple(match["choices"].split(",")) if match["choices"] else ()
    numbers = (float(match[key]) for key in ("rest", "low", "high"))
    return Slider(int(match["number"]), match["name"], *numbers, choices, match["label"])
