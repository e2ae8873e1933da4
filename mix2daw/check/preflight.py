"""`check`: everything about a song that `recover` would refuse, or that would spoil what it finds.

Unlike `recover` it goes on after a defect: a file that cannot be used is left out of what follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from mix2daw.check.against import against_mix
from mix2daw.check.band import band_findings
from mix2daw.check.files import attempt, format_findings, rate_of, usable_files
from mix2daw.check.findings import Finding, finding, in_order, refusal
from mix2daw.check.kinship import find_kin, measure_gram
from mix2daw.check.peaks import level_findings
from mix2daw.check.samples import sample_findings, silence
from mix2daw.check.song import Song, Stem
from mix2daw.groups import read_groups, sorted_into
from mix2daw.progress import Progress
from mix2daw.session import only_silent, same_channels, silent_mix
from mix2daw.silence import is_silent
from mix2daw.spool import Spool
from mix2daw.stems import AudioFile, Signal, read_audio, resample, stereo

SCHEMA = "mix2daw.check/1"


@dataclass(frozen=True)
class Report:
    """What was found in a song, the most severe first."""

    findings: tuple[Finding, ...]

    @property
    def ready(self) -> bool:
        """Whether nothing stops `recover`."""
        return not any(found.code.severity == "stop" for found in self.findings)

    def to_json(self) -> dict[str, object]:
        """As an object for JSON, schema mix2daw.check/1."""
        listed = [
            {
                "code": found.code.name,
                "severity": found.code.severity,
                "files": [str(path) for path in found.files],
                "measured": dict(found.measured),
                "said": found.said,
                "remedy": found.remedy,
            }
            for found in self.findings
        ]
        return {"schema": SCHEMA, "ready": self.ready, "findings": listed}


def check(stems: Path, mix: Path, groups: Path | None, progress: Progress) -> Report:
    """Check a song: a folder of stems, its mix, and its groups.yaml, if there is one.

    Raises OutputError if there is no room for long stems. Whatever is wrong with the files is a finding.
    """
    found: list[Finding] = []
    files, mix_file = usable_files(stems, mix, found)
    if groups is not None:
        found += _group_findings(groups, [file.name for file in files])
    found += format_findings(files, mix_file)
    progress.stage("Reading", len(files) + 1)
    signal = None if mix_file is None else _read_mix(mix_file, found)
    progress.step()
    if not files:
        return Report(in_order(found))
    rate = rate_of(files, mix_file)
    sounding, silent = _read_stems(files, rate, Spool(), found, progress)
    nothing_sounds = silent == len(files)
    song = Song(rate, np.zeros((2, 0), np.float32) if signal is None else signal, mix, tuple(sounding))
    if sounding:
        kin = find_kin(song, measure_gram(song))
        found += kin.findings
        if signal is not None:
            held = against_mix(song, kin.spare, progress)
            found += held.findings
            nothing_sounds = held.nothing_sounds and silent + len(sounding) == len(files)
    if nothing_sounds:
        found.append(refusal(only_silent(stems), stems))
    return Report(in_order(found))


def _group_findings(groups: Path, names: list[str]) -> list[Finding]:
    found: list[Finding] = []
    patterns = attempt(partial(read_groups, groups), groups, found, "groups-unusable")
    if patterns is not None:
        found += [
            finding("group-unused", [groups], {"what": line}) for line in sorted_into(patterns, names)[1]
        ]
    return found


def _read_mix(file: AudioFile, found: list[Finding]) -> Signal | None:
    """The mix (2, samples), if it can be used."""
    signal = attempt(partial(read_audio, file.path), file.path, found)
    if signal is None:
        return None
    if is_silent(signal):
        found.append(refusal(silent_mix(file.path), file.path))
        return None
    found += level_findings(file.path, signal, file.sample_rate)
    found += band_findings(file.path, signal, file.sample_rate)
    return stereo(signal)


def _read_stems(
    files: list[AudioFile], rate: int, spool: Spool, found: list[Finding], progress: Progress
) -> tuple[list[Stem], int]:
    """The stems that sound, at the mix's rate, and how many are silent."""
    sounding, silent = [], 0
    for file in files:
        signal = attempt(partial(read_audio, file.path), file.path, found)
        progress.step()
        if signal is None:
            continue
        nothing = silence(file.path, signal)
        if nothing is not None:
            found.append(nothing)
            silent += 1
            continue
        found += sample_findings(file.path, signal, file.sample_rate)
        found += band_findings(file.path, signal, file.sample_rate)
        signal = resample(signal, file.sample_rate, rate)
        if signal.shape[0] == 2 and same_channels(signal):
            signal = signal[:1]
        sounding.append(Stem(file, spool.keep(signal)))
    return sounding, silent
