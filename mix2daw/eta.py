"""How long a run still takes: from what its stages are expected to cost, corrected by the pace so far.

A run is a list of stages in order, each with its expected seconds; one name may come more than once. While
the run goes on it tells when a stage begins and how many of its steps are done. What remains is

    what is left of the stage that runs + expected seconds of the stages to come × pace

The pace is the ratio of seconds spent to seconds expected over everything done so far. At the beginning, when
little is done, it is held near 1: as if `TRUST` of the whole run had gone at the expected pace already.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

TRUST = 0.05
OVERRUN = 0.1  # of what a stage has taken, is what one that should be over is given


@dataclass(frozen=True)
class Cost:
    """A stage by its name, and the seconds that it is expected to take."""

    stage: str
    seconds: float


class Eta:
    """What remains of one run. All times are in seconds of `clock`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._costs: list[Cost] = []
        self._next = 0  # the first of them that has not begun
        self._stage = ""
        self._running: _Running | None = None
        self._begun_s = clock()
        self._spent_s = self._expected_s = 0.0  # of finished stages whose cost was known
        self._share = 0.0

    def expect(self, costs: Iterable[Cost]) -> None:
        """What comes after the stage that runs, in order; replaces what was expected before."""
        self._costs, self._next = list(costs), 0

    def begin(self, stage: str, steps: int) -> None:
        """A stage of so many steps begins, the one before it is over. Expected stages before it are left out;
        a stage that was not expected, or that is done once more, adds nothing to what is."""
        self.end()
        to_come = self._costs[self._next :]
        again = stage == self._stage and bool(to_come) and to_come[0].stage != stage
        found = None if again else next((n for n, cost in enumerate(to_come) if cost.stage == stage), None)
        cost_s = None
        if found is not None:
            cost_s, self._next = to_come[found].seconds, self._next + found + 1
        self._stage = stage
        self._running = _Running(cost_s, max(1, steps), self._clock())

    def step(self) -> None:
        """One step of the stage is done."""
        if self._running is not None:
            self._running.step(self._clock())

    def end(self) -> None:
        """The stage that runs is over."""
        if self._running is not None and self._running.cost_s is not None:
            self._spent_s += self._clock() - self._running.begun_s
            self._expected_s += self._running.cost_s
        self._running = None

    def elapsed_s(self) -> float:
        """Since the run began."""
        return self._clock() - self._begun_s

    def pace(self) -> float:
        """Seconds spent per second expected, over what is done."""
        spent_s, expected_s, running = self._spent_s, self._expected_s, self._running
        trusted_s = TRUST * self._whole_s()

        def pace(more_spent_s: float, more_expected_s: float) -> float:
            expected = trusted_s + expected_s + more_expected_s
            return (trusted_s + spent_s + more_spent_s) / expected if expected > 0 else 1.0

        if running is None or running.cost_s is None:
            return pace(0.0, 0.0)
        by_steps = pace(running.last_s - running.begun_s, running.cost_s * running.done())
        # A stage that should be over tells too: it takes at least as long as it has taken.
        return max(by_steps, pace(self._clock() - running.begun_s, running.cost_s))

    def remaining_s(self) -> float | None:
        """Until the run ends; None as long as nothing is known of it."""
        pace, running = self.pace(), self._running
        left_s = None if running is None else running.remaining_s(pace, self._clock())
        if left_s is None and not self._costs:
            return None
        return (left_s or 0.0) + pace * self._to_come_s()

    def share(self) -> float | None:
        """Of the whole run that is done, 0 to 1; it never falls. None as long as nothing is known."""
        remaining_s = self.remaining_s()
        if remaining_s is None:
            return None
        whole_s = self.elapsed_s() + remaining_s
        if whole_s > 0:
            self._share = max(self._share, self.elapsed_s() / whole_s)
        return self._share

    def _whole_s(self) -> float:
        """Everything that is or was expected."""
        running = self._running
        running_s = 0.0 if running is None or running.cost_s is None else running.cost_s
        return self._expected_s + running_s + self._to_come_s()

    def _to_come_s(self) -> float:
        return sum(cost.seconds for cost in self._costs[self._next :])


@dataclass
class _Running:
    """A stage that runs: its expected cost (None: unknown), its steps, and when the last of them was done."""

    cost_s: float | None
    steps: int
    begun_s: float
    stepped: int = 0
    last_s: float = 0.0

    def __post_init__(self) -> None:
        self.last_s = self.begun_s

    def step(self, now_s: float) -> None:
        self.stepped, self.last_s = min(self.steps, self.stepped + 1), now_s

    def done(self) -> float:
        return self.stepped / self.steps

    def remaining_s(self, pace: float, now_s: float) -> float | None:
        """What the stage still takes: as expected at first, and more and more as its own steps tell. Between
        two steps time goes on; a stage that should be over is given a little more."""
        done, taken_s = self.done(), self.last_s - self.begun_s
        if self.cost_s is None:
            if not done:
                return None
            left_s = taken_s * (1 - done) / done
        else:
            left_s = (1 - done) * ((1 - done) * pace * self.cost_s + taken_s)
        since_s = now_s - self.last_s
        return max(left_s - since_s, OVERRUN * since_s)


def duration(seconds: float) -> str:
    """`0:09`, `12:30`, `1:02:03`."""
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def rough(seconds: float) -> str:
    """`40 s`, `3 min`, `1.5 h`: no more digits than an estimate has."""
    if seconds < 100:
        return f"{max(10, round(seconds / 10) * 10)} s"
    return f"{seconds / 60:.0f} min" if seconds < 5700 else f"{seconds / 3600:.1f} h"
