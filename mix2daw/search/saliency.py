"""How much each device seems to matter: one backward pass per excerpt, no trial.

To first order, leaving a device out changes the loss by −∂L/∂w (w: its dry/wet weight), a send by the way of
its amplitude to nothing, a fader or pan by its way to rest. Near an optimum these changes cancel over the
song, not within it: what counts is their size in each excerpt, averaged.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from mix2daw.controls import SETTINGS, Controls, Key, params_of
from mix2daw.graph import Graph
from mix2daw.play import play
from mix2daw.search.excerpts import TrainingExcerpt

NEPER_DB = 20 / math.log(10)


def saliency(graph: Graph, controls: Controls, excerpts: Sequence[TrainingExcerpt]) -> dict[Key, float]:
    """Mean magnitude of the first-order change of La, per insert, send, fader and pan: if it went, or, of an
    insert that is all dry, if it came."""
    watched: dict[str, Tensor] = {}
    for type_ in controls.rows:
        if type_ in (*SETTINGS, "send"):
            table, name = controls.raw[type_], params_of(type_)[0].name
            watched[type_] = table[name] = table[name].detach().requires_grad_(True)
        else:
            watched[type_] = controls.wet[type_] = controls.wet[type_].detach().requires_grad_(True)
    total = {type_: torch.zeros_like(leaf) for type_, leaf in watched.items()}
    try:
        for excerpt in excerpts:
            mix = play(graph, controls, excerpt.sources).out[graph.master.name][:, excerpt.skip :]
            slopes = torch.autograd.grad(
                excerpt.spectral(mix)["full"], list(watched.values()), allow_unused=True
            )
            for (type_, leaf), slope in zip(watched.items(), slopes, strict=True):
                if slope is not None:
                    total[type_] += (slope * _way(type_, leaf.detach())).abs()
    finally:
        for type_, leaf in watched.items():
            if type_ in (*SETTINGS, "send"):
                controls.raw[type_][params_of(type_)[0].name] = leaf.detach()
            else:
                controls.wet[type_] = leaf.detach()
    # Of what is no number nothing is known: it is tried last.
    return {
        key: float(total[type_][row].nan_to_num(math.inf)) / len(excerpts)
        for type_, rows in controls.rows.items()
        for key, row in rows.items()
    }


def _way(type_: str, leaf: Tensor) -> Tensor:
    """From where a control is to where its device does nothing (or, if it does, everything), in units of the
    leaf."""
    if type_ not in (*SETTINGS, "send"):
        return torch.where(leaf > 0, leaf, 1.0)
    param = params_of(type_)[0]
    if type_ == "send":
        return torch.full_like(leaf, NEPER_DB / param.step)
    return leaf - param.to_raw(torch.full_like(leaf, param.rest))
