"""Ardour: a session folder for Ardour 7 and later, media inside.

Faders, balances, busses, sends and most widths up to 1 are Ardour's own; equalizers become ACE EQ (a-eq, part
of Ardour) where every band has an exact twin there. Everything else is played by scripts in Lua of ours,
which the session carries, with their settings as controls.
"""

from __future__ import annotations

from mix2daw.exporters import Exporter
from mix2daw.exporters.ardour.devices import DEVICES
from mix2daw.exporters.ardour.session import write

EXPORTER = Exporter(
    name="ardour",
    suffix="",
    summary="Ardour 7 session: faders, busses, sends, every device exact (Ardour's own, or Lua scripts)",
    holds=frozenset(("polarity", "fader", "pan", "mute", "group", "send", "return")) | DEVICES,
    write=write,
    own=DEVICES - {"equalizer", "width"},
)

__all__ = ["EXPORTER"]
