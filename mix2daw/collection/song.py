"""A song of a corpus, before anything is known of it but its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from mix2daw.groups import Groups

Layout = Literal["manifest", "folder", "medleydb", "mixing-secrets"]


@dataclass(frozen=True)
class CorpusSong:
    """`name`: its place in the corpus, with `/`, and that of its result; `layout`: what told it; `stems`: the
    folder of its stems; `mix`: its mix; `groups`: a groups.yaml; `members`: what metadata says of groups, by
    the names of tracks; `instruments`: what they say of tracks."""

    name: str
    layout: Layout
    stems: Path
    mix: Path
    groups: Path | None = None
    members: Groups = field(default_factory=dict)
    instruments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Corpus:
    """The songs of a corpus, sorted by name, and `oddities`: lines on what looked like one and is none."""

    songs: tuple[CorpusSong, ...]
    oddities: tuple[str, ...] = ()
