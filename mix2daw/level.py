"""Strips of one level of a graph, played together: one batched call per processor.

A signal is `(channels, samples)` float32; a mono source stays on one channel until something needs two.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from mix2daw.controls import Controls, Key, device_keys
from mix2daw.dsp.rows import may_hold
from mix2daw.graph import Strip
from mix2daw.processors import PROCESSORS


@dataclass(frozen=True, eq=False)
class Sum:
    """What a group, a return or the master hears: `total`, and the signals that it was added up from, by send
    or, for whole outputs, by Key(strip, "output")."""

    total: Tensor
    parts: Mapping[Key, Tensor]


@dataclass
class Signals:
    """What each strip plays: `pre` its fader (for pre sends) and `out` of it; `into` the strips that others
    feed."""

    pre: dict[str, Tensor] = field(default_factory=dict)
    out: dict[str, Tensor] = field(default_factory=dict)
    into: dict[str, Sum] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Batch:
    """Signals of some strips as one tensor; strips leave it when they are processed elsewhere."""

    names: tuple[str, ...]
    signal: Tensor  # (strips, channels, samples)

    @functools.cached_property
    def _rows(self) -> tuple[Tensor, ...]:
        # All at once: the gradient of every single indexing would be a whole batch of zeros.
        return self.signal.unbind(0)

    def row(self, name: str) -> Tensor:
        """The signal of one strip."""
        return self._rows[self.names.index(name)]


class _Level:
    """The strips of one level on their way through their devices."""

    def __init__(self, inputs: Mapping[str, Tensor]) -> None:
        self.of: dict[str, Batch] = {}
        for channels in (1, 2):
            names = tuple(name for name, signal in inputs.items() if signal.shape[0] == channels)
            if names:
                self._put(names, torch.stack([inputs[name] for name in names]))

    def _put(self, names: tuple[str, ...], signal: Tensor) -> None:
        batch = Batch(names, signal)
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
        counts = [signal.shape[0] * signal.shape[1] for signal in signals]
        for some, part in zip(by_count, torch.split(done, counts), strict=True):
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


@dataclass
class Played(Signals):
    """The signals of one level, and the tensors that they are rows of."""

    batches: list[Batch] = field(default_factory=list)


def play_level(
    strips: Sequence[Strip],
    inputs: Mapping[str, Tensor],
    controls: Controls,
    sample_rate: int,
    bypass: Collection[Key] = frozenset(),
) -> Played:
    """Play strips that do not feed one another."""
    level, played = _Level(inputs), Played()
    before, after = {}, {}
    for strip in strips:
        keys = [key for key, _ in device_keys(strip)]
        split = len(strip.devices)
        before[strip.name] = [key for key in keys[:split] if key not in bypass]
        after[strip.name] = [key for key in keys[split:] if key not in bypass]
    level.run({name: keys for name, keys in before.items() if keys}, controls, sample_rate)
    for strip in strips:
        if any(send.tap == "pre" for send in strip.sends):
            played.pre[strip.name] = level.of[strip.name].row(strip.name)
    level.apply_gains(tuple(strips), controls, sample_rate)
    level.run({name: keys for name, keys in after.items() if keys}, controls, sample_rate)
    for strip in strips:
        played.out[strip.name] = level.of[strip.name].row(strip.name)
    played.batches = list(dict.fromkeys(level.of.values()))
    return played
