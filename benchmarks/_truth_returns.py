"""What comes back from the returns of a console: how long it rings, when, and how loud.

Signals are (channels, samples) float32; impulse responses lie relative to the folder of the graph.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from _truth_parts import Part, effect, place
from _truth_ways import sides_of, way

from mix2daw.exporters.chains import apply_device, stereo
from mix2daw.exporters.pedalboard import OUTPUT, Tap
from mix2daw.graph import Device, Graph, Send, Strip
from mix2daw.stems import Signal, read_impulse
from mix2daw.synthetic.levels import TINY_POWER, Array, heard_power

IMPULSE_S = 8.0
DECAY_FROM_DB, DECAY_TO_DB = -5.0, -35.0  # the stretch of the decay that is fitted: T30
DYNAMICS = ("compressor", "gate", "limiter")  # have no response that an impulse would show


def _impulse(sample_rate: int) -> Signal:
    impulse = np.zeros((2, round(IMPULSE_S * sample_rate)), np.float32)
    impulse[:, 0] = 1  # in both: a reverb hears the mean
    return impulse


def _through(signal: Signal, device: Device, sample_rate: int, folder: Path | None) -> Signal:
    response = read_impulse(folder / device.impulse, sample_rate) if folder and device.impulse else None
    return apply_device(signal, device, sample_rate, response)


def reverb_time_s(device: Device, sample_rate: int, folder: Path | None = None) -> float:
    """RT60 of a reverb in seconds, from the decay between −5 and −35 dB of its impulse response (Schroeder);
    0 if it does not ring. The response of a convolution lies relative to `folder`."""
    rings = _through(_impulse(sample_rate), device, sample_rate, folder)
    power = np.square(rings, dtype=float).sum(0)
    left = np.cumsum(power[::-1])[::-1]
    if left[0] == 0:
        return 0.0
    decay_db = 10 * np.log10(left / left[0] + TINY_POWER)
    fitted = np.flatnonzero((decay_db <= DECAY_FROM_DB) & (decay_db >= DECAY_TO_DB))
    if len(fitted) < 2:
        return 0.0
    slope = float(np.polyfit(fitted / sample_rate, decay_db[fitted], 1)[0])
    return -60 / slope


def delay_samples(graph: Graph) -> frozenset[int]:
    """Times of all delays of a console, in samples."""
    return frozenset(
        round(device.values["delay_ms"] * graph.sample_rate / 1000)
        for _, device in graph.devices()
        if device.type == "delay"
    )


def reverbs(graph: Graph) -> list[Device]:
    """The reverbs on the returns of a console, in order."""
    return [
        next(device for device in strip.devices if device.type in ("reverb", "convolution"))
        for strip in graph.of_kind("return")
        if effect(strip) == "reverb"
    ]


def decay_error_percent(truth: Graph, recovered: Graph, folder: Path | None = None) -> float:
    """|RT60 recovered / RT60 truth − 1| in percent, of the nearest of the recovered reverbs; 100 for none."""
    wanted_s = reverb_time_s(reverbs(truth)[0], truth.sample_rate)
    found_s = [reverb_time_s(d, recovered.sample_rate, folder) for d in reverbs(recovered)] or [0.0]
    return min(100 * abs(time_s / wanted_s - 1) for time_s in found_s)


def send_taps(graph: Graph) -> Iterator[tuple[Tap, Strip, Send]]:
    """Every send of a console, with its strip and where it takes its signal."""
    for strip in graph.strips:
        for send in strip.sends:
            yield (strip.name, OUTPUT if send.tap == "post" else len(strip.devices)), strip, send


def _gain(strip: Strip, graph: Graph, folder: Path) -> Array:
    """|H|² of a return for what both channels have, mean of its sides, (frequencies,) from 0 Hz to half the
    rate: its devices but dynamics, faders and pans on its way to the master."""
    signal = _impulse(graph.sample_rate)
    for device in strip.all_devices():
        if device.type not in DYNAMICS:
            signal = _through(signal, device, graph.sample_rate, folder)
    signal = stereo(signal) * sides_of(way(graph, strip.name))[:, None]
    return np.asarray(np.square(np.abs(np.fft.rfft(signal))).mean(0))


def returned_power(graph: Graph, folder: Path, taps: Mapping[Tap, Signal]) -> dict[str, float]:
    """Power of what comes back of every send, per part as `str` has it: of what is sent (`taps`, as
    `send_taps` names them), by the send, through the return to the master, in 20 Hz..20 kHz. In no unit, but
    in the same for two consoles of one song. Where several sends are one part, their powers add up."""
    gains = {strip.name: _gain(strip, graph, folder) for strip in graph.of_kind("return")}
    power: defaultdict[str, float] = defaultdict(float)
    for tap, strip, send in send_taps(graph):
        sent = heard_power(stereo(taps[tap]), graph.sample_rate)
        gain = gains[send.target]
        gain = np.interp(np.linspace(0, 1, len(sent)), np.linspace(0, 1, len(gain)), gain)
        part = Part(place(graph, strip), f"send to {effect(graph.strip(send.target))}")
        power[str(part)] += float((sent * gain).sum()) * 10 ** (send.level_db / 10)
    return dict(power)
