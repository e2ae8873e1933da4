"""How long the stages of a search go on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """Most steps of each fit: the first one without returns, that of the full console, those before a round
    of pruning by learnt weights, those between and after the rounds. `excerpt_s`: how long an excerpt is that
    they listen to; `tried_stretches`: of a short song, by how many a trial of pruning is judged. `polish`:
    whether settings are also tried out, beside the descent (`retouch`, `dial`, `revive`), and the reverb's
    response is solved a second time."""

    first: int
    console: int
    weigh: int
    refit: int
    final: int
    excerpt_s: float
    tried_stretches: int
    polish: bool


FULL = Effort(
    first=36, console=48, weigh=16, refit=24, final=32, excerpt_s=7.0, tried_stretches=4, polish=True
)
QUICK = Effort(first=6, console=9, weigh=8, refit=6, final=0, excerpt_s=3.0, tried_stretches=2, polish=False)
