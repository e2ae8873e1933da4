"""What the console leaves of the mix, beside what the tracks feed into returns."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from mix2daw.controls import Controls, Key
from mix2daw.graph import Graph
from mix2daw.play import play
from mix2daw.processors import PROCESSORS
from mix2daw.search.deconvolution import Stretch
from mix2daw.search.excerpts import listening_starts, stretches
from mix2daw.search.state import State


def residual_stretches(state: State, bypass: frozenset[Key] = frozenset()) -> list[Stretch]:
    """What the tracks feed, what the console (without `bypass`) leaves, and the mix: the whole of a short
    song, the parts of a long one in which the stems are heard."""
    starts, size = listening_starts(state.sources, state.target.shape[1], state.sample_rate)
    found = []
    for start, cut in zip(starts, stretches(state.played, starts, size), strict=True):
        feeds, made = fed_and_made(state, cut, bypass)
        mix = state.target[:, start : start + size].to(feeds.device)
        found.append(Stretch(feeds, mix - made, mix))
    return found


def fed_and_made(
    state: State, sources: Mapping[str, Tensor], bypass: frozenset[Key] = frozenset()
) -> tuple[Tensor, Tensor]:
    """What the tracks feed (tracks, samples), and the mix (2, samples) that the console (without `bypass`)
    makes."""
    with torch.no_grad():
        signals = play(state.graph, state.controls, sources, bypass=bypass)
        feeds = torch.stack([signals.out[strip.name].mean(0) for strip in state.graph.of_kind("track")])
        return _through_master(state.graph, state.controls, feeds), signals.out[state.graph.master.name]


def _through_master(graph: Graph, controls: Controls, feeds: Tensor) -> Tensor:
    """Feeds (tracks, samples) as they would leave the master's equalizer and fader: what a return's sound
    passes too. Its dynamics are left out, they are not linear."""
    master = graph.master
    for index, device in enumerate(master.devices):
        if device.type == "equalizer":
            values = controls.human([Key(master.name, "equalizer", str(index))])
            many = {name: value.expand(len(feeds)) for name, value in values.items()}
            feeds = PROCESSORS["equalizer"].process(feeds[:, None], graph.sample_rate, **many)[:, 0]
    level_db = controls.value(Key(master.name, "fader"), "fader_db")
    return feeds * 10 ** (level_db / 20)
