"""Echoes and reverb in what the dry console leaves of the mix.

An echo is a peak in a stem's response to the residual that stands far above its surroundings. The reverb's
impulse response is deconvolved from all stems together (`deconvolution`). If an algorithmic reverb explains
nearly as much of the residual as the free response does, it was that one; else the response itself becomes
the reverb, as a convolution. A response that does not hold on a part of the song it was not solved on is
no reverb.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mix2daw.processors import PROCESSORS
from mix2daw.search.deconvolution import Deconvolution, Levels, Stretch, summed
from mix2daw.search.echoes import Echo, echo_response, find_echo

IMPULSE_S = 2.5
ROUNDS = 3
HOLDS = 0.03  # share of the residual that a response must explain on a part it was not solved on ...
AUDIBLE = 2e-4  # ... and of the mix
# Of what the free response explains, to be taken instead of it. Its combs are like no other reverb's: where
# it was not used it explains 0.003 at most, where it was 0.4 and more (a free response follows errors, too).
ALGORITHMIC = 0.15
ROOMS, DAMPINGS = (0.2, 0.5, 0.75, 0.92), (0.2, 0.6)
ROOM_SPANS, ROOM_PASSES = ((0.1, 0.05), (0.05, 0.025, 0.012)), 3


@dataclass(frozen=True)
class Room:
    """An algorithmic reverb (settings of `reverb`), and the sends into it."""

    settings: dict[str, float]
    sends_lin: Levels


@dataclass(frozen=True)
class Response:
    """A reverb that is known by its impulse response (2, taps) of unit energy, on the device that it was
    solved on, and the sends into it."""

    impulse: Tensor
    sends_lin: Levels


@dataclass(frozen=True)
class Space:
    """What was found; None: no evidence. `explained`: share of the residual's whitened energy."""

    echo: Echo | None
    reverb: Room | Response | None
    explained: float


