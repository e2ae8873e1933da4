"""The graphs that pruning may fall back on, and how far scores may rise."""

from __future__ import annotations

import pytest

from mix2daw.graph import Graph, Strip
from mix2daw.search.promise import Checkpoints, Rise


def graph(fader_db: float) -> Graph:
    return Graph(
        sample_rate=44100,
        length_samples=44100,
        strips=(Strip(name="master", kind="master", fader_db=fader_db),),
    )


def kept(*faders_db: float) -> Checkpoints:
    checkpoints = Checkpoints()
    for fader_db in faders_db:
        checkpoints.remember(graph(fader_db))
    return checkpoints


def la_of(graph: Graph) -> float:
    """La that rises with the fader."""
    return 0.1 * graph.master.fader_db


def test_the_latest_that_is_allowed_is_the_best() -> None:
    assert kept(1, 2, 3).best(0.25, la_of) == graph(2)
    assert kept(1, 2, 3).best(0.35, la_of) == graph(3)


def test_the_closest_is_the_best_where_none_is_allowed() -> None:
    assert kept(3, 1, 2).best(0.05, la_of) == graph(1)


def test_a_graph_that_is_remembered_twice_is_measured_once() -> None:
    measured = []

    def counting(graph: Graph) -> float:
        measured.append(graph)
        return la_of(graph)

    checkpoints = kept(1, 2)
    assert checkpoints.la(-1, counting) == pytest.approx(0.2)
    checkpoints.remember(graph(2))
    assert checkpoints.la(-1, counting) == pytest.approx(0.2)
    assert checkpoints.best(1.0, counting) == graph(2)
    assert measured == [graph(2)]


def test_scores_may_rise_by_the_tolerance_from_the_best_of_all() -> None:
    rise = Rise(console=0.1, tolerance=0.01)
    assert rise.limit(0.1) == pytest.approx(0.11)
    assert rise.limit(0.108) == pytest.approx(0.11)  # not from where the score is now
    assert rise.limit(0.02) == pytest.approx(0.03)  # what was gained is not spent
    assert rise.limit(0.025) == pytest.approx(0.03)
