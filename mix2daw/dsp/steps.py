"""One sample of each recursive detector: scalar code that the kernels of both CPU and GPU run.

numba compiles it for either; there is no second wording that could drift.
"""

from __future__ import annotations

import numpy as np

from mix2daw.dsp.jit import compiled

SILENCE = np.float32(1e-30)  # an envelope that has decayed this far is cleared, denormals are slow
HELD, ATTACKED, RELEASED = 0, 1, 2  # what a limiter's gain did


@compiled
def follow(v: np.float32, e: np.float32, attack: np.float32, release: np.float32) -> np.float32:
    """The envelope after e at an input v (not negative): JUCE's ballistics filter."""
    c = attack if v > e else release
    after = v + c * (e - v)
    return np.float32(0) if after < SILENCE else after


@compiled
def next_gain(
    p: np.float32, g: np.float32, held: np.int64, ceiling: np.float32, k: np.float32, ahead: np.int64
) -> tuple[np.float32, np.int64, int]:
    """A limiter's gain after g at the peak p: the gain, for how many samples it is still held, and HELD,
    ATTACKED or RELEASED. `k`: by which 1 − g shrinks in a sample; `ahead`: samples of lookahead."""
    one = np.float32(1)
    t = ceiling / p if p > ceiling else one
    if t < g:
        return t, ahead, ATTACKED
    if p > ceiling:
        return g, ahead, HELD
    if held > 0:
        return g, held - np.int64(1), HELD
    return g + (one - k) * (one - g), np.int64(0), RELEASED
