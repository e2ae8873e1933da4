"""Kick, snare and hats, struck from modes, sweeps and noise; every hit differs a little."""

from __future__ import annotations

import numpy as np
from _score import BARS, CHORUS, ENDING, VERSE, energy, time_of
from _synth import Signal, add_at, band, clock, fade, high_pass, ring, samples

Hit = tuple[int, int, float]  # bar, step, velocity 0..1


def _kick_pattern() -> list[Hit]:
    hits: list[Hit] = []
    for bar in range(VERSE, CHORUS):
        hits += [(bar, 0, 0.95), (bar, 7, 0.55), (bar, 10, 0.85)]
    hits += [(3, 15, 0.5), (5, 8, 0.8)]
    for bar in range(CHORUS, ENDING):
        hits += [(bar, 0, 1.0), (bar, 3, 0.6), (bar, 6, 0.85), (bar, 10, 0.95), (bar, 11, 0.55)]
    return [*hits, (ENDING, 0, 1.0)]


def _snare_pattern() -> list[Hit]:
    hits: list[Hit] = [(1, 13, 0.25), (1, 14, 0.38), (1, 15, 0.55)]
    for bar in range(VERSE, ENDING):
        hits += [(bar, 4, 0.85), (bar, 12, 0.9), (bar, 9, 0.16)]
        hits += [(bar, 7, 0.13)] if bar % 2 else [(bar, 15, 0.2), (bar, 2, 0.1)]
    hits += [(5, 13, 0.45), (5, 14, 0.7), (5, 15, 0.85)]
    hits += [(9, 10, 0.4), (9, 13, 0.6), (9, 14, 0.8), (9, 15, 0.95)]
    return [*hits, (ENDING, 0, 0.8)]


def _hat_pattern() -> list[tuple[int, int, float, bool]]:
    """Hits with a flag: open."""
    hits: list[tuple[int, int, float, bool]] = []
    for bar in range(1, ENDING):
        for step in range(16):
            is_open = (step == 14 and bar >= CHORUS) or (bar, step) in {(1, 14), (3, 14), (5, 14)}
            if step % 4 == 0:
                level = 0.62
            elif step % 2 == 0:
                level = 0.85
            elif bar >= CHORUS or step in (3, 11):
                level = 0.3
            else:
                continue
            hits.append((bar, step, level, is_open))
    return [*hits, (ENDING, 0, 1.0, True)]


def _human_time(bar: int, step: int, late_s: float, rng: np.random.Generator) -> float:
    return max(0.0, time_of(bar, step) + late_s + rng.normal(0, 0.0035))


def _kick_hit(velocity: float, rng: np.random.Generator) -> Signal:
    t = clock(samples(0.55))
    pitch_hz = 47 + 75 * np.exp(-t / 0.035) + (120 + 160 * velocity) * np.exp(-t / 0.006)
    turn = 2 * np.pi * np.cumsum(pitch_hz) / 44100
    body = np.sin(turn) * np.minimum(1, t / 0.0008) * (0.75 * np.exp(-t / 0.16) + 0.25 * np.exp(-t / 0.04))
    shell = 0.16 * np.sin(2 * np.pi * 142 * t) * np.exp(-t / 0.05)
    beater = band(rng.standard_normal(len(t)), 1800, 7000) * np.exp(-t / 0.0035)
    room = band(rng.standard_normal(len(t)), 120, 900) * np.exp(-t / 0.05)
    drive = 1.2 + 0.9 * velocity
    hit = np.tanh(drive * (body + shell)) / np.tanh(drive) + 0.9 * velocity**1.5 * beater + 0.035 * room
    return np.asarray(velocity**1.3 * hit * fade(len(t), 0, 0.08))


