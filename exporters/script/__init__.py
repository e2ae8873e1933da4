"""pedalboard: a Python script that plays the mix with pedalboard, numpy and soundfile alone.

`render.py`, the sources in `stems/`, the impulse responses in `impulses/`. It makes the very samples of
`exporters.pedalboard.render`, so nothing is lost.
"""

from __future__ import annotations

from mix2daw.exporters import Exporter
from mix2daw.exporters.plugins import INSERTS
from mix2daw.exporters.script.project import write

EXPORTER = Exporter(
    name="pedalboard",
    suffix=".py",
    summary="Python script: the mix bit for bit, with pedalboard, numpy and soundfile",
    holds=frozenset(("polarity", "fader", "pan", "mute", "group", "send", "return", *INSERTS)),
    write=write,
)

__all__ = ["EXPORTER"]
