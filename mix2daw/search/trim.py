"""The last devices to go: those that are worth so little that the last fit makes up for them."""

from __future__ import annotations

from mix2daw.controls import SETTINGS
from mix2daw.search.prune import least_harm_first
from mix2daw.search.stages import shrunk
from mix2daw.search.state import State

LITTLE = 0.5  # of the tolerance, that a device may be worth by itself
MADE_UP_FOR = 0.25  # of the tolerance, by a fit


def trim(state: State, limit: float) -> bool:
    """Leave out inserts and sends that are worth little, least first, though the score may rise a little
    above `limit` by it; whether there were any. The fit that follows has to bring it down again."""
    little, made_up_for = LITTLE * state.settings.tolerance, MADE_UP_FOR * state.settings.tolerance
    judge = state.trial_judge()
    allowed = judge.score + limit - state.score() + made_up_for
    devices = [key for key in judge.candidates() if key.type not in SETTINGS]
    harm = {key: judge.without([key]).score - judge.score for key in devices}
    slight = {key: rise for key, rise in harm.items() if rise <= little}
    least_harm_first(judge, slight, lambda: allowed, lambda _: None, little)
    if not judge.gone:
        return False
    state.adopt(shrunk(state, judge))
    return True
