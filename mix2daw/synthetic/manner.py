"""What an engineer would do with tracks of these names: what stays in the middle, what has reverb or echo."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mix2daw.graph import Graph
from mix2daw.groups import guess_group

KICK = re.compile(r"kick|kik|kck|bass ?drum|(?<![a-z])bd(?![a-z])", re.IGNORECASE)
LOW = ("bass",)
IN_FRONT = ("vocals",)
ECHOED = ("vocals", "backing vocals", "guitars", "keys", "synths", "brass", "winds")
MASTERED_SHARE = 0.3


@dataclass(frozen=True)
class Manner:
    """Names of tracks that stay near the middle and that may be sent to reverb and delay, of groups that may
    be glued by a compressor, and of the master; `mastered`: the share of mixes whose master has glue and a
    limiter."""

    centred: tuple[str, ...]
    glued: tuple[str, ...]
    to_reverb: tuple[str, ...]
    to_delay: tuple[str, ...]
    master: str = "master"
    mastered: float = 0.0


def manner_of(song: Graph) -> Manner:
    """The manner that suits the tracks' names: low drums and basses are dry and in the middle, singers are in
    the middle, and what plays melodies may echo."""
    names = [strip.name for strip in song.of_kind("track")]
    families = {name: guess_group(name) for name in names}
    low = {name for name in names if families[name] in LOW or KICK.search(name)}
    in_front = {name for name in names if families[name] in IN_FRONT}
    wet = tuple(name for name in names if name not in low)
    return Manner(
        centred=tuple(name for name in names if name in low | in_front),
        glued=tuple(strip.name for strip in song.of_kind("group")),
        to_reverb=wet,
        to_delay=tuple(name for name in wet if families[name] in ECHOED) or wet,
        master=song.master.name,
        mastered=MASTERED_SHARE,
    )
