"""The searches that the tables of Lee et al. (arXiv 2509.15948) are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from mix2daw.console import preset
from mix2daw.search import Settings
from mix2daw.selection import Selection

# In the order in which the published tables add them; what they do not have comes last.
GROWTH = ("width", "equalizer", "reverb", "compressor", "gate", "delay", "limiter")
WITH = MappingProxyType({"reverb": ("reverb", "convolution")})  # one may stand in for the other
EXACT = 0.001  # what the rounding of settings may cost where consoles are compared


@dataclass(frozen=True)
class Experiments:
    """What is to be compared: `strategies` of pruning, each with all `tolerances`; and the first of each with
    all `seeds`. The first seed is that of everything else."""

    strategies: tuple[str, ...]
    tolerances: tuple[float, ...]
    seeds: tuple[int, ...]
    settings: Settings = field(default_factory=lambda: Settings(preset="paper"))


@dataclass(frozen=True)
class Search:
    """One search of all songs: the `name` of its folder, and its settings."""

    name: str
    settings: Settings


@dataclass(frozen=True)
class Plan:
    """The rows of the three tables: consoles by the type that each adds ("": the first, of faders and pans),
    searches by strategy and tolerance, and by seed."""

    consoles: Mapping[str, Search]
    pruning: Mapping[tuple[str, float], Search]
    seeds: Mapping[int, Search]

    def searches(self) -> list[Search]:
        """All of them, each once: a row may be in two tables."""
        every: Sequence[Search] = [*self.consoles.values(), *self.pruning.values(), *self.seeds.values()]
        return list({search.name: search for search in every}.values())


def console_name(type_: str) -> str:
    """How the tables call the console that has one type more."""
    return f"+ {type_}" if type_ else "fader and pan"


def plan(wanted: Experiments) -> Plan:
    """The searches. Raises FormatError for settings that do not exist."""
    first = replace(wanted.settings, seed=wanted.seeds[0])

    def pruned(strategy: str, tolerance: float, seed: int) -> Search:
        settings = replace(first, strategy=strategy, tolerance=tolerance, seed=seed)
        return Search(f"{strategy}-{tolerance:g}-seed-{seed}", settings)

    pairs = [(strategy, tolerance) for strategy in wanted.strategies for tolerance in wanted.tolerances]
    return Plan(
        consoles=_consoles(first),
        pruning={pair: pruned(*pair, wanted.seeds[0]) for pair in pairs},
        seeds={seed: pruned(*pairs[0], seed) for seed in wanted.seeds},
    )


def _consoles(first: Settings) -> dict[str, Search]:
    console = preset(first.preset)
    had = {*console.track, *console.group, *console.master, *console.post, *console.returns}
    steps = ("", *(type_ for type_ in GROWTH if type_ in had))
    whole = replace(first, strategy="none", tolerance=EXACT)
    found: dict[str, Search] = {}
    types: tuple[str, ...] = ()
    for number, type_ in enumerate(steps):
        types += WITH.get(type_, (type_,)) if type_ else ()
        only = Selection.of("--only", types)
        name = f"console-{number}-{type_}" if type_ else f"console-{number}"
        found[type_] = Search(f"{name}-seed-{first.seed}", replace(whole, only=only))
    return found
