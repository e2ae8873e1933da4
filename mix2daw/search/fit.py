"""Fitting the controls by gradient descent on a few excerpts."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from mix2daw.controls import SETTINGS, Controls, Key, device_keys, params_of
from mix2daw.graph import Graph
from mix2daw.play import play
from mix2daw.processors import PROCESSORS
from mix2daw.search.adam import Adam
from mix2daw.search.excerpts import TrainingExcerpt
from mix2daw.search.replay import replayed

WARM_UP_STEPS = 5
LAST_SHARE = 0.05  # of the learning rate that is left at the last step
RANGES: Mapping[tuple[str, str], tuple[float, float]] = {
    (type_, param.name): param.raw_range()
    for type_ in (*PROCESSORS, "send")
    for param in params_of(type_)
    if param.continuous
}
WET_STEP = 0.04  # of a dry/wet weight, at a learning rate of 1
READ_EVERY = 8  # steps on a GPU
WAVEFORM_DEAF = 0.5  # whitened error from which on the waveform is not listened to


@dataclass(frozen=True)
class Loss:
    """What one step saw: `la` (the published loss) and `error` (whitened waveform error, 0 to about 1);
    `total`: what it descends on; `taken`: whether it moved anything. A step whose loss or gradient is no
    finite number does not."""

    la: float
    error: float
    total: float
    taken: bool = True


def frozen_rows(graph: Graph) -> set[tuple[Key, str]]:
    """Controls that must not move: level and width of a return (its sends and its response have them), fader
    and pan of groups and master (the tracks have them), and the Q of shelves (most desks have none; at 0.7071
    every DAW agrees on them)."""
    frozen: set[tuple[Key, str]] = set()
    for strip in graph.of_kind("return"):
        for index, device in enumerate(strip.devices):
            key = Key(strip.name, device.type, str(index))
            if device.type in ("reverb", "convolution"):
                frozen.add((key, "wet_level"))
            if device.type == "convolution":
                frozen.add((key, "width"))  # the impulse response has it
            if device.type == "delay":
                frozen.add((key, "mix"))
    for strip in graph.strips:
        for key, device in device_keys(strip):
            if device.type == "equalizer":
                frozen |= {(key, "low_shelf_q"), (key, "high_shelf_q")}
    for strip in graph.strips:
        if strip.kind != "track":
            frozen |= {(Key(strip.name, "fader"), "fader_db"), (Key(strip.name, "pan"), "pan")}
    return frozen


class Fit:
    """A descent that can be stopped and taken up: Adam on raw controls, one excerpt per step in turn.

    Controls of devices in `hold` rest for now, as do single controls in `still`. One raw unit is one small
    audible move (`Param.step`), so one learning rate suits all.

    `sparsity`: with more than 0, the dry/wet weights of the inserts are learnt too, under an L1 penalty of
    that factor, so that what is not heard turns dry (returns stay wet).

    `incomplete`: sound is missing that no control can make, as long as echo and reverb are. Magnitudes would
    have the tracks make up for it; so the waveform alone counts, where it is trusted: what is missing is
    hardly correlated with what is there.
    """

    def __init__(
        self,
        graph: Graph,
        controls: Controls,
        excerpts: list[TrainingExcerpt],
        hold: Collection[Key] = (),
        sparsity: float = 0.0,
        still: Collection[tuple[Key, str]] = (),
        incomplete: bool = False,
    ) -> None:
        self.graph, self.controls, self.excerpts = graph, controls, excerpts
        self.sparsity, self.incomplete = sparsity, incomplete
        self.leaves: list[tuple[str, str, Tensor]] = []
        self.masks: list[Tensor] = []
        controls.held = frozenset(hold)
        frozen = frozen_rows(graph) | set(still)
        for type_, table in controls.raw.items():
            for param in params_of(type_):
                table[param.name] = table[param.name].detach()
                moves = [key not in hold and (key, param.name) not in frozen for key in controls.rows[type_]]
                if not param.continuous or not any(moves):
                    continue
                leaf = table[param.name].requires_grad_(True)
                self.leaves.append((type_, param.name, leaf))
                self.masks.append(torch.tensor(moves, dtype=leaf.dtype).to(leaf.device))
        self.wet_masks: dict[str, Tensor] = {}
        self.weights = self._weights() if sparsity > 0 else {}

    def _weights(self) -> dict[str, Tensor]:
        """Dry/wet weights that are learnt: those of inserts on tracks, groups and the master."""
        for type_ in self.controls.wet:
            if type_ not in (*SETTINGS, "send"):
                self.controls.wet[type_] = self.controls.wet[type_].detach().requires_grad_(True)
        returns = {strip.name for strip in self.graph.of_kind("return")}
        self.wet_masks = {
            type_: torch.tensor([float(key.strip not in returns) for key in self.controls.rows[type_]]).to(
                wet.device
            )
            for type_, wet in self.controls.wet.items()
        }
        return {type_: wet for type_, wet in self.controls.wet.items() if wet.requires_grad}

    def run(
        self, steps: int, rate: float, after_step: Callable[[int, Loss], bool] | None = None
    ) -> list[Loss]:
        """Descend. `after_step(index, loss)` may return True to stop. The controls are left detached.

        On a GPU losses are read, and `after_step` is called, only after every few steps: each reading waits.
        """
        at_once = 1 if self.controls.device.type == "cpu" else READ_EVERY
        unread: list[Tensor] = []
        adam = self.adam(steps)
        seen: list[Loss] = []
        step = replayed(lambda which: self._step(adam, which), self.controls.device)
        try:
            for index in range(steps):
                cosine = 0.5 * (1 + math.cos(math.pi * index / steps))
                share = min(1.0, (index + 1) / WARM_UP_STEPS) * (LAST_SHARE + (1 - LAST_SHARE) * cosine)
                adam.rate = rate * share
                unread.append(step(index % len(self.excerpts)))
                if len(unread) < at_once and index < steps - 1:
                    continue
                told = torch.stack(unread).tolist()
                losses = [Loss(la, error, total, bool(taken)) for la, error, total, taken in told]
                unread.clear()
                first = len(seen)
                seen += losses
                if after_step is not None and any(
                    [after_step(first + i, loss) for i, loss in enumerate(losses)]
                ):
                    break
        finally:
            self.controls.held = frozenset()
            for type_, name, leaf in self.leaves:
                self.controls.raw[type_][name] = leaf.detach()
            for type_, wet in self.weights.items():
                self.controls.wet[type_] = wet.detach()
        return seen

    def adam(self, steps: int) -> Adam:
        """What moves the controls (and the weights), at rest, for so many steps."""
        leaves = [(leaf, 1.0) for _, _, leaf in self.leaves]
        return Adam([*leaves, *((wet, WET_STEP) for wet in self.weights.values())], steps)

    def _step(self, adam: Adam, which: int) -> Tensor:
        """One step; all of its Loss, (4,) float64, not yet read from the device."""
        excerpt = self.excerpts[which]
        leaves = [*(leaf for _, _, leaf in self.leaves), *self.weights.values()]
        moves = [*self.masks, *(self.wet_masks[type_] for type_ in self.weights)]
        signals = play(self.graph, self.controls, excerpt.sources)
        mix = signals.out[self.graph.master.name][:, excerpt.skip :]
        la = excerpt.spectral(mix)["full"]
        root_error = excerpt.waveform(mix)
        error = root_error.detach().double().square()
        # Where phases do not agree the waveform would only ask for less level: trust it as far as it fits.
        trust = (1 - error / WAVEFORM_DEAF).clamp(min=0).to(root_error.dtype)
        total = la * (1 - 2 * trust).clamp(min=0) if self.incomplete else la
        total = total + trust * root_error
        for type_, wet in self.weights.items():
            total = total + self.sparsity * (wet * self.wet_masks[type_]).sum()
        found = torch.autograd.grad(total, leaves, allow_unused=True)
        # What does not move may have any gradient.
        slopes = [
            None if slope is None else torch.where(mask > 0, slope, 0.0)
            for slope, mask in zip(found, moves, strict=True)
        ]
        taken = adam.step(total, slopes)
        self._project()
        return torch.stack([la.detach().double(), error, total.detach().double(), taken.double()])

    def _project(self) -> None:
        """Keep every control in its range, so that none drifts where its gradient is gone."""
        with torch.no_grad():
            for type_, name, leaf in self.leaves:
                low, high = RANGES[type_, name]
                leaf.clamp_(low, high)
            for wet in self.weights.values():
                wet.clamp_(0.0, 1.0)
