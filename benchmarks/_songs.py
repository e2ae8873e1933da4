"""The songs that are measured: the sample, and others where they lie on this machine."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "songs"


@dataclass(frozen=True)
class Published:
    """How close the published code came to a mix: La, in so many wall seconds; `how` says under which
    conditions."""

    la: float
    seconds: float
    how: str


@dataclass(frozen=True)
class Song:
    """Stems and a mix. `published`: what is known of the published code on them."""

    name: str
    stems: Path
    mix: Path
    groups: Path | None = None
    published: Published | None = None

    @property
    def here(self) -> bool:
        """Whether it lies on this machine."""
        return self.stems.is_dir() and self.mix.is_file()


def every_song(shared: Path = SHARED) -> tuple[Song, ...]:
    """All songs; those but the sample are optional and lie in `shared`."""
    sample, real = ROOT / "samples" / "song", shared / "leaving-tonite"
    foreign = shared / "soul-foreign-plugins"
    without_master = real / "mix-without-master-effects.flac"
    how = (
        "shortened: 600 of its 12,000 steps and pruned, on the same two cores, 112 → 56 devices; "
        "0.583 by its own segments"
    )
    return (
        Song("sample", sample / "stems", sample / "mix.flac", sample / "groups.yaml"),
        Song("leaving-tonite", real / "stems", real / "mix.flac", published=Published(0.518, 2579, how)),
        Song("leaving-tonite-without-master-effects", real / "stems", without_master),
        Song("soul-foreign-plugins", foreign / "stems", foreign / "mix.flac"),
    )


def songs_here(wanted: Sequence[str] | None = None, shared: Path = SHARED) -> Iterator[Song]:
    """The songs of these names (None: all) that lie on this machine; a line is printed for each that does
    not. ValueError for a name that is none."""
    known = {song.name: song for song in every_song(shared)}
    for name in wanted or known:
        if name not in known:
            raise ValueError(f"there is no song {name!r}: use some of {', '.join(known)}")
    for name in wanted or known:
        if known[name].here:
            yield known[name]
        else:
            print(f"{name}: not on this machine, left out", flush=True)


def names(text: str) -> tuple[str, ...]:
    """ "a,b" as ("a", "b")."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def machine() -> str:
    """What the figures were measured on, in words."""
    versions = f"Python {platform.python_version()}, torch {torch.__version__.partition('+')[0]}"
    return f"{os.cpu_count()} cores ({platform.machine()}), no GPU, {versions}"
