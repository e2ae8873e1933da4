"""`check`: everything about a song that `recover` would refuse, or that would spoil what it finds.

Unlike `recover` it goes on after a defect: a file that cannot be used is left out of what follows.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mix2daw.check.against import against_mix
from mix2daw.check.band import band_findings
from mix2daw.check.files import attempt, format_findings, usable_files
from mix2daw.check.findings import Finding, finding, in_order, refusal
from mix2daw.check.kinship import find_kin, measure_gram
from mix2daw.check.peaks import level_findings
from mix2daw.check.samples import sample_findings, silence
from mix2daw.check.song import Song, Stem
from mix2daw.errors import InputError
from mix2daw.groups import read_groups, sorted_into
from mix2daw.progress import Progress
from mix2daw.session import is_silent, same_channels
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
    rates = Counter(file.sample_rate for file in files)
    rate = mix_file.sample_rate if mix_file else rates.most_common(1)[0][0] if rates else 0
    sounding = _read_stems(files, rate, Spool(), found, progress)
    if files and not sounding and all(_silent(file.path, found) for file in files):
        error = InputError(stems, "holds only silent stems", "export the stems again")
        found.append(refusal(error, stems, "all-silent"))
    song = Song(rate, np.zeros((2, 0), np.float32) if signal is None else signal, mix, tuple(sounding))
    if sounding:
        kin = find_kin(song, measure_gram(song))
        found += kin.findings
        if signal is not None:
            found += against_mix(song, kin.spare, progress)
    return Report(in_order(found))


def _group_findings(groups: Path, names: list[str]) -> list[Finding]:
    found: list[Finding] = []
    patterns = attempt(lambda: read_groups(groups), groups, found, "groups-unusable")
    if patterns is not None:
        found += [
            finding("group-unused", [groups], {"what": line}) for line in sorted_into(patterns, names)[1]
        ]
    return found


def _read_mix(file: AudioFile, found: list[Finding]) -> Signal | None:
    """The mix (2, samples), if it can be used."""
    signal = attempt(lambda: read_audio(file.path), file.path, found)
    if signal is None:
        return None
    if is_silent(signal):
        error = InputError(file.path, "is silent", "give the mix that was made of the stems")
        found.append(refusal(error, file.path, "mix-silent"))
        return None
    found += level_findings(file.path, signal, file.sample_rate)
    found += band_findings(file.path, signal, file.sample_rate)
    return stereo(signal)


def _read_stems(
    files: list[AudioFile], rate: int, spool: Spool, found: list[Finding], progress: Progress
) -> list[Stem]:
    """The stems that sound, at the mix's rate."""
    sounding = []
    for file in files:
        signal = attempt(lambda path=file.path: read_audio(path), file.path, found)  # type: ignore[misc]
        progress.step()
        if signal is None:
            continue
        silent = silence(file.path, signal)
        if silent is not None:
            found.append(silent)
            continue
        found += sample_findings(file.path, signal, file.sample_rate)
        found += band_findings(file.path, signal, file.sample_rate)
        signal = resample(signal, file.sample_rate, rate)
        if signal.shape[0] == 2 and same_channels(signal):
            signal = signal[:1]
        sounding.append(Stem(file, spool.keep(signal)))
    return sounding


def _silent(path: Path, found: list[Finding]) -> bool:
    codes = {one.code.name for one in found if path in one.files}
    return bool(codes & {"stem-silent", "stem-denormal"})
