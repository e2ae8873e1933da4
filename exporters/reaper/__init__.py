"""REAPER: one .rpp project with its media beside it, in `media/`, and its effects, in `Effects/mix2daw/`.

Faders, balances, folders and sends are REAPER's own. Devices are JSFX effects of ours, exact twins of the
processors, with their blend with the dry signal. Where devices stand behind the fader, it is an effect, too,
and the track's own one rests (a strip that also has pre sends is printed). With native devices, plug-ins of
REAPER play what they can, nearly; the rest stays with our effects.

Laws: PANMODE 3 (balance) with PANLAW 1 (0 dB) and the linear taper (PANLAWFLAGS 2) is left x min(1, 1 - pan),
right x min(1, 1 + pan), the law of the graph.
"""

from __future__ import annotations

import functools
from dataclasses import replace

from mix2daw.exporters import Exporter
from mix2daw.exporters.options import Options
from mix2daw.exporters.reaper import native
from mix2daw.exporters.reaper.effects import DEVICES
from mix2daw.exporters.reaper.project import write


def choose(options: Options) -> Exporter:
    """The exporter with other options."""
    return replace(
        EXPORTER,
        write=functools.partial(write, native_devices=options.devices == "native"),
        approximate=native.DEVICES,
        own=EXPORTER.own - native.DEVICES,
    )


EXPORTER = Exporter(
    name="reaper",
    suffix=".rpp",
    summary="REAPER project: faders, folders, sends, every device as an exact JSFX effect",
    holds=frozenset(("polarity", "fader", "pan", "mute", "group", "send", "return")) | DEVICES,
    write=write,
    own=DEVICES,
    options=frozenset(("devices",)),
    choose=choose,
)

__all__ = ["EXPORTER"]
