"""Bass and guitar: plucked strings with a pick position, a pickup or a body, and fingers that let go."""

from __future__ import annotations

import numpy as np
from _score import CHORUS, ENDING, VERSE, Chord, chords, energy, time_of
from _synth import (
    RATE,
    Signal,
    add_at,
    band,
    fade,
    hertz,
    high_pass,
    low_pass,
    pluck,
    resonance,
    samples,
)


def _burst(pitch_hz: float, spot: float, hardness: float, rng: np.random.Generator) -> Signal:
    """What the pick gives the string: one period of smoothed noise, notched by the place of the pick."""
    period = round(RATE / pitch_hz)
    noise = rng.standard_normal(period) * np.hanning(period + 2)[1:-1] ** 0.3
    kink = np.where(np.arange(period) < spot * period, 1.0, -spot / (1 - spot))
    shape = low_pass(0.55 * noise + 0.9 * kink, 700 + 7000 * hardness, 1)
    both = np.concatenate([shape, np.zeros(round(spot * period) + 1)])
    both[round(spot * period) :][:period] -= 0.9 * shape
    return np.asarray(both - both.mean())


def _bass_note(pitch: int, length_s: float, velocity: float, rng: np.random.Generator) -> Signal:
    hz = hertz(pitch) * 2 ** (rng.normal(0, 2) / 1200)
    count = samples(length_s + 0.12)
    string = pluck(_burst(hz, 0.19, 0.05 + 0.2 * velocity, rng), hz, 1.1, 0.32, count)
    gap = round(RATE / hz * 0.11)  # the pickup hears the wave twice
    string[gap:] -= 0.35 * string[:-gap].copy()
    string = low_pass(string, 2600 + 1400 * velocity) + 1.6 * low_pass(string, 90, 1)
    finger = band(rng.standard_normal(count), 700, 3000) * np.exp(-np.arange(count) / samples(0.006))
    level = np.sqrt(np.mean(string[: samples(0.15)] ** 2)) + 1e-9
    note = string / level + 0.35 * velocity * finger
    return np.asarray(velocity * np.tanh(0.45 * note) * fade(count, 0.002, 0.1))


def _bass_line() -> list[tuple[int, float, float, int, float]]:
    """(bar, step, length in steps, pitch, velocity)."""
    line: list[tuple[int, float, float, int, float]] = []
    led = chords()
    for chord, following in zip(led, (*led[1:], led[-1]), strict=True):
        root = chord.bass
        approach = following.bass + (1 if following.bass < root else -1 if following.bass > root else 7)
        if chord.bar == ENDING:
            line.append((chord.bar, 0, 15, root + 12, 0.8))
        elif chord.bar < VERSE:
            if chord.bar == 1:
                line += [(1, 0, 9, root, 0.4), (1, 12, 2, root + 12, 0.42), (1, 14, 2, approach, 0.5)]
        elif chord.bar < CHORUS:
            line += [
                (chord.bar, 0, 5, root, 0.85),
                (chord.bar, 7, 2, root, 0.6),
                (chord.bar, 10, 2, root, 0.8),
            ]
            line += [(chord.bar, 9, 0.5, root + 12, 0.3), (chord.bar, 12, 1.6, root + 7, 0.6)]
            line += [(chord.bar, 14, 1.8, approach, 0.7)]
        else:
            for step in range(chord.step, chord.step + chord.length, 2):
                octave = 12 if step % 8 == 6 else 0
                last = step == chord.step + chord.length - 2
                pitch = approach if last else root + octave
                line.append((chord.bar, step, 1.5 if step % 4 else 1.8, pitch, 0.8 if step % 4 else 0.95))
    return line


def bass(length: int, rng: np.random.Generator) -> Signal:
    """(1, length). A direct box: no room, a little growl."""
    track = np.zeros((1, length))
    for bar, step, steps, pitch, velocity in _bass_line():
        start_s = time_of(bar, step) + abs(rng.normal(0.002, 0.003))
        length_s = time_of(bar, step + steps) - start_s
        strength = min(velocity * (0.75 + 0.25 * energy(bar)) * rng.normal(1, 0.05), 1.0)
        add_at(track, start_s, _bass_note(pitch, length_s, strength, rng)[None])
    return track


