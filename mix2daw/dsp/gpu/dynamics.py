"""Compressor and gate: the envelope by recursion, what is made of it sample by sample.

Only the recursion has to go one step after the other, so it alone is a kernel of one thread for each row;
the gain computer is torch's. A detector that several channels share is a maximum over them before
`envelope_of`.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mix2daw.dsp.gpu.ballistics import envelope_of
from mix2daw.dsp.rows import beside, per_sample
from mix2daw.dsp.steps import SILENCE


def _magnitude(signal: Tensor) -> Tensor:
    """|x|, with the slope −1 at 0 that the CPU's adjoint has."""
    return signal * torch.where(signal.detach() > 0, 1.0, -1.0)


def compress(
    signal: Tensor, attack: Tensor, release: Tensor, threshold_ln: Tensor, k: Tensor, link: Tensor
) -> Tensor:
    """The compressed signal; arguments as those of mix2daw.dsp.compression.compress."""
    heard = _magnitude(signal)
    linked = beside(link, signal)[:, None, None] != 0
    heard = torch.where(linked, heard.amax(1, keepdim=True), heard)
    envelope = envelope_of(heard, attack, release)
    over = (envelope / per_sample(threshold_ln.exp())).clamp(min=1)
    return signal * over ** per_sample(k)


def gate(
    signal: Tensor, attack: Tensor, release: Tensor, threshold_ln: Tensor, k: Tensor, window: Tensor
) -> Tensor:
    """The gated signal; arguments as those of mix2daw.dsp.gating.gate."""
    power = envelope_of(signal.square(), torch.zeros_like(window), window.detach())
    # The floors are far below what is heard; at 0 a root and a power have no slope.
    envelope = envelope_of(power.clamp(min=float(SILENCE)).sqrt(), attack, release)
    under = (envelope / per_sample(threshold_ln.exp())).clamp(float(SILENCE), 1)
    slope = per_sample(k)
    # What is at the floor is silence: shut, and without slope, unless the gate does nothing.
    sounding = (envelope.detach() > 2 * math.sqrt(SILENCE)) | (slope == 0)
    return signal * torch.where(sounding, under**slope, 0.0)
