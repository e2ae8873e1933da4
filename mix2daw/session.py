"""Stems and mix on one clock: read, brought to the mix's rate, place and length, put into groups.

All signals are float32 at the mix's sample rate and of the mix's length. What was changed on the way is in
`Session.findings`, one line each; what cannot be a session of this mix raises InputError.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import yaml

from mix2daw.errors import InputError
from mix2daw.groups import (
    MAX_NAME_LENGTH,
    Groups,
    Patterns,
    exact_pattern,
    guessed_groups,
    read_groups,
    sorted_into,
)
from mix2daw.lag import Lag
from mix2daw.placing import SAME_SONG, Cut, cut_lines, find_places, placed
from mix2daw.silence import BLOCK_SAMPLES, is_silent, mean_square
from mix2daw.source import stretched
from mix2daw.spool import Kept, Spool
from mix2daw.stems import AudioFile, Signal, file_sha256, find_stems, probe, read_audio, stereo

IDENTICAL_DB = -100.0  # of the difference of two channels, relative to both
SHORTEST_S = 0.5  # of a mix: La and loudness need some sound
SHORTEST_SHARE = 0.5  # of the mix


@dataclass(frozen=True)
class Track:
    """One stem. `audio`: `(1 or 2, samples)`, on the time line of the mix and as long; `group`: its group or
    None (master); `sha256`: of the file at `path`; `offset_samples`: where that file starts; `inverted`,
    `stretch_ppm`: what was done to it to become `audio`; `unsure`: it may lie elsewhere."""

    name: str
    path: Path
    audio: Kept
    group: str | None
    sha256: str
    offset_samples: int = 0
    inverted: bool = False
    stretch_ppm: float = 0.0
    unsure: bool = False

    @property
    def signal(self) -> Signal:
        """Its audio, read when it is asked for."""
        return self.audio.read()


@dataclass(frozen=True)
class Session:
    """A mix and what it was made of.

    `mix`: `(2, samples)`; `tracks`: sorted by name; `silent`: names of stems that were set aside;
    `groups`: track names per group, in the order of the console; `findings`: lines for the user; `muted`:
    tracks that are there, but not in the mix.
    """

    sample_rate: int
    mix: Signal
    mix_path: Path
    tracks: tuple[Track, ...]
    silent: tuple[str, ...]
    groups: Groups
    findings: tuple[str, ...]
    muted: tuple[Track, ...] = ()


@dataclass(frozen=True)
class Material:
    """Stems and a mix as they were read. `names` of all stems; `mix` `(1 or 2, samples)`; `sounding`: each
    stem that is not silent, at the mix's rate, with lines for the user; `patterns`: of a groups.yaml."""

    folder: Path
    names: tuple[str, ...]
    mix_file: AudioFile
    mix: Signal
    sounding: tuple[tuple[AudioFile, Kept, tuple[str, ...]], ...]
    patterns: Patterns | None


def open_session(stems: Path, mix: Path, groups: Path | None = None) -> Session:
    """Read a session. `stems`: a folder; `mix`: a file; `groups`: a groups.yaml, or None to guess from names.

    A stem that clearly starts earlier or later in the mix than in its file is moved (`placing`), one that is
    clearly inverted is turned over. Raises InputError for what cannot be used: see `read_material`, `settle`.
    """
    return settle(read_material(stems, mix, groups))


def read_material(stems: Path, mix: Path, groups: Path | None = None) -> Material:
    """Read stems and mix. Raises InputError for what cannot be used: see `stems`, `groups`; besides a silent
    mix, stems that are not of this mix's length, and names that no session format can hold."""
    patterns = None if groups is None else read_groups(groups)
    mix_file = probe(mix)
    check_mix(mix_file)
    files = [probe(path) for path in find_stems(stems, mix)]
    for file in files:
        check_name(file)
    check_lengths(files, mix_file)
    mix_signal = read_audio(mix)
    if is_silent(mix_signal):
        raise silent_mix(mix)
    spool = Spool()
    sounding: list[tuple[AudioFile, Kept, tuple[str, ...]]] = []
    for file in files:
        signal, lines = _read(file, mix_file.sample_rate)
        if not is_silent(signal):
            sounding.append((file, spool.keep(signal), tuple(lines)))
    names = tuple(file.name for file in files)
    return Material(stems, names, mix_file, mix_signal, tuple(sounding), patterns)


