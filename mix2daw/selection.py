"""Devices as a person names them on the command line: `gate`, `vox.equalizer`, `drum*.*`, `vox`.

A name is a type (on every strip), a strip (all that it has), or both with a dot between them. Strips may have
wildcards (`*`, `?`). Types are those of the processors, and `fader`, `pan` and `send`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from mix2daw.errors import FormatError, InputError
from mix2daw.graph import Graph
from mix2daw.processors import INSERTS

STRIP_TYPES = ("fader", "pan", "send")  # of what every strip has, inserts or none
TYPES = (*INSERTS, *STRIP_TYPES)
ALL = "*"
Place = tuple[str, str]  # a strip's name and a type


@dataclass(frozen=True)
class Selection:
    """Some devices of a console. `option`: the one that names them, for errors; `patterns`: of strips, and
    the type, or `*` for all."""

    option: str
    patterns: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, option: str, texts: Sequence[str]) -> Selection:
        """From names as above; what is no type is taken for a strip. FormatError for an empty name."""
        return cls(option, tuple(_pattern(option, text.strip()) for text in texts))

    def holds(self, strip: str, type_: str) -> bool:
        """Whether a device of that type on that strip is meant."""
        return any(
            wanted in (type_, ALL) and fnmatchcase(strip, pattern) for pattern, wanted in self.patterns
        )

    def check(self, places: Collection[Place]) -> None:
        """InputError if a name means nothing of a console that has these places. A type alone always means
        something, even if no strip happens to have one (a width, where all stems are mono)."""
        for pattern, wanted in self.patterns:
            if pattern == ALL and wanted in TYPES:
                continue
            had = [type_ for strip, type_ in places if fnmatchcase(strip, pattern)]
            name = pattern if wanted == ALL else wanted if pattern == ALL else f"{pattern}.{wanted}"
            if not had:
                strips = dict.fromkeys(strip for strip, _ in places)
                remedy = f"types are {', '.join(TYPES)}; strips are {', '.join(strips)}"
                raise InputError(f"{self.option} {name}", "is no strip and no type of device", remedy)
            if wanted not in (ALL, *had):
                raise InputError(
                    f"{self.option} {name}", "is not there", f"there are {', '.join(dict.fromkeys(had))}"
                )


def places_of(graph: Graph) -> tuple[Place, ...]:
    """Every strip with every type of which it has something, in the graph's order."""
    found: dict[Place, None] = {}
    for strip in graph.strips:
        found |= {(strip.name, device.type): None for device in strip.all_devices()}
        found |= {(strip.name, type_): None for type_ in ("fader", "pan")}
        found |= {(strip.name, "send"): None} if strip.sends else {}
    return tuple(found)


def _pattern(option: str, text: str) -> tuple[str, str]:
    strip, dot, type_ = text.rpartition(".")
    if text in TYPES:
        return ALL, text
    if dot and strip and type_ in (*TYPES, ALL):
        return strip, type_
    if not text:
        raise FormatError(option, "names nothing", "give for example gate or vox.equalizer")
    return text, ALL
