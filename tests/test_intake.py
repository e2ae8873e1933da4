"""What a recovery takes: stems that are moved, inverted, copied, absent, by another clock; mixes that are
cut, mastered or hold more than the stems."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from check_helpers import RATE, Stems, gain, piece, stamp, stereo, stretched, write

from mix2daw.console import with_strips
from mix2daw.graph import Graph, Send, Strip
from mix2daw.intake import take_in
from mix2daw.mixdown import read_sources
from mix2daw.search import Settings, plan
from mix2daw.session import Session, groups_yaml, open_session
from mix2daw.stems import Signal

FEW = ("bass", "guitar", "kick", "pad")


def files(folder: Path, stems: Stems, mix: Signal) -> tuple[Path, Path]:
    for name, signal in stems.items():
        write(folder / "stems" / f"{name}.wav", signal)
    write(folder / "mix.wav", mix)
    return folder / "stems", folder / "mix.wav"


def few() -> tuple[Stems, Signal]:
    """Four of the sample's stems at static levels, and their sum."""
    stems = {name: signal for name, signal in piece()[0].items() if name in FEW}
    return stems, sum((gain(-3 * k) * stereo(one) for k, one in enumerate(stems.values())), np.zeros((2, 1)))


def moves(session: Session) -> dict[str, int]:
    return {track.name: track.offset_samples for track in session.tracks if track.offset_samples}


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """A mix cut at its start; two stems inverted, one of them moved; a copy, a sum, and a stem of another
    song, as it were: one played backwards."""
    stems, mix = piece()
    drums = sum((stereo(stems[name]) for name in ("kick", "snare", "hats")), np.zeros((2, 1), np.float32))
    stems = {
        **stems,
        "piano": -stems["piano"],
        "lead": -np.pad(stems["lead"], ((0, 0), (480, 0))),
        "bass copy": gain(-6) * stems["bass"],
        "drums": drums,
        "other": np.ascontiguousarray(np.roll(stems["pad"][:, ::-1], 4000, 1)),
    }
    return take_in(*files(tmp_path_factory.mktemp("spoiled"), stems, mix[:, 3 * RATE :]))


def test_a_song_with_everything_wrong(spoiled: Session) -> None:
    assert {track.name for track in spoiled.tracks if track.inverted} == {"piano", "lead"}
    assert {track.name for track in spoiled.muted} == {"bass copy", "drums", "other"}
    everyone = (*spoiled.tracks, *spoiled.muted)
    late = {track.name: track.offset_samples + 3 * RATE for track in everyone}
    assert late == {track.name: -480 if track.name == "lead" else 0 for track in everyone}
    told = "\n".join(spoiled.findings)
    for line in (
        "the mix starts 3.00 s into the stems (132300 samples)",
        "piano: inverted polarity in the mix, used inverted",
        "lead: starts 132780 samples earlier in the mix",
        "bass copy: is bass at -6.00 dB [stems-scaled]; muted",
        "drums: is the sum of hats, kick, snare [stem-is-sum]; muted",
        "[stem-not-in-mix]; muted",
    ):
        assert told.count(line) == 1, told
    assert "not clear" not in told


def test_inverted_audio_is_the_right_way_up_for_the_search(spoiled: Session) -> None:
    piano = next(track for track in spoiled.tracks if track.name == "piano")
    assert np.array_equal(piano.signal, piece()[0]["piano"][:, 3 * RATE :])


def test_the_graph_plays_what_the_search_hears(spoiled: Session, tmp_path: Path) -> None:
    """Polarity, place and stretch are in the graph: its sources are the tracks of the session."""
    planned = plan(spoiled, tmp_path, Settings())
    graph = with_strips(planned.console, planned.muted)
    sources = read_sources(graph, tmp_path)
    for track in spoiled.tracks:
        assert np.array_equal(sources[track.name].numpy(), track.signal)
        assert graph.strip(track.name).polarity == ("inverted" if track.inverted else "normal")
    for track in spoiled.muted:
        strip = graph.strip(track.name)
        assert strip.muted
        assert strip.all_devices() == strip.sends == ()
        assert not sources[track.name].any()
    bass = graph.strip("bass").output
    assert graph.strip("bass copy").output == bass