def settle(
    material: Material, aside: Collection[str] = (), stretch_ppm: Mapping[str, float] | None = None
) -> Session:
    """The session of what was read. `aside`: names of stems that are muted tracks, without a say in where the
    others lie; `stretch_ppm`: by how much some stems are resampled to run by the mix's clock.

    Raises InputError for stems of which none sounds in the mix, or one sounds for longer than it lasts.
    """
    rate, spool, by_ppm = material.mix_file.sample_rate, Spool(), stretch_ppm or {}
    findings = ["the mix is mono: both channels are the same"] if material.mix.shape[0] == 1 else []
    sounding = [
        (file, spool.keep(stretched(kept.read(), by_ppm[file.name])) if file.name in by_ppm else kept, lines)
        for file, kept, lines in material.sounding
    ]
    heard = [one for one in sounding if one[0].name not in aside]
    mix, samples = stereo(material.mix), material.mix.shape[1]
    files = [file for file, _, _ in heard]
    places = find_places(files, [kept for _, kept, _ in heard], mix, material.mix_file)
    lag_of = {file.name: lag for file, lag in zip(files, places.lags, strict=True)}
    findings += places.lines(files, rate)
    tracks, cut_of = list[Track](), dict[str, Cut]()
    for file, kept, lines in sounding:
        # What is set aside has no place of its own, and is cut without a word.
        lag = lag_of.get(file.name, Lag(places.common_samples))
        signal, cut = placed(file, kept.read(), lag, rate, samples, places.mix_is_cut or file.name in aside)
        if is_silent(signal):
            continue
        findings += lines
        if lag.is_inverted:
            signal = -signal
        if lag.samples or lag.is_inverted or signal.shape != kept.shape:
            kept = spool.keep(signal)
        if file.name in lag_of:
            cut_of[file.name] = cut
        ppm, sha256 = by_ppm.get(file.name, 0.0), file_sha256(file.path)
        head = (lag.samples, lag.is_inverted, ppm, lag.unsure)
        tracks.append(Track(file.name, file.path, kept, None, sha256, *head))
    if not cut_of:
        raise only_silent(material.folder)
    findings += cut_lines(cut_of, rate)
    names = [track.name for track in tracks]
    found, unused = _groups(material, names)
    group_of = {name: group for group, members in found.items() for name in members}
    session = Session(
        sample_rate=rate,
        mix=mix,
        mix_path=material.mix_file.path,
        tracks=tuple(replace(track, group=group_of.get(track.name)) for track in tracks),
        silent=tuple(name for name in material.names if name not in names),
        groups=found,
        findings=(*findings, *unused),
    )
    return with_muted(session, set(aside))


def with_muted(session: Session, names: Collection[str]) -> Session:
    """The session with some of its tracks as muted ones, which nothing is searched for."""
    if not names:
        return session
    heard = tuple(track for track in session.tracks if track.name not in names)
    muted = tuple(track for track in session.tracks if track.name in names)
    live = {track.name for track in heard}
    groups = {group: tuple(n for n in members if n in live) for group, members in session.groups.items()}
    return replace(
        session,
        tracks=heard,
        muted=(*session.muted, *muted),
        groups={group: members for group, members in groups.items() if members},
    )


def _groups(material: Material, names: Sequence[str]) -> tuple[Groups, list[str]]:
    """Tracks in groups, and what is to be told of patterns that match none."""
    if material.patterns is None:
        return guessed_groups(names), []
    found, unused = sorted_into(material.patterns, material.names)
    audible = {group: tuple(n for n in members if n in names) for group, members in found.items()}
    return {group: members for group, members in audible.items() if members}, list(unused)


