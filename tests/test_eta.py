"""The time that is left: it sums up, it runs down, and it is corrected by the pace."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from mix2daw.eta import Cost, Eta

COSTS = (Cost("first", 10.0), Cost("second", 30.0), Cost("third", 5.0), Cost("second", 15.0))
WHOLE_S = 60.0


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def run(
    clock: Clock, eta: Eta, seconds: tuple[float, ...], watch: Callable[[float], None], steps: int = 10
) -> None:
    """A run whose stages take these seconds, in even steps; `watch` is called with the true rest, ten times
    in every step."""
    rest_s = sum(seconds)
    for cost, taken_s in zip(COSTS, seconds, strict=True):
        eta.begin(cost.stage, steps)
        for _ in range(steps):
            for _ in range(10):
                watch(rest_s)
                clock.now_s += taken_s / steps / 10
                rest_s -= taken_s / steps / 10
            eta.step()
    eta.end()


def test_it_begins_with_the_sum_of_all(clock: Clock) -> None:
    eta = Eta(clock)
    assert eta.remaining_s() is None
    assert eta.share() is None
    eta.expect(COSTS)
    assert eta.remaining_s() == pytest.approx(WHOLE_S)
    assert eta.share() == 0


def test_it_runs_down_with_the_clock_if_all_goes_as_expected(clock: Clock) -> None:
    eta = Eta(clock)
    eta.expect(COSTS)
    seen: list[float] = []

    def watch(rest_s: float) -> None:
        remaining_s = eta.remaining_s()
        assert remaining_s == pytest.approx(rest_s, abs=1e-6)
        seen.append(remaining_s)

    run(clock, eta, tuple(cost.seconds for cost in COSTS), watch)
    assert seen == sorted(seen, reverse=True)
    assert eta.remaining_s() == pytest.approx(0, abs=1e-9)
    assert eta.share() == pytest.approx(1)


@pytest.mark.parametrize("pace", [0.4, 3.0])
def test_another_pace_is_learnt(clock: Clock, pace: float) -> None:
    eta = Eta(clock)
    eta.expect(COSTS)
    whole_s, wrong = WHOLE_S * pace, list[tuple[float, float]]()

    def watch(rest_s: float) -> None:
        wrong.append((1 - rest_s / whole_s, abs(float(eta.remaining_s() or 0) - rest_s) / whole_s))

    run(clock, eta, tuple(pace * cost.seconds for cost in COSTS), watch)
    first = max(error for done, error in wrong if done < 0.1)
    later = max(error for done, error in wrong if done > 0.25)
    assert first > 0.3
    assert later < 0.25 * first
    assert eta.pace() == pytest.approx(pace, rel=0.3)


def test_a_stage_tells_by_its_steps(clock: Clock) -> None:
    eta = Eta(clock)
    eta.expect([Cost("first", 10.0)])
    eta.begin("first", 100)
    for _ in range(50):
        clock.now_s += 1.0
        eta.step()
    assert eta.remaining_s() == pytest.approx(50, rel=0.3)
    for _ in range(45):
        clock.now_s += 1.0
        eta.step()
    assert eta.remaining_s() == pytest.approx(5, rel=0.1)


def test_what_is_left_out_is_taken_off(clock: Clock) -> None:
    eta = Eta(clock)
    eta.expect(COSTS)
    eta.begin("third", 1)
    assert eta.remaining_s() == pytest.approx(5 + 15)
    clock.now_s += 5.0
    eta.begin("second", 1)
    assert eta.remaining_s() == pytest.approx(15)


def test_what_was_not_expected_adds_nothing_but_what_its_steps_tell(clock: Clock) -> None:
    eta = Eta(clock)
    eta.expect(COSTS)
    eta.begin("again", 4)
    assert eta.remaining_s() == pytest.approx(WHOLE_S)
    clock.now_s += 2.0
    eta.step()
    assert eta.remaining_s() == pytest.approx(WHOLE_S + 6)
    eta.begin("first", 1)
    assert eta.pace() == pytest.approx(1)
    assert eta.remaining_s() == pytest.approx(WHOLE_S)


def test_a_stage_that_is_done_once_more_is_not_taken_for_a_later_one(clock: Clock) -> None:
    eta = Eta(clock)
    eta.expect(COSTS)
    eta.begin("second", 1)
    clock.now_s += 30.0
    eta.begin("second", 1)
    assert eta.remaining_s() == pytest.approx(5 + 15)
    eta.begin("third", 1)
    assert eta.remaining_s() == pytest.approx(5 + 15)


def test_steps_alone_are_enough(clock: Clock) -> None:
    eta = Eta(clock)
    eta.begin("only", 4)
    assert eta.remaining_s() is None
    clock.now_s += 3.0
    eta.step()
    assert eta.remaining_s() == pytest.approx(9)


def test_a_stage_that_should_be_over_is_given_more(clock: Clock) -> None:
    eta = Eta(clock)
    eta.expect(COSTS[:1])
    eta.begin("first", 1)
    clock.now_s += 100.0
    remaining_s = eta.remaining_s()
    assert remaining_s is not None
    assert 0 < remaining_s < 100


def test_the_share_never_falls(clock: Clock) -> None:
    eta = Eta(clock)
    eta.expect(COSTS)
    shares: list[float] = []
    seeded = random.Random(3)
    run(
        clock,
        eta,
        tuple(cost.seconds * seeded.uniform(0.2, 4) for cost in COSTS),
        lambda _: shares.append(eta.share() or 0.0),
    )
    assert shares == sorted(shares)
    assert 0 <= shares[0] < 0.1
    assert shares[-1] <= 1
