"""Building blocks of the instruments. Signals are float64, times are seconds, pitches are MIDI numbers.

Every random choice comes from a numpy Generator that the caller passes in, so that a song is
reproducible.
"""

from __future__ import annotations

import numpy as np
import scipy.signal
from numba import njit
from numpy.typing import NDArray

Signal = NDArray[np.float64]

RATE = 44100


def samples(seconds: float) -> int:
    """Seconds as a whole number of samples."""
    return round(seconds * RATE)


def hertz(pitch: float) -> float:
    """Frequency of a MIDI pitch, A4 (69) = 440 Hz."""
    return float(440 * 2 ** ((pitch - 69) / 12))


def clock(count: int) -> Signal:
    """Time of each of `count` samples, in seconds."""
    return np.arange(count) / RATE


def add_at(track: Signal, start_s: float, sound: Signal) -> None:
    """Add `sound` to `track` (same channels), cut at the track's end."""
    start = samples(start_s)
    count = min(sound.shape[-1], track.shape[-1] - start)
    if count > 0:
        track[..., start : start + count] += sound[..., :count]


def band(signal: Signal, low_hz: float, high_hz: float, order: int = 2) -> Signal:
    """Butterworth band pass."""
    sos = scipy.signal.butter(order, [low_hz, high_hz], "bandpass", fs=RATE, output="sos")
    return np.asarray(scipy.signal.sosfilt(sos, signal))


def low_pass(signal: Signal, hz: float, order: int = 2) -> Signal:
    """Butterworth low pass."""
    return np.asarray(scipy.signal.sosfilt(scipy.signal.butter(order, hz, fs=RATE, output="sos"), signal))


def high_pass(signal: Signal, hz: float, order: int = 2) -> Signal:
    """Butterworth high pass."""
    sos = scipy.signal.butter(order, hz, "highpass", fs=RATE, output="sos")
    return np.asarray(scipy.signal.sosfilt(sos, signal))


def resonance(signal: Signal, hz: float, q: float) -> Signal:
    """Second-order resonator with unit gain at `hz`: one mode of a body."""
    b, a = scipy.signal.iirpeak(hz, q, fs=RATE)
    return np.asarray(scipy.signal.lfilter(b, a, signal))


def fade(count: int, rise_s: float, fall_s: float) -> Signal:
    """Envelope of `count` samples that rises and falls along half cosines; 1 between."""
    envelope = np.ones(count)
    rise, fall = min(samples(rise_s), count), min(samples(fall_s), count)
    if rise:
        envelope[:rise] *= 0.5 - 0.5 * np.cos(np.pi * np.arange(rise) / rise)
    if fall:
        envelope[count - fall :] *= 0.5 + 0.5 * np.cos(np.pi * np.arange(1, fall + 1) / fall)
    return envelope


def drift(count: int, hz: float, rng: np.random.Generator) -> Signal:
    """Slow random wander with unit standard deviation and about `hz` of bandwidth."""
    points = rng.standard_normal(int(count / RATE * hz * 2) + 4)
    at = clock(count) * hz * 2
    return np.asarray(np.interp(at, np.arange(len(points)), points))


@njit(cache=True)
def _ring(freqs: Signal, levels: Signal, decays: Signal, phases: Signal, out: Signal, rate: float) -> None:
    channels, count = out.shape
    for k in range(len(freqs)):
        w = 2 * np.pi * freqs[k] / rate
        shrink = np.exp(-1 / (decays[k] * rate))
        turn_re, turn_im = shrink * np.cos(w), shrink * np.sin(w)
        re, im = np.cos(phases[k]), np.sin(phases[k])
        audible = min(count, int(12 * decays[k] * rate))
        for n in range(audible):
            for c in range(channels):
                out[c, n] += levels[c, k] * im
            re, im = re * turn_re - im * turn_im, re * turn_im + im * turn_re


