"""How long the stages of a search go on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """Most steps of each fit: the first one without returns, that of the full console, those before a round
    of pruning by learnt weights, those between and after the rounds. `polish`: whether settings are also
    tried out, beside the descent (`retouch`, `dial`, `revive`)."""

    first: int
    console: int
    weigh: int
    refit: int
    final: int
    polish: bool


FULL = Effort(first=40, console=52, weigh=16, refit=24, final=16, polish=True)
QUICK = Effort(first=20, console=22, weigh=8, refit=8, final=6, polish=False)
