"""Songs in the manner of MedleyDB: NAME/NAME_MIX.wav beside NAME_RAW/ or NAME_STEMS/, and their metadata.

The dry sources are the raw files; those of one stem of the metadata are a group, called after its instrument.
Without raw files the stems are the sources. NAME_METADATA.yaml lies in the song's folder or in a folder
`Metadata` of one of the two folders above it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from glob import escape
from pathlib import Path

import yaml

from mix2daw import limits
from mix2daw.collection.mixes import mix_among
from mix2daw.collection.song import CorpusSong
from mix2daw.errors import InputError
from mix2daw.exporters.names import unique
from mix2daw.groups import Groups
from mix2daw.stems import is_audio

METADATA_BYTES = limits.MIB


def medleydb_song(folder: Path, name: str) -> CorpusSong | None:
    """The song in a folder of that kind; None if it is of another. Raises InputError for metadata that cannot
    be read."""
    prefix = f"{folder.name}_"
    mixes = [path for path in folder.glob(f"{escape(prefix)}MIX.*") if is_audio(path)]
    mix = mix_among(mixes)
    sources = next(
        (folder / f"{prefix}{kind}" for kind in ("RAW", "STEMS") if _has_audio(folder, kind)), None
    )
    if mix is None or sources is None:
        return None
    metadata = next((path for path in _metadata_paths(folder) if path.is_file()), None)
    members, instruments = (
        ({}, {}) if metadata is None else _read(metadata, raw=sources.name.endswith("_RAW"))
    )
    return CorpusSong(name, "medleydb", sources, mix, None, members, instruments)


def _has_audio(folder: Path, kind: str) -> bool:
    place = folder / f"{folder.name}_{kind}"
    return place.is_dir() and any(is_audio(path) for path in place.iterdir())


def _metadata_paths(folder: Path) -> Iterator[Path]:
    file = f"{folder.name}_METADATA.yaml"
    yield folder / file
    for above in (folder.parent, folder.parent.parent):
        yield above / "Metadata" / file


def _read(path: Path, raw: bool) -> tuple[Groups, dict[str, str]]:
    """Tracks of each group of two and more, and the instrument of every track."""
    remedy = "mend it, or take it away: groups are guessed then"
    text = limits.read_text(path, METADATA_BYTES, InputError, remedy)
    try:
        content = yaml.safe_load(text)
        stems = list(_entries(content["stems"]))
        groups: Groups = {}
        instruments: dict[str, str] = {}
        for stem in stems:
            files = list(_entries(stem["raw"])) if raw else [stem]  # type: ignore[arg-type]  # or TypeError
            tracks = {Path(str(entry["filename"])).stem: _instrument(entry) for entry in files}
            instruments |= tracks
            if len(tracks) > 1:
                groups[unique(_instrument(stem), groups)] = tuple(sorted(tracks))
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, RecursionError) as error:
        what = f"is no metadata as MedleyDB has them ({type(error).__name__})"
        raise InputError(path, what, remedy) from None
    return groups, instruments


def _entries(table: Mapping[str, Mapping[str, object]]) -> Iterator[Mapping[str, object]]:
    return iter(value for _, value in sorted(table.items()))


def _instrument(entry: Mapping[str, object]) -> str:
    """One instrument; several are one after the other."""
    said = entry.get("instrument")
    return " + ".join(map(str, said)) if isinstance(said, list) else str(said or "unknown")
