"""The lead: a glottal source with vibrato and breath through five moving formants, with consonants."""

from __future__ import annotations

import itertools

import numpy as np
from _score import MELODY, Sung, energy, time_of
from _synth import RATE, Signal, add_at, band, clock, drift, fade, formant, high_pass, samples
from scipy.ndimage import uniform_filter1d

# formant frequencies in hertz of a tenor-to-alto voice, after Peterson and Barney (1952)
_VOWELS: dict[str, tuple[float, ...]] = {
    "a": (760, 1250, 2650, 3500, 4400),
    "e": (530, 1880, 2600, 3600, 4500),
    "i": (360, 2250, 2950, 3650, 4600),
    "o": (510, 900, 2550, 3400, 4300),
}
_NASAL = (270.0, 1150.0, 2300.0, 3300.0, 4300.0)
_WIDTHS_HZ = (75.0, 95.0, 130.0, 190.0, 250.0)
_UPPER = ((5400.0, 350.0), (6700.0, 450.0))  # centre and width of two that the vowel does not move
_VOICED_ONSETS = {"n": 0.07, "m": 0.08, "l": 0.06}
_NOISES: dict[str, tuple[float, float, float, float]] = {  # low and high edge in hertz, seconds, level
    "s": (5200, 11000, 0.1, 0.4),
    "t": (3000, 9000, 0.025, 0.55),
    "d": (2000, 6000, 0.012, 0.35),
}


def _smooth(curve: Signal, width_s: float) -> Signal:
    """Nearly Gaussian smoothing along time: three running means, of standard deviation `width_s` together."""
    for _ in range(3):
        curve = uniform_filter1d(curve, samples(2 * width_s), axis=-1)
    return curve


def _span(note: Sung) -> tuple[float, float]:
    return time_of(note.bar, note.step), time_of(note.bar, note.step + note.length)


def _curves(length: int, rng: np.random.Generator) -> tuple[Signal, Signal, Signal]:
    """Pitch in hertz (length,), loudness 0..1 (length,) and formant centres (5, length), sample by sample."""
    pitch = np.full(length, float(MELODY[0].pitch))
    loud, nasal = np.zeros(length), np.zeros(length)
    centres = np.tile(np.array(_VOWELS["a"])[:, None], (1, length))
    shake = np.zeros(length)
    ends = [_span(note) for note in MELODY]
    for index, (note, (start_s, end_s)) in enumerate(zip(MELODY, ends, strict=True)):
        start = samples(start_s - (0.05 if note.onset in _VOICED_ONSETS else 0) + rng.normal(0.004, 0.005))
        legato = index + 1 < len(ends) and ends[index + 1][0] - end_s < 0.05
        end = samples(end_s - (0.0 if legato else 0.06))
        pitch[start:] = note.pitch
        centres[:, start:] = np.array(_VOWELS[note.vowel])[:, None]
        count = end - start
        swell = 1 - 0.35 * np.abs(np.linspace(-0.7, 1, count)) ** 2
        loud[start:end] = swell * (0.55 + 0.45 * energy(note.bar)) * rng.normal(1, 0.05)
        if note.onset in ("t", "s", "d"):
            loud[start - samples(0.03) : start + samples(0.012)] *= 0.02  # the mouth is shut
        if note.onset in _VOICED_ONSETS:
            nasal[start : start + samples(_VOICED_ONSETS[note.onset])] = 1
        late = np.clip((clock(count) - 0.22) / 0.3, 0, 1)  # a singer lets the note settle first
        shake[start:end] = late
    pitch = _smooth(pitch, 0.02)
    rate_hz = 5.4 + 0.25 * drift(length, 0.5, rng)
    wobble = np.sin(2 * np.pi * np.cumsum(rate_hz) / RATE) * _smooth(shake, 0.03)
    pitch = pitch + 0.3 * wobble + 0.05 * drift(length, 4, rng)
    loud = _smooth(loud, 0.012) * (1 + 0.08 * wobble)
    nasal = _smooth(nasal, 0.009)
    centres = _smooth(centres, 0.018)
    centres = (1 - nasal) * centres + nasal * np.array(_NASAL)[:, None]
    return 440 * 2 ** ((pitch - 69) / 12), loud * (1 - 0.45 * nasal), centres


def _glottis(pitch_hz: Signal, loud: Signal, rng: np.random.Generator) -> Signal:
    """Derivative of Rosenberg's (1971) pulse with jitter, plus breath that follows the open phase.

    Loud singing shortens the open phase, which is what makes it brighter.
    """
    jitter = 1 + 0.004 * drift(len(pitch_hz), 60, rng)
    turn = np.cumsum(pitch_hz * jitter) / RATE % 1.0
    opening, closing = 0.42 - 0.1 * loud, 0.15 - 0.09 * loud
    rising = turn < opening
    falling = (turn >= opening) & (turn < opening + closing)
    flow = np.where(rising, 0.5 - 0.5 * np.cos(np.pi * turn / opening), 0.0)
    flow = np.where(falling, np.cos(0.5 * np.pi * (turn - opening) / closing), flow)
    pulse = np.diff(flow, prepend=0.0) * RATE / pitch_hz * 0.12
    breath = high_pass(rng.standard_normal(len(turn)), 1500, 1) * (0.012 + 0.05 * flow)
    return np.asarray((pulse + breath) * loud)


def _consonants(length: int, rng: np.random.Generator) -> Signal:
    track = np.zeros(length)
    for note in MELODY:
        if note.onset not in _NOISES:
            continue
        low_hz, high_hz, length_s, level = _NOISES[note.onset]
        count = samples(length_s)
        rise_s, fall_s = (0.03, 0.03) if note.onset == "s" else (0.0005, length_s * 0.8)
        noise = band(rng.standard_normal(count), low_hz, high_hz) * fade(count, rise_s, fall_s)
        add_at(track, _span(note)[0] - length_s + 0.005, level * (0.5 + 0.5 * energy(note.bar)) * noise)
    return track


def _breaths(length: int, rng: np.random.Generator) -> Signal:
    """Air drawn in before each phrase."""
    track = np.zeros(length)
    for before, note in itertools.pairwise(MELODY):
        gap_s = _span(note)[0] - _span(before)[1]
        if gap_s < 0.2:
            continue
        count = samples(min(0.3, gap_s - 0.05))
        air = band(rng.standard_normal(count), 900, 6500, 1) * fade(count, 0.12, 0.1)
        add_at(track, _span(note)[0] - count / RATE - 0.06, 0.05 * air)
    return track


def lead(length: int, rng: np.random.Generator) -> Signal:
    """(1, length)."""
    pitch_hz, loud, centres = _curves(length, rng)
    voice = _glottis(pitch_hz, loud, rng)
    for centre, width_hz in zip(centres, _WIDTHS_HZ, strict=True):
        voice = formant(voice, np.maximum(centre, pitch_hz), np.full(length, width_hz))
    for centre_hz, width_hz in _UPPER:
        voice = formant(voice, np.full(length, centre_hz), np.full(length, width_hz))
    voice = voice + 1.6 * high_pass(voice, 2500, 1)  # the ring that carries a voice over a band
    voice = voice / np.max(np.abs(voice))
    track = voice + 0.5 * _consonants(length, rng) + _breaths(length, rng)
    return np.asarray(high_pass(track, 80)[None])
