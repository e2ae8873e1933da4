"""The promise of pruning, La ≤ La of the console + tolerance.

How far scores may rise on the way, and the graphs to fall back on.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from mix2daw.graph import Graph

NEGLIGIBLE = 0.08  # share of La


@dataclass
class Rise:
    """How far the score of a graph may rise while it is pruned. What the fits gained on the full console
    (`console`, its score) may be spent again, as far as it is little against the whole. `floor`: the best
    score that any graph had."""

    console: float
    tolerance: float
    floor: float = math.inf

    def limit(self, score: float) -> float:
        """The score that may not be reached, from a graph that has `score` now."""
        self.floor = min(self.floor, score)
        spent = min(self.console + self.tolerance / 2, (1 + NEGLIGIBLE) * self.floor)
        return max(self.floor + self.tolerance, spent)


LaOf = Callable[[Graph], float]  # on the whole song, which takes time


@dataclass
class Checkpoints:
    """Graphs to fall back on, each smaller than those before it; `kept`: with La where that is known. It is
    measured (by `la_of`) when it is asked for."""

    kept: list[tuple[Graph, float | None]] = field(default_factory=list)

    def __contains__(self, graph: Graph) -> bool:
        return any(graph == other for other, _ in self.kept)

    def remember(self, graph: Graph) -> None:
        """Add a graph, unless it is the last one, whose La may be known."""
        if not self.kept or self.kept[-1][0] != graph:
            self.kept.append((graph, None))

    def la(self, number: int, la_of: LaOf) -> float:
        """La of one of them; −1: of the last."""
        graph, la = self.kept[number]
        if la is None:
            la = la_of(graph)
            self.kept[number] = graph, la
        return la

    def best(self, allowed: float, la_of: LaOf) -> Graph:
        """The latest, and so the smallest, graph whose La is at most `allowed`; the closest one if there is
        none."""
        closest, least = self.kept[0][0], math.inf
        for number in reversed(range(len(self.kept))):
            graph, la = self.kept[number][0], self.la(number, la_of)
            if la <= allowed:
                return graph
            if la < least:
                closest, least = graph, la
        return closest
