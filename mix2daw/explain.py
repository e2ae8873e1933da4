"""What is missing: how much closer to the mix a console would come if one strip had one free device more.

For every strip, three devices that no console has, each solved in closed form from what the console leaves
of the mix: a free linear filter (an equalizer of any shape), a free gain over time (any compressor, any
ride), a free reverb tail (any response from 20 ms on). Each fall of La is an upper bound of what a real
device of that kind could bring, by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from mix2daw.controls import Controls
from mix2daw.graph import Graph
from mix2daw.loss import SongScore
from mix2daw.mixdown import read_impulses, read_sources
from mix2daw.play import play
from mix2daw.processors import PROCESSORS, checked_graph
from mix2daw.reopen import read_mix
from mix2daw.search.deconvolution import Deconvolution, Stretch
from mix2daw.search.least_squares import least_squares, mid_side_columns
from mix2daw.search.whitening import WHITENING

FILTER_SIZE = 4096
GAIN_SIZE, GAIN_RIDGE, GAIN_LOW, GAIN_HIGH = 4096, 0.3, -0.9, 3.0
TAIL_S, TAIL_FROM_S = 1.5, 0.02

Kind = Literal["filter", "gain", "reverb"]


@dataclass(frozen=True)
class Missing:
    """`strip` with a free device of `kind`: by how much La would fall at most."""

    strip: str
    kind: Kind
    la_fall: float


@dataclass(frozen=True)
class Explanation:
    """`la` of the console against the mix on the stretches that are scored, and what is missing, the largest
    fall first."""

    la: float
    missing: tuple[Missing, ...]


def explain(graph: Graph, controls: Controls, sources: Mapping[str, Tensor], target: Tensor) -> Explanation:
    """Rank what is missing. `sources`: per track, on the time line of the song; `target` `(2, samples)`."""
    score = SongScore(target, graph.sample_rate, min(graph.sample_rate, target.shape[1] // 4))
    with torch.no_grad():
        signals = play(graph, controls, sources)
        render = signals.out[graph.master.name]
        rest = target - render
        now = float(score(render).mean())
        found = []
        for strip in graph.strips:
            signal = signals.out[strip.name]
            if not bool(signal.any()):
                continue
            additions: dict[Kind, Tensor] = {
                "filter": free_filter(signal, rest),
                "gain": free_gain(signal, rest, target),
                "reverb": free_tail(signal, rest, target, graph.sample_rate),
            }
            for kind, addition in additions.items():
                fall = now - float(score(render + addition).mean())
                found.append(Missing(strip.name, kind, max(0.0, fall)))
    found.sort(key=lambda missing: (-missing.la_fall, missing.strip, missing.kind))
    return Explanation(now, tuple(found))


def explain_graph(graph: Graph, folder: Path, mix: Path | None = None) -> Explanation:
    """What is missing in a graph; sources lie relative to `folder`, and so does the mix if none is given.

    Raises InputError if there is no mix, or if it is not as long as the graph, FormatError, GraphError.
    """
    graph = checked_graph(graph, PROCESSORS)
    target = torch.from_numpy(read_mix(graph, folder, mix))
    controls = Controls(graph, read_impulses(graph, folder))
    return explain(graph, controls, read_sources(graph, folder), target)


def free_filter(signal: Tensor, rest: Tensor) -> Tensor:
    """What of `rest` any linear filter on `signal` (both `(2, samples)`) would add, `(2, samples)`."""
    columns, owner = mid_side_columns([signal])
    response = least_squares(columns, owner, rest, FILTER_SIZE).response
    spectra = torch.stack([_stft(column, FILTER_SIZE) for column in columns])
    return torch.stack(
        [
            _inverse((spectra * response[:, :, channel].T[:, :, None]).sum(0), FILTER_SIZE, signal.shape[1])
            for channel in range(2)
        ]
    )


def free_gain(signal: Tensor, rest: Tensor, target: Tensor) -> Tensor:
    """What of `rest` any gain over time on `signal` would add: one gain per frame of some 20 ms, the same on
    both channels, from errors that are whitened by the mix."""
    spectra, rests, mixes = (
        torch.stack([_stft(x[channel], GAIN_SIZE) for channel in range(2)]) for x in (signal, rest, target)
    )
    white = mixes.abs().square().mean((0, 2))[:, None] ** WHITENING
    weight = 1 / (white + 1e-6 * white.max() + torch.finfo(torch.float32).tiny)
    inner = (weight * (spectra.conj() * rests).real).sum((0, 1))
    power = (weight * spectra.abs().square()).sum((0, 1))
    change = inner / (power + GAIN_RIDGE * power.mean() + torch.finfo(torch.float32).tiny)
    change = change.clamp(GAIN_LOW, GAIN_HIGH)
    return torch.stack([_inverse(x * change, GAIN_SIZE, signal.shape[1]) for x in spectra])


def free_tail(signal: Tensor, rest: Tensor, target: Tensor, sample_rate: int) -> Tensor:
    """What of `rest` any reverb tail of `signal` would add."""
    feed = signal.mean(0, keepdim=True)
    taps = min(round(TAIL_S * sample_rate), signal.shape[1] // 2)
    problem = Deconvolution([Stretch(feed, rest, target)], sample_rate, taps)
    problem.prior[: round(TAIL_FROM_S * sample_rate)] = 0
    response = problem.solve_impulse(np.ones(1))
    return problem.played(np.ones(1), response)[0][:, : signal.shape[1]]


def _stft(signal: Tensor, size: int) -> Tensor:
    spectrum: Tensor = torch.stft(
        signal, size, size // 4, window=torch.hann_window(size), return_complex=True, pad_mode="constant"
    )
    return spectrum


def _inverse(spectrum: Tensor, size: int, samples: int) -> Tensor:
    signal: Tensor = torch.istft(spectrum, size, size // 4, window=torch.hann_window(size), length=samples)
    return signal
