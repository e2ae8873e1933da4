"""Piano and pad."""

from __future__ import annotations

import numpy as np
from _score import CHORUS, ENDING, VERSE, Chord, chords, energy, time_of
from _synth import (
    Signal,
    add_at,
    band,
    clock,
    drift,
    fade,
    hertz,
    low_pass,
    ring,
    samples,
    saw,
    sweep_low_pass,
)


def _piano_note(pitch: int, length_s: float, velocity: float, rng: np.random.Generator) -> Signal:
    """Stretched partials of three strings, a soft or hard hammer, its knock, and a damper. (2, samples)."""
    hz = hertz(pitch)
    count = samples(length_s + 0.25)
    stiffness = 2.6e-4 * 2 ** ((pitch - 60) / 9)
    order = np.arange(1, min(36, int(14000 / hz)) + 1)
    freqs = order * hz * np.sqrt((1 + stiffness * order**2) / (1 + stiffness))
    softness = 1500 + 5200 * velocity**1.5  # a fast hammer is a hard hammer
    level = np.abs(np.sin(np.pi * order / 8.2)) / order**0.85 * np.exp(-freqs / softness) + 1e-5
    decay_s = 1.5 * (261.6 / hz) ** 0.55 / (1 + (freqs / 2300) ** 1.1)
    side = np.clip((pitch - 62) / 40, -0.5, 0.5) + rng.normal(0, 0.18, len(order))
    note = np.zeros((2, count))
    # two strings beat and sound longer together; the third dies first: the two-stage decay of a piano
    for cents, weight, stay in ((-0.7, 0.5, 1.6), (0.8, 0.45, 1.2), (0.1, 0.8, 0.35)):
        levels = weight * level * np.stack([1 - side, 1 + side])
        phases = rng.normal(0, 0.25, len(order))
        note += ring(freqs * 2 ** (cents / 1200), levels, decay_s * stay, phases, count)
    t = clock(count)
    knock = low_pass(rng.standard_normal((2, count)), 450 + 900 * velocity) * np.exp(-t / 0.016)
    tick = band(rng.standard_normal((2, count)), 1500, 5000) * np.exp(-t / 0.003)
    note = note * np.minimum(1, t / (0.0025 - 0.0015 * velocity)) + 0.5 * knock + 0.25 * velocity * tick
    return np.asarray(velocity**1.4 * note * fade(count, 0.0008, 0.2))


def _comping(chord: Chord) -> list[tuple[float, float, tuple[int, ...], float]]:
    """(step, length in steps, pitches, velocity) of the piano over one chord."""
    voices, low = chord.upper, chord.bass + 12
    end = chord.step + chord.length
    if chord.bar < VERSE:
        broken = [
            (low, 0),
            (voices[0], 2),
            (voices[2], 4),
            (voices[3], 6),
            (voices[1] + 12, 8),
            (voices[2], 11),
        ]
        return [(step, 16 - step, (pitch,), 0.62 + 0.015 * step) for pitch, step in broken]
    if chord.bar < CHORUS:
        return [(0, 6, (low, *voices[1:]), 0.72), (6, 3, voices, 0.55), (11, 4.5, voices[1:], 0.64)]
    if chord.bar < ENDING:
        strokes = [
            (0, 2.8, 0.85),
            (3, 2.8, 0.7),
            (6, 1.8, 0.75),
            (8, 2.8, 0.8),
            (11, 2.8, 0.65),
            (14, 1.8, 0.75),
        ]
        top = chord.upper[0] + 12
        return [
            (step, steps, (low, *voices, top) if step % 8 == 0 else (*voices, top), velocity)
            for step, steps, velocity in strokes
            if chord.step <= step < end
        ]
    rising = (low - 12, low, *voices, voices[1] + 12, voices[2] + 12, voices[3] + 12)
    return [
        (0.45 * index, 15 - 0.45 * index, (pitch,), 0.66 - 0.025 * index)
        for index, pitch in enumerate(rising)
    ]


def piano(length: int, rng: np.random.Generator) -> Signal:
    """(2, length)."""
    track = np.zeros((2, length))
    for chord in chords():
        for step, steps, pitches, velocity in _comping(chord):
            start_s = max(0.0, time_of(chord.bar, step) + rng.normal(0.001, 0.004))
            length_s = time_of(chord.bar, step + steps) - time_of(chord.bar, step)
            for index, pitch in enumerate(pitches):
                strength = velocity * (0.7 + 0.3 * energy(chord.bar)) * rng.normal(1, 0.06)
                strength *= 1.1 if index == len(pitches) - 1 else 0.92  # the melody finger
                spread_s = abs(rng.normal(0, 0.003))
                note = _piano_note(pitch, length_s, min(strength, 1.0), rng)
                add_at(track, start_s + spread_s, note)
    return track


def pad(length: int, rng: np.random.Generator) -> Signal:
    """(2, length). Seven detuned saws a voice, spread left to right, through a slow low pass."""
    track = np.zeros((2, length))
    for chord in chords():
        start_s = time_of(chord.bar, chord.step)
        end_s = time_of(chord.bar, chord.step + chord.length)
        count = samples(end_s - start_s + 0.5)
        level = {True: 1.0, False: 0.62}[CHORUS <= chord.bar < ENDING] * (0.8 if chord.bar < 1 else 1.0)
        for pitch in (chord.bass + 12, *chord.upper):
            for spread in np.linspace(-1, 1, 7):
                cents = 13 * spread + 2 * drift(count, 0.7, rng)
                wave = saw(hertz(pitch) * 2 ** (cents / 1200), rng.random())
                sides = np.sqrt([(1 - 0.85 * spread) / 2, (1 + 0.85 * spread) / 2])
                envelope = fade(count, 0.25, 0.45) * level
                add_at(track, start_s, sides[:, None] * wave * envelope)
    t = clock(length)
    arc = np.interp(t, [0, 4.5, 4.6, 13, 13.6, 22.2, 24.5], [500, 1100, 700, 1200, 2400, 3000, 500])
    cutoff_hz = arc * 2 ** (0.35 * np.sin(2 * np.pi * 0.23 * t))
    return np.stack(
        [sweep_low_pass(side, cutoff_hz * tilt, 0.9) for side, tilt in zip(track, (1, 1.06), strict=True)]
    )
