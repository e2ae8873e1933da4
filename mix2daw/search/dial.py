"""Compressors, dialled in as a person would: other settings are tried, and the fader makes up for the level.

A lower threshold, a lower ratio and a louder fader sound nearly the same, and a descent creeps along such a
valley. A trial takes a wide step along it, and has the level solved in closed form. Whether channels are
linked is a choice, which a descent cannot change at all.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from mix2daw.controls import Key, params_of
from mix2daw.search.judge import Judge, Trial
from mix2daw.search.state import State

STEP_DB, RATIO_FACTOR, TIME_FACTOR = 3.0, 1.6, 1.6
GAIN, LINK_GAIN, PLAIN_GAIN = 0.001, 0.002, 0.5  # of La, to be worth a change; to leave no doubt
LONGEST = 4  # steps in one direction
# Steps of the threshold and of the ratio, along the valley first.
CURVE_TURNS = ((1, 1), (1, 0), (0, 1))
TIMES = ("attack_ms", "release_ms")
Values = dict[str, float]
Turn = Callable[[Values, int], Values]  # the settings now, and the direction


def dial_compressors(state: State, share: float) -> None:
    """Turn the knobs of every compressor as long as that brings the graph closer to the mix, and that share
    of the budget is not spent."""
    judge = state.trial_judge()
    stereo = {strip.name for strip in state.graph.strips if strip.kind != "track" or strip.channels == 2}
    turns: list[Turn] = [partial(_curve, *steps) for steps in CURVE_TURNS]
    turns += [partial(_time, name) for name in TIMES]
    for key in judge.controls.all_keys():
        if key.type != "compressor" or state.lock.fixes(key.strip, "compressor"):
            continue
        if state.late(share):
            break
        linkable = key.strip in stereo
        if linkable:  # with other settings that are wrong, the wrong choice may be the closer one
            _link(judge, key, PLAIN_GAIN)
        for turn in turns:
            if not _follow(judge, key, turn, 1):
                _follow(judge, key, turn, -1)
        if linkable:
            _link(judge, key, LINK_GAIN)
        state.progress.step(f"La {judge.score:.3f}")
    state.adopt(judge.shrunk())


def _curve(threshold_steps: int, ratio_steps: int, now: Values, sign: int) -> Values:
    return {
        "threshold_db": now["threshold_db"] + sign * threshold_steps * STEP_DB,
        "ratio": _steeper(now["ratio"], RATIO_FACTOR ** (sign * ratio_steps)),
    }


def _time(name: str, now: Values, sign: int) -> Values:
    return {name: now[name] * TIME_FACTOR**sign}


def _steeper(ratio: float, factor: float) -> float:
    """A ratio that many times as far from 1."""
    return 1 + (ratio - 1) * factor


def _link(judge: Judge, key: Key, gain: float) -> None:
    _take(judge, judge.turned({(key, "link"): 1.0 - judge.controls.value(key, "link")}), gain)


def _follow(judge: Judge, key: Key, turn: Turn, sign: int) -> bool:
    """Go on in one direction as long as the score falls; whether it did."""
    for count in range(LONGEST):
        now = {param.name: judge.controls.value(key, param.name) for param in params_of(key.type)}
        wanted = turn(now, sign)
        inside = {
            (key, param.name): min(param.high, max(param.low, wanted[param.name]))
            for param in params_of(key.type)
            if param.name in wanted
        }
        if all(now[name] == value for (_, name), value in inside.items()):
            return count > 0
        if not _take(judge, judge.turned(inside), GAIN):
            return count > 0
    return True


def _take(judge: Judge, trial: Trial, gain: float) -> bool:
    """Accept a trial that is closer by that share."""
    closer = trial.score < (1 - gain) * judge.score
    if closer:
        judge.accept(trial)
    return closer