def test_muted_tracks_keep_their_groups(spoiled: Session) -> None:
    assert "drums" not in [name for members in spoiled.groups.values() for name in members]
    for track in spoiled.muted:
        assert (f"- {track.name}" in groups_yaml(spoiled)) == (track.group is not None)


def test_a_song_as_it_is_has_nothing_to_tell(tmp_path: Path) -> None:
    stems, mix = piece()
    session = take_in(*files(tmp_path, stems, mix))
    assert session.findings == ()
    assert session.muted == ()


@pytest.mark.parametrize("end", ["end", "before"])
def test_a_mix_that_was_cut_is_one_line(end: str, tmp_path: Path) -> None:
    stems, mix = few()
    cut = mix[:, : -4 * RATE] if end == "end" else np.pad(mix, ((0, 0), (2 * RATE, 0)))
    session = open_session(*files(tmp_path, stems, cut.astype(np.float32)))
    wanted = {
        "end": "4 of 4 stems sound beyond the end of the mix, by up to 4.00 s: cut there",
        "before": "the mix starts 2.00 s before the stems do (88200 samples)",
    }
    assert session.findings == (wanted[end],)
    assert set(moves(session).values()) == ({2 * RATE} if end == "before" else set())


def test_a_clock_is_corrected(tmp_path: Path) -> None:
    stems, mix = few()
    paths = files(tmp_path, {**stems, "guitar": stretched(stems["guitar"], -60)}, mix)
    session = take_in(*paths, correct_drift=True)
    ppm = {track.name: track.stretch_ppm for track in session.tracks if track.stretch_ppm}
    assert set(ppm) == {"guitar"}
    assert ppm["guitar"] == pytest.approx(60, abs=2)
    assert [line.split(" by ")[0] for line in session.findings] == ["guitar: resampled"]
    assert moves(session) == {}
    sources = read_sources(plan(session, tmp_path, Settings()).console, tmp_path)
    for track in session.tracks:
        assert np.array_equal(sources[track.name].numpy(), track.signal)


def test_a_clock_is_told(tmp_path: Path) -> None:
    """That of the mix, if all stems have the same against it: none of them is wrong."""
    stems, _ = few()
    del stems["kick"]  # too dull to have a clock in fourteen seconds
    mix = sum((stereo(one) for one in stems.values()), np.zeros((2, 1)))
    session = take_in(*files(tmp_path, stems, stretched(mix.astype(np.float32), 80)))
    (told,) = [line for line in session.findings if "[drift]" in line]
    assert told.startswith("mix: its clock drifts against all stems")
    assert told.endswith("--correct-drift resamples for that")
    assert not session.muted


def test_what_no_stem_explains_is_told(tmp_path: Path) -> None:
    stems, mix = piece()
    del stems["guitar"]
    session = take_in(*files(tmp_path, stems, mix))
    (line,) = [line for line in session.findings if "[mix-unexplained]" in line]
    assert " Hz from " in line
    assert not session.muted


def test_bleed_is_no_fault(tmp_path: Path) -> None:
    """Every stem has a little of two others in it, later by a few milliseconds as through the air."""
    stems, mix = few()
    clean = list(stems.values())
    bled = {
        name: stereo(one)
        + gain(-24) * np.roll(stereo(clean[k - 1]), 300, 1)
        + gain(-30) * np.roll(stereo(clean[k - 2]), 500, 1)
        for k, (name, one) in enumerate(stems.items())
    }
    session = take_in(*files(tmp_path, bled, mix))
    assert not session.muted
    assert moves(session) == {}
    assert not [track.name for track in session.tracks if track.inverted]


def test_what_was_done_to_the_mix_is_told(tmp_path: Path) -> None:
    stems, mix = few()
    loud = np.clip(4 * mix, -np.abs(mix).max(), np.abs(mix).max()).astype(np.float32)
    loud[:, -5 * RATE :] *= 10 ** (np.linspace(0, -50, 5 * RATE, dtype=np.float32) / 20)
    folder, _ = files(tmp_path, stems, loud)
    told = "\n".join(take_in(folder, tmp_path / "mix.wav").findings)
    assert "[mix-limited]" in told
    assert "[fade-out]" in told
    soundfile.write(tmp_path / "mix.mp3", mix.T, RATE, format="MP3", subtype="MPEG_LAYER_III")
    told = "\n".join(take_in(folder, tmp_path / "mix.mp3").findings)
    assert "[lossy-file]" in told
    assert "[mix-limited]" not in told


