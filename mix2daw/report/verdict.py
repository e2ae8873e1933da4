"""The outcome in words. Nothing is said that is not measured; what cannot be known is not said."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mix2daw.report.measure import (
    OCTAVES,
    SHORT_TERM_BLOCKS,
    SILENT_LUFS,
    Floats,
    a_weighting,
    decibels,
    lufs,
    octave_hz,
    octaves,
    sliding,
)
from mix2daw.report.rides import GainChange, Overlap, Region, explaining, per_second

QUIET_DB = -25.0  # what is left below that in the worst octave counts as explained
HEARD_LU = 20.0  # below the loudest: where the loudness of two mixes is compared
FAINT_BAND_DB = -30.0  # below the loudest octave, A-weighted: too faint to be named
SHARE, SHORT = 0.8, 0.4  # of the energy, in how much of the time, is a section of its own
ONE_SIDED = 0.7


@dataclass(frozen=True)
class Unexplained:
    """Where most is left: octaves of `hz`, a section of `seconds` (None: all along), how far it is below the
    mix there, and how much of it is in the sides (0 to 1); `change`: a gain that would explain it."""

    region: Region
    hz: tuple[float, float]
    seconds: tuple[float, float] | None
    level_db: float
    side_share: float
    change: GainChange | None


def loudness_within_lu(target: Floats, ours: Floats) -> float | None:
    """The difference in short-term loudness that 95 % of the song stay within; from K-weighted blocks. None
    for a silent song."""
    first, second = (lufs(sliding(blocks, SHORT_TERM_BLOCKS)) for blocks in (target, ours))
    heard = (first > SILENT_LUFS) & (first > first.max() - HEARD_LU)
    if not heard.any():
        return None
    return float(np.percentile(np.abs(first - second)[heard], 95))


def unexplained(
    target: Floats, difference: Floats, overlaps: list[Overlap], sample_rate: int
) -> Unexplained | None:
    """The octaves and the section that are furthest off; None if nothing at all is left.

    `target`, `difference`: energies (mid and side, bands, frames).
    """
    mix, both = (per_second(octaves(part), sample_rate) for part in (target, difference))
    of_mix, left = mix.sum(0), both.sum(0)
    per_octave = of_mix.sum(1)
    weighted = per_octave * a_weighting()
    heard = decibels(weighted / max(weighted.max(), 1e-20)) > FAINT_BAND_DB
    off = np.where(heard, left.sum(1) / np.maximum(per_octave, 1e-20), 0)
    worst = int(off.argmax())
    if off[worst] <= 0:
        return None
    low, high = worst, worst + 1
    while low > 0 and off[low - 1] >= off[worst] / 2:
        low -= 1
    while high < OCTAVES and off[high] >= off[worst] / 2:
        high += 1
    section = _section(left[low:high].sum(0))
    region = Region((low, high), section or (0, left.shape[1]))
    energy, sides = region.of(left).sum(), region.of(both[1]).sum()
    level = decibels(np.array([energy / max(region.of(of_mix).sum(), 1e-20)]))[0]
    return Unexplained(
        region,
        octave_hz(low, high - 1),
        None if section is None else (float(section[0]), float(section[1])),
        float(level),
        float(sides / energy) if energy > 0 else 0.0,
        explaining(region, overlaps, left),
    )


def _section(energy: Floats) -> tuple[int, int] | None:
    """The shortest run of seconds that holds most of the energy, if it is short; None otherwise."""
    wanted, longest = SHARE * energy.sum(), int(SHORT * len(energy))
    sums = np.concatenate(([0.0], np.cumsum(energy)))
    for length in range(1, longest + 1):
        held = sums[length:] - sums[:-length]
        if held.max() >= wanted:
            first = int(held.argmax())
            return first, first + length
    return None


def sentence(within_lu: float | None, kept: int, offered: int, rest: Unexplained | None) -> str:
    """One sentence for the head of the page."""
    parts = []
    if within_lu is not None:
        parts.append(f"follows the mix's loudness within {max(within_lu, 0.05):.1f} LU for 95 % of the song")
    parts.append(f"{kept} of {offered} devices kept")
    if rest is None:
        parts.append("nothing is left")
    elif rest.level_db < QUIET_DB:
        parts.append(f"most is left at {_where(rest)}")
    else:
        parts.append(f"not explained: {_where(rest)}{_why(rest)}")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def hz_range(low: float, high: float) -> str:
    """`2–4 kHz`, `125–500 Hz`, `500 Hz–1 kHz`."""
    if low >= 1000:
        return f"{low / 1000:.0f}–{high / 1000:.0f} kHz"
    words = f"{high / 1000:.0f} kHz" if high >= 1000 else f"{high:.0f} Hz"
    return f"{low:.0f} Hz–{words}" if high >= 1000 else f"{low:.0f}–{words}"


def minutes(seconds: float) -> str:
    """`1:02`."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def _where(rest: Unexplained) -> str:
    words = hz_range(*rest.hz)
    if rest.side_share > ONE_SIDED:
        words += " in the sides"
    if rest.seconds is None:
        words += " all along"
    else:
        words += f" from {minutes(rest.seconds[0])} to {minutes(rest.seconds[1])}"
    return f"{words} ({signed(rest.level_db, 0)} dB against the mix there)"


def _why(rest: Unexplained) -> str:
    change = rest.change
    if change is None:
        return ""
    by = f"would explain {100 * change.share:.0f} % of it"
    if not change.moves:
        return f", where {signed(change.to_db, 1)} dB on {change.strip} {by}"
    size = f"{signed(change.from_db, 1)} to {signed(change.to_db, 1)} dB there"
    return f", likely a fader ride on {change.strip} ({size} {by})"


def signed(value: float, digits: int) -> str:
    """A number with its sign, with a true minus; 0 has none."""
    text = f"{value:+.{digits}f}"
    return text[1:] if float(text) == 0 else text.replace("-", "−")
