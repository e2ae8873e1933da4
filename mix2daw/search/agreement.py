"""How far the phases of stems and mix agree: what a linear console can explain at all.

Measured from the least squares of the warm start (`least_squares`), which give every stem any filter that is
as long as a frame. What they leave is noise, dynamics, long reverb, or sound that the stems do not have.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from mix2daw.search.least_squares import Responses
from mix2daw.search.whitening import whitening

SMOOTH_BINS = 9
SURE_DB = 60.0  # a ceiling above this is none


class Agreement(NamedTuple):
    """`ceiling`: the share of the mix that a linear console can explain (`linear_ceiling`); `coherence`
    (bins,): that share per frequency; `shifting`: names of tracks whose phases do not agree."""

    ceiling: float
    coherence: Tensor
    shifting: tuple[str, ...] = ()


def coherence(responses: Responses) -> Tensor:
    """The share (bins,), 0 to 1, of the mix's power that filters explain at each frequency, 0 Hz to half the
    rate; a mean over a few bins."""
    explained, power = (
        torch.nn.functional.avg_pool1d(x[None], SMOOTH_BINS, 1, SMOOTH_BINS // 2)[0]
        for x in (responses.target_power - responses.left, responses.target_power)
    )
    share: Tensor = (explained / power.clamp(min=1e-30)).clamp(0, 1)
    return share


def linear_ceiling(responses: Responses, sample_rate: int) -> float:
    """The share (0 to 1) of the mix's whitened energy that filters of one frame's length, one per stem and
    channel, explain. Chance is taken out: stems that have nothing to do with the mix come to about 0."""
    weight = torch.from_numpy(whitening(responses.target_power.numpy(), sample_rate))
    return float((weight * (responses.target_power - responses.left)).sum().clamp(0, 1))


def ceiling_line(share: float, frame_s: float) -> str:
    """What a ceiling means, in one sentence."""
    db = min(SURE_DB, -10 * math.log10(max(1 - share, 1e-12)))
    scope = f"with responses of up to {1000 * frame_s:.0f} ms"
    return f"no linear console {scope} can explain more than {db:.1f} dB of the mix ({100 * share:.1f} %)"
