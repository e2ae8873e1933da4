"""Reverb: JUCE's Freeverb. Its input is the sum of both channels; `width` spreads its two ears.

wet1,2 = 1.5 · wet_level · (1 ± width), dry = 2 · dry_level: at rest (wet 0, dry 0.5) the signal passes
unchanged. feedback = 0.28 · room_size + 0.7, damping = 0.4 · damping.
signal (strips, 2, samples); every control (strips,).
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
    """The signal in a room."""
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
