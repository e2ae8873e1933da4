"""Evidence of echoes and reverb in the deconvolved impulse responses of the stems.

Long-frame least squares (several seconds) gives each stem's impulse response on the way to the mix. A delay
is a peak that stands far above its surroundings; a reverb is a tail that looks like one of a dictionary.
Both are sought for one return that all stems share.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mix2daw.processors import PROCESSORS
from mix2daw.search.least_squares import Responses, least_squares, mid_side_columns

FRAME_S = 2.7
ECHO_LOW_S, ECHO_HIGH_S = 0.05, 1.4
ECHO_PEAK = (
    25.0  # times the median of the response: facts show 4 to 12 without a delay, 160 and more with one
)
ECHO_SHARE = 0.02
TAIL_FROM_S, TAIL_TO_S = 0.02, 1.2
TAIL_MATCH = 0.08  # correlation with the best tail of the dictionary that counts as evidence
BAND_LOW_HZ, BAND_HIGH_HZ = 60.0, 9000.0
ROOMS, DAMPINGS = (0.1, 0.3, 0.5, 0.7, 0.85), (0.2, 0.5, 0.8)


@dataclass(frozen=True)
class Echo:
    """A delay found: its time, its feedback, and per stem the level of its first echo against the direct
    sound (0: none found on that stem)."""

    delay_samples: int
    feedback: float
    share: tuple[float, ...]


@dataclass(frozen=True)
class Room:
    """A reverb found: its settings, and per stem the send level, linear (0: none found on that stem)."""

    room_size: float
    damping: float
    send_lin: tuple[float, ...]


def impulse_spectra(sources: Sequence[Tensor], target: Tensor, sample_rate: int) -> tuple[Responses, int]:
    """Mid-to-mid responses over long frames, and the frame size."""
    size = 1 << max(12, round(math.log2(FRAME_S * sample_rate)))
    while size > target.shape[1] and size > 1 << 12:
        size //= 2
    mids = [mid_side_columns([source])[0][0] for source in sources]
    mid = 0.5 * (target[:1] + target[1:])
    return least_squares(mids, tuple(range(len(mids))), mid, size, (1e-3, 1e-9), average_ridge=True), size


def find_echo(spectra: Responses, size: int, sample_rate: int) -> Echo | None:
    """The echo that most stems (weighted by clarity) agree on, or None."""
    responses = torch.fft.irfft(spectra.response[..., 0].T, size)
    low, high = round(ECHO_LOW_S * sample_rate), min(round(ECHO_HIGH_S * sample_rate), size // 3)
    if high <= low:
        return None
    magnitude = responses[:, low:high].abs()
    clarity = magnitude / magnitude.median(1, keepdim=True).values.clamp(min=1e-12)
    direct = responses[:, :3].sum(1)
    share = responses[:, low:high] / direct.sign().mul(direct.abs().clamp(min=1e-6))[:, None]
    votes = torch.where((clarity > ECHO_PEAK) & (share.abs() > ECHO_SHARE), clarity, 0.0).sum(0)
    if float(votes.max()) == 0:
        return None
    lag = low + int(votes.argmax())
    found = (clarity[:, lag - low] > ECHO_PEAK) & (share[:, lag - low] > ECHO_SHARE)
    if not bool(found.any()):
        return None
    first = responses[:, lag][found]
    second = responses[:, 2 * lag][found] if 2 * lag + 2 < size else torch.zeros_like(first)
    feedback = float((first * second).sum() / first.square().sum())
    shares = torch.where(found, share[:, lag - low], 0.0)
    return Echo(lag, min(0.8, max(0.05, feedback)), tuple(float(s) for s in shares))


def tail_dictionary(sample_rate: int, samples: int) -> dict[tuple[float, float], Tensor]:
    """Mid-to-mid impulse responses of the reverb at wet level 1/3 (how it stands on a return)."""
    pairs = list(itertools.product(ROOMS, DAMPINGS))
    impulse = torch.zeros(len(pairs), 2, samples)
    impulse[..., 0] = 1
    rooms, dampings = (torch.tensor(values, dtype=torch.float64) for values in zip(*pairs, strict=True))
    with torch.no_grad():
        wet = PROCESSORS["reverb"].process(
            impulse,
            sample_rate,
            room_size=rooms,
            damping=dampings,
            wet_level=torch.full_like(rooms, 1 / 3),
            dry_level=torch.zeros_like(rooms),
            width=torch.ones_like(rooms),
        )
    return dict(zip(pairs, wet.mean(1).unbind(0), strict=True))


def find_room(spectra: Responses, size: int, sample_rate: int, equalised: Tensor) -> Room | None:
    """The room whose tail explains most of the stems' tails, or None.

    `equalised`: `(stems, bins)` complex response of each stem's dry path (equalizer and level), by which the
    measured responses are divided so that what is left is direct sound plus reverb.
    """
    last = min(round(TAIL_TO_S * sample_rate), size // 2)
    first = round(TAIL_FROM_S * sample_rate)
    frequency = torch.arange(size // 2 + 1) * (sample_rate / size)
    band = (frequency > BAND_LOW_HZ) & (frequency < BAND_HIGH_HZ)
    flat = torch.where(band, spectra.response[..., 0].T / (equalised + 1e-12), 0)
    tails = torch.fft.irfft(flat, size)[:, first:last]
    best: tuple[float, Room] | None = None
    for (room, damping), response in tail_dictionary(sample_rate, last).items():
        shaped = torch.fft.irfft(torch.fft.rfft(response, size) * band, size)[first:last]
        inner = tails @ shaped
        match = inner / (tails.norm(dim=1) * shaped.norm()).clamp(min=1e-12)
        score = float(match.clamp(min=0).square().sum())
        if best is None or score > best[0]:
            sends = torch.where(match > TAIL_MATCH, inner / shaped.square().sum(), 0.0)
            best = (score, Room(room, damping, tuple(float(s) for s in sends)))
    if best is None or max(best[1].send_lin, default=0.0) <= 0:
        return None
    return best[1]
