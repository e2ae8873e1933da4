"""The settings of a graph as tensors that an optimiser can move.

All devices of one type are rows of one tensor per control, so that strips are played in one batch and a
console of a thousand knobs is a few dozen tensors. Faders, pans and send levels are rows of types
"fader", "pan" and "send".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mix2daw.dsp.convolution import stacked
from mix2daw.dsp.rows import decibels_to_lin
from mix2daw.errors import GraphError
from mix2daw.graph import SEND_HIGH_DB, SEND_LOW_DB, Device, Graph, Strip
from mix2daw.params import Param
from mix2daw.processors import PROCESSORS

SETTINGS = ("fader", "pan")  # never absent from a strip: left out means at rest
SEND_LEVEL = Param("level_db", SEND_LOW_DB, SEND_HIGH_DB, SEND_LOW_DB, step=0.25)


@dataclass(frozen=True, order=True)
class Key:
    """Where a control sits: strip, type, and which of them on the strip: the position among the inserts
    (post-fader inserts count on), the name of the return for a send, "" for fader and pan."""

    strip: str
    type: str
    which: str = ""

    def __str__(self) -> str:
        return ".".join(part for part in (self.strip, self.type, self.which) if part)


def params_of(type_: str) -> tuple[Param, ...]:
    """The declared controls of a type (a send has its level)."""
    return (SEND_LEVEL,) if type_ == "send" else PROCESSORS[type_].params


def device_keys(strip: Strip) -> tuple[tuple[Key, Device], ...]:
    """Keys of the inserts of a strip, in the order of the signal."""
    return tuple(
        (Key(strip.name, device.type, str(index)), device) for index, device in enumerate(strip.all_devices())
    )


def _settings(graph: Graph) -> Iterable[tuple[Key, dict[str, float], float]]:
    for strip in graph.strips:
        for key, device in device_keys(strip):
            yield key, device.values, device.wet
        yield Key(strip.name, "fader"), {"fader_db": strip.fader_db}, 1.0
        if strip.kind != "master" or strip.pan != 0:
            yield Key(strip.name, "pan"), {"pan": strip.pan}, 1.0
        for send in strip.sends:
            yield Key(strip.name, "send", send.target), {"level_db": send.level_db}, 1.0


_Stand = list[tuple[Tensor, int]]  # tensors, and which version of their values


class Controls:
    """Raw tensors of every control of one graph, and their way back into a graph.

    `raw[type][param]` is `(rows,)` float64, `rows[type][key]` says which row is whose,
    `wet[type]` is `(rows,)` in 0..1. Devices in `held` take no part in gradients, which saves their cost.
    They are on `device` (None: the CPU), except for controls that no optimiser moves: those stay on the CPU,
    where a processor can look at them without waiting for a GPU.
    `impulses`: the impulse responses that the graph names, `(2 or 4, taps)` float32 at its sample rate, by
    path (`play.read_impulses`); only a graph that is played needs them.
    """

    def __init__(
        self,
        graph: Graph,
        impulses: Mapping[str, Tensor] | None = None,
        device: torch.device | None = None,
    ) -> None:
        self.graph = graph
        self.device = device or torch.device("cpu")
        self.impulses = {path: impulse.to(self.device) for path, impulse in (impulses or {}).items()}
        self._indices: dict[tuple[tuple[Key, ...], torch.device], Tensor] = {}
        self._known: dict[tuple[Key, ...], tuple[_Stand, dict[str, Tensor]]] = {}
        values: dict[str, dict[str, list[float]]] = {}
        wets: dict[str, list[float]] = {}
        self.rows: dict[str, dict[Key, int]] = {}
        self.held: frozenset[Key] = frozenset()
        for key, settings, wet in _settings(graph):
            rows = self.rows.setdefault(key.type, {})
            rows[key] = len(rows)
            wets.setdefault(key.type, []).append(wet)
            for param in params_of(key.type):
                store = values.setdefault(key.type, {}).setdefault(param.name, [])
                store.append(settings.get(param.name, param.rest))
        self.wet = {
            type_: torch.tensor(wet, dtype=torch.float64).to(self.device) for type_, wet in wets.items()
        }
        self.raw = {
            type_: {
                param.name: param.to_raw(torch.tensor(values[type_][param.name], dtype=torch.float64)).to(
                    self.device if param.continuous else "cpu"
                )
                for param in params_of(type_)
            }
            for type_ in values
        }

    def _index(self, keys: Sequence[Key], device: torch.device) -> Tensor:
        """Rows of the given devices (all of one type), made once: a copy to a GPU would stop every step."""
        index = self._indices.get((tuple(keys), device))
        if index is None:
            rows = self.rows[keys[0].type]
            index = torch.tensor([rows[key] for key in keys]).to(device)
            self._indices[tuple(keys), device] = index
        return index

    def human(self, keys: Sequence[Key]) -> dict[str, Tensor]:
        """Controls of the given devices (all of one type) in human units: `{param: (len(keys),)}`."""
        table = self.raw[keys[0].type]
        resting = self.held.issuperset(keys)
        if torch.is_grad_enabled() and not resting and any(raw.requires_grad for raw in table.values()):
            return self._human(keys, table)
        # Without gradients the same few are asked for again and again: what has not changed since is known.
        stand = [(raw, raw._version) for raw in table.values()]
        known = self._known.get(tuple(keys))
        if known is None or any(
            was is not now or version != now._version
            for (was, version), now in zip(known[0], table.values(), strict=True)
        ):
            known = stand, self._human(keys, {name: raw.detach() for name, raw in table.items()})
            self._known[tuple(keys)] = known
        return dict(known[1])

    def _human(self, keys: Sequence[Key], table: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {
            param.name: param.to_human(raw[self._index(keys, raw.device)])
            for param in params_of(keys[0].type)
            for raw in (table[param.name],)
        }

    @property
    def learning(self) -> bool:
        """Whether any control is followed by gradients now."""
        tables = (*self.raw.values(), self.wet)
        return torch.is_grad_enabled() and any(t.requires_grad for table in tables for t in table.values())

    def sends_lin(self, keys: Sequence[Key]) -> Tensor:
        """Amplitudes of the given sends, `(len(keys),)` float32."""
        return decibels_to_lin(self.human(keys)["level_db"]).float()

    def wet_of(self, keys: Sequence[Key]) -> Tensor:
        """Dry/wet weights of the given devices (all of one type), `(len(keys),)`."""
        wet = self.wet[keys[0].type]
        return wet[self._index(keys, wet.device)]

    def impulse_of(self, keys: Sequence[Key]) -> Tensor:
        """Impulse responses of the given devices, `(len(keys), 2 or 4, taps)`; shorter ones end in zeros.

        Raises GraphError for one that was not given.
        """
        found = []
        for key in keys:
            path = self.graph.strip(key.strip).all_devices()[int(key.which)].impulse
            if path not in self.impulses:
                remedy = "read them with `play.read_impulses` and hand them to Controls"
                raise GraphError(f"{key}.impulse", f"{path!r} was not read", remedy)
            found.append(self.impulses[path])
        return stacked(found)

    def value(self, key: Key, param: str) -> float:
        """One control in human units."""
        return float(self.human([key])[param][0])

    def set_value(self, key: Key, param: str, value: float) -> None:
        """Set one control, in human units (kept inside its range). What is no number changes nothing."""
        if math.isnan(value):
            return
        declared = next(p for p in params_of(key.type) if p.name == param)
        human = torch.tensor(min(declared.high, max(declared.low, value)), dtype=torch.float64)
        with torch.no_grad():
            self.raw[key.type][param][self.rows[key.type][key]] = declared.to_raw(human)

    def all_keys(self) -> list[Key]:
        """Every key, types in order of first appearance."""
        return [key for rows in self.rows.values() for key in rows]

    def to_graph(self) -> Graph:
        """The graph with these settings."""
        human: dict[Key, dict[str, float]] = {}
        wet: dict[Key, float] = {}
        with torch.no_grad():
            for type_, rows in self.rows.items():
                table = {
                    param.name: param.to_human(self.raw[type_][param.name]).tolist()
                    for param in params_of(type_)
                }
                weights = self.wet[type_].clamp(0, 1).tolist()
                for key, row in rows.items():
                    human[key] = {name: column[row] for name, column in table.items()}
                    wet[key] = weights[row]
        return self.graph.replace(*(self._strip(strip, human, wet) for strip in self.graph.strips))

    @staticmethod
    def _strip(strip: Strip, human: dict[Key, dict[str, float]], wet: dict[Key, float]) -> Strip:
        devices = [
            device.model_copy(update={"values": human[key], "wet": wet[key]})
            for key, device in device_keys(strip)
        ]
        pan = human.get(Key(strip.name, "pan"))
        return strip.model_copy(
            update={
                "devices": tuple(devices[: len(strip.devices)]),
                "post_devices": tuple(devices[len(strip.devices) :]),
                "fader_db": human[Key(strip.name, "fader")]["fader_db"],
                "pan": pan["pan"] if pan else strip.pan,
                "sends": tuple(
                    send.model_copy(
                        update={"level_db": human[Key(strip.name, "send", send.target)]["level_db"]}
                    )
                    for send in strip.sends
                ),
            }
        )
