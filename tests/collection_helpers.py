"""Small corpora: songs of a few seconds and two or three stems, made from the sample song."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
from check_helpers import RATE, piece, stereo, write

from mix2daw.collection.job import Wanted
from mix2daw.search import STATE_FILE, Settings
from mix2daw.selection import Selection
from mix2daw.stems import Signal

SECONDS = 3.0
TRACKS = (("bass", "kick"), ("guitar", "kick", "pad"), ("bass", "piano"))
# Next to no inserts: what is tried here is not the search.
WANTED = Wanted(Settings(only=Selection.of("--only", ("limiter",))), preview=True)


def searching(out: Path) -> list[Path]:
    """Of songs that are at it: what a search has kept."""
    return list((out / "graphs").rglob(f".*.work/{STATE_FILE}"))


def cut(name: str, number: int) -> Signal:
    start = round((2 + number) * RATE)
    return np.ascontiguousarray(piece()[0][name][:, start : start + round(SECONDS * RATE)])


def mixed(number: int) -> tuple[dict[str, Signal], Signal]:
    """Stems of a song, and their mix at static levels."""
    stems = {name: cut(name, number) for name in TRACKS[number % len(TRACKS)]}
    levels = [10 ** (-3 * k / 20) for k in range(len(stems))]
    mix = sum(
        (level * stereo(one) for level, one in zip(levels, stems.values(), strict=True)), np.zeros((2, 1))
    )
    return stems, mix.astype(np.float32)


def make_song(folder: Path, number: int) -> Path:
    """A song in the plain layout."""
    stems, mix = mixed(number)
    for name, signal in stems.items():
        write(folder / "stems" / f"{name}.wav", signal)
    write(folder / "mix.wav", mix)
    return folder


def make_medleydb(root: Path, name: str, number: int) -> Path:
    """A song as MedleyDB has them: raw files of one stem are a group."""
    stems, mix = mixed(number)
    folder = root / "Audio" / name
    raw = [f"{name}_RAW_01_{k:02d}.wav" for k in range(1, len(stems) + 1)]
    for file, signal in zip(raw, stems.values(), strict=True):
        write(folder / f"{name}_RAW" / file, signal)
    write(folder / f"{name}_STEMS" / f"{name}_STEM_01.wav", mix)
    write(folder / f"{name}_MIX.wav", mix)
    lines = [
        f"artist: Someone\nmix_filename: {name}_MIX.wav\nraw_dir: {name}_RAW\nstem_dir: {name}_STEMS\n",
        f"stems:\n  S01:\n    component: ''\n    filename: {name}_STEM_01.wav\n",
        "    instrument: rhythm section\n    raw:\n",
        *(
            f"      R{k:02d}:\n        filename: {file}\n        instrument: {instrument}\n"
            for k, (file, instrument) in enumerate(zip(raw, stems, strict=True), 1)
        ),
    ]
    metadata = root / "Metadata" / f"{name}_METADATA.yaml"
    metadata.parent.mkdir(parents=True, exist_ok=True)
    metadata.write_text("".join(lines), encoding="utf-8")
    return folder


def make_secrets(root: Path, name: str, number: int) -> Path:
    """A song as "Mixing Secrets" has them: numbered files in NAME_Full, the mix beside it."""
    stems, mix = mixed(number)
    folder = root / f"{name}_Full"
    for k, (track, signal) in enumerate(stems.items(), 1):
        write(folder / f"{k:02d}_{track.title()}.wav", signal)
    soundfile.write(root / f"{name}_Full_Preview.mp3", mix.T, RATE, format="MP3", subtype="MPEG_LAYER_III")
    return folder


def graphs(out: Path) -> dict[str, bytes]:
    """What may not depend on who did it, by its path."""
    kept = ("graph.json", "graph-nodelink.json", "song.json", "groups.yaml")
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted((out / "graphs").rglob("*"))
        if path.name in kept
    }
