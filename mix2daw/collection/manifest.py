"""A manifest: one song per line, as CSV with a header or as JSON lines.

    song,stems,mix,groups
    ours/first,stems/first,mixes/first.wav,
    ours/second,stems/second,mixes/second.wav,groups/second.yaml

`song` is the name of its result; without it, it is the path of the stems. `groups` may be left out. Paths are
relative to the manifest.
"""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from mix2daw import limits
from mix2daw.collection.song import Corpus, CorpusSong
from mix2daw.errors import InputError

MANIFEST_BYTES = 512 * limits.MIB
COLUMNS = ("song", "stems", "mix", "groups")
JSON_LINES = (".jsonl", ".ndjson")


def read_manifest(path: Path) -> Corpus:
    """The songs of a manifest. Raises InputError that names the line."""
    text = limits.read_text(path, MANIFEST_BYTES, InputError, "give a CSV or JSON lines file, or a folder")
    rows = _json_rows(path, text) if path.suffix.lower() in JSON_LINES else _csv_rows(path, text)
    songs: dict[str, CorpusSong] = {}
    for line, row in rows:
        song = _song(path, line, row)
        if song.name in songs:
            raise InputError(f"{path}:{line}", f"names {song.name!r} a second time", "give it another name")
        songs[song.name] = song
    for name in songs:
        above = next((str(part) for part in PurePosixPath(name).parents if str(part) in songs), None)
        if above is not None:
            what = f"names both {above!r} and {name!r}, of which one would lie in the other"
            raise InputError(path, what, "give one another name")
    return Corpus(tuple(songs[name] for name in sorted(songs)))


def _csv_rows(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, object]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        if reader.fieldnames is None or not {"stems", "mix"} <= set(reader.fieldnames):
            what = "has no header with the columns stems and mix"
            raise InputError(path, what, f"let it begin with {','.join(COLUMNS)}")
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise InputError(f"{path}:{reader.line_num}", f"is no CSV ({error})", "mend the line") from None


def _json_rows(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, object]]]:
    for line, part in enumerate(text.splitlines(), 1):
        if not part.strip():
            continue
        try:
            row = json.loads(part)
        except (ValueError, RecursionError):
            raise InputError(f"{path}:{line}", "is no JSON", "write one object a line") from None
        if not isinstance(row, dict):
            raise InputError(f"{path}:{line}", "is no JSON object", "write one object a line")
        yield line, row


def _song(path: Path, line: int, row: Mapping[str, object]) -> CorpusSong:
    where, values = f"{path}:{line}", dict[str, str]()
    for column in COLUMNS:
        value = row.get(column) or ""
        if not isinstance(value, str):
            raise InputError(where, f"has a {column} that is no text", "write the path as text")
        values[column] = value.strip()
    for column in ("stems", "mix"):
        if not values[column]:
            raise InputError(where, f"has no {column}", "give the path")
    folder = path.parent
    name = checked_name(where, values["song"] or PurePosixPath(values["stems"]).as_posix().lstrip("./"))
    groups = folder / values["groups"] if values["groups"] else None
    return CorpusSong(name, "manifest", folder / values["stems"], folder / values["mix"], groups)


def checked_name(where: str, name: str) -> str:
    """A name of a song that is a path below the result and nowhere else. Raises InputError."""
    parts = PurePosixPath(name).parts
    safe = bool(parts) and not PurePosixPath(name).is_absolute() and "\\" not in name and ":" not in name
    visible = all(unicodedata.category(char)[0] != "C" for char in name)
    if (
        not safe
        or not visible
        or len(name) > limits.NAME_LENGTH
        or any(part.startswith(".") for part in parts)
    ):
        what = f"calls a song {name!r}, which cannot be the path of its result"
        raise InputError(where, what, "use names without dots at their start, as in artist/song")
    return "/".join(parts)
