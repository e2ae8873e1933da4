"""Stems and mix on one clock: read, brought to the mix's rate, place and length, put into groups.

All signals are float32 at the mix's sample rate and of the mix's length. What was changed on the way is in
`Session.findings`, one line each; what cannot be a session of this mix raises InputError.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import yaml

from mix2daw.errors import InputError
from mix2daw.groups import (
    MAX_NAME_LENGTH,
    Groups,
    exact_pattern,
    guessed_groups,
    read_groups,
    sorted_into,
)
from mix2daw.lag import Lag, find_lags
from mix2daw.spool import Kept, Shelf, Spool
from mix2daw.stems import AudioFile, Signal, file_sha256, find_stems, probe, read_audio, stereo

SILENCE_DBFS = -90.0  # RMS over the whole file
IDENTICAL_DB = -100.0  # of the difference of two channels, relative to both
BLOCK_SAMPLES = 1 << 20
SHORTEST_S = 0.5  # of a mix: La and loudness need some sound
SHORTEST_SHARE, LONGEST_SHARE = 0.5, 1.1  # of the mix
SAME_SONG = "give stems and mix of the same song, from the same start"


@dataclass(frozen=True)
class Track:
    """One stem. `audio`: `(1 or 2, samples)`, on the time line of the mix and as long; `group`: its group or
    None (master); `sha256`: of the file at `path`; `offset_samples`: where that file starts."""

    name: str
    path: Path
    audio: Kept
    group: str | None
    sha256: str
    offset_samples: int = 0

    @property
    def signal(self) -> Signal:
        """Its audio, read when it is asked for."""
        return self.audio.read()


@dataclass(frozen=True)
class Session:
    """A mix and what it was made of.

    `mix`: `(2, samples)`; `tracks`: sorted by name; `silent`: names of stems that were set aside;
    `groups`: track names per group, in the order of the console; `findings`: lines for the user.
    """

    sample_rate: int
    mix: Signal
    mix_path: Path
    tracks: tuple[Track, ...]
    silent: tuple[str, ...]
    groups: Groups
    findings: tuple[str, ...]


def open_session(stems: Path, mix: Path, groups: Path | None = None) -> Session:
    """Read a session. `stems`: a folder; `mix`: a file; `groups`: a groups.yaml, or None to guess from names.

    A stem that clearly starts earlier or later in the mix than in its file is moved (`lag`).
    Raises InputError for what cannot be used: see `stems`, `groups`; besides a silent mix, only silent
    stems, stems that are not of this mix's length, and names that no session format can hold.
    """
    patterns = None if groups is None else read_groups(groups)
    mix_info = probe(mix)
    check_mix(mix_info)
    files = [probe(path) for path in find_stems(stems, mix)]
    for file in files:
        check_name(file)
    check_lengths(files, mix_info)
    findings: list[str] = []
    mix_signal = read_audio(mix)
    if is_silent(mix_signal):
        raise silent_mix(mix)
    if mix_signal.shape[0] == 1:
        findings.append("the mix is mono: both channels are the same")
    spool = Spool()
    sounding: list[tuple[AudioFile, Kept, list[str]]] = []
    silent = []
    for file in files:
        signal, lines = _read(file, mix_info.sample_rate)
        if is_silent(signal):
            silent.append(file.name)
        else:
            sounding.append((file, spool.keep(signal), lines))
    lags = find_lags(Shelf([kept for _, kept, _ in sounding]), stereo(mix_signal), mix_info.sample_rate)
    tracks = []
    for (file, kept, lines), lag in zip(sounding, lags, strict=True):
        stem = placed(file, kept.read(), lag, mix_info.sample_rate, mix_signal.shape[1])
        if is_silent(stem.signal):
            silent.append(file.name)
            continue
        findings += [*lines, *_placing(file, lag, stem, mix_info.sample_rate)]
        if lag.samples or stem.signal.shape != kept.shape:
            kept = spool.keep(stem.signal)
        tracks.append(Track(file.name, file.path, kept, None, file_sha256(file.path), lag.samples))
    if not tracks:
        raise only_silent(stems)
    names = [track.name for track in tracks]
    if patterns is None:
        found = guessed_groups(names)
    else:
        found, unused = sorted_into(patterns, [*names, *silent])
        findings += unused
        audible = {group: tuple(n for n in members if n in names) for group, members in found.items()}
        found = {group: members for group, members in audible.items() if members}
    group_of = {name: group for group, members in found.items() for name in members}
    return Session(
        sample_rate=mix_info.sample_rate,
        mix=stereo(mix_signal),
        mix_path=mix,
        tracks=tuple(replace(track, group=group_of.get(track.name)) for track in tracks),
        silent=tuple(file.name for file in files if file.name in silent),
        groups=found,
        findings=tuple(findings),
    )


def groups_yaml(session: Session) -> str:
    """The groups of a session as a groups.yaml that gives the same groups when it is read."""
    content = {g: [exact_pattern(name) for name in members] for g, members in session.groups.items()}
    lines = ["# Groups of tracks: patterns of track names (* and ? are wildcards); the first match counts.\n"]
    loose = [track.name for track in session.tracks if track.group is None]
    if loose:
        lines.append("# A track in no group goes straight to the master:\n")
        lines += [f"#   {json.dumps(name, ensure_ascii=False)}\n" for name in loose]
    body: str = yaml.safe_dump(
        content, allow_unicode=True, sort_keys=False, default_flow_style=False, width=1000
    )
    return "".join(lines) + body


def is_silent(signal: Signal) -> bool:
    """Whether its RMS over all channels and samples is below −90 dBFS."""
    return mean_square(signal) < 10 ** (SILENCE_DBFS / 10)


def mean_square(signal: Signal) -> float:
    """Of all samples `(channels, samples)`, a block at a time: a song of hours is not copied for it."""
    blocks = (signal[:, first : first + BLOCK_SAMPLES] for first in range(0, signal.shape[1], BLOCK_SAMPLES))
    total = sum(float(np.sum(np.square(block), dtype=np.float64)) for block in blocks)
    return total / max(1, signal.size)


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


@dataclass(frozen=True)
class Placed:
    """A stem's `signal` on the time line of a mix and as long as it; `cut_start_samples`, `cut_end_samples`:
    how much went there that sounded."""

    signal: Signal
    cut_start_samples: int
    cut_end_samples: int


def placed(file: AudioFile, signal: Signal, lag: Lag, sample_rate: int, samples: int) -> Placed:
    """Put a stem where it starts in a mix of `samples`. Raises InputError if it sounds for much longer than
    the mix lasts."""
    before = signal[:, : max(0, -lag.samples)]
    if lag.samples:
        signal = np.pad(signal[:, before.shape[1] :], ((0, 0), (max(0, lag.samples), 0)))
    beyond = signal[:, samples:]
    cut = bool(beyond.size) and not is_silent(beyond)
    far = signal[:, int(LONGEST_SHARE * samples) :]
    if cut and signal.shape[1] > LONGEST_SHARE * samples and not is_silent(far):
        what = f"sounds for {file.duration_s:.1f} s, the mix lasts {samples / sample_rate:.1f} s"
        raise InputError(file.path, what, SAME_SONG, "length-foreign")
    signal = np.pad(signal[:, :samples], ((0, 0), (0, max(0, samples - signal.shape[1]))))
    return Placed(
        signal,
        before.shape[1] if before.size and not is_silent(before) else 0,
        beyond.shape[1] if cut else 0,
    )


def _placing(file: AudioFile, lag: Lag, stem: Placed, sample_rate: int) -> list[str]:
    """Findings about where a stem was put."""
    findings = []
    if lag.unsure:
        findings.append(
            f"{file.name}: seems to start elsewhere in the mix, but several places fit; not moved"
        )
    if lag.samples:
        when = "later" if lag.samples > 0 else "earlier"
        findings.append(f"{file.name}: starts {abs(lag.samples)} samples {when} in the mix")
    cuts = {"start": stem.cut_start_samples, "end": stem.cut_end_samples}
    for end, samples in cuts.items():
        if samples:
            findings.append(f"{file.name}: cut at the {end} of the mix, {samples / sample_rate:.2f} s went")
    return findings


def same_channels(signal: Signal) -> bool:
    """Whether both channels of a stereo signal are the same, to −100 dB."""
    starts = range(0, signal.shape[1], BLOCK_SAMPLES)
    blocks = (signal[:, first : first + BLOCK_SAMPLES] for first in starts)
    difference = sum(float(np.sum(np.square(block[0] - block[1]), dtype=np.float64)) for block in blocks)
    mean = difference / max(1, signal.shape[1])
    return bool(mean <= 10 ** (IDENTICAL_DB / 10) * mean_square(signal))
