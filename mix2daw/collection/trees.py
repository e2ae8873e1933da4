"""The songs in a folder of folders: each is of the first kind that fits.

medleydb        NAME/NAME_MIX.wav beside NAME_RAW/ or NAME_STEMS/ (`medleydb`)
folder          a folder `stems` (or multitrack, tracks, raw, dry) beside one audio file, the mix; a
                groups.yaml beside them counts
mixing-secrets  a folder of numbered files (01_Kick.wav …), as those of "Mixing Secrets" unpack, with the mix
                or its preview in it, or beside it under the name of the folder (NAME_Full/ and
                NAME_Full_Preview.mp3)
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from mix2daw.collection.medleydb import medleydb_song
from mix2daw.collection.mixes import is_named_mix, mix_among
from mix2daw.collection.song import Corpus, CorpusSong
from mix2daw.errors import InputError
from mix2daw.stems import is_audio

STEM_FOLDERS = ("stems", "multitrack", "multitracks", "tracks", "raw", "dry")
_NUMBERED = re.compile(r"\d{1,3}[ _.-]")
_WHOLE = re.compile(r"[ _-]?full$", re.IGNORECASE)
NUMBERED_SHARE = 0.5  # of the files of a folder


def songs_in(root: Path, apart: Path | None = None) -> Corpus:
    """All songs below a folder, and in it, but in the folder `apart`. Raises InputError if it cannot be
    listed."""
    songs, oddities = list[CorpusSong](), list[str]()
    seen = set[str]() if apart is None else {os.path.realpath(apart)}

    def refused(error: OSError) -> None:
        raise InputError(error.filename, f"cannot be listed ({error.strerror})", "check its permissions")

    for place, names, _ in os.walk(root, onerror=refused, followlinks=True):
        folder, real = Path(place), os.path.realpath(place)
        names[:] = sorted(name for name in names if not name.startswith("."))
        if real in seen:  # by a link, maybe
            names.clear()
            continue
        seen.add(real)
        relative = folder.relative_to(root).as_posix()
        name = root.resolve().name if relative == "." else relative
        try:
            song = medleydb_song(folder, name) or _beside_stems(folder, name) or _numbered(folder, name)
        except InputError as error:
            oddities.append(str(error))
            names.clear()
            continue
        if song is not None:
            songs.append(song)
            names.clear()
    return Corpus(tuple(sorted(songs, key=lambda song: song.name)), tuple(oddities))


def _audio(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if is_audio(path) and path.is_file())


def _beside_stems(folder: Path, name: str) -> CorpusSong | None:
    stems = next(_stem_folders(folder), None)
    if stems is None:
        return None
    mix, groups = mix_among(_audio(folder)), folder / "groups.yaml"
    if mix is None:
        what = "has stems and no file that is clearly their mix beside them"
        raise InputError(folder, what, "call it mix.wav")
    return CorpusSong(name, "folder", stems, mix, groups if groups.is_file() else None)


def _stem_folders(folder: Path) -> Iterator[Path]:
    by_name = {path.name.lower(): path for path in sorted(folder.iterdir()) if path.is_dir()}
    yield from (by_name[name] for name in STEM_FOLDERS if name in by_name and _audio(by_name[name]))


def _numbered(folder: Path, name: str) -> CorpusSong | None:
    files = _audio(folder)
    numbered = [path for path in files if _NUMBERED.match(path.name)]
    if len(numbered) < 2 or len(numbered) < NUMBERED_SHARE * len(files):
        return None
    named = _WHOLE.sub("", folder.name).lower()
    inside = [path for path in files if path not in numbered and is_named_mix(path)]
    beside = [path for path in _audio(folder.parent) if path.name.lower().startswith(named)]
    mix = mix_among(inside) if inside else mix_among(beside) if beside else None
    if mix is None:
        what = f"holds {len(numbered)} numbered tracks, and no mix of them is in it or beside it"
        raise InputError(folder, what, f"put it beside it as {_WHOLE.sub('', folder.name)}_Mix.wav")
    return CorpusSong(name, "mixing-secrets", folder, mix)
