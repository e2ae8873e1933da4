"""Ardour: a session folder for Ardour 7 and later, media inside.

Faders, balances, busses, sends and width up to 1 are Ardour's own; equalizers become ACE EQ (a-eq, part of
Ardour) where every band has an exact twin there. Everything else is printed.
"""

from __future__ import annotations

from mix2daw.exporters import Exporter
from mix2daw.exporters.ardour.session import write

EXPORTER = Exporter(
    name="ardour",
    suffix="",
    summary="Ardour 7 session: faders, busses, sends, width up to 1, equalizers as ACE EQ",
    holds=frozenset(("fader", "pan", "group", "send", "return", "equalizer", "width")),
    write=write,
)

__all__ = ["EXPORTER"]
