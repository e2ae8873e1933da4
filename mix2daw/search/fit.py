"""Fitting the controls by gradient descent on a few excerpts."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from mix2daw.controls import Controls, Key, params_of
from mix2daw.graph import Graph
from mix2daw.play import play
from mix2daw.processors import PROCESSORS
from mix2daw.search.excerpts import TrainingExcerpt

BETAS = (0.9, 0.98)
WARM_UP_STEPS = 5
LAST_SHARE = 0.05  # of the learning rate that is left at the last step
RANGES: Mapping[tuple[str, str], tuple[float, float]] = {
    (type_, param.name): param.raw_range()
    for type_ in (*PROCESSORS, "send")
    for param in params_of(type_)
    if param.continuous
}
WAVEFORM_DEAF = 0.5  # whitened error from which on the waveform is not listened to


@dataclass(frozen=True)
class Loss:
    """What one step saw: `la` (the published loss) and `error` (whitened waveform error, 0 to about 1)."""

    la: float
    error: float


def frozen_rows(graph: Graph) -> set[tuple[Key, str]]:
    """Controls that must not move: what a return's device says about level (its sends do), and the wet
    level's twin, the dry level."""
    frozen: set[tuple[Key, str]] = set()
    for strip in graph.of_kind("return"):
        for index, device in enumerate(strip.devices):
            key = Key(strip.name, device.type, str(index))
            if device.type == "reverb":
                frozen.add((key, "wet_level"))
            if device.type == "delay":
                frozen.add((key, "mix"))
        frozen.add((Key(strip.name, "fader"), "fader_db"))
        frozen.add((Key(strip.name, "pan"), "pan"))
    return frozen


class Fit:
    """A descent that can be stopped and taken up: Adam on raw controls, one excerpt per step in turn.

    Controls of devices in `hold` rest for now. One raw unit is one small audible move (`Param.step`), so a
    learning rate of 1 suits all.
    """

    def __init__(
        self,
        graph: Graph,
        controls: Controls,
        excerpts: list[TrainingExcerpt],
        hold: Collection[Key] = (),
        waveform: bool = True,
    ) -> None:
        self.graph, self.controls, self.excerpts = graph, controls, excerpts
        self.waveform = waveform
        self.leaves: list[tuple[str, str, Tensor]] = []
        self.masks: list[Tensor] = []
        controls.held = frozenset(hold)
        frozen = frozen_rows(graph)
        for type_, table in controls.raw.items():
            for param in params_of(type_):
                table[param.name] = table[param.name].detach()
                mask = torch.zeros_like(table[param.name])
                for key, row in controls.rows[type_].items():
                    mask[row] = key not in hold and (key, param.name) not in frozen
                if not param.continuous or not bool(mask.any()):
                    continue
                leaf = table[param.name].requires_grad_(True)
                self.leaves.append((type_, param.name, leaf))
                self.masks.append(mask)

    def run(
        self, steps: int, rate: float, after_step: Callable[[int, Loss], bool] | None = None
    ) -> list[Loss]:
        """Descend. `after_step(index, loss)` may return True to stop. The controls are left detached."""
        optimiser = torch.optim.Adam([leaf for _, _, leaf in self.leaves], lr=rate, betas=BETAS)
        seen: list[Loss] = []
        try:
            for index in range(steps):
                cosine = 0.5 * (1 + math.cos(math.pi * index / steps))
                share = min(1.0, (index + 1) / WARM_UP_STEPS) * (LAST_SHARE + (1 - LAST_SHARE) * cosine)
                optimiser.param_groups[0]["lr"] = rate * share
                loss = self._step(optimiser, index % len(self.excerpts))
                seen.append(loss)
                if after_step is not None and after_step(index, loss):
                    break
        finally:
            self.controls.held = frozenset()
            for type_, name, leaf in self.leaves:
                self.controls.raw[type_][name] = leaf.detach()
        return seen

    def _step(self, optimiser: torch.optim.Optimizer, which: int) -> Loss:
        excerpt = self.excerpts[which]
        optimiser.zero_grad()
        signals = play(self.graph, self.controls, excerpt.sources)
        mix = signals.out[self.graph.master.name][:, excerpt.skip :]
        la = excerpt.spectral(mix)["full"]
        root_error = excerpt.waveform(mix) if self.waveform else torch.zeros(())
        error = float(root_error.detach()) ** 2
        # Where phases do not agree the waveform would only ask for less level: trust it as far as it fits.
        (la + max(0.0, 1.0 - error / WAVEFORM_DEAF) * root_error).backward()
        for (_, _, leaf), mask in zip(self.leaves, self.masks, strict=True):
            if leaf.grad is not None:
                leaf.grad.nan_to_num_(0.0, 0.0, 0.0).mul_(mask)
        optimiser.step()
        self._project()
        return Loss(float(la.detach()), error)

    def _project(self) -> None:
        """Keep every control in its range, so that none drifts where its gradient is gone."""
        with torch.no_grad():
            for type_, name, leaf in self.leaves:
                low, high = RANGES[type_, name]
                leaf.clamp_(low, high)


