"""What a graph is worth, and what it would be worth without some of its parts.

A judge keeps the signals of every strip on the scoring excerpts. A trial leaves something out, plays again
only the strips that hear it, and lets the fader of the strip make up for the change of level.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch

from mix2daw.controls import SETTINGS, Controls, Key, params_of
from mix2daw.graph import Graph
from mix2daw.level import Signals
from mix2daw.play import downstream, play
from mix2daw.search.excerpts import ScoringExcerpt

MAKE_UP_LOW, MAKE_UP_HIGH = 0.05, 20.0


@dataclass(frozen=True)
class Trial:
    """The outcome of leaving `keys` out, of having them `back`, or of other `values` of settings: the score,
    the signals, and what faders would change by."""

    keys: tuple[Key, ...]
    score: float
    signals: tuple[Signals, ...]
    faders_db: dict[str, float]
    back: bool = False
    values: Mapping[tuple[Key, str], float] = field(default_factory=dict)


class Judge:
    """Scores one graph with its controls; `score` is the mean La over the stretches of the excerpts. Inserts
    and sends that are `gone` are not heard; `spared` ones are no candidates for leaving out; `fixed_faders`
    are strips whose faders make up for nothing."""

    def __init__(
        self,
        graph: Graph,
        controls: Controls,
        excerpts: Sequence[ScoringExcerpt],
        gone: Collection[Key] = frozenset(),
        spared: Collection[Key] = frozenset(),
        fixed_faders: Collection[str] = frozenset(),
    ) -> None:
        self.graph, self.controls, self.excerpts = graph, controls, list(excerpts)
        self.gone, self.spared, self.fixed_faders = set(gone), spared, fixed_faders
        self.refresh()

    def refresh(self) -> None:
        """Play everything again (after the controls have changed)."""
        with torch.no_grad():
            self.signals = [
                play(self.graph, self.controls, excerpt.sources, bypass=self.gone)
                for excerpt in self.excerpts
            ]
        self.score = self._score(self.signals)

    def _score(self, signals: Sequence[Signals]) -> float:
        master = self.graph.master.name
        scores = [e.score(played.out[master]) for e, played in zip(self.excerpts, signals, strict=True)]
        return float(torch.cat(scores).double().mean())

    def candidates(self) -> list[Key]:
        """Everything that may still be left out."""
        return [key for key in self.left() if key not in self.spared]

    def left(self) -> list[Key]:
        """Everything that is still heard: inserts, sends, pans and faders not at rest."""
        keys = []
        for key in self.controls.all_keys():
            if key in self.gone or self._is_fixture(key):
                continue
            if key.type in SETTINGS:
                param = params_of(key.type)[0]
                if self.controls.value(key, param.name) == param.rest:
                    continue
            keys.append(key)
        return keys

    def _is_fixture(self, key: Key) -> bool:
        """The device of a return goes when its last send goes, not by itself."""
        return self.graph.strip(key.strip).kind == "return"

    def without(self, keys: Sequence[Key]) -> Trial:
        """Score with `keys` left out too. Nothing changes until `accept`."""
        rest = {
            (key, param.name): param.rest
            for key in keys
            if key.type in SETTINGS
            for param in params_of(key.type)[:1]
        }
        bypass = self.gone | {key for key in keys if key.type not in SETTINGS}
        fixed = {key.strip for key in keys if key.type == "fader"}
        with torch.no_grad(), self._set(rest):
            signals, faders_db = self._play(keys, bypass, fixed)
        return Trial(tuple(keys), self._score(signals), tuple(signals), faders_db, values=rest)

    def turned(self, values: Mapping[tuple[Key, str], float]) -> Trial:
        """Score with other settings, and the faders that suit them best. Nothing changes until `accept`."""
        keys = list(dict.fromkeys(key for key, _ in values))
        with torch.no_grad(), self._set(values):
            signals, faders_db = self._play(keys, self.gone, frozenset(), closer=True)
        return Trial((), self._score(signals), tuple(signals), faders_db, values=values)

    @contextmanager
    def _set(self, values: Mapping[tuple[Key, str], float]) -> Iterator[None]:
        """Other values of settings for a while."""
        before = {(key, setting): self.controls.value(key, setting) for key, setting in values}
        for (key, setting), value in values.items():
            self.controls.set_value(key, setting, value)
        try:
            yield
        finally:
            for (key, setting), value in before.items():
                self.controls.set_value(key, setting, value)

    def having(self, key: Key) -> Trial:
        """Score with an insert or a send that is gone back in its place. Nothing changes until `accept`."""
        with torch.no_grad():
            signals, faders_db = self._play([key], self.gone - {key}, frozenset())
        return Trial((key,), self._score(signals), tuple(signals), faders_db, back=True)

    def _play(
        self, keys: Sequence[Key], bypass: Collection[Key], fixed: Collection[str], closer: bool = False
    ) -> tuple[list[Signals], dict[str, float]]:
        """Signals with changed `keys`; all strips that were changed but `fixed` ones are made up for, so that
        each is as it was or, if `closer`, nearer to what is missing in the mix."""
        touched = {key.strip for key in keys if key.type != "send"}
        heard = {key.which for key in keys if key.type == "send"}
        faders_db: dict[str, float] = {}
        signals = list(self.signals)
        for level in self.graph.levels():
            names = [strip.name for strip in level if strip.name in touched | heard]
            if not names:
                continue
            signals = [
                play(self.graph, self.controls, e.sources, bypass=bypass, known=known, changed=names)
                for e, known in zip(self.excerpts, signals, strict=True)
            ]
            for name in names:
                if name in touched and name not in fixed and name not in self.fixed_faders:
                    level_lin = self._make_up(name, signals, closer)
                    for played in signals:
                        played.out[name] = played.out[name] * level_lin
                    faders_db[name] = 20 * math.log10(level_lin)
                heard |= downstream(self.graph, name) - {name}
        return signals, faders_db

    def _make_up(self, name: str, signals: Sequence[Signals], closer: bool) -> float:
        """The level that brings the new signal of a strip closest to its old one; if `closer`, to its old one
        and what the whole lacks of the target."""
        inner = power = 0.0
        for excerpt, played, known in zip(self.excerpts, signals, self.signals, strict=True):
            new, goal = played.out[name], known.out[name]
            if closer:
                goal = goal + (excerpt.target - known.out[self.graph.master.name])
            inner += float((new * goal).sum(dtype=torch.float64))
            power += float(new.square().sum(dtype=torch.float64))
        return min(MAKE_UP_HIGH, max(MAKE_UP_LOW, inner / power)) if power > 0 else 1.0

    def accept(self, trial: Trial) -> None:
        """Make a trial the state of things."""
        for key in trial.keys:
            if trial.back:
                self.gone.discard(key)
            elif key.type not in SETTINGS:
                self.gone.add(key)
        for (key, setting), value in trial.values.items():
            self.controls.set_value(key, setting, value)
        for name, change_db in trial.faders_db.items():
            key = Key(name, "fader")
            self.controls.set_value(key, "fader_db", self.controls.value(key, "fader_db") + change_db)
        self.signals, self.score = list(trial.signals), trial.score

    def shrunk(self) -> Graph:
        """The graph without what is gone: inserts, sends, and returns that nobody sends to."""
        graph = self.controls.to_graph()
        gone = {(key.strip, key.type, key.which) for key in self.gone}
        strips = []
        for strip in graph.strips:
            kept = [
                (strip.name, device.type, str(index)) not in gone
                for index, device in enumerate(strip.all_devices())
            ]
            split = len(strip.devices)
            strips.append(
                strip.model_copy(
                    update={
                        "devices": tuple(d for d, keep in zip(strip.devices, kept, strict=False) if keep),
                        "post_devices": tuple(
                            d for d, keep in zip(strip.post_devices, kept[split:], strict=True) if keep
                        ),
                        "sends": tuple(s for s in strip.sends if (strip.name, "send", s.target) not in gone),
                    }
                )
            )
        used = {send.target for strip in strips for send in strip.sends}
        kept_strips = tuple(s for s in strips if s.kind != "return" or s.name in used)
        return Graph.model_validate({**dict(graph), "strips": kept_strips})
