"""The last devices to go: those that are worth so little that the last fit makes up for them."""

from __future__ import annotations

from mix2daw.controls import SETTINGS
from mix2daw.search.fold import fold_faders
from mix2daw.search.judge import Judge
from mix2daw.search.state import State

LITTLE = 0.5  # of the tolerance, that a device may be worth by itself
MADE_UP_FOR = 0.25  # of the tolerance, by a fit


def trim(state: State, limit: float) -> bool:
    """Leave out inserts and sends that are worth little, least first, though the score may rise a little
    above `limit` by it; whether there were any. The fit that follows has to bring it down again."""
    tolerance = state.settings.tolerance
    judge = state.trial_judge()
    allowed = judge.score + limit - state.score() + MADE_UP_FOR * tolerance
    if not _leave_out_least(judge, LITTLE * tolerance, allowed):
        return False
    state.adopt(fold_faders(judge.shrunk(), state.lock.fixed_strips() | state.standing))
    return True


def _leave_out_least(judge: Judge, little: float, allowed: float) -> bool:
    worth = {
        key: judge.without([key]).score - judge.score
        for key in judge.candidates()
        if key.type not in SETTINGS
    }
    any_left_out = False
    for key in sorted(worth, key=lambda key: (worth[key], key)):
        if worth[key] > little:
            break
        trial = judge.without([key])
        if trial.score - judge.score <= little and trial.score <= allowed:
            judge.accept(trial)
            any_left_out = True
    return any_left_out