def groups_yaml(session: Session) -> str:
    """The groups of a session as a groups.yaml that gives the same groups when it is read."""
    of_group = {group: list(members) for group, members in session.groups.items()}
    for track in session.muted:
        if track.group is not None:
            of_group.setdefault(track.group, []).append(track.name)
    content = {group: [exact_pattern(name) for name in members] for group, members in of_group.items()}
    lines = ["# Groups of tracks: patterns of track names (* and ? are wildcards); the first match counts.\n"]
    loose = [track.name for track in session.tracks if track.group is None]
    if loose:
        lines.append("# A track in no group goes straight to the master:\n")
        lines += [f"#   {json.dumps(name, ensure_ascii=False)}\n" for name in loose]
    body: str = yaml.safe_dump(
        content, allow_unicode=True, sort_keys=False, default_flow_style=False, width=1000
    )
    return "".join(lines) + body


def silent_mix(mix: Path) -> InputError:
    """What to raise for a mix that is silent."""
    return InputError(mix, "is silent", "give the mix that was made of the stems", "mix-silent")


def only_silent(stems: Path) -> InputError:
    """What to raise for a folder of stems of which none sounds in the mix."""
    return InputError(stems, "holds only silent stems", "export the stems again", "all-silent")


def check_name(file: AudioFile) -> None:
    """Raise InputError for a name that does not fit into a graph or into XML."""
    remedy, code = "rename the file", "name-unusable"
    if len(file.name) > MAX_NAME_LENGTH:
        raise InputError(file.path, f"has a name of more than {MAX_NAME_LENGTH} characters", remedy, code)
    # Cc: control characters; Cs: bytes that are no valid text.
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in file.name):
        raise InputError(ascii(str(file.path)), "has a name with control characters", remedy, code)


def check_mix(mix: AudioFile) -> None:
    """Raise InputError for a mix that is too short to be compared with anything."""
    if mix.duration_s < SHORTEST_S:
        what, remedy = f"lasts {mix.duration_s:.3f} s", f"give a mix of {SHORTEST_S:g} s and more"
        raise InputError(mix.path, what, remedy, "mix-short")


def check_lengths(files: Sequence[AudioFile], mix: AudioFile) -> None:
    """Raise InputError unless the longest stem lasts at least half as long as the mix."""
    longest = max(files, key=lambda file: file.duration_s)
    if longest.duration_s < SHORTEST_SHARE * mix.duration_s:
        what = (
            f"lasts {longest.duration_s:.1f} s and is the longest stem; the mix lasts {mix.duration_s:.1f} s"
        )
        raise InputError(longest.path, what, SAME_SONG, "length-foreign")


def _read(file: AudioFile, sample_rate: int) -> tuple[Signal, list[str]]:
    """The signal of a stem at the mix's rate, mono if its channels are the same, and findings."""
    findings = []
    signal = read_audio(file.path, sample_rate)
    if file.sample_rate != sample_rate:
        findings.append(f"{file.name}: resampled from {file.sample_rate} to {sample_rate} Hz")
    if signal.shape[0] == 2 and same_channels(signal):
        findings.append(f"{file.name}: both channels are the same, taken as mono")
        signal = signal[:1]
    return signal, findings


def same_channels(signal: Signal) -> bool:
    """Whether both channels of a stereo signal are the same, to −100 dB."""
    starts = range(0, signal.shape[1], BLOCK_SAMPLES)
    blocks = (signal[:, first : first + BLOCK_SAMPLES] for first in starts)
    difference = sum(float(np.sum(np.square(block[0] - block[1]), dtype=np.float64)) for block in blocks)
    mean = difference / max(1, signal.shape[1])
    return bool(mean <= 10 ** (IDENTICAL_DB / 10) * mean_square(signal))
