"""Stems and a mix as a recovery takes them: placed, heard against the mix once, and what that tells acted on.

What is made of other stems, or is not in the mix, becomes a muted track; clocks that differ are told, and
stems resampled if that is asked for; what spoils a result (`check` has the codes) is told before the search.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import soundfile

from mix2daw.check.band import band_findings
from mix2daw.check.drift import Drift, find_drifts
from mix2daw.check.fades import Fades, fade_findings, find_fades
from mix2daw.check.files import LOSSY
from mix2daw.check.filters import Filters, solve_filters
from mix2daw.check.findings import Finding, finding
from mix2daw.check.kinship import find_kin, measure_gram
from mix2daw.check.peaks import level_findings
from mix2daw.check.phases import phase_findings
from mix2daw.check.placement import common_drift, drift_finding
from mix2daw.check.presence import Presence, measure_presence
from mix2daw.check.remains import Remains, measure_remains
from mix2daw.check.song import Song, Stem
from mix2daw.check.unexplained import explained_findings
from mix2daw.excerpt import loudest
from mix2daw.session import Material, Session, read_material, settle, with_muted
from mix2daw.stems import probe, stereo

# What a stem that is made of others is, by the code of that.
KIN = {
    "stems-equal": "the same audio as {others}",
    "stems-scaled": "{others} at {gain_db:+.2f} dB{polarity}",
    "stem-is-sum": "the sum of {others}",
    "mix-among-stems": "the mix at {gain_db:+.2f} dB",
}
# Codes that are told of the mix before a search; a clean one has none of them.
OF_MIX = ("mix-limited", "clipped", "band-limit", "dc-offset")


@dataclass(frozen=True)
class _Heard:
    """A session heard against its mix: `drifts` of stems with a clear one by name; `common`: the drift that
    all have alike."""

    session: Session
    song: Song
    filters: Filters
    remains: Remains
    presences: Sequence[Presence]
    drifts: Mapping[str, Drift]
    common: Drift | None


def take_in(
    stems: Path,
    mix: Path,
    groups: Path | None = None,
    correct_drift: bool = False,
    loudest_s: float = math.inf,
) -> Session:
    """Read a session and see to it. `correct_drift`: whether stems are resampled to run by the mix's clock;
    `loudest_s`: how much of the mix is taken, where it is loudest.

    Raises InputError as `session.open_session` does.
    """
    material = read_material(stems, mix, groups)
    made = _made_of_others(material)
    session = loudest(settle(material, set(made)), loudest_s)
    findings = [*_of_mix(material), *session.findings, *made.values()]
    heard = _hear(session)
    if heard is not None and correct_drift and heard.drifts:
        session = loudest(settle(material, set(made), _stretches(heard)), loudest_s)
        told = [f"{name}: resampled by {ppm:+.1f} ppm to run by the mix's clock"
                for name, ppm in _stretches(heard).items()]  # fmt: skip
        findings = [*_of_mix(material), *session.findings, *made.values(), *told]
        heard = _hear(session)
    elif heard is not None:
        findings += _drift_lines(heard)
    if heard is None:
        return replace(session, findings=tuple(findings))
    moving = list(phase_findings(heard.song, heard.filters, heard.presences))
    drifting = {track.path.stem for track in heard.session.tracks if track.name in heard.drifts}
    absent = _absent(heard, {path for one in moving for path in one.files})
    # A clock that drifts moves phases as well.
    findings += [_line(one) for one in moving if not drifting & {path.stem for path in one.files}]
    findings += [_line(one) + "; muted" for one in absent.values()]
    findings += _of_remains(heard, explained=not (moving or heard.drifts))
    return replace(with_muted(session, set(absent)), findings=tuple(findings))


def _line(found: Finding) -> str:
    """A finding as a line for the user."""
    names = [path.stem for path in found.files]
    return f"{names[0]}: {found.said} [{found.code.name}]"


def _song(session: Session) -> Song:
    stems = tuple(Stem(probe(track.path), track.audio) for track in session.tracks)
    return Song(session.sample_rate, session.mix, session.mix_path, stems)


def _made_of_others(material: Material) -> dict[str, str]:
    """Stems that are copies or sums of others, or the mix, with what is to be told of them."""
    stems = tuple(Stem(file, kept) for file, kept, _ in material.sounding)
    song = Song(material.mix_file.sample_rate, stereo(material.mix), material.mix_file.path, stems)
    if len(stems) < 2:
        return {}
    kin = find_kin(song, measure_gram(song))
    spare = {stems[number].path: stems[number].file.name for number in kin.spare}
    told = {}
    for one in kin.findings:
        name, others = spare[one.files[0]], ", ".join(path.stem for path in one.files[1:])
        is_ = KIN[one.code.name].format(others=others, **one.measured)
        told[name] = f"{name}: is {is_} [{one.code.name}]; muted"
    return told


def _hear(session: Session) -> _Heard | None:
    """None for a song that is too short for its stems."""
    song = _song(session)
    filters = solve_filters(song, _nothing)
    if filters is None:
        return None
    remains = measure_remains(song, filters, _nothing)
    drifts = find_drifts(filters, remains, song)
    clear = {t.name: drifts[t.path] for t in session.tracks if t.path in drifts and drifts[t.path].clear}
    common = common_drift(list(drifts.values()))
    return _Heard(session, song, filters, remains, measure_presence(song, filters), clear, common)


def _nothing() -> None:
    pass


def _stretches(heard: _Heard) -> dict[str, float]:
    """By how much stems are to be longer; all alike if it is the mix's clock."""
    tracks = (*heard.session.tracks, *heard.session.muted)
    if heard.common is not None:
        return {track.name: heard.common.ppm for track in tracks}
    return {name: drift.ppm for name, drift in heard.drifts.items()}


def _drift_lines(heard: _Heard) -> list[str]:
    paths = {track.name: track.path for track in heard.session.tracks}
    found = [drift_finding(paths[name], drift, of_mix=False) for name, drift in heard.drifts.items()]
    if heard.common is not None:
        found = [drift_finding(heard.song.mix_path, heard.common, of_mix=True)]
    return [f"{_line(one)}: --correct-drift resamples for that" for one in found]


def _absent(heard: _Heard, moving: Collection[Path]) -> dict[str, Finding]:
    """Stems that are not to be found in the mix, where they lie by its clock; none if that is all of them.
    `moving`: stems whose phases move."""
    found = {}
    for track, presence in zip(heard.session.tracks, heard.presences, strict=True):
        if track.name in heard.drifts or track.path in moving or track.unsure:
            continue
        if presence.is_absent:
            found[track.name] = finding("stem-not-in-mix", [track.path], presence.measured())
    return found if len(found) < len(heard.session.tracks) else {}


def _of_remains(heard: _Heard, explained: bool) -> Iterator[str]:
    """Fades of the mix, and what is in it and in no stem."""
    fades: Fades = find_fades(heard.remains)
    yield from map(_line, fade_findings(heard.song.mix_path, fades))
    if explained:
        for one in explained_findings(heard.song, heard.filters, heard.remains, fades):
            if one.code.name == "mix-unexplained":
                yield _line(one)


def _of_mix(material: Material) -> Iterator[str]:
    """What was done to the mix behind the console."""
    path, rate = material.mix_file.path, material.mix_file.sample_rate
    subtype = soundfile.info(str(path)).subtype
    if subtype in LOSSY:
        yield _line(finding("lossy-file", [path], {"format": LOSSY[subtype]}))
    for one in (*level_findings(path, material.mix, rate), *band_findings(path, material.mix, rate)):
        if one.code.name in OF_MIX:
            yield _line(one)
