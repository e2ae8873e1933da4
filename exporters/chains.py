"""What one device sounds like: chains of pedalboard's plugins, and numpy where it has none.

Signals are (channels, samples) float32; an impulse response is (2 or 4, taps).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pedalboard

from mix2daw.errors import GraphError
from mix2daw.exporters.arithmetic import Audio, widened
from mix2daw.exporters.plugins import calls, twin
from mix2daw.graph import Device

Signal = Audio

BLOCK_SAMPLES = 8192  # pedalboard's own default; filters clear tiny states at the end of a block
SHORTEST_SAMPLES = 16  # pedalboard cannot tell channels from samples in a square array
CONVOLUTION_RMS, CONVOLUTION_QUIET = np.float32(0.125), 1e-8  # what its Convolution scales responses to


def chain(device_type: str, values: Mapping[str, float], sample_rate: int) -> list[pedalboard.Plugin]:
    """The plugins of `plugins.calls`, made. A linked compressor's plugin is unlinked all the same:
    `apply_device` has it play the key. Raises as `calls` does."""
    made = calls(device_type, values, sample_rate)
    return [getattr(pedalboard, call.name)(**call.settings) for call in made]


def level_lin(level_db: float) -> np.float32:
    """Amplitude of a level: 10^(dB/20)."""
    return np.float32(10.0 ** (level_db / 20))


def stereo(signal: Signal) -> Signal:
    """(1 or 2, samples) as (2, samples): a mono signal on both sides."""
    return signal if signal.shape[0] == 2 else np.repeat(signal, 2, axis=0)


def sides_lin(pan: float) -> Signal:
    """The balance at 0 dB, (2, 1): left min(1, 1 − pan), right min(1, 1 + pan)."""
    return np.array([[min(1.0, 1 - pan)], [min(1.0, 1 + pan)]], np.float32)


def panned(signal: Signal, pan: float) -> Signal:
    """The signal (2, samples) at another place."""
    return stereo(signal) * sides_lin(pan)


def _played(signal: Signal, plugins: list[pedalboard.Plugin], sample_rate: int) -> Signal:
    samples = signal.shape[1]
    if not plugins or samples == 0:
        return signal
    if samples < SHORTEST_SAMPLES:
        signal = np.pad(signal, ((0, 0), (0, SHORTEST_SAMPLES - samples)))
    for plugin in plugins:
        signal = plugin.process(signal, sample_rate, buffer_size=BLOCK_SAMPLES, reset=True)
    return signal[:, :samples]


def _convolved(signal: Signal, impulse: Signal, sample_rate: int) -> Signal:
    """(2, samples) through (2, taps), channel by channel, at the level of the impulse response.

    pedalboard knows no cross terms and scales every response to an energy of its own, which is undone here:
    its sum of squares runs in float32, tap after tap.
    """
    taps = impulse.shape[1]
    response = np.pad(impulse, ((0, 0), (0, max(0, SHORTEST_SAMPLES - taps))))
    energy = np.cumsum(np.square(impulse), axis=1, dtype=np.float32)[:, -1].max()
    scale = CONVOLUTION_RMS / np.sqrt(energy) if energy >= CONVOLUTION_QUIET else np.float32(1)
    return _played(signal, [pedalboard.Convolution(response, 1.0, sample_rate)], sample_rate) / scale


def _convolution(
    signal: Signal, values: Mapping[str, float], impulse: Signal | None, sample_rate: int
) -> Signal:
    """A convolution reverb: impulse responses of 2 channels hear the mean of both inputs; those of 4 channels
    (L→L, L→R, R→L, R→R) hear each input with both ears."""
    if impulse is None:
        raise GraphError("convolution", "was played without its impulse response", "read it first")
    dry = signal * np.float32(values["dry_level"])
    samples = signal.shape[1]
    if values["wet_level"] == 0 or samples == 0:
        return dry
    if impulse.shape[0] == 2:
        middle = (signal[:1] + signal[1:]) * np.float32(0.5)
        ears = _convolved(np.repeat(middle, 2, axis=0), impulse, sample_rate)
    else:
        left, right = np.repeat(signal[:1], 2, axis=0), np.repeat(signal[1:], 2, axis=0)
        ears = _convolved(left, impulse[:2], sample_rate) + _convolved(right, impulse[2:], sample_rate)
    lag_samples = min(samples, round(values["pre_delay_ms"] * sample_rate / 1000))
    later = np.pad(ears[:, : samples - lag_samples], ((0, 0), (lag_samples, 0)))
    return widened(later, values["width"]) * np.float32(values["wet_level"]) + dry


def _linked(signal: Signal, plugins: list[pedalboard.Plugin], sample_rate: int) -> Signal:
    """(2, samples), both channels with the gain that an unlinked compressor gives the larger |x| of both."""
    key = np.abs(signal).max(0, keepdims=True)
    played = _played(key, plugins, sample_rate)
    # In float64, so that the louder channel has the plugin's own bits.
    gain = np.divide(played, key, out=np.ones(key.shape), where=key > 0, dtype=np.float64)
    linked: Signal = (signal * gain).astype(np.float32)
    return linked


def apply_device(signal: Signal, device: Device, sample_rate: int, impulse: Signal | None = None) -> Signal:
    """What one device makes of (1 or 2, samples), from silence, its `wet` share mixed with the rest.

    `impulse`: the impulse response of a convolution, (2 or 4, taps) at the sample rate (`read_impulse`).
    The result has two channels if the device is a stereo one. Raises as `chain` does, and GraphError for a
    convolution without its impulse response.
    """
    played_as = twin(device.type)
    if played_as.stereo:
        signal = stereo(signal)
    plugins = chain(device.type, device.values, sample_rate)
    if played_as.function is not None:
        wet = played_as.function(signal, **device.values)
    elif device.type == "pan":
        wet = panned(signal, device.values["pan"])
    elif device.type == "convolution":
        wet = _convolution(signal, device.values, impulse, sample_rate)
    elif device.type == "fader":
        wet = signal * level_lin(device.values["fader_db"])
    elif device.values.get("link") == 1 and len(signal) == 2:
        wet = _linked(signal, plugins, sample_rate)
    else:
        wet = _played(signal, plugins, sample_rate)
    if device.wet == 1:
        return wet
    return np.float32(device.wet) * wet + np.float32(1 - device.wet) * signal