def _snare_hit(velocity: float, rng: np.random.Generator) -> Signal:
    count = samples(0.5)
    t = clock(count)
    where = rng.normal(0, 0.25)  # where the stick lands decides which modes speak
    freqs = np.array([186.0, 296.0, 397.0, 468.0, 534.0, 640.0, 772.0]) * (1 + rng.normal(0, 0.004))
    levels = np.array([[1.0, 0.42 + 0.15 * where, 0.34, 0.26 - 0.1 * where, 0.2, 0.14, 0.1]])
    decays = np.array([0.11, 0.075, 0.06, 0.05, 0.045, 0.035, 0.03])
    shell = ring(freqs, levels, decays, np.full(7, 0.6), count)[0]
    bend = np.sin(2 * np.pi * np.cumsum(186 + 60 * np.exp(-t / 0.012)) / 44100) * np.exp(-t / 0.05)
    wires = band(rng.standard_normal(count), 1500, 11000)
    buzz = wires * (np.exp(-t / (0.05 + 0.06 * velocity)) * (1 - 0.6 * np.exp(-t / 0.006)))
    stick = high_pass(rng.standard_normal(count), 2500) * np.exp(-t / 0.0018)
    hit = 0.3 * (shell + 0.8 * bend) + (0.35 + 0.35 * velocity) * buzz + 0.35 * velocity * stick
    hit = np.tanh(1.3 * hit * np.minimum(1, t / 0.0004))
    return np.asarray(velocity**1.25 * hit * fade(count, 0, 0.08))


def _hat_hit(velocity: float, open_s: float, metal: Signal, rng: np.random.Generator) -> Signal:
    count = samples(max(0.3, min(open_s * 2.5, 1.6)))
    t = clock(count)
    tightness = rng.normal(1, 0.06)
    decay_s = open_s if open_s > 0.1 else 0.028 * (0.6 + 0.8 * velocity) * tightness
    ratios = np.array([205.3, 304.4, 369.6, 522.7, 540.0, 800.0]) * 1.9
    turns = np.outer(ratios, t) + rng.random((6, 1))
    squares = high_pass(np.sign(np.sin(2 * np.pi * turns)).mean(axis=0), 6500, 4) * np.exp(-t / decay_s)
    strike = rng.normal(1, 0.25, len(metal))  # another spot of the cymbal each time
    levels = (strike * velocity ** (metal / 14000))[None]
    decays = decay_s * (0.7 + 1.1 * (metal / 9000) ** -0.7)
    modes = ring(metal, levels / np.sqrt(len(metal)), decays, rng.uniform(0, 6.28, len(metal)), count)[0]
    hiss = high_pass(rng.standard_normal(count), 7500) * np.exp(-t / (decay_s * 0.8))
    stick = band(rng.standard_normal(count), 3000, 9000) * np.exp(-t / 0.0015)
    hit = 0.55 * modes + 0.25 * hiss + 0.5 * squares + 0.25 * velocity * stick
    return np.asarray(velocity**1.4 * hit * np.minimum(1, t / 0.0003) * fade(count, 0, 0.08))


def kick(length: int, rng: np.random.Generator) -> Signal:
    """(1, length)."""
    track = np.zeros((1, length))
    for bar, step, velocity in _kick_pattern():
        strength = velocity * (0.72 + 0.28 * energy(bar)) * rng.normal(1, 0.03)
        add_at(track, _human_time(bar, step, 0.0, rng), _kick_hit(min(strength, 1.0), rng)[None])
    return track


def snare(length: int, rng: np.random.Generator) -> Signal:
    """(1, length). The back beat is a little late, the ghosts are not."""
    track = np.zeros((1, length))
    for bar, step, velocity in _snare_pattern():
        strength = velocity * (0.7 + 0.3 * energy(bar)) * rng.normal(1, 0.05)
        late_s = 0.007 if step in (4, 12) else 0.0
        add_at(track, _human_time(bar, step, late_s, rng), _snare_hit(min(strength, 1.0), rng)[None])
    return track


def hats(length: int, rng: np.random.Generator) -> Signal:
    """(1, length). An open hat is choked by the next stroke."""
    track = np.zeros((1, length))
    metal = np.sort(rng.uniform(3200, 15500, 70))
    hits = _hat_pattern()
    starts = [_human_time(bar, step, -0.002, rng) for bar, step, _, _ in hits] + [time_of(BARS, 8)]
    for (bar, _, velocity, is_open), start_s, next_s in zip(hits, starts, starts[1:], strict=False):
        strength = min(velocity * (0.6 + 0.4 * energy(bar)) * rng.normal(1, 0.07), 1.0)
        hit = _hat_hit(strength, 0.4 if is_open else 0.0, metal, rng)
        keep = min(len(hit), samples(next_s - start_s) + samples(0.02))
        add_at(track, start_s, (hit[:keep] * fade(keep, 0, 0.02))[None])
    return track
