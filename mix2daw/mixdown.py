"""A whole song by the torch engine, in little memory; reading of what a graph refers to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mix2daw.controls import Controls, Key
from mix2daw.graph import Graph
from mix2daw.level import play_level
from mix2daw.source import read_source
from mix2daw.stems import read_impulse

SAMPLES_AT_ONCE = 1 << 24  # of all strips that `mix_down` plays together


def mix_down(graph: Graph, controls: Controls, sources: Mapping[str, Tensor]) -> Tensor:
    """The mix, `(2, samples)`, as `play` plays it without gradients, bit for bit, but in less memory: a few
    strips at a time, and none is kept once it is in the sums that it feeds."""
    sums: dict[str, Tensor] = {}
    mix = torch.zeros(2, graph.length_samples, device=controls.device)

    def add(target: str, signal: Tensor) -> None:
        sums[target] = sums[target] + signal if target in sums else signal

    together = max(1, SAMPLES_AT_ONCE // graph.length_samples)
    for level in graph.levels():
        for first in range(0, len(level), together):
            strips = level[first : first + together]
            inputs = {
                s.name: sources[s.name] if s.kind == "track" else sums.pop(s.name, None) for s in strips
            }
            playing = {
                name: torch.zeros_like(mix) if signal is None else signal for name, signal in inputs.items()
            }
            signals = play_level(strips, playing, controls, graph.sample_rate)
            for strip in strips:
                out = signals.out[strip.name]
                for send in strip.sends:
                    level_lin = controls.sends_lin([Key(strip.name, "send", send.target)])
                    tap = out if send.tap == "post" else signals.pre[strip.name]
                    add(send.target, tap.expand(2, -1) * level_lin)
                if strip.output is None:
                    mix = out
                else:
                    add(strip.output, out)
    return mix


def place(signal: Tensor, offset_samples: int, length_samples: int) -> Tensor:
    """The signal on the time line of the song: shifted by its offset, cut and padded to the length."""
    if offset_samples < 0:
        signal = signal[:, -offset_samples:]
    start = min(length_samples, max(0, offset_samples))
    signal = signal[:, : max(0, length_samples - start)]
    return torch.nn.functional.pad(signal, (start, length_samples - start - signal.shape[1]))


class _Sources(Mapping[str, Tensor]):
    """The audio of every track, on the time line of the song, read whenever it is asked for; silence for a
    muted one."""

    def __init__(self, graph: Graph, folder: Path) -> None:
        self._graph, self._folder = graph, folder
        self._tracks = {strip.name: strip for strip in graph.of_kind("track")}

    def __getitem__(self, name: str) -> Tensor:
        strip, graph = self._tracks[name], self._graph
        if strip.muted:
            return torch.zeros(strip.channels, graph.length_samples)
        audio = read_source(strip, self._folder, graph.sample_rate)
        return place(torch.from_numpy(audio), strip.offset_samples, graph.length_samples)

    def __iter__(self) -> Iterator[str]:
        return iter(self._tracks)

    def __len__(self) -> int:
        return len(self._tracks)


def read_sources(graph: Graph, folder: Path) -> dict[str, Tensor]:
    """The audio of every track, on the time line of the song; silence for a muted one."""
    return dict(_Sources(graph, folder))


def read_impulses(graph: Graph, folder: Path) -> dict[str, Tensor]:
    """The impulse responses of a graph by path, `(2 or 4, taps)` at its sample rate; paths are relative to
    `folder`. Raises InputError for a file that is missing or of other channels."""
    return {
        path: torch.from_numpy(read_impulse(folder / path, graph.sample_rate)) for path in graph.impulses()
    }


def render_torch(graph: Graph, folder: Path) -> NDArray[np.float32]:
    """The whole song by the torch engine, `(2, samples)`; sources and impulse responses are relative to
    `folder`."""
    controls = Controls(graph, read_impulses(graph, folder))
    with torch.no_grad():
        mix: NDArray[np.float32] = mix_down(graph, controls, _Sources(graph, folder)).numpy()
    return mix
