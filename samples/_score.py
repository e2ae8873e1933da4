"""The song: form, tempo, swing, chords, melody. Eleven bars of 4/4 at 108 bpm in F major.

    bars 0..1 intro, 2..5 verse, 6..9 chorus, 10 ending

Positions are (bar, step), a step being a sixteenth; every second step is late by `SWING`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, product

TEMPO_BPM = 108.0
BARS = 11
STEP_S = 60 / TEMPO_BPM / 4
SWING = 0.16
LEAD_IN_S = 0.05
LENGTH_S = 25.6
VERSE, CHORUS, ENDING = 2, 6, 10


@dataclass(frozen=True)
class Chord:
    """`length` in steps; `bass`: MIDI pitch; `upper`: the four voices above it, low to high."""

    bar: int
    step: int
    length: int
    bass: int
    upper: tuple[int, ...]


@dataclass(frozen=True)
class Sung:
    """A note of the melody. `length` in steps; `onset` is a consonant (or none) and `vowel` what follows."""

    bar: int
    step: int
    length: int
    pitch: int
    onset: str
    vowel: str


# bar, step, length, bass, pitch classes of the four upper voices (the root is the bass player's)
_CHANGES: tuple[tuple[int, int, int, int, tuple[int, int, int, int]], ...] = (
    (0, 0, 16, 38, (5, 9, 0, 4)),  # Dm9
    (1, 0, 16, 34, (2, 5, 9, 0)),  # Bbmaj9
    (2, 0, 16, 38, (5, 9, 0, 4)),  # Dm9
    (3, 0, 16, 34, (2, 5, 9, 0)),  # Bbmaj9
    (4, 0, 16, 33, (0, 5, 7, 9)),  # Fadd9/A
    (5, 0, 16, 36, (4, 7, 9, 2)),  # C6/9
    (6, 0, 16, 34, (2, 5, 9, 0)),  # Bbmaj9
    (7, 0, 16, 36, (4, 7, 0, 2)),  # Cadd9
    (8, 0, 8, 33, (0, 4, 7, 9)),  # Am7
    (8, 8, 8, 38, (5, 9, 0, 4)),  # Dm9
    (9, 0, 8, 31, (2, 5, 9, 10)),  # Gm9
    (9, 8, 8, 36, (2, 5, 7, 10)),  # C9sus
    (10, 0, 16, 29, (4, 7, 9, 0)),  # Fmaj9
)

MELODY: tuple[Sung, ...] = (
    Sung(1, 14, 2, 67, "n", "o"),
    Sung(2, 0, 3, 69, "d", "a"),
    Sung(2, 4, 2, 67, "", "e"),
    Sung(2, 6, 5, 65, "l", "o"),
    Sung(2, 12, 2, 62, "s", "i"),
    Sung(2, 14, 2, 64, "t", "e"),
    Sung(3, 0, 6, 65, "m", "a"),
    Sung(3, 8, 3, 69, "d", "o"),
    Sung(3, 11, 5, 67, "n", "a"),
    Sung(4, 2, 2, 69, "s", "e"),
    Sung(4, 4, 3, 72, "n", "a"),
    Sung(4, 7, 3, 69, "", "i"),
    Sung(4, 10, 2, 67, "d", "o"),
    Sung(4, 12, 4, 65, "l", "a"),
    Sung(5, 0, 7, 67, "m", "o"),
    Sung(5, 10, 2, 64, "t", "e"),
    Sung(5, 12, 2, 67, "d", "a"),
    Sung(5, 14, 2, 69, "n", "o"),
    Sung(6, 0, 6, 74, "s", "a"),
    Sung(6, 6, 2, 72, "", "e"),
    Sung(6, 8, 5, 69, "l", "o"),
    Sung(6, 14, 2, 72, "t", "a"),
    Sung(7, 0, 3, 72, "d", "i"),
    Sung(7, 3, 3, 74, "n", "e"),
    Sung(7, 6, 7, 76, "m", "a"),
    Sung(7, 14, 2, 74, "s", "o"),
    Sung(8, 0, 4, 72, "l", "a"),
    Sung(8, 4, 3, 69, "t", "e"),
    Sung(8, 7, 1, 67, "", "i"),
    Sung(8, 8, 5, 69, "d", "o"),
    Sung(8, 14, 2, 67, "n", "e"),
    Sung(9, 0, 3, 65, "s", "a"),
    Sung(9, 3, 3, 67, "d", "o"),
    Sung(9, 6, 2, 70, "n", "a"),
    Sung(9, 8, 3, 69, "l", "e"),
    Sung(9, 11, 3, 67, "", "o"),
    Sung(9, 14, 2, 67, "t", "i"),
    Sung(10, 0, 14, 69, "m", "a"),
)


def time_of(bar: int, step: float) -> float:
    """Seconds of a position; steps between two sixteenths are on a straight line between them."""
    whole = int(step // 1)
    swung = [s + (SWING if s % 2 else 0.0) for s in (whole, whole + 1)]
    return LEAD_IN_S + (bar * 16 + swung[0] + (step - whole) * (swung[1] - swung[0])) * STEP_S


def _voicing(classes: tuple[int, ...], previous: tuple[int, ...]) -> tuple[int, ...]:
    """The placing of the pitch classes from E3 to D5 that moves the four voices least."""
    places = [[pitch for pitch in range(52, 75) if pitch % 12 == c] for c in classes]
    candidates = [tuple(sorted(v)) for v in product(*places) if max(v) - min(v) <= 14]

    def movement(voices: tuple[int, ...]) -> tuple[float, tuple[int, ...]]:
        close = sum(b - a == 1 for a, b in pairwise(voices))
        return sum(abs(a - b) for a, b in zip(voices, previous, strict=True)) + 2.5 * close, voices

    return min(candidates, key=movement)


def chords() -> tuple[Chord, ...]:
    """The changes with voices led from one to the next."""
    led: list[Chord] = []
    voices: tuple[int, ...] = (57, 60, 64, 65)
    for bar, step, length, bass, classes in _CHANGES:
        voices = _voicing(classes, voices)
        led.append(Chord(bar, step, length, bass, voices))
    return tuple(led)


def energy(bar: int) -> float:
    """How hard the band plays, 0 to 1: the arc of the song."""
    if bar < VERSE:
        return 0.45 + 0.08 * bar
    if bar < CHORUS:
        return 0.6 + 0.04 * (bar - VERSE)
    return 0.95 if bar < ENDING else 0.7
