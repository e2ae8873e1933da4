"""Graph and controls → audio, in torch.

Strips of one level of the graph are played together: one batched call per processor. A signal is
`(channels, samples)` float32; a mono source stays on one channel until something needs two.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mix2daw.controls import Controls, Key, device_keys
from mix2daw.dsp.rows import may_hold
from mix2daw.graph import Graph, Strip
from mix2daw.processors import PROCESSORS
from mix2daw.stems import read_audio, read_impulse


@dataclass
class Signals:
    """What each strip plays: `pre` its fader (for pre sends) and `out` of it."""

    pre: dict[str, Tensor] = field(default_factory=dict)
    out: dict[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class _Batch:
    """Signals of some strips as one tensor; strips leave it when they are processed elsewhere."""

    names: tuple[str, ...]
    signal: Tensor  # (strips, channels, samples)

    @functools.cached_property
    def _rows(self) -> tuple[Tensor, ...]:
        # All at once: the gradient of every single indexing would be a whole batch of zeros.
        return self.signal.unbind(0)

    def row(self, name: str) -> Tensor:
        return self._rows[self.names.index(name)]


class _Level:
    """The strips of one level on their way through their devices."""

    def __init__(self, inputs: Mapping[str, Tensor]) -> None:
        self.of: dict[str, _Batch] = {}
        for channels in (1, 2):
            names = tuple(name for name, signal in inputs.items() if signal.shape[0] == channels)
            if names:
                self._put(names, torch.stack([inputs[name] for name in names]))

    def _put(self, names: tuple[str, ...], signal: Tensor) -> None:
        batch = _Batch(names, signal)
        self.of.update(dict.fromkeys(names, batch))

    def channels(self, name: str) -> int:
        return self.of[name].signal.shape[1]

    def gather(self, names: tuple[str, ...]) -> Tensor:
        """One tensor of the given strips, without a copy where they already are one."""
        batch = self.of[names[0]]
        if batch.names == names and all(self.of[name] is batch for name in names):
            return batch.signal
        return torch.stack([self.of[name].row(name) for name in names])

    def process_channels(self, keys: tuple[Key, ...], controls: Controls, sample_rate: int) -> None:
        """Run a processor that hears every channel alone over strips of one and of two channels at once."""
        processor = PROCESSORS[keys[0].type]
        by_count = [tuple(key for key in keys if self.channels(key.strip) == count) for count in (1, 2)]
        signals = [self.gather(tuple(key.strip for key in some)) for some in by_count]
        rows = torch.cat([signal.flatten(0, 1) for signal in signals])[:, None]
        doubled = (*by_count[0], *(key for key in by_count[1] for _ in range(2)))
        done = _blended(
            rows, processor.process(rows, sample_rate, **controls.human(doubled)), controls, doubled
        )
        for some, part in zip(by_count, done.split([len(s.flatten(0, 1)) for s in signals]), strict=True):
            self._put(tuple(key.strip for key in some), part.reshape(len(some), -1, part.shape[-1]))

    def process(self, keys: tuple[Key, ...], controls: Controls, sample_rate: int) -> None:
        """Run one processor over some strips, of equal channel count if it is not one of channels."""
        processor = PROCESSORS[keys[0].type]
        names = tuple(key.strip for key in keys)
        if len({self.channels(name) for name in names}) > 1:
            self.process_channels(keys, controls, sample_rate)
            return
        signal = self.gather(names)
        if processor.stereo and signal.shape[1] == 1:
            signal = signal.expand(-1, 2, -1).contiguous()
        impulse = (controls.impulse_of(keys),) if processor.impulse else ()
        wet_signal = processor.process(signal, sample_rate, *impulse, **controls.human(keys))
        self._put(names, _blended(signal, wet_signal, controls, keys))

    def apply_gains(self, strips: tuple[Strip, ...], controls: Controls, sample_rate: int) -> None:
        """Fader and pan of all strips; the result is stereo."""
        by_channels = [
            tuple(strip.name for strip in strips if self.channels(strip.name) == channels)
            for channels in (1, 2)
        ]
        for names in filter(None, by_channels):
            unity = torch.ones(len(names), 2, 1, device=controls.device)
            level = PROCESSORS["fader"].process(
                unity, sample_rate, **controls.human([Key(name, "fader") for name in names])
            )
            panned = [name for name in names if Key(name, "pan") in controls.rows.get("pan", {})]
            if panned:
                pan = PROCESSORS["pan"].process(
                    unity[: len(panned)], sample_rate, **controls.human([Key(name, "pan") for name in panned])
                )
                balance = dict(zip(panned, pan.unbind(0), strict=True))
                level = level * torch.stack([balance.get(name, unity[0]) for name in names])
            self._put(names, self.gather(names) * level)

    def run(
        self,
        pending: dict[str, list[Key]],
        controls: Controls,
        sample_rate: int,
    ) -> None:
        """Run every strip through its devices, the type most strips wait for first."""
        while pending:
            waiting: dict[tuple[str, int], list[str]] = {}
            for name, keys in pending.items():
                alike = 0 if PROCESSORS[keys[0].type].by_channel else self.channels(name)
                waiting.setdefault((keys[0].type, alike), []).append(name)
            names = max(waiting.values(), key=len)
            self.process(tuple(pending[name].pop(0) for name in names), controls, sample_rate)
            pending = {name: keys for name, keys in pending.items() if keys}


def _blended(dry: Tensor, wet: Tensor, controls: Controls, keys: Sequence[Key]) -> Tensor:
    """Wet and dry signals (strips, channels, samples) at the dry/wet weights of their devices."""
    weight = controls.wet_of(keys)
    if not (weight.requires_grad or may_hold(weight != 1)):
        return wet
    return torch.lerp(dry, wet, weight.clamp(0, 1).to(dry.dtype)[:, None, None])


def downstream(graph: Graph, name: str) -> set[str]:
    """The strip and every strip that hears it."""
    heard = {name}
    for level in graph.levels():
        for strip in level:
            if strip.name in heard:
                heard |= {target for target in (strip.output, *(s.target for s in strip.sends)) if target}
    return heard


def _input(
    feeders: Iterable[Strip], strip: Strip, signals: Signals, controls: Controls, bypass: Collection[Key]
) -> Tensor | None:
    """Sum of what feeds a group, return or master; None if nothing does. `feeders`: all strips in the order
    in which they play (the pedalboard engine's, so that both round alike)."""
    parts = []
    for feeder in feeders:
        for send in feeder.sends:
            key = Key(feeder.name, "send", send.target)
            if send.target == strip.name and key not in bypass:
                level_lin = (10 ** (controls.human([key])["level_db"] / 20)).float()
                tap = signals.out if send.tap == "post" else signals.pre
                parts.append(tap[feeder.name].expand(2, -1) * level_lin)
        if feeder.output == strip.name:
            parts.append(signals.out[feeder.name])
    if not parts:
        return None
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _inputs(
    strips: Sequence[Strip],
    order: Sequence[Strip],
    batches: Sequence[_Batch],
    signals: Signals,
    controls: Controls,
    bypass: Collection[Key],
) -> dict[str, Tensor]:
    """Inputs of groups, returns and the master, where gradients are wanted: one product per batch of feeders.

    It rounds otherwise than `_input`, and costs a fraction of it forwards and backwards.
    """
    row = {strip.name: index for index, strip in enumerate(strips)}
    sends = [
        (Key(feeder.name, "send", send.target), send.tap)
        for feeder in order
        for send in feeder.sends
        if send.target in row and Key(feeder.name, "send", send.target) not in bypass
    ]
    level_lin = (
        (10 ** (controls.human([key for key, _ in sends])["level_db"] / 20)).float()
        if sends
        else torch.zeros(0, device=controls.device)
    )
    totals: list[Tensor] = []
    for batch in batches:
        place = {name: index for index, name in enumerate(batch.names)}
        whole = [(row[f.output], place[f.name]) for f in order if f.output in row and f.name in place]
        part = [(i, key) for i, (key, tap) in enumerate(sends) if tap == "post" and key.strip in place]
        if not whole and not part:
            continue
        cells = [*whole, *((row[key.which], place[key.strip]) for _, key in part)]
        chosen = torch.tensor([i for i, _ in part], dtype=torch.long).to(controls.device, non_blocking=True)
        values = torch.cat([torch.ones(len(whole), device=controls.device), level_lin[chosen]])
        index = torch.tensor(cells).T.to(controls.device, non_blocking=True)
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
    `known` and `changed`: reuse the signals of an earlier call for all strips but those `changed`.
    The mix is `signals.out[graph.master.name]`, `(2, samples)`.
    """
    signals = Signals(dict(known.pre), dict(known.out)) if known else Signals()
    silence = torch.zeros(2, next(iter(sources.values())).shape[-1], device=controls.device)
    levels = graph.levels()
    order = [strip for level in levels for strip in level]
    learning, batches = controls.learning and known is None, list[_Batch]()
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
                total = _input(order, strip, signals, controls, bypass)
                inputs[strip.name] = silence if total is None else total
        batch = _Level(inputs)
        before, after = {}, {}
        for strip in strips:
            keys = [key for key, _ in device_keys(strip)]
            split = len(strip.devices)
            before[strip.name] = [key for key in keys[:split] if key not in bypass]
            after[strip.name] = [key for key in keys[split:] if key not in bypass]
        batch.run({name: keys for name, keys in before.items() if keys}, controls, graph.sample_rate)
        for strip in strips:
            if any(send.tap == "pre" for send in strip.sends):
                signals.pre[strip.name] = batch.of[strip.name].row(strip.name)
        batch.apply_gains(strips, controls, graph.sample_rate)
        batch.run({name: keys for name, keys in after.items() if keys}, controls, graph.sample_rate)
        for strip in strips:
            signals.out[strip.name] = batch.of[strip.name].row(strip.name)
        batches += dict.fromkeys(batch.of.values()) if learning else ()
    return signals


def place(signal: Tensor, offset_samples: int, length_samples: int) -> Tensor:
    """The signal on the time line of the song: shifted by its offset, cut and padded to the length."""
    if offset_samples < 0:
        signal = signal[:, -offset_samples:]
    start = min(length_samples, max(0, offset_samples))
    signal = signal[:, : max(0, length_samples - start)]
    return torch.nn.functional.pad(signal, (start, length_samples - start - signal.shape[1]))


def read_sources(graph: Graph, folder: Path) -> dict[str, Tensor]:
    """The audio of every track, on the time line of the song."""
    return {
        strip.name: place(
            torch.from_numpy(read_audio(folder / (strip.source or ""), graph.sample_rate)),
            strip.offset_samples,
            graph.length_samples,
        )
        for strip in graph.of_kind("track")
    }


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
        signals = play(graph, controls, read_sources(graph, folder))
        mix: NDArray[np.float32] = signals.out[graph.master.name].numpy()
    return mix
