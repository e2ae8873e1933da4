"""AAF: one `.aaf` file with its audio inside, for Pro Tools, Logic, Media Composer, Premiere and Resolve.

AAF has clips, gains and pans, and neither inserts nor buses. So what a strip plays before its fader is
printed in 24 bits, faders are gains of clips, and pans are pans. Groups are dissolved into the gains of what
feeds them, returns are tracks, and what the inserts of a group or the master change is a track of its own,
`NAME (processing)`: the sum of all tracks is the mix.
"""

from __future__ import annotations

from mix2daw.exporters import Exporter
from mix2daw.exporters.aaf.project import write

EXPORTER = Exporter(
    name="aaf",
    suffix=".aaf",
    summary="AAF (Pro Tools, Logic, Premiere, Resolve): printed stems with clip gains and pans",
    holds=frozenset(("fader", "pan", "mute")),
    write=write,
    approximate=frozenset(("pan", "mute")),
    omits=frozenset(("group",)),
)

__all__ = ["EXPORTER"]
