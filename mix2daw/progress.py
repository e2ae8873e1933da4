"""How long work tells whoever waits: a protocol, and one that says nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from mix2daw.eta import Cost


class Progress(Protocol):
    """A listener. Stages follow one another; each has a number of steps, which may turn out to be fewer."""

    def expect(self, costs: Iterable[Cost]) -> None:
        """What is to come after the stage that runs, and what it is likely to take."""

    def stage(self, name: str, steps: int) -> None:
        """A new stage begins; the one before it is over."""

    def step(self, note: str = "") -> None:
        """One step of the stage is done; `note` says how it stands (the loss, the devices left)."""

    def stands(self, la: float | None, devices: int | None) -> None:
        """La, and the devices that are left, from now on; None: as they were."""

    def say(self, line: str) -> None:
        """Something a person should know (a silent stem, a stage that ran out of time)."""


class Silence:
    """A listener that says nothing."""

    def expect(self, costs: Iterable[Cost]) -> None:
        """Ignored."""

    def stage(self, name: str, steps: int) -> None:
        """Ignored."""

    def step(self, note: str = "") -> None:
        """Ignored."""

    def stands(self, la: float | None, devices: int | None) -> None:
        """Ignored."""

    def say(self, line: str) -> None:
        """Ignored."""