def noise(seed: int, seconds: float) -> Signal:
    rng = np.random.default_rng(seed)
    return rng.uniform(-0.3, 0.3, (1, round(seconds * RATE))).astype(np.float32)


def cut_out(folder: Path, starts_s: dict[str, float], stamps_s: dict[str, float]) -> tuple[Path, Path]:
    """Stems of noise that begin at some places of a mix of fourteen seconds, with stamps from an hour on."""
    mix = np.zeros((2, 14 * RATE), np.float32)
    for seed, (name, start_s) in enumerate(starts_s.items()):
        signal = noise(seed, 12 if seed == 0 else 1)
        first = round(start_s * RATE)
        mix[:, first : first + signal.shape[1]] += signal
        write(folder / "stems" / f"{name}.wav", signal)
        stamp(folder / "stems" / f"{name}.wav", round((3600 + stamps_s[name]) * RATE))
    write(folder / "mix.wav", mix)
    return folder / "stems", folder / "mix.wav"


STARTS_S = {"all": 0.0, "early": 2.5, "late": 12.25}


def test_time_stamps_say_where_to_look(tmp_path: Path) -> None:
    session = open_session(*cut_out(tmp_path, STARTS_S, STARTS_S))
    assert moves(session) == {"early": round(2.5 * RATE), "late": round(12.25 * RATE)}  # beyond ten seconds
    assert session.findings == (
        "early: starts 110250 samples later in the mix, as it is stamped",
        "late: starts 540225 samples later in the mix, as it is stamped",
    )


def test_what_the_audio_says_rules(tmp_path: Path) -> None:
    session = open_session(*cut_out(tmp_path, STARTS_S, {**STARTS_S, "early": 4.0}))
    assert moves(session)["early"] == round(2.5 * RATE)
    assert (
        "early: stamped +176400 samples, but its audio fits at +110250: the audio rules" in session.findings
    )


def test_the_stamp_of_the_mix_counts_if_stems_lie_in_it(tmp_path: Path) -> None:
    paths = cut_out(
        tmp_path, {"all": 1.0, "early": 3.5, "late": 12.5}, {"all": 1.0, "early": 3.5, "late": 12.5}
    )
    stamp(paths[1], 3600 * RATE)
    session = open_session(*paths)
    assert moves(session) == {"all": RATE, "early": round(3.5 * RATE), "late": round(12.5 * RATE)}


def test_an_unclear_polarity_is_left_and_told(tmp_path: Path) -> None:
    """A stem is in the mix as it is up to 5 kHz, and inverted above."""
    steady, other = noise(1, 8), noise(2, 8)
    spectrum = np.fft.rfft(other)
    hz = np.fft.rfftfreq(other.shape[1], 1 / RATE)
    turned = np.fft.irfft(spectrum * np.where(hz < 5200, 1, -1), other.shape[1]).astype(np.float32)
    session = open_session(*files(tmp_path, {"steady": steady, "other": other}, stereo(steady + turned)))
    assert not [track for track in session.tracks if track.inverted]
    told = [line for line in session.findings if "may be inverted in the mix, but that is not clear" in line]
    assert [line.split(":")[0] for line in told] == ["other"]


def test_muted_tracks_come_back_beside_their_group() -> None:
    def track(name: str, output: str, **more: object) -> Strip:
        return Strip.model_validate(
            {"name": name, "kind": "track", "source": "x.wav", "output": output, **more}
        )

    strips = (
        Strip(name="G", kind="group", output="M"),
        track("a", "G"),
        track("b", "M"),
        Strip(name="M", kind="master"),
    )
    graph = Graph(sample_rate=RATE, length_samples=1, strips=strips)
    gone = track("d", "H", muted=True, sends=(Send(target="R", level_db=0),))
    found = with_strips(graph, [track("c", "G", muted=True), gone])
    assert [strip.name for strip in found.strips] == ["G", "a", "c", "b", "d", "M"]
    assert found.strip("d").output == "M"
    assert found.strip("d").sends == ()
