"""Faders and panner positions of Ardour that give the gains of the graph exactly.

Ardour's mono panner and its `Equal Power Stereo` share the law f(x) = x (K x + 1 - K), K = -0.831783138.
Its centre is f(0.5) = 0.708, so the fader has to make up for it. The default `Stereo Balance` is linear.
"""

from __future__ import annotations

from dataclasses import dataclass

STEREO_WIDTH_URI = "http://ardour.org/plugin/panner_2in2out"
_LAW = -0.831783138
_BISECTIONS = 60


@dataclass(frozen=True)
class Position:
    """A fader (linear), an azimuth 0..1 (0.5: centre), a width -1..1 and the panner ("": the default one)."""

    fader_lin: float
    azimuth: float
    width: float
    panner_uri: str = ""


def mono(left_lin: float, right_lin: float) -> Position:
    """One channel to two: fader x f(1 - azimuth) is `left_lin`, fader x f(azimuth) is `right_lin`."""
    if left_lin == 0 and right_lin == 0:
        return Position(0.0, 0.5, 0.0)
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if law(middle) * left_lin < law(1 - middle) * right_lin:
            low = middle
        else:
            high = middle
    azimuth = (low + high) / 2
    louder = left_lin / law(1 - azimuth) if left_lin >= right_lin else right_lin / law(azimuth)
    return Position(louder, azimuth, 0.0)


def balance(left_lin: float, right_lin: float) -> Position:
    """Two channels to two: left x min(1, 2 - 2 azimuth), right x min(1, 2 azimuth)."""
    louder = max(left_lin, right_lin)
    if louder == 0:
        return Position(0.0, 0.5, 1.0)
    azimuth = right_lin / (2 * left_lin) if left_lin >= right_lin else 1 - left_lin / (2 * right_lin)
    return Position(louder, azimuth, 1.0)


def narrowed(level_lin: float, side_lin: float) -> Position:
    """Two channels to two, centred: the middle x `level_lin`, the side x `level_lin` x `side_lin` (0..1).

    With a = f(0.5 + w/2), b = f(0.5 - w/2): middle = a + b, side = a - b.
    """
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        wide, narrow = law(0.5 + middle / 2), law(0.5 - middle / 2)
        if (wide - narrow) < side_lin * (wide + narrow):
            low = middle
        else:
            high = middle
    width = (low + high) / 2
    total = law(0.5 + width / 2) + law(0.5 - width / 2)
    return Position(level_lin / total, 0.5, width, STEREO_WIDTH_URI)


def law(position: float) -> float:
    """Ardour's equal-power approximation, 0 at 0 and 1 at 1."""
    return position * (_LAW * position + 1 - _LAW)
