"""Which of some audio files is the mix."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

# Names that only a mix has, the likeliest first.
_WORDS = ("mix", "mixture", "mixdown", "master", "mastered", "unmasteredwav", "unmastered", "full", "preview")
_LOSSY = (".mp3", ".ogg")


def mix_among(files: Iterable[Path]) -> Path | None:
    """The mix: the only file; or the one whose name is or ends with a word for it, lossless if there is a
    choice; None if that is not clear."""
    paths = sorted(files)
    if len(paths) == 1:
        return paths[0]
    ranked = sorted((rank, path) for path in paths if (rank := _rank(path)) is not None)
    if not ranked or (len(ranked) > 1 and ranked[0][0] == ranked[1][0]):
        return None
    return ranked[0][1]


def is_named_mix(path: Path) -> bool:
    """Whether the name of a file says that it is a mix."""
    return _rank(path) is not None


def _rank(path: Path) -> tuple[bool, int, int] | None:
    words = [word for word in re.split(r"[^a-z]+", path.stem.lower()) if word]
    if not words or words[-1] not in _WORDS:
        return None
    return path.suffix.lower() in _LOSSY, len(words), _WORDS.index(words[-1])
