"""Stems held against the mix: where they lie in it, and what of it they explain."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from mix2daw.check.drift import find_drifts
from mix2daw.check.fades import fade_findings, find_fades
from mix2daw.check.filters import Filters, parts_of, solve_filters
from mix2daw.check.findings import Finding, finding, refusal
from mix2daw.check.kinship import measure_gram, sum_finding
from mix2daw.check.phases import phase_findings
from mix2daw.check.placement import (
    common_drift,
    cut_findings,
    drift_finding,
    lag_findings,
    stamp_findings,
)
from mix2daw.check.presence import measure_presence
from mix2daw.check.remains import Remains, measure_remains
from mix2daw.check.samples import silence
from mix2daw.check.song import Song, Stem
from mix2daw.check.unexplained import explained_findings
from mix2daw.errors import InputError
from mix2daw.lag import Lag
from mix2daw.placing import find_places, placed
from mix2daw.progress import Progress
from mix2daw.source import stretched
from mix2daw.spool import Spool
from mix2daw.stems import probe


@dataclass(frozen=True)
class Held:
    """What is found of stems against the mix; `nothing_sounds`: none of them does within the mix."""

    findings: list[Finding]
    nothing_sounds: bool = False


@dataclass(frozen=True)
class _Heard:
    filters: Filters
    remains: Remains


@dataclass(frozen=True)
class _Aligned:
    """The stems as they were given with their `lags`; the `song` with those that sound in it, where they lie;
    and how it is `heard`, None if it is too short for that."""

    lags: dict[Stem, Lag]
    song: Song
    heard: _Heard | None


def against_mix(song: Song, spare: Collection[int], progress: Progress) -> Held:
    """Hold the stems of a song against its mix. `spare`: stems that are made of others, which only have to
    be as long as they may."""
    found: list[Finding] = []
    copies = _place(song, {song.stems[number]: Lag() for number in sorted(spare)}, found)
    stems = [stem for number, stem in enumerate(song.stems) if number not in spare]
    if not stems:
        return Held(found)
    lying, drifting = _by_one_clock(song, _align(song, stems, progress, found), progress)
    found += drifting
    lags = {stem.path: lag for stem, lag in lying.lags.items()}
    rates = {stem.path: stem.file.sample_rate for stem in lying.lags}
    found += stamp_findings(lags, rates, song.sample_rate)
    placings = [
        one for stem, lag in lying.lags.items() for one in lag_findings(stem.file, lag, song.sample_rate)
    ]
    if not lying.song.stems:
        refused = any(one.code.severity == "stop" for one in found)
        return Held(found + placings, not (refused or copies.stems))
    found += sum_finding(lying.song, measure_gram(lying.song))
    if lying.heard is None:
        length = {"duration_s": song.samples / song.sample_rate, "stems": len(lying.song.stems)}
        return Held([*found, *placings, finding("too-short", [song.mix_path], length)])
    return Held(found + _explained(lying.song, lying.heard, placings))


def _explained(song: Song, heard: _Heard, placings: Sequence[Finding]) -> list[Finding]:
    """What the stems explain of the mix, and what none does; and where they lie, as far as that is sure."""
    presences = measure_presence(song, heard.filters)
    found = list(phase_findings(song, heard.filters, presences))
    # Such stems have no one place, and what they make is in no filter's reach: no sign of anything else.
    moved = {path for one in found for path in one.files}
    found += [one for one in placings if not (one.code.name == "lag-unsure" and moved & {*one.files})]
    for stem, presence in zip(song.stems, presences, strict=True):
        if presence.is_absent and stem.path not in moved:
            found.append(finding("stem-not-in-mix", [stem.path], presence.measured()))
    fades = find_fades(heard.remains)
    found += fade_findings(song.mix_path, fades)
    explained = explained_findings(song, heard.filters, heard.remains, fades)
    return [*found, *(one for one in explained if not (one.code.name == "mix-unexplained" and moved))]


def _align(song: Song, stems: Sequence[Stem], progress: Progress, found: list[Finding]) -> _Aligned:
    """Put stems where they lie, and hear the song so."""
    progress.stage("Placing", 1)
    files, kept = [stem.file for stem in stems], [stem.audio for stem in stems]
    places = find_places(files, kept, song.mix, probe(song.mix_path))
    placed_at = dict(zip(stems, places.lags, strict=True))
    lying = _place(song, placed_at, found, places.mix_is_cut)
    progress.stage("Comparing", 2 * parts_of(song))
    filters = solve_filters(lying, progress.step) if lying.stems else None
    heard = None if filters is None else _Heard(filters, measure_remains(lying, filters, progress.step))
    return _Aligned(placed_at, lying, heard)


def _place(song: Song, lags: Mapping[Stem, Lag], found: list[Finding], mix_is_cut: bool = False) -> Song:
    """The song with those stems that sound in it, where they lie."""
    lying, spool = [], Spool()
    for stem, lag in lags.items():
        try:
            signal, cut = placed(
                stem.file, stem.audio.read(), lag, song.sample_rate, song.samples, mix_is_cut
            )
        except InputError as error:
            found.append(refusal(error, stem.path))
            continue
        found += cut_findings(stem.file, cut, song.sample_rate)
        silent = silence(stem.path, signal)
        if silent is not None:
            found.append(silent)
            continue
        moved = lag.samples or signal.shape != stem.audio.shape
        lying.append(replace(stem, audio=spool.keep(signal)) if moved else stem)
    return replace(song, stems=tuple(lying))


def _by_one_clock(song: Song, lying: _Aligned, progress: Progress) -> tuple[_Aligned, list[Finding]]:
    """The song with stems by the clock of the mix, and whose clock was not."""
    if lying.heard is None:
        return lying, []
    drifts = find_drifts(lying.heard.filters, lying.heard.remains, lying.song)
    clear = {path: drift for path, drift in drifts.items() if drift.clear}
    if not clear:
        return lying, []
    common, spool, stems = common_drift(list(drifts.values())), Spool(), []
    for stem in lying.lags:
        drift = common or clear.get(stem.path)
        audio = None if drift is None else spool.keep(stretched(stem.audio.read(), drift.ppm))
        stems.append(stem if audio is None else replace(stem, audio=audio))
    found = [drift_finding(path, drift, of_mix=False) for path, drift in clear.items()]
    if common is not None:
        found = [drift_finding(song.mix_path, common, of_mix=True)]
    return _align(song, stems, progress, []), found
