"""Leaving out what is not heard: our strategy, and the two of Lee et al. (arXiv 2509.15948).

- saliency: the least salient devices (`saliency`) first, many in one trial as long as that is harmless; then
  those that did some harm once more, least harm first.

- dry/wet: per type of device, those with the lowest weights are left out together, a tenth of the type at
  first, half as many after a failure, twice as many after a success; a type whose single lowest device is
  needed leaves the round. The weight of an insert is its learnt dry/wet share; that of a send, a fader or
  a pan is how far it is from doing nothing.
- brute force: every device alone. The published method keeps a trial at once, in random order; here the
  harmless ones go at once and the others wait, so that the tolerance is spent on the least harmful.

A trial is kept while La stays below the best La seen plus the tolerance.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping

from mix2daw.controls import Controls, Key
from mix2daw.search.judge import Judge

FIRST_SHARE, LARGEST_SHARE = 0.1, 0.5
HARMLESS = 0.02  # share of the tolerance
HOPELESS = 2.0  # times what may still be lost: not tried again when the others have gone

BATCH_SHARE = 0.25  # of the candidates that the first trial leaves out
BATCH_HARM = 0.1  # share of the tolerance that each device of a batch may cost

Heard = Callable[[Judge], None]


def weight(controls: Controls, key: Key) -> float:
    """How much a device takes part, 0 to about 1; comparable within a type only."""
    if key.type == "send":
        return 10 ** (controls.value(key, "level_db") / 20)
    if key.type == "fader":
        return abs(controls.value(key, "fader_db"))
    if key.type == "pan":
        return abs(controls.value(key, "pan"))
    return float(controls.wet_of([key])[0])


def dry_wet_round(judge: Judge, limit: Callable[[], float], heard: Heard) -> None:
    """One round of the dry/wet strategy. `limit()` is the La that may not be reached."""
    weights = {key: weight(judge.controls, key) for key in judge.candidates()}
    pool = sorted({key.type for key in weights})
    share = dict.fromkeys(pool, FIRST_SHARE)
    while pool:
        for type_ in list(pool):
            left = [key for key in judge.candidates() if key.type == type_ and key in weights]
            if not left:
                pool.remove(type_)
                continue
            left.sort(key=lambda key: (weights[key], key))
            count = max(1, round(share[type_] * len(left)))
            trial = judge.without(left[:count])
            if trial.score < limit():
                judge.accept(trial)
                share[type_] = min(LARGEST_SHARE, 2 * share[type_])
            elif count == 1:
                pool.remove(type_)
            else:
                share[type_] = count / 2 / len(left)
            heard(judge)


def saliency_round(
    judge: Judge,
    salient: Mapping[Key, float],
    limit: Callable[[], float],
    tolerance: float,
    heard: Heard,
) -> None:
    """Many at once where nothing is lost by it, else fewer; what did harm waits until the rest has gone."""
    queue = sorted(judge.candidates(), key=lambda key: (salient.get(key, math.inf), key))
    most = count = max(1, round(BATCH_SHARE * len(queue)))
    harm: dict[Key, float] = {}
    while queue:
        batch = queue[:count]
        trial = judge.without(batch)
        rise = trial.score - judge.score
        if rise <= BATCH_HARM * tolerance * len(batch) and trial.score < limit():
            judge.accept(trial)
            queue, count = queue[count:], min(most, 2 * count)
        elif count == 1:
            harm[queue.pop(0)] = rise
        else:
            count = max(1, count // 3)
        heard(judge)
    least_harm_first(judge, harm, limit, heard)


def least_harm_first(
    judge: Judge,
    harm: Mapping[Key, float],
    limit: Callable[[], float],
    heard: Heard,
    most: float = math.inf,
) -> None:
    """Devices alone, by the harm that each did; one of more than `most` stays."""
    for key in sorted(harm, key=lambda key: (harm[key], key)):
        if harm[key] < HOPELESS * (limit() - judge.score) and key in judge.candidates():
            trial = judge.without([key])
            if trial.score < limit() and trial.score - judge.score <= most:
                judge.accept(trial)
            heard(judge)


def brute_force_round(
    judge: Judge,
    limit: Callable[[], float],
    tolerance: float,
    generator: random.Random,
    heard: Heard,
) -> None:
    """Every device alone, in random order; then those that did some harm once more, least harm first."""
    keys = judge.candidates()
    generator.shuffle(keys)
    harm: dict[Key, float] = {}
    for key in keys:
        trial = judge.without([key])
        rise = trial.score - judge.score
        if rise <= HARMLESS * tolerance and trial.score < limit():
            judge.accept(trial)
        else:
            harm[key] = rise
        heard(judge)
    least_harm_first(judge, harm, limit, heard)
