"""The song as a whole: its signals, the waveform that one plays by, loudness over time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from mix2daw.report.measure import (
    BLOCK_S,
    SHORT_TERM_BLOCKS,
    Floats,
    lufs,
    sliding,
)
from mix2daw.report.plots import Plot, Scale, grid, joined, line, time_labels
from mix2daw.stems import Signal

WAVE_POINTS, LOUDNESS_POINTS = 500, 500
LOUDNESS_RANGE_LU = 36.0


@dataclass(frozen=True)
class Song:
    """The mix, what the console makes of it and what is left, `(2, samples)`; K-weighted blocks of each;
    energies (mid and side, bands, frames) of the mix and of what is left."""

    sample_rate: int
    target: Signal
    ours: Signal
    difference: Signal
    target_blocks: Floats
    ours_blocks: Floats
    difference_blocks: Floats
    target_energies: Floats
    difference_energies: Floats

    @property
    def length_s(self) -> float:
        """Its length."""
        return float(self.target.shape[1] / self.sample_rate)


def waveform(song: Song) -> Plot:
    """The peaks of the mix, and before them those of the difference."""
    across = Scale(0, song.length_s)
    most = max(float(np.abs(song.target).max(initial=0.0)), 1e-6)
    body = joined(*(_peaks(x, most, name) for x, name in ((song.target, "mix"), (song.difference, "rest"))))
    words = "Waveform of the mix, and in front of it that of the difference"
    return Plot(words, body, across.ticks(time_labels(song.length_s)), (), "wave")


def _peaks(signal: Signal, most: float, style: str) -> Markup:
    samples = signal.shape[1]
    edges = np.unique(np.linspace(0, samples, min(WAVE_POINTS, samples), endpoint=False).astype(int))
    high = np.maximum.reduceat(signal.max(0), edges).clip(0)
    low = np.minimum.reduceat(signal.min(0), edges).clip(None, 0)
    xs = np.linspace(0, 1000, len(edges))
    top = [f"{x:.0f} {500 - 490 * y / most:.0f}" for x, y in zip(xs, high, strict=True)]
    bottom = [f"{x:.0f} {500 - 490 * y / most:.0f}" for x, y in zip(xs[::-1], low[::-1], strict=True)]
    return Markup('<path class="peaks {}" d="M{}z"/>').format(style, "L".join([*top, *bottom]))


def loudness_plot(song: Song) -> Plot:
    """Short-term loudness of the mix, of ours and of what is left."""
    curves = {
        "mix": song.target_blocks,
        "ours": song.ours_blocks,
        "rest": song.difference_blocks,
    }
    loud = {name: lufs(sliding(blocks, SHORT_TERM_BLOCKS)) for name, blocks in curves.items()}
    top = float(np.ceil(max(loud["mix"].max(), loud["ours"].max()) / 6) * 6)
    low = min(top - LOUDNESS_RANGE_LU, max(top - 2 * LOUDNESS_RANGE_LU, float(loud["rest"].max()) - 6))
    across, up = Scale(0, song.length_s), Scale(low, top, upright=True)
    step = 6 if top - low <= 42 else 12
    x_ticks = across.ticks(time_labels(song.length_s))
    y_ticks = up.ticks([(v, f"{v:.0f}".replace("-", "−")) for v in np.arange(top, low, -step)[1:]])
    pick = np.unique(np.linspace(0, len(loud["mix"]) - 1, LOUDNESS_POINTS).astype(int))
    xs = across((pick + 0.5) * BLOCK_S)
    lines = [
        line(xs, np.where(loud[name][pick] < low, np.nan, up(loud[name][pick])), name)
        for name in ("rest", "mix", "ours")
    ]
    words = f"Short-term loudness over time, {low:.0f} to {top:.0f} LUFS: mix, ours and the difference"
    return Plot(words, joined(grid(x_ticks, y_ticks), *lines), x_ticks, y_ticks, "wide")
