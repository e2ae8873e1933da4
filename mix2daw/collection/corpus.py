"""The songs of a corpus, whatever it is."""

from __future__ import annotations

from pathlib import Path

from mix2daw.collection.manifest import read_manifest
from mix2daw.collection.song import Corpus
from mix2daw.collection.trees import songs_in
from mix2daw.errors import InputError


def find_songs(corpus: Path, apart: Path | None = None) -> Corpus:
    """The songs in a folder (`trees`), but not in a folder `apart`, or of a manifest (`manifest`). Raises
    InputError if there is none."""
    if not corpus.exists():
        raise InputError(corpus, "does not exist", "give a folder of songs, or a manifest (CSV, JSON lines)")
    found = songs_in(corpus, apart) if corpus.is_dir() else read_manifest(corpus)
    if not found.songs:
        why = f" ({found.oddities[0]})" if found.oddities else ""
        remedy = "let every song have a folder with stems/ and mix.wav, or write a manifest"
        raise InputError(corpus, f"holds no song{why}", remedy)
    return found
