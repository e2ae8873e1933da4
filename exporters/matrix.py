"""What comes into the sessions of each format, and how: one table, made from what the exporters declare."""

from __future__ import annotations

from mix2daw.exporters import FORMATS, exporter
from mix2daw.exporters.plugins import INSERTS

# What there is on a strip (with devices in the order of the signal) and between strips.
FEATURES = ("polarity", "fader", "pan", "mute", "group", "send", "return", *INSERTS)
LEGEND = (
    "exact: a device or control of the format that sounds the same",
    "nearly: one that sounds approximately so, as every host plays it its own way",
    "own DSP: exact, by code of ours that comes with the session",
    "printed: in the audio, no longer to be edited; of the master, all but aaf leave it out instead",
    "lost: not in the session",
    "Unusual settings (a filter of 6 dB an octave in DAWproject) may be printed where others are held:",
    "each export lists what it could not carry.",
)


def header() -> tuple[str, ...]:
    """The heads of the columns."""
    return ("", *FORMATS)


def rows() -> tuple[tuple[str, ...], ...]:
    """One row a feature: its name, and how each format carries it."""
    found = [exporter(name) for name in FORMATS]
    return tuple((feature, *(each.carries(feature) for each in found)) for feature in FEATURES)


def markdown() -> str:
    """The table for a text in Markdown."""
    lines = [header(), ("---",) * len(header()), *rows()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
