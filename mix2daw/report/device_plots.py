"""What a device does, drawn: its curve, its levels, how it dies away."""

from __future__ import annotations

import numpy as np

from mix2daw.graph import Device
from mix2daw.report.curves import (
    EQ_HIGH_HZ,
    EQ_LOW_HZ,
    STEP_S,
    TAIL_LOW_DB,
    TRANSFER_LOW_DB,
    eq_curve,
    transfer,
)
from mix2daw.report.measure import Floats
from mix2daw.report.plots import Plot, Scale, area, grid, joined, line, time_labels
from mix2daw.report.verdict import signed


def eq_plot(device: Device, sample_rate: int, bands: tuple[str, ...]) -> Plot:
    """The curve of an equalizer; `bands`: it in words."""
    freqs, gains = eq_curve(device, sample_rate)
    reach = 12.0 if np.abs(gains[gains > -40]).max(initial=0.0) <= 12 else 24.0
    across, up = Scale(EQ_LOW_HZ, EQ_HIGH_HZ, log=True), Scale(-reach, reach, upright=True)
    x_ticks = across.ticks([(100.0, "100"), (1000.0, "1k"), (10000.0, "10k Hz")])
    y_ticks = up.ticks([(v, signed(v, 0)) for v in (-reach / 2, 0.0, reach / 2)])
    xs, ys = across(freqs), up(gains)
    body = joined(grid(x_ticks, y_ticks), area(xs, ys, 500, "curve"), line(xs, ys, "curve"))
    return Plot(f"Equalizer curve: {', '.join(bands) or 'flat'}", body, x_ticks, y_ticks, "small")


def transfer_plot(device: Device) -> Plot:
    """Level out over level in of a compressor, gate or limiter."""
    level_in, level_out = transfer(device)
    across, up = Scale(TRANSFER_LOW_DB, 0), Scale(TRANSFER_LOW_DB, 0, upright=True)
    labels = [(-40.0, "−40"), (-20.0, "−20")]
    x_ticks, y_ticks = across.ticks([*labels, (-3.0, "dB")]), up.ticks(labels)
    straight = line(across(np.array([-60.0, 0.0])), up(np.array([-60.0, 0.0])), "unity")
    curve = line(across(level_in), np.where(level_out < TRANSFER_LOW_DB, np.nan, up(level_out)), "curve")
    where = f"ceiling {device.values['ceiling_db']:.1f} dB" if device.type == "limiter" else (
        f"threshold {device.values['threshold_db']:.1f} dB, ratio {device.values['ratio']:.2f} to 1"
    )  # fmt: skip
    return Plot(
        f"Level out over level in of the {device.type}: {where}",
        joined(grid(x_ticks, y_ticks), straight, curve),
        x_ticks,
        y_ticks,
        "square",
    )


def change_plot(device: Device, means: Floats, furthest: Floats, length_s: float) -> Plot:
    """The change of level by a device over time."""
    known = furthest[~np.isnan(furthest)]
    least = float(known.min()) if len(known) else 0.0
    reach = next((r for r in (6.0, 12.0, 24.0, 48.0) if least > -r), 96.0)
    top = 1.0 if not len(known) or known.max() < 1 else reach / 2
    across, up = Scale(0, length_s), Scale(-reach, top, upright=True)
    y_ticks = up.ticks([(v, signed(v, 0)) for v in (0.0, -reach / 2)])
    x_ticks = across.ticks(time_labels(length_s)[1::2])
    xs = np.linspace(0, 1000, len(means), endpoint=False) + 500 / len(means)
    zero = float(up(0.0))
    scaled = [np.where(np.isnan(part), np.nan, up(part)) for part in (means, furthest)]
    body = joined(grid(x_ticks, y_ticks), area(xs, scaled[1], zero, "change"), line(xs, scaled[0], "curve"))
    words = f"Change of level by the {device.type} over time"
    if len(known):
        words += f": {signed(least, 1)} dB at most, {signed(float(np.nanmean(means)), 1)} dB on average"
    return Plot(words, body, x_ticks, y_ticks, "small")


def tail_plot(device: Device, seconds: Floats, level_db: Floats) -> Plot:
    """How a reverb or a delay dies away."""
    length_s = float(seconds[-1]) + STEP_S
    across, up = Scale(0, length_s), Scale(TAIL_LOW_DB, 0, upright=True)
    step = next(s for s in (0.1, 0.25, 0.5, 1.0, 2.0) if length_s / s <= 5)
    marks = np.arange(step, length_s, step)
    x_ticks = across.ticks([(float(mark), f"{mark:g} s") for mark in marks])
    y_ticks = up.ticks([(-20.0, "−20"), (-40.0, "−40")])
    xs = across(seconds + STEP_S / 2)
    shown = up(level_db)
    body = joined(grid(x_ticks, y_ticks), area(xs, shown, 1000, "curve"), line(xs, shown, "curve"))
    above = {db: float(seconds[level_db > db].max(initial=0.0)) + STEP_S for db in (-20, -60)}
    words = f"The {device.type} dies away: by 20 dB in {above[-20]:.2f} s, by 60 dB in {above[-60]:.2f} s"
    return Plot(words, body, x_ticks, y_ticks, "small")
