"""The parts of a graph as mono tracks in 24 bits, each with the gain and the pan that it is summed with."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mix2daw.exporters.names import unique
from mix2daw.exporters.telescope import Sides, parts
from mix2daw.graph import Graph

Samples = NDArray[np.int32]

FULL_SCALE = 1 << 23


@dataclass(frozen=True)
class Print:
    """A mono track that plays a strip or one side of it. `samples`: (samples,), 24-bit integers; `gain_lin`:
    of the clip; `pan`: −1 to 1, a balance at 0 dB."""

    strip: str
    name: str
    samples: Samples
    gain_lin: float
    pan: float


def prints(graph: Graph, folder: Path) -> Iterator[Print]:
    """The tracks, strip by strip; a stereo strip is two, `NAME.L` and `NAME.R`, at the sides. Sources lie
    relative to `folder`. Raises as `render_taps` does."""
    taken: list[str] = []
    for part in parts(graph, folder):
        sides = np.zeros(2) if part.strip.muted else part.sides  # AAF has no mute
        for track, samples, gain_lin, pan in _tracks(part.name, part.signal, sides, taken):
            taken.append(track)
            yield Print(part.strip.name, track, samples, gain_lin, pan)


def _tracks(
    name: str, signal: NDArray[np.float64], sides: Sides, taken: Collection[str]
) -> list[tuple[str, Samples, float, float]]:
    """A signal (1 or 2, samples) as one mono track, or as two at the sides if its channels differ; each with
    its name, samples, gain and pan."""
    samples, scale_lin = _in_24_bits(signal)
    left_lin, right_lin = (float(side) * scale_lin for side in sides)
    if len(samples) == 1 or np.array_equal(samples[0], samples[1]):
        loud_lin = max(left_lin, right_lin)
        pan = 0.0 if loud_lin == 0 else (right_lin - left_lin) / loud_lin
        return [(unique(name, taken), samples[0], loud_lin, pan)]
    # A number that one side needs goes to both, so that they stay a pair.
    bases = [*taken, *(track[:-2] for track in taken if track.endswith((".L", ".R")))]
    pair = unique(name, bases)
    return [(f"{pair}.L", samples[0], left_lin, -1.0), (f"{pair}.R", samples[1], right_lin, 1.0)]


def _in_24_bits(signal: NDArray[np.float64]) -> tuple[Samples, float]:
    """24-bit integers, and what they are to be multiplied by: 1, or a power of two for more than full
    scale."""
    scale_lin = 1.0
    while True:
        samples = np.rint(signal * (FULL_SCALE / scale_lin))
        if samples.min() >= -FULL_SCALE and samples.max() < FULL_SCALE:
            return samples.astype(np.int32), scale_lin
        scale_lin *= 2 ** max(1, math.floor(math.log2(np.abs(samples).max() / FULL_SCALE)))
