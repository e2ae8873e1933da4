"""What is in the mix and in no stem: how much, where in the spectrum and when."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mix2daw.check.fades import Fades
from mix2daw.check.filters import Filters
from mix2daw.check.findings import Finding, finding
from mix2daw.check.remains import Remains, band_edges_hz
from mix2daw.check.song import Song
from mix2daw.dsp.weighting import A_CORNERS_HZ
from mix2daw.search.agreement import SURE_DB, linear_ceiling

Floats = NDArray[np.float64]

# A cell (a third of an octave in a window) is heard if it is no softer than this against all of a window,
# A-weighted.
HEARD_DB = -26.0
# Of a heard cell. In four mixes by equalizers, compressors, echo and reverb 0.34 and less.
LEFT_SHARE = 0.45


def explained_findings(song: Song, filters: Filters, remains: Remains, fades: Fades) -> Iterator[Finding]:
    """How much is explained, and a warning where a heard part is not. A fade explains what is left in it."""
    left, mix = remains.left, remains.mix
    weight = a_weighting()
    heard_db = 10 * np.log10(np.maximum(mix * weight, 1e-30) / max(float((mix @ weight).mean()), 1e-30))
    starts_s = np.arange(len(mix)) * remains.window_s
    faded = [fades.covers(start_s, start_s + remains.window_s) for start_s in starts_s]
    heard = (heard_db > HEARD_DB) & ~np.array(faded)[:, None]
    share = np.where(heard, np.minimum(left / np.maximum(mix, 1e-30), 1.0), 0.0)
    total = float((left @ weight).sum() / max(float((mix @ weight).sum()), 1e-30))
    ceiling = linear_ceiling(filters.responses, song.sample_rate)
    bands = np.where(heard.any(0), (left * heard).sum(0) / np.maximum((mix * heard).sum(0), 1e-30), 0.0)
    times = (left @ weight) / np.maximum(mix @ weight, 1e-30)
    times[~heard.any(1)] = 0.0
    band, time = int(bands.argmax()), int(times.argmax())
    measured = {
        "reach_ms": 1000 * filters.size / song.sample_rate,
        "explained_percent": 100 * ceiling,
        "ceiling_db": min(SURE_DB, -10 * math.log10(max(1 - ceiling, 1e-12))),
        **_span(band, time, remains),
        "band_percent": 100 * (1 - float(bands[band])),
        "time_percent": 100 * (1 - float(times[time])),
    }
    yield finding("mix-explained", [song.mix_path], measured)
    loudest = np.where(share > LEFT_SHARE, left * weight, 0.0)
    if loudest.any():
        window, band = (int(index) for index in np.unravel_index(int(loudest.argmax()), share.shape))
        where = _span(band, window, remains)
        worst = {"left_percent": 100 * float(share[window, band]), "total_percent": 100 * total, **where}
        yield finding("mix-unexplained", [song.mix_path], worst)


def _span(band: int, window: int, remains: Remains) -> dict[str, float]:
    edges = band_edges_hz()
    return {
        "low_hz": float(edges[band]),
        "high_hz": float(edges[band + 1]),
        "from_s": window * remains.window_s,
        "to_s": (window + 1) * remains.window_s,
    }


def a_weighting() -> Floats:
    """The A curve (IEC 61672) in the middle of every band, as a factor of energy, of arbitrary level."""
    edges = band_edges_hz()
    square = edges[:-1] * edges[1:]
    f1, f2, f3, f4 = (corner**2 for corner in A_CORNERS_HZ)
    gain: Floats = square**2 / ((square + f1) * np.sqrt((square + f2) * (square + f3)) * (square + f4))
    return gain**2