def ring(freqs: Signal, levels: Signal, decays: Signal, phases: Signal, count: int) -> Signal:
    """Sum of decaying sines, the sound of struck modes.

    `levels`: (channels, modes); the others: (modes,), hertz, seconds to 1/e and radians at the first
    sample. Returns (channels, count).
    """
    out = np.zeros((levels.shape[0], count))
    _ring(freqs, levels, decays, phases, out, float(RATE))
    return out


@njit(cache=True)
def _pluck(burst: Signal, period: float, loss: float, softness: float, out: Signal) -> None:
    whole = int(period - softness - 0.1)
    part = period - softness - whole
    allpass = (1 - part) / (1 + part)
    line = np.zeros(whole)
    spot, before, last_in, last_out = 0, 0.0, 0.0, 0.0
    for n in range(len(out)):
        delayed = line[spot]
        tuned = allpass * (delayed - last_out) + last_in
        last_in, last_out = delayed, tuned
        value = loss * ((1 - softness) * tuned + softness * before)
        before = tuned
        if n < len(burst):
            value += burst[n]
        line[spot] = value
        spot = spot + 1 if spot + 1 < whole else 0
        out[n] = value


def pluck(burst: Signal, pitch_hz: float, decay_s: float, softness: float, count: int) -> Signal:
    """Karplus-Strong string (Jaffe and Smith 1983): a tuned delay loop with a two-point damping filter.

    `decay_s`: seconds to 1/e of the fundamental; `softness`: 0 (bright) to 0.5 (dull).
    """
    out = np.zeros(count)
    loss = float(np.exp(-1 / (decay_s * pitch_hz)))
    _pluck(burst, RATE / pitch_hz, loss, softness, out)
    return out


@njit(cache=True)
def _sweep_low_pass(signal: Signal, cutoff_hz: Signal, q: float, rate: float, out: Signal) -> None:
    first, second = 0.0, 0.0
    for n in range(len(signal)):
        g = np.tan(np.pi * cutoff_hz[n] / rate)
        a1 = 1 / (1 + g * (g + 1 / q))
        v3 = signal[n] - second
        v1 = a1 * first + a1 * g * v3
        v2 = second + g * a1 * first + g * g * a1 * v3
        first, second = 2 * v1 - first, 2 * v2 - second
        out[n] = v2


def sweep_low_pass(signal: Signal, cutoff_hz: Signal, q: float) -> Signal:
    """Trapezoidal state-variable low pass whose cutoff moves from sample to sample."""
    out = np.zeros_like(signal)
    _sweep_low_pass(signal, cutoff_hz, q, float(RATE), out)
    return out


@njit(cache=True)
def _resonate(signal: Signal, centre_hz: Signal, width_hz: Signal, rate: float, out: Signal) -> None:
    y1, y2 = 0.0, 0.0
    for n in range(len(signal)):
        r = np.exp(-np.pi * width_hz[n] / rate)
        b1 = 2 * r * np.cos(2 * np.pi * centre_hz[n] / rate)
        y = (1 - b1 + r * r) * signal[n] + b1 * y1 - r * r * y2
        y2, y1 = y1, y
        out[n] = y


def formant(signal: Signal, centre_hz: Signal, width_hz: Signal) -> Signal:
    """Klatt's (1980) digital resonator, unit gain at 0 Hz; centre and bandwidth move with the samples."""
    out = np.zeros_like(signal)
    _resonate(signal, centre_hz, width_hz, float(RATE), out)
    return out


def saw(pitch_hz: Signal, phase: float) -> Signal:
    """Band-limited saw by two-point PolyBLEP (Välimäki and Huovilainen 2007); `phase` in turns."""
    step = pitch_hz / RATE
    turn = (phase + np.cumsum(step)) % 1.0
    wave = 2 * turn - 1
    early, late = turn < step, turn > 1 - step
    x = turn[early] / step[early]
    wave[early] -= 2 * x - x * x - 1
    x = (turn[late] - 1) / step[late]
    wave[late] -= x * x + 2 * x + 1
    return np.asarray(wave)
