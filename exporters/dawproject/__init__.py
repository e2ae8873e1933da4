"""DAWproject 1.0: ZIP archives with project.xml, metadata.xml and the audio; two of them.

- `mix2daw.dawproject`, to be edited: faders, balances, nested groups, sends and generic devices (Equalizer,
  Compressor, NoiseGate, Limiter) are native; the rest is printed. The format names no pan law, no shape of
  bands and no detector of dynamics, so those are listed as approximate.
- `mix2daw-faithful.dawproject`, to be heard: prints that add up to the render with every fader at 0 dB.
"""

from __future__ import annotations

import functools
from dataclasses import replace

from mix2daw.exporters import Exporter
from mix2daw.exporters.dawproject.losses import HELD
from mix2daw.exporters.dawproject.write import write
from mix2daw.exporters.options import Options


def choose(options: Options) -> Exporter:
    """The exporter with other options."""
    return replace(EXPORTER, write=functools.partial(write, link=options.media == "link"))


EXPORTER = Exporter(
    name="dawproject",
    suffix=".dawproject",
    summary="DAWproject 1.0 (Bitwig, Studio One, Cubase 14): faders, sends, generic devices; one of prints",
    holds=frozenset(("fader", "pan", "mute", "group", "send", "return", *HELD)),
    write=write,
    approximate=frozenset(("pan", *HELD)),
    options=frozenset(("media",)),
    choose=choose,
)

__all__ = ["EXPORTER"]