def _guitar_note(
    pitch: int, length_s: float, velocity: float, muted: bool, rng: np.random.Generator
) -> Signal:
    hz = hertz(pitch) * 2 ** (rng.normal(0, 3) / 1200)
    count = samples(length_s + 0.1)
    spot = 0.13 + 0.05 * rng.random()
    decay_s, softness = (0.18, 0.4) if muted else (1.3 * (220 / hz) ** 0.4, 0.16)
    string = pluck(_burst(hz, spot, 0.25 + 0.55 * velocity, rng), hz, decay_s, softness, count)
    level = np.sqrt(np.mean(string[: samples(0.08)] ** 2)) + 1e-9
    return np.asarray(velocity**1.2 * string / level * fade(count, 0.0007, 0.07))


def _guitar_body(signal: Signal) -> Signal:
    body = (
        0.5 * resonance(signal, 104, 4) + 0.5 * resonance(signal, 207, 5) + 0.35 * resonance(signal, 392, 4)
    )
    bright = 0.8 * signal + 0.45 * resonance(signal, 2700, 1.1)
    return high_pass(low_pass(bright + body, 7500), 75)


def _voices(chord: Chord) -> tuple[int, ...]:
    """Six strings' worth of a chord: fifth or octave of the bass, then the upper voices."""
    low = chord.bass + 12
    return tuple(sorted({low, *(voice for voice in chord.upper if voice > low + 2), chord.upper[1] + 12}))


def _take(length: int, rng: np.random.Generator) -> Signal:
    """One pass of the guitar player, (length,)."""
    track = np.zeros(length)

    def play(bar: int, step: float, steps: float, pitch: int, velocity: float, muted: bool = False) -> None:
        start_s = max(0.0, time_of(bar, step) + rng.normal(0.002, 0.005))
        strength = velocity * (0.6 + 0.4 * energy(bar)) * rng.normal(1, 0.08)
        length_s = time_of(bar, step + steps) - time_of(bar, step)
        add_at(track, start_s, _guitar_note(pitch, length_s, min(strength, 1.0), muted, rng))

    for chord in chords():
        voices = _voices(chord)
        if chord.bar < VERSE:
            continue
        if chord.bar < CHORUS:
            order = (0, 2, 3, 1, 4, 2, 3, 1)
            for index, step in enumerate(range(0, 16, 2)):
                voice = voices[min(order[index], len(voices) - 1)]
                play(chord.bar, step, 3.2, voice, 0.85 if step % 4 == 0 else 0.7, muted=step in (6, 14))
        elif chord.bar < ENDING:
            strokes = [(0, 3.0, 0.85), (3, 1.0, 0.5), (4, 2.0, 0.7), (6, 2.0, 0.75), (7, 0.8, 0.4)]
            for step, steps, velocity in strokes + [(s + 8, n, v) for s, n, v in strokes]:
                if not chord.step <= step < chord.step + chord.length:
                    continue
                down = step % 2 == 0
                for index, voice in enumerate(voices if down else voices[:1:-1]):
                    weight = velocity * (0.95 - 0.05 * index) * (0.75 if len(voices) > 4 else 0.85)
                    play(chord.bar, step + 0.1 * index, steps, voice, weight, muted=step in (3, 11))
        else:
            for index, voice in enumerate(voices):
                play(chord.bar, 0.3 * index, 14 - 0.3 * index, voice, 0.62)
    return _guitar_body(track)


def guitar(length: int, rng: np.random.Generator) -> Signal:
    """(2, length). Two takes of the same part, one on each side, with a little bleed between them."""
    left, right = _take(length, rng), _take(length, rng)
    return np.stack([left + 0.3 * right, right + 0.3 * left])
