"""The impulse responses of a project, each with an effect of its own that plays it."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mix2daw.graph import Graph
from mix2daw.stems import read_impulse

MEMORY_ITEMS = 8 << 20  # what REAPER gives an effect that does not ask for more
_PAGE_ITEMS = 65536
_LINE_S = 0.25
_SIZES = ((4096, 4096, None), (256, 256, 4096), (32, 32, 256))  # samples of a block, its first and last tap


@dataclass(frozen=True)
class Impulse:
    """An impulse response (2 or 4, taps) at the rate of the project. `digest`: what tells it from others."""

    digest: str
    signal: NDArray[np.float32]


def read_impulses(graph: Graph, graph_folder: Path) -> dict[str, Impulse]:
    """Path in the graph -> impulse response. Raises InputError for one that cannot be read."""
    found = {}
    for path in graph.impulses():
        signal = read_impulse(graph_folder / path, graph.sample_rate)
        content = f"{graph.sample_rate} {signal.shape[0]} ".encode() + signal.tobytes()
        found[path] = Impulse(hashlib.sha256(content).hexdigest()[:12], signal)
    return found


def memory_items(impulse: Impulse, sample_rate: int) -> int:
    """How much memory the effect takes for it, in numbers; the effect lays it out in its `@init`."""
    channels, taps = impulse.signal.shape
    inputs = channels // 2
    items = _PAGE_ITEMS + 4 * 4096
    for block, start, end in _SIZES:
        parts = max(0, math.ceil((min(taps, end or taps) - start) / block))
        items += 4 * block * (2 * inputs * parts + 2) + 2 * block * inputs + 2 * block
    return items + 2 * (math.ceil(1000 * _LINE_S * (sample_rate / 1000)) + 1)
