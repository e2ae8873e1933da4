"""A corpus of random mixes of one song's stems, each beside the console that made it.

manifest.jsonl        the songs, as `collect` takes them
groups.yaml           the groups that all of them have
song-0001/truth.json  the console; its sources are the given stems
song-0001/mix.flac    what it plays, 24 bit
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import soundfile

from mix2daw.console import unique
from mix2daw.errors import InputError
from mix2daw.exporters.pedalboard import render
from mix2daw.graph import Graph, Strip, relative_source
from mix2daw.groups import Groups, exact_pattern, guessed_groups, read_groups, sorted_into
from mix2daw.output import check_folder, new_folder, write_text
from mix2daw.progress import Progress
from mix2daw.session import check_name, only_silent
from mix2daw.silence import is_silent
from mix2daw.stems import AudioFile, file_sha256, find_stems, probe, read_audio
from mix2daw.synthetic.manner import manner_of
from mix2daw.synthetic.mixes import random_mix

MANIFEST, GROUPS, TRUTH, MIX = "manifest.jsonl", "groups.yaml", "truth.json", "mix.flac"
SHORTEST_S = 2.0  # of the longest stem: a mix needs some music


@dataclass(frozen=True)
class Synthesis:
    """What to make. `stems`: a folder; `songs`: how many mixes; `groups`: a groups.yaml, or None to guess
    from names; `force`: whether an earlier corpus in `out` may be replaced."""

    stems: Path
    out: Path
    songs: int
    seed: int = 0
    groups: Path | None = None
    force: bool = False


def synthesize(wanted: Synthesis, progress: Progress) -> list[str]:
    """Make the corpus; `out` appears when it is whole. Returns the names of its songs. The same stems and
    seed give the same bytes, and a smaller number of songs the first ones of a larger.

    Raises InputError (stems that cannot be used, none that sounds), OutputError.
    """
    out = wanted.out.resolve()
    check_folder(wanted.out, wanted.force, keep=(wanted.stems,))
    console, groups = _console(wanted, out, progress)
    manner = manner_of(console)
    names = [f"song-{number:04d}" for number in range(1, wanted.songs + 1)]
    progress.stage("Mixing", wanted.songs)
    with new_folder(wanted.out) as folder:
        # Paths are relative to `out`. This folder lies beside it: they hold there too.
        for number, name in enumerate(names, 1):
            place = folder / name
            place.mkdir()
            truth = random_mix(console, folder, place, wanted.seed, number, manner)
            write_text(place / TRUTH, truth.to_json())
            mix = render(truth, place)
            soundfile.write(place / MIX, mix.T, truth.sample_rate, subtype="PCM_24")
            progress.step()
        write_text(folder / GROUPS, _groups_text(groups))
        stems = Path(os.path.relpath(wanted.stems.resolve(), out)).as_posix()
        lines = [{"song": name, "stems": stems, "mix": f"{name}/{MIX}", "groups": GROUPS} for name in names]
        write_text(folder / MANIFEST, "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines))
    return names


def _console(wanted: Synthesis, out: Path, progress: Progress) -> tuple[Graph, Groups]:
    """Tracks at rest, in groups; sources are written relative to `out`. Silent stems are left out."""
    patterns = None if wanted.groups is None else read_groups(wanted.groups)
    files = [probe(path) for path in find_stems(wanted.stems)]
    for file in files:
        check_name(file)
    rate = max(file.sample_rate for file in files)
    longest = max(files, key=lambda file: file.duration_s)
    if longest.duration_s < SHORTEST_S:
        what = f"lasts {longest.duration_s:.2f} s and is the longest stem"
        raise InputError(longest.path, what, f"give stems of {SHORTEST_S:g} s and more")
    sounding: dict[str, AudioFile] = {}
    silent: list[str] = []
    samples = 0
    for file in files:
        signal = read_audio(file.path, rate)
        if is_silent(signal):
            silent.append(file.name)
        else:
            sounding[file.name] = file
            samples = max(samples, signal.shape[1])
    if not sounding:
        raise only_silent(wanted.stems)
    if silent:
        progress.say(f"silent, left out: {', '.join(silent)}")
    if patterns is None:
        groups: Groups = guessed_groups(sounding)
    else:
        groups, unused = sorted_into(patterns, sounding)
        for line in unused:
            progress.say(line)
    return _strips(sounding, groups, out, rate, samples), groups


def _strips(files: Mapping[str, AudioFile], groups: Groups, out: Path, rate: int, samples: int) -> Graph:
    taken = set(files)
    master = unique("master", taken)
    bus_of = {group: unique(group, taken) for group in groups}
    output_of = {name: bus_of[group] for group, members in groups.items() for name in members}
    tracks = [
        Strip(
            name=name,
            kind="track",
            source=relative_source(file.path, out),
            source_sha256=file_sha256(file.path),
            channels=1 if file.channels == 1 else 2,
            output=output_of.get(name, master),
        )
        for name, file in files.items()
    ]
    buses = [Strip(name=bus, kind="group", output=master) for bus in bus_of.values()]
    strips = (*tracks, *buses, Strip(name=master, kind="master"))
    return Graph(sample_rate=rate, length_samples=samples, strips=strips)


def _groups_text(groups: Groups) -> str:
    """A groups.yaml; JSON lists are YAML."""
    lines = (
        f"{json.dumps(group, ensure_ascii=False)}: "
        f"{json.dumps([exact_pattern(name) for name in members], ensure_ascii=False)}\n"
        for group, members in groups.items()
    )
    return "".join(lines)
