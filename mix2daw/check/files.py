"""What the headers of stems and mix say: files that cannot be used, formats that differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import soundfile

from mix2daw.check.findings import Finding, finding, refusal
from mix2daw.errors import InputError
from mix2daw.session import check_lengths, check_mix, check_name
from mix2daw.stems import AudioFile, check_tracks_differ, list_stems, probe

Value = TypeVar("Value")

LENGTH_SLACK_S = 0.05
DEPTHS = {
    "PCM_S8": "8 bit",
    "PCM_U8": "8 bit",
    "PCM_16": "16 bit",
    "PCM_24": "24 bit",
    "PCM_32": "32 bit",
    "FLOAT": "32-bit float",
    "DOUBLE": "64-bit float",
}
LOSSY = {
    "VORBIS": "Vorbis",
    "OPUS": "Opus",
    "MPEG_LAYER_I": "MP1",
    "MPEG_LAYER_II": "MP2",
    "MPEG_LAYER_III": "MP3",
}


def attempt(
    call: Callable[[], Value], path: Path, found: list[Finding], code: str | None = None
) -> Value | None:
    """What a call returns; None if it refuses a file, which is added to the findings."""
    try:
        return call()
    except InputError as error:
        found.append(refusal(error, path, code))
        return None


def usable_files(stems: Path, mix: Path, found: list[Finding]) -> tuple[list[AudioFile], AudioFile | None]:
    """The headers of the stems and the mix that `recover` would take; what it would not is added to the
    findings."""
    mix_file = attempt(partial(_usable_mix, mix), mix, found)
    paths = attempt(partial(list_stems, stems, mix), stems, found) or ()
    attempt(partial(check_tracks_differ, stems, paths), stems, found)
    files = []
    for path in paths:
        file = attempt(partial(probe, path), path, found)
        if file is not None:
            attempt(partial(check_name, file), path, found)
            files.append(file)
    if files and mix_file is not None:
        longest = max(files, key=lambda file: file.duration_s)
        attempt(partial(check_lengths, files, mix_file), longest.path, found)
    return files, mix_file


def rate_of(stems: Sequence[AudioFile], mix: AudioFile | None) -> int:
    """The sample rate of a song: the mix's, without one most stems'."""
    return mix.sample_rate if mix else _commonest([file.sample_rate for file in stems])


def _usable_mix(path: Path) -> AudioFile:
    file = probe(path)
    check_mix(file)
    return file


def format_findings(stems: Sequence[AudioFile], mix: AudioFile | None) -> Iterator[Finding]:
    """Where the formats of files differ from the mix's, or without one from most stems'."""
    if not stems:
        return
    rate = rate_of(stems, mix)
    for other in sorted({file.sample_rate for file in stems} - {rate}):
        paths = [file.path for file in stems if file.sample_rate == other]
        yield finding("rate-differs", paths, {"stem_hz": other, "mix_hz": rate})
    formats = {
        file.path: soundfile.info(str(file.path)).subtype for file in (*stems, *([mix] if mix else ()))
    }
    for subtype in sorted({subtype for subtype in formats.values() if subtype in LOSSY}):
        paths = [path for path, other in formats.items() if other == subtype]
        yield finding("lossy-file", paths, {"format": LOSSY[subtype]})
    own = formats[mix.path] if mix else _commonest(list(formats.values()))
    for subtype in sorted({*formats.values()} - {own, *LOSSY}):
        if own not in LOSSY:
            paths = [path for path, other in formats.items() if other == subtype]
            words = {"format": DEPTHS.get(subtype, subtype), "mix_format": DEPTHS.get(own, own)}
            yield finding("depth-differs", paths, words)
    mono = [file.path for file in stems if file.channels == 1]
    if mono and len(mono) < len(stems):
        yield finding("channels-differ", mono, {"stereo": len(stems) - len(mono)})
    if mix is not None:
        off = [file for file in stems if abs(file.duration_s - mix.duration_s) > LENGTH_SLACK_S]
        if off:
            lengths = [file.duration_s for file in off]
            measured = {"shortest_s": min(lengths), "longest_s": max(lengths), "mix_s": mix.duration_s}
            yield finding("length-differs", [file.path for file in off], measured)


def _commonest(values: Sequence[Value]) -> Value:
    return Counter(values).most_common(1)[0][0]
