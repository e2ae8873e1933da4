"""Devices that pedalboard has no plugin for, in numpy: functions of a signal and of their controls.

`chains` plays them and written scripts copy them as they stand here, so each needs numpy and nothing else.
A signal is (1 or 2, samples) float32, or (2, samples) where the twin says `stereo`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Audio = npt.NDArray[np.float32]


def widened(x: Audio, width: float) -> Audio:
    """The side signal times `width`."""
    left, right = x
    change = np.float32(width - 1) * ((left - right) * np.float32(0.5))
    return np.stack([left + change, right - change])
