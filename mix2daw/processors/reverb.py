"""Reverb: Freeverb, eight combs in parallel and then four allpasses for each ear.

Both ears hear the sum of both channels.

    s[n] = 0.015 · (x_L[n] + x_R[n])
    f = 0.28 · room_size + 0.7
    d = 0.4 · damping

A comb of length N, and the sum of all eight v:

    v[n] = w[n − N]
    l[n] = (1 − d) · v[n] + d · l[n − 1]
    w[n] = s[n] + f · l[n]

An allpass of length M, from u to q; the four follow one another:

    q[n] = w[n − M] − u[n]
    w[n] = u[n] + w[n − M] / 2

What the last ones give is e_L and e_R:

    y_L[n] = 1.5 · wet_level · ((1 + width) · e_L[n] + (1 − width) · e_R[n]) + 2 · dry_level · x_L[n]
    y_R[n] = 1.5 · wet_level · ((1 + width) · e_R[n] + (1 − width) · e_L[n]) + 2 · dry_level · x_R[n]

Lengths at 44.1 kHz: N = 1116, 1188, 1277, 1356, 1422, 1491, 1557, 1617 and M = 556, 441, 341, 225; 23 samples
more for the right ear. At other rates floor(N · f_s / 44100). At rest (`wet_level` 0, `dry_level` 0.5) the
signal passes unchanged.

Source: Freeverb by Jezar at Dreampoint, as `juce::Reverb` runs it, which pedalboard's `Reverb` is.
"""

from __future__ import annotations

from torch import Tensor

from mix2daw.dsp.freeverb import freeverb
from mix2daw.dsp.rows import as_stereo, beside, may_hold, per_sample, wants_gradient
from mix2daw.params import Param
from mix2daw.processors.base import Processor

INPUT_LIN = 0.015


def process(
    signal: Tensor,
    sample_rate: int,
    room_size: Tensor,
    damping: Tensor,
    wet_level: Tensor,
    dry_level: Tensor,
    width: Tensor,
) -> Tensor:
    """The signal (strips, 1 or 2, samples) in a room, (strips, 2, samples); every control (strips,)."""
    signal = as_stereo(signal)
    dry = signal * (2 * per_sample(beside(dry_level, signal)))
    if not wants_gradient(wet_level) and not may_hold(wet_level != 0):
        return dry
    ears = freeverb(
        (signal[:, 0] + signal[:, 1]) * INPUT_LIN,
        sample_rate,
        _like_juce(room_size, 0.28, 0.7),
        _like_juce(damping, 0.4),
    )
    wet, spread = 3 * per_sample(wet_level), per_sample(width)
    same, across = 0.5 * wet * (1 + spread), 0.5 * wet * (1 - spread)
    return ears * same + ears.flip(1) * across + dry


def _like_juce(control: Tensor, factor: float, offset: float = 0.0) -> Tensor:
    """control · factor + offset in float64, with the value that float32 arithmetic gives it."""
    exact = control.double() * factor + offset
    rounded = control.detach().float() * factor + offset
    return exact + (rounded.double() - exact.detach())


PROCESSOR = Processor(
    name="reverb",
    params=(
        Param("room_size", 0, 1, 0.5, step=0.02),
        Param("damping", 0, 1, 0.5, step=0.02),
        Param("wet_level", 0, 1, 0, step=0.01),
        Param("dry_level", 0, 1, 0.5, step=0.01, learnable=False),
        Param("width", 0, 1, 1, step=0.03),
    ),
    process=process,
    stereo=True,
    null_db=-140.0,
)
