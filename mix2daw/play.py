"""Graph and controls → the signals of every strip, in torch, level by level."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import torch
from torch import Tensor

from mix2daw.controls import Controls, Key
from mix2daw.dsp.rows import there
from mix2daw.graph import Graph, Strip
from mix2daw.level import Batch, Signals, Sum, play_level


def downstream(graph: Graph, name: str) -> set[str]:
    """The strip and every strip that hears it."""
    heard = {name}
    for level in graph.levels():
        for strip in level:
            if strip.name in heard:
                heard |= {target for target in (strip.output, *(s.target for s in strip.sends)) if target}
    return heard


def _parts(
    feeders: Iterable[Strip], strip: Strip, signals: Signals, bypass: Collection[Key]
) -> dict[Key, Tensor]:
    """The signals that feed a group, return or master. `feeders`: all strips in the order in which they play
    (the pedalboard engine's, so that both round alike)."""
    parts = {}
    for feeder in feeders:
        for send in feeder.sends:
            key = Key(feeder.name, "send", send.target)
            if send.target == strip.name and key not in bypass:
                parts[key] = (signals.out if send.tap == "post" else signals.pre)[feeder.name]
        if feeder.output == strip.name:
            parts[Key(feeder.name, "output")] = signals.out[feeder.name]
    return parts


def _sum(parts: Mapping[Key, Tensor], controls: Controls, known: Sum | None, silence: Tensor) -> Sum:
    """Parts added up. From a sum that is `known` only what has changed is taken out and put in: a fraction
    of the additions, which rounds otherwise."""

    def weighted(key: Key, part: Tensor) -> Tensor:
        return part.expand(2, -1) * controls.sends_lin([key]) if key.type == "send" else part

    total: Tensor | None = None
    if known is not None:
        total = known.total
        for key, part in known.parts.items():
            if parts.get(key) is not part:
                total = total - weighted(key, part)
    for key, part in parts.items():
        if known is None or known.parts.get(key) is not part:
            total = weighted(key, part) if total is None else total + weighted(key, part)
    return Sum(silence if total is None else total, parts)


def _inputs(
    strips: Sequence[Strip],
    order: Sequence[Strip],
    batches: Sequence[Batch],
    signals: Signals,
    controls: Controls,
    bypass: Collection[Key],
) -> dict[str, Tensor]:
    """Inputs of groups, returns and the master, where gradients are wanted: one product per batch of feeders.

    It rounds otherwise than `_sum`, and costs a fraction of it forwards and backwards.
    """
    row = {strip.name: index for index, strip in enumerate(strips)}
    sends = [
        (Key(feeder.name, "send", send.target), send.tap)
        for feeder in order
        for send in feeder.sends
        if send.target in row and Key(feeder.name, "send", send.target) not in bypass
    ]
    nothing = torch.zeros(0, device=controls.device)
    level_lin = controls.sends_lin([key for key, _ in sends]) if sends else nothing
    totals: list[Tensor] = []
    for batch in batches:
        place = {name: index for index, name in enumerate(batch.names)}
        whole = [(row[f.output], place[f.name]) for f in order if f.output in row and f.name in place]
        part = [(i, key) for i, (key, tap) in enumerate(sends) if tap == "post" and key.strip in place]
        if not whole and not part:
            continue
        cells = [*whole, *((row[key.which], place[key.strip]) for _, key in part)]
        chosen = there([i for i, _ in part], torch.long, controls.device)
        values = torch.cat([torch.ones(len(whole), device=controls.device), level_lin[chosen]])
        index = there(cells, torch.long, controls.device).T
        matrix = torch.zeros(len(row), len(place), device=controls.device)
        matrix = matrix.index_put((index[0], index[1]), values, accumulate=True)
        totals.append((matrix @ batch.signal.flatten(1)).reshape(len(row), *batch.signal.shape[1:]))
    found = dict(zip(row, sum(totals[1:], totals[0]).unbind(0), strict=True)) if totals else {}
    for i, (key, tap) in enumerate(sends):
        if tap == "pre":
            part_of = signals.pre[key.strip].expand(2, -1) * level_lin[i]
            found[key.which] = found[key.which] + part_of if key.which in found else part_of
    return found


def play(
    graph: Graph,
    controls: Controls,
    sources: Mapping[str, Tensor],
    *,
    bypass: Collection[Key] = frozenset(),
    known: Signals | None = None,
    changed: Collection[str] | None = None,
) -> Signals:
    """Play a graph.

    `sources`: `(1 or 2, samples)` per track, on the controls' device. `bypass`: inserts to leave out, sends
    to leave silent.
    `known` and `changed`: reuse the signals of an earlier call, with sends at the same levels, for all strips
    but those `changed`; what others feed then rounds otherwise.
    The mix is `signals.out[graph.master.name]`, `(2, samples)`.
    """
    signals = Signals(dict(known.pre), dict(known.out), dict(known.into)) if known else Signals()
    silence = torch.zeros(2, next(iter(sources.values())).shape[-1], device=controls.device)
    levels = graph.levels()
    order = [strip for level in levels for strip in level]
    learning, batches = controls.learning and known is None, list[Batch]()
    for level in levels:
        strips = tuple(s for s in level if changed is None or s.name in changed)
        if not strips:
            continue
        busses = tuple(strip for strip in strips if strip.kind != "track")
        summed = _inputs(busses, order, batches, signals, controls, bypass) if learning and busses else {}
        inputs: dict[str, Tensor] = {}
        for strip in strips:
            if strip.kind == "track":
                inputs[strip.name] = sources[strip.name]
                continue
            if learning:
                inputs[strip.name] = summed.get(strip.name, silence)
            else:
                parts = _parts(order, strip, signals, bypass)
                heard = _sum(parts, controls, signals.into.get(strip.name), silence)
                signals.into[strip.name] = heard
                inputs[strip.name] = heard.total
        played = play_level(strips, inputs, controls, graph.sample_rate, bypass)
        signals.pre.update(played.pre)
        signals.out.update(played.out)
        batches += played.batches if learning else ()
    return signals
