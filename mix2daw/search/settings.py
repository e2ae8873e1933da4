"""What a person may ask of the search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mix2daw.errors import FormatError
from mix2daw.search.effort import FULL, QUICK, Effort
from mix2daw.selection import STRIP_TYPES, Selection

STRATEGIES: tuple[str, ...] = ("saliency", "hybrid", "brute-force", "dry-wet", "none")
ENGINES: tuple[str, ...] = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class Settings:
    """Settings of one search.

    `preset`: the name of a console (`console.preset` refuses one that does not exist).
    `strategy`: of pruning: `saliency`, or one of the published ones (see `prune`); with `none` all devices of
    the console stay that do anything.
    `tolerance`: how much La the pruned graph may lose against the full console.
    `budget_s`: wall seconds after which no new stage is begun (None: as long as it takes).
    `only`: what may be put into the console, besides faders, pans and sends (None: all of the preset's);
    `without`: what may not, a fader or pan then rests; `lock`: what is not taken out again.
    `quick`: fewer steps, for a first impression.
    """

    preset: str = "studio"
    strategy: str = "saliency"
    tolerance: float = 0.01
    seed: int = 0
    budget_s: float | None = None
    device: Literal["auto", "cpu", "cuda"] = "auto"
    only: Selection | None = None
    without: Selection | None = None
    lock: Selection | None = None
    quick: bool = False

    def __post_init__(self) -> None:
        if self.device not in ENGINES:
            raise FormatError(self.device, "is no device", f"use one of: {', '.join(ENGINES)}")
        if self.strategy not in STRATEGIES:
            raise FormatError(self.strategy, "is no way of pruning", f"use one of: {', '.join(STRATEGIES)}")
        if not 0 <= self.tolerance < 10:
            raise FormatError("--tolerance", f"{self.tolerance} is out of range", "use a number from 0 to 10")
        if self.budget_s is not None and self.budget_s <= 0:
            raise FormatError("--budget", "must be longer than nothing", "use for example 10m or 90s")

    def allows(self, strip: str, type_: str) -> bool:
        """Whether a strip may have a device of that type."""
        if self.without is not None and self.without.holds(strip, type_):
            return False
        return type_ in STRIP_TYPES or self.only is None or self.only.holds(strip, type_)

    @property
    def effort(self) -> Effort:
        """How long the stages go on."""
        return QUICK if self.quick else FULL
