"""What a recovery is expected to take: more for more, in the stages that there are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from test_cli import make_song

from mix2daw.cost import Size, expected, memory_mib
from mix2daw.eta import Cost
from mix2daw.progress import Silence
from mix2daw.recover import Job, Refinement, recover, refine
from mix2daw.search.excerpts import (
    PRE_ROLL_S,
    SCORED_LEAST,
    STRETCH_S,
    WHOLE_CHANNEL_S,
    scored_parts,
)
from mix2daw.search.settings import STRATEGIES, Settings
from mix2daw.selection import Selection

SONG = Size(seconds=180.0, sample_rate=44100, channels=16, strips=18, inserts=50, sends=24)


def whole_s(size: Size, settings: Settings | None = None, formats: int = 4, report: bool = True) -> float:
    return sum(cost.seconds for cost in expected(size, settings or Settings(), formats, report))


LARGER = {
    "longer": replace(SONG, seconds=400.0),
    "more channels": replace(SONG, channels=32),
    "more devices": replace(SONG, inserts=80),
    "more sends": replace(SONG, sends=80),
    "a higher rate": replace(SONG, sample_rate=96000),
}


@pytest.mark.parametrize("name", LARGER)
def test_more_takes_longer(name: str) -> None:
    assert whole_s(LARGER[name]) > whole_s(SONG)
    assert memory_mib(LARGER[name]) >= memory_mib(SONG)


@pytest.mark.parametrize("seconds", [10, 44, 46, 60, 61, 300])
def test_a_longer_song_never_takes_less(seconds: float) -> None:
    song, longer = (replace(SONG, seconds=length) for length in (seconds, seconds + 20))
    assert whole_s(longer) > whole_s(song)
    if song.scored_s <= longer.scored_s:  # from 45 s on less than all of a song is scored
        assert memory_mib(longer) >= memory_mib(song)


def test_what_is_not_written_costs_nothing() -> None:
    assert whole_s(SONG, report=False) < whole_s(SONG)
    assert whole_s(SONG, formats=1) < whole_s(SONG)
    assert expected(SONG, Settings(), 0, False)[-1].seconds == 0


def test_a_budget_is_kept() -> None:
    free = whole_s(SONG)
    written_s = sum(
        cost.seconds
        for cost in expected(SONG, Settings(), 4, True)
        if cost.stage[0].isupper()  # before and after the search
    )
    assert whole_s(SONG, Settings(budget_s=30.0)) == pytest.approx(written_s + 30.0)
    assert whole_s(SONG, Settings(budget_s=1e6)) == pytest.approx(free)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_has_its_costs(strategy: str) -> None:
    costs = expected(SONG, Settings(strategy=strategy), 4, True)
    assert all(cost.seconds > 0 for cost in costs)
    assert ("prune" in {cost.stage for cost in costs}) == (strategy != "none")


class Watched(Silence):
    """Notes what was expected, and the stages that came."""

    def __init__(self) -> None:
        self.expected: list[Cost] = []
        self.stages: list[tuple[str, int, int]] = []

    def expect(self, costs: object) -> None:
        self.expected = list(costs)  # type: ignore[call-overload]

    def stage(self, name: str, steps: int) -> None:
        self.stages.append((name, steps, 0))

    def step(self, note: str = "") -> None:
        name, steps, done = self.stages[-1]
        self.stages[-1] = name, steps, done + 1


@pytest.mark.parametrize("strategy", ["saliency", "dry-wet"])
def test_a_recovery_goes_through_the_stages_that_are_expected(tmp_path: Path, strategy: str) -> None:
    song, watched = make_song(tmp_path), Watched()
    settings = Settings(strategy=strategy, only=Selection.of("--only", ["compressor"]))
    recover(Job(song / "stems", song / "mix.wav", song / "out", settings=settings), watched)
    came = [name for name, _, _ in watched.stages[1:]]
    assert watched.stages[0][0] == "Reading"
    assert came == [cost.stage for cost in watched.expected]
    for name, steps, done in watched.stages:
        assert done <= steps or name == "prune", name


def test_a_preview_takes_less() -> None:
    assert whole_s(SONG, Settings(quick=True)) < 0.8 * whole_s(SONG)


def test_a_refinement_goes_through_the_stages_that_are_expected(tmp_path: Path) -> None:
    song, watched = make_song(tmp_path), Watched()
    settings = Settings(only=Selection.of("--only", ["compressor"]))
    recover(Job(song / "stems", song / "mix.wav", song / "out", settings=settings, report=False), Silence())
    refine(Refinement(song / "out" / "graph.json", song / "closer", report=False), watched)
    came = [name for name, _, _ in watched.stages[1:]]
    expected_stages = [cost.stage for cost in watched.expected]
    assert [name for name in expected_stages if name in came] == came
    assert {"start", "console fit", "prune"} <= set(came)


@pytest.mark.parametrize("channels", [1, 48, 60, 120, 180])
@pytest.mark.parametrize("song_s", [5.0, 30.0, 60.0, 10000.0])
def test_what_a_judge_keeps_is_bounded(channels: int, song_s: float) -> None:
    parts = scored_parts(song_s, channels)
    heard_s = song_s if parts is None else parts[0] * (PRE_ROLL_S + parts[1])
    assert heard_s * channels <= WHOLE_CHANNEL_S
    assert heard_s >= min(song_s, SCORED_LEAST * STRETCH_S)
