"""Leaving out what is not heard: the hybrid of two strategies, as Lee et al. (arXiv 2509.15948) have it.

- dry/wet: per type of device, those whose dry/wet weight matters least to first order (one backward pass)
  are left out together, a tenth of the type at first, half as many after a failure; a type whose single
  weakest device is needed leaves the round.
- brute force: every device alone, in random order.

A trial is kept while La stays below the best La seen plus the tolerance.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from mix2daw.controls import Controls, Key, params_of
from mix2daw.graph import Graph
from mix2daw.play import play
from mix2daw.search.excerpts import TrainingExcerpt
from mix2daw.search.judge import SETTINGS, Judge

FIRST_SHARE = 0.1
DB_PER_NEPER = 20 / math.log(10)

Heard = Callable[[Judge], None]


def saliency(
    graph: Graph, controls: Controls, excerpts: Sequence[TrainingExcerpt], keys: Sequence[Key]
) -> dict[Key, float]:
    """How much La would rise if each of `keys` were left out, to first order around the graph as it is."""
    leaves: dict[str, Tensor] = {}
    saved_wet, saved_raw = dict(controls.wet), {t: dict(table) for t, table in controls.raw.items()}
    try:
        for type_, wet in saved_wet.items():
            if type_ in (*SETTINGS, "send"):
                name = params_of(type_)[0].name
                leaves[type_] = saved_raw[type_][name].detach().clone().requires_grad_(True)
                controls.raw[type_][name] = leaves[type_]
            else:
                leaves[type_] = wet.detach().clone().requires_grad_(True)
                controls.wet[type_] = leaves[type_]
        for excerpt in excerpts:
            mix = play(graph, controls, excerpt.sources).out[graph.master.name]
            loss: Tensor = excerpt.spectral(mix[:, excerpt.skip :])["full"] / len(excerpts)
            loss.backward()
    finally:
        controls.wet, controls.raw = saved_wet, saved_raw
    result = {}
    for key in keys:
        leaf = leaves[key.type]
        slope = 0.0 if leaf.grad is None else float(leaf.grad[controls.rows[key.type][key]])
        if key.type in SETTINGS:
            param = params_of(key.type)[0]
            rest = float(param.to_raw(torch.tensor(param.rest)))
            result[key] = slope * (rest - float(leaf[controls.rows[key.type][key]]))
        elif key.type == "send":
            result[key] = -slope * DB_PER_NEPER / params_of("send")[0].step
        else:
            result[key] = -slope
        if not math.isfinite(result[key]):
            result[key] = math.inf
    return result


def dry_wet_round(
    judge: Judge, limit: Callable[[], float], weight: dict[Key, float], heard: Heard
) -> None:
    """One round of the dry/wet strategy. `limit()` is the La that may not be reached."""
    pool = sorted({key.type for key in weight})
    share = dict.fromkeys(pool, FIRST_SHARE)
    while pool:
        for type_ in list(pool):
            left = sorted((k for k in judge.candidates() if k.type == type_ and k in weight),
                          key=lambda k: (weight[k], k))
            if not left:
                pool.remove(type_)
                continue
            count = max(1, round(share[type_] * len(left)))
            trial = judge.without(left[:count])
            if trial.score < limit():
                judge.accept(trial)
                share[type_] = min(0.5, 2 * share[type_])
            elif count == 1:
                pool.remove(type_)
            else:
                share[type_] /= 2
            heard(judge)


def brute_force_round(
    judge: Judge, limit: Callable[[], float], generator: random.Random, heard: Heard
) -> None:
    """Every device alone, in random order."""
    keys = judge.candidates()
    generator.shuffle(keys)
    for key in keys:
        trial = judge.without([key])
        if trial.score < limit():
            judge.accept(trial)
        heard(judge)
