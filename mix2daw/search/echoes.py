"""An echo: a peak in the stems' responses to the residual that stands far above its surroundings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from mix2daw.search.deconvolution import Deconvolution, Levels, summed

ECHO_LOW_S, ECHO_HIGH_S = 0.05, 1.4
ECHO_PEAK = 12.0  # times the median of the response: 4 to 8 without a delay
ECHO_SHARE, ECHO_SHARE_HIGH = 0.02, 1.5
ECHO_BAND_HZ = (200.0, 12000.0)
ECHOES = 12  # repeats that count
FEEDBACK_STEPS = (0.2, 0.08, 0.03, 0.01)
BESIDE_SAMPLES = (0, -1, 1, -2, 2)  # of equals, the first


@dataclass(frozen=True)
class Echo:
    """A delay that some stems send to: `sends_lin` (tracks,) linear."""

    delay_samples: int
    feedback: float
    sends_lin: Levels


def find_echo(problem: Deconvolution, sample_rate: int) -> Echo | None:
    """The echo that most stems (weighted by clarity) agree on, or None."""
    low, high = round(ECHO_LOW_S * sample_rate), min(round(ECHO_HIGH_S * sample_rate), problem.taps - 1)
    if high <= low:
        return None
    frequency_hz = np.arange(problem.length // 2 + 1) * (sample_rate / problem.length)
    in_band = (frequency_hz > ECHO_BAND_HZ[0]) & (frequency_hz < ECHO_BAND_HZ[1])
    band = torch.from_numpy(in_band).to(problem.device)
    responses, votes = [], np.zeros(high - low)
    for track in range(len(problem.feeds[0])):
        power, cross = problem.related(track)
        loaded = power + 0.1 * problem.smoothed(power, 0.03) + torch.finfo(torch.float32).tiny
        kernel = band * power / loaded
        heard_back = torch.fft.irfft(0.5 * band * cross / loaded, problem.length)[: 2 * high + 1]
        response = heard_back.cpu().numpy() / max(float(summed(kernel)) / len(kernel), 1e-6)
        responses.append(response)
        magnitude = np.abs(response[low:high])
        clarity = magnitude / max(float(np.median(magnitude)), 1e-12)
        likely = (response[low:high] > ECHO_SHARE) & (response[low:high] < ECHO_SHARE_HIGH)
        votes += np.where((clarity > ECHO_PEAK) & likely, clarity, 0.0)
    if not votes.any():
        return None
    lag = low + int(votes.argmax())
    shares = np.array([response[lag] for response in responses])
    heard = np.array(
        [
            response[lag] > ECHO_PEAK * float(np.median(np.abs(response[low:high]))) and share > ECHO_SHARE
            for response, share in zip(responses, shares, strict=True)
        ]
    )

    def response_of(echo: Echo) -> Tensor:
        return echo_response(echo, problem.taps, problem.device)

    def best(echoes: Iterable[Echo]) -> Echo:
        return max(echoes, key=lambda echo: problem.explained(echo.sends_lin, (response_of(echo),)))

    echo = Echo(lag, 0.4, np.where(heard, shares, 0.0))
    # The peak of a blurred response may lie beside the delay: its repeats tell which sample it is.
    echo = best(replace(echo, delay_samples=lag + beside) for beside in BESIDE_SAMPLES)
    for step in FEEDBACK_STEPS:
        others = (echo.feedback + step * offset for offset in (-2, -1, 0, 1, 2))
        echo = best(replace(echo, feedback=min(0.8, max(0.0, other))) for other in others)
        problem.fill(echo.sends_lin, response_of(echo))
    sends = problem.solve_sends(response_of(echo), only=heard)
    return replace(echo, sends_lin=sends) if sends.max() > ECHO_SHARE else None


def echo_response(echo: Echo, taps: int, device: torch.device) -> Tensor:
    """The impulse response (2, taps) of a fully wet delay."""
    response = torch.zeros(2, taps)
    for repeat in range(1, ECHOES + 1):
        if repeat * echo.delay_samples < taps:
            response[:, repeat * echo.delay_samples] = echo.feedback ** (repeat - 1)
    return response.to(device)
