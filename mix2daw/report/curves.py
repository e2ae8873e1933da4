"""What equalizers and dynamics do: measured on the devices themselves where that is possible.

An equalizer's curve is the spectrum of its impulse response, played by the engine that renders. A change of
level over time is what comes out of a device against what goes into it.
"""

from __future__ import annotations

import numpy as np

from mix2daw.exporters.chains import apply_device
from mix2daw.graph import Device
from mix2daw.report.measure import Floats, decibels
from mix2daw.stems import Signal

EQ_POINTS, EQ_LOW_HZ, EQ_HIGH_HZ = 160, 20.0, 20000.0
IMPULSE_SAMPLES = 1 << 16
CHANGE_POINTS = 240
STEP_S = 0.01
HEARD_LIN = 10 ** (-60 / 20)  # input below is too quiet to tell a change from
DYNAMICS = frozenset({"compressor", "gate", "limiter"})
TRANSFER_LOW_DB = -60.0
TAILS = frozenset({"reverb", "convolution", "delay"})
TAIL_LOW_DB, TAIL_LONGEST_S, TAIL_SHORTEST_S = -60.0, 6.0, 0.2


def eq_curve(device: Device, sample_rate: int) -> tuple[Floats, Floats]:
    """Frequencies in Hz and gains in dB of an equalizer, with its dry share."""
    impulse = np.zeros((1, IMPULSE_SAMPLES), np.float32)
    impulse[0, 0] = 1.0
    response = np.abs(np.fft.rfft(apply_device(impulse, device, sample_rate)[0].astype(np.float64)))
    top = min(EQ_HIGH_HZ, 0.49 * sample_rate)
    wanted = np.geomspace(EQ_LOW_HZ, top, EQ_POINTS)
    bins = np.fft.rfftfreq(IMPULSE_SAMPLES, 1 / sample_rate)
    return wanted, decibels(np.interp(wanted, bins, response) ** 2)


def transfer(device: Device) -> tuple[Floats, Floats]:
    """Levels in and out in dB of a compressor, gate or limiter that stands still: a hard knee."""
    level = np.linspace(TRANSFER_LOW_DB, 0, 121)
    values = device.values
    if device.type == "limiter":
        return level, np.minimum(level, values["ceiling_db"])
    above = level - values["threshold_db"]
    if device.type == "compressor":
        return level, np.where(above > 0, values["threshold_db"] + above / values["ratio"], level)
    return level, np.where(above < 0, values["threshold_db"] + above * values["ratio"], level)


def tail(device: Device, sample_rate: int, impulse: Signal | None = None) -> tuple[Floats, Floats]:
    """How a reverb or a delay dies away: seconds, and levels in dB of its answer to an impulse in both
    channels, in steps of 10 ms, against the loudest step; to the last one above −60 dB.

    `impulse`: the impulse response of a convolution, as `apply_device` has it.
    """
    size = max(1, round(STEP_S * sample_rate))
    steps = round(TAIL_LONGEST_S / STEP_S)
    click = np.zeros((2, steps * size), np.float32)
    click[:, 0] = 1.0
    answer = apply_device(click, device, sample_rate, impulse).astype(np.float64)
    power = np.square(answer).mean(0).reshape(steps, size).mean(1)
    level = decibels(power / max(power.max(), 1e-20))
    last = int(np.flatnonzero(level > TAIL_LOW_DB).max(initial=0))
    count = min(steps, max(last + 2, round(TAIL_SHORTEST_S / STEP_S)))
    return np.arange(count, dtype=np.float64) * STEP_S, level[:count]


def level_change(before: Signal, after: Signal, sample_rate: int) -> tuple[Floats, Floats]:
    """The change of level in dB over time: in each of at most `CHANGE_POINTS` stretches the mean and the
    furthest. NaN where nothing goes in."""
    size = max(1, round(STEP_S * sample_rate))
    steps = -(-before.shape[1] // size)
    starts = np.arange(steps) * size
    power = [np.add.reduceat(np.square(x, dtype=np.float64).mean(0), starts) / size for x in (before, after)]
    heard = power[0] > HEARD_LIN**2
    change = np.where(heard, decibels(power[1] / np.maximum(power[0], 1e-20)), np.nan)
    edges = np.unique(np.linspace(0, steps, min(CHANGE_POINTS, steps), endpoint=False).astype(int))
    means, furthest = np.full(len(edges), np.nan), np.full(len(edges), np.nan)
    for index, part in enumerate(np.split(change, edges[1:])):
        known = part[~np.isnan(part)]
        if len(known):
            means[index] = known.mean()
            furthest[index] = known[np.abs(known).argmax()]
    return means, furthest