def find_space(
    stretches: list[Stretch], sample_rate: int, kinds: Collection[str] = ("delay", "reverb", "convolution")
) -> Space:
    """Echo and reverb in some stretches of the song; `kinds`: of devices that may stand for them."""
    taps = min(round(IMPULSE_S * sample_rate), stretches[0].rest.shape[1] // 2)
    problem = Deconvolution(stretches, sample_rate, taps)
    before = problem.error()
    echo = find_echo(problem, sample_rate) if "delay" in kinds else None
    if echo is not None:
        problem.subtract(echo.sends_lin, echo_response(echo, taps, problem.device))
    reverb: Room | Response | None = None
    if "reverb" in kinds or "convolution" in kinds:
        response = solve(problem, rounds=1)
        reverb = _as_room(problem, response, sample_rate, ALGORITHMIC) if "reverb" in kinds else None
        if reverb is None and _holds(stretches, problem, sample_rate):
            if "convolution" in kinds:
                reverb = solve(problem, response.sends_lin, ROUNDS - 1)
            else:
                reverb = _as_room(problem, response, sample_rate)
    if isinstance(reverb, Room):
        ears = room_response(reverb.settings, sample_rate, taps, problem.device)
        problem.subtract(reverb.sends_lin, ears)
    elif reverb is not None:
        problem.subtract(reverb.sends_lin, reverb.impulse)
    return Space(echo, reverb, 1 - problem.error() / before if before > 0 else 0.0)


def solve(
    problem: Deconvolution,
    sends_lin: Levels | None = None,
    rounds: int = ROUNDS,
    only: NDArray[np.bool_] | None = None,
) -> Response:
    """Impulse response and sends in turn, from given sends or equal ones; `only` some tracks may send."""
    sends = np.ones(len(problem.feeds[0])) if sends_lin is None else sends_lin
    impulse = torch.zeros(2, problem.taps, device=problem.device)
    for _ in range(rounds):
        impulse = problem.solve_impulse(sends)
        loudness = math.sqrt(float(summed(impulse.double().square()).sum()) / 2)
        if not loudness > 0:
            break
        impulse = impulse / loudness
        sends = problem.solve_sends(impulse, only)
        problem.fill(sends, impulse)
    return Response(impulse, sends)


def _holds(stretches: list[Stretch], problem: Deconvolution, sample_rate: int) -> bool:
    """Whether responses that are solved on one half explain the other. Both ways are counted together: where
    one half says little of the reverb, the other may say enough."""
    halves: tuple[list[Stretch], list[Stretch]] = ([], [])
    for stretch, rest in zip(stretches, problem.observed, strict=True):
        middle = rest.shape[1] // 2
        for half, cut in zip(halves, (slice(None, middle), slice(middle, None)), strict=True):
            half.append(Stretch(stretch.feeds[:, cut], rest[:, cut], stretch.mix[:, cut]))
    taps = min(problem.taps, halves[0][0].rest.shape[1] // 2)
    before = left = 0.0
    for known, other in (halves, halves[::-1]):
        learnt, unseen = (Deconvolution(half, sample_rate, taps) for half in (known, other))
        found = solve(learnt, rounds=1)
        before += unseen.error()
        left += unseen.error(found.sends_lin, found.impulse)
    return before - left > max(HOLDS * before, 2 * AUDIBLE)


def room_response(settings: dict[str, float], sample_rate: int, taps: int, device: torch.device) -> Tensor:
    """The impulse response (2, taps) of the algorithmic reverb, for a mono input."""
    impulse = torch.zeros(1, 2, taps)
    impulse[..., 0] = 1
    reverb = PROCESSORS["reverb"]
    controls = {
        name: torch.tensor([v], dtype=torch.float64).to(device)
        for name, v in (reverb.rest() | settings).items()
    }
    with torch.no_grad():
        response: Tensor = reverb.process(impulse.to(device), sample_rate, **controls)[0]
    return response


def _as_room(problem: Deconvolution, response: Response, sample_rate: int, share: float = 0.0) -> Room | None:
    """The algorithmic reverb that explains at least that share of what the response explains, or None."""
    free = problem.error() - problem.error(response.sends_lin, response.impulse)
    sends = response.sends_lin
    explained, room, damping = max(
        (_explained(problem, sends, room, damping, sample_rate), room, damping)
        for room, damping in itertools.product(ROOMS, DAMPINGS)
    )
    if explained <= 0.5 * share * free:
        return None
    for spans in ROOM_SPANS:
        for span in spans:
            for _ in range(ROOM_PASSES):
                before = room, damping
                moves = [(room - span, damping), (room + span, damping)]
                moves += [(room, damping - 2 * span), (room, damping + 2 * span)]
                for room_size, damped in moves:
                    tried = min(1.0, max(0.0, room_size)), min(1.0, max(0.0, damped))
                    gain = _explained(problem, sends, *tried, sample_rate)
                    if gain > explained:
                        explained, (room, damping) = gain, tried
                if (room, damping) == before:
                    break
        ears = room_response(_settings(room, damping), sample_rate, problem.taps, problem.device)
        # Sends that suit the free response may not suit the room: with its own it is another room.
        sends = problem.solve_sends(ears)
        explained = _explained(problem, sends, room, damping, sample_rate)
    return Room(_settings(room, damping), sends) if explained >= share * free else None


def _settings(room: float, damping: float) -> dict[str, float]:
    return {"room_size": room, "damping": damping, "wet_level": 1 / 3, "dry_level": 0.0}


def _explained(problem: Deconvolution, sends: Levels, room: float, damping: float, sample_rate: int) -> float:
    """What such a room explains at given sends, at any level and width."""
    ears = room_response(_settings(room, damping), sample_rate, problem.taps, problem.device)
    return problem.explained(sends, (ears, ears.flip(0)))


def decay_s(impulse: NDArray[np.floating], sample_rate: int) -> float:
    """Seconds in which the energy left in a response (ears, taps) falls by 60 dB: from the slope between
    −5 and −25 dB of Schroeder's integral; 0 if it never falls that far."""
    energy = np.square(impulse, dtype=np.float64).sum(0)
    left = np.cumsum(energy[::-1])[::-1]
    if not left[0] > 0:
        return 0.0
    level_db = 10 * np.log10(np.maximum(left / left[0], 1e-12))
    first, last = (int(np.argmax(level_db <= bound)) for bound in (-5.0, -25.0))
    return 3 * (last - first) / sample_rate
