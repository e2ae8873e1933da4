"""REAPER: one .rpp project with its media beside it, in `media/`.

Faders, balances, folders, sends and width up to 1 are REAPER's own; equalizers become ReaEQ where every band
has an exact twin there. Everything else is printed.

Laws: PANMODE 3 (balance) with PANLAW 1 (0 dB) and the linear taper (PANLAWFLAGS 2) is left x min(1, 1 - pan),
right x min(1, 1 + pan), the law of the graph. PANMODE 5 applies the width first, then the balance.
"""

from __future__ import annotations

from mix2daw.exporters import Exporter
from mix2daw.exporters.reaper.project import write

EXPORTER = Exporter(
    name="reaper",
    suffix=".rpp",
    summary="REAPER project: faders, folders, sends, width up to 1, equalizers as ReaEQ",
    holds=frozenset(("fader", "pan", "group", "send", "return", "equalizer", "width")),
    write=write,
)

__all__ = ["EXPORTER"]
