"""Stems and mix on one clock: what is fitted, what is told, what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mix2daw.errors import InputError
from mix2daw.session import groups_yaml, open_session
from mix2daw.stems import file_sha256, write_wav

RATE = 44100


def noise(channels: int = 2, seconds: float = 1.0, seed: int = 0, rate: int = RATE) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.uniform(-0.3, 0.3, (channels, round(seconds * rate))).astype(np.float32)


def song(folder: Path, stems: dict[str, np.ndarray], mix: np.ndarray | None = None) -> tuple[Path, Path]:
    (folder / "stems").mkdir()
    for name, signal in stems.items():
        write_wav(folder / "stems" / f"{name}.wav", signal, RATE)
    write_wav(folder / "mix.wav", noise(seed=99) if mix is None else mix, RATE)
    return folder / "stems", folder / "mix.wav"


def test_a_session_holds_the_files_as_they_are(tmp_path: Path) -> None:
    stems = {"snare": noise(1, seed=1), "Kick": noise(2, seed=2), "oh": noise(2, seed=3)}
    session = open_session(*song(tmp_path, stems))
    assert [track.name for track in session.tracks] == ["Kick", "oh", "snare"]
    for track in session.tracks:
        assert np.array_equal(track.signal, stems[track.name])
        assert track.signal.dtype == np.float32
        assert track.path == tmp_path / "stems" / f"{track.name}.wav"
        assert track.sha256 == file_sha256(track.path)
        assert track.group == "drums"
    assert np.array_equal(session.mix, noise(seed=99))
    assert session.sample_rate == RATE
    assert session.groups == {"drums": ("Kick", "oh", "snare")}
    assert session.silent == session.findings == ()


def test_the_rate_of_the_mix_rules(tmp_path: Path) -> None:
    stems, mix = song(tmp_path, {"a": noise(1)})
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(48000) / 48000)
    write_wav(stems / "tone.wav", tone[None].astype(np.float32), 48000)
    session = open_session(stems, mix)
    expected = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    assert session.sample_rate == RATE
    assert np.abs(session.tracks[1].signal[0] - expected)[2000:-2000].max() < 1e-5
    assert session.findings == ("tone: resampled from 48000 to 44100 Hz",)


def test_lengths_are_those_of_the_mix(tmp_path: Path) -> None:
    tail = np.concatenate([noise(1), np.zeros((1, 3 * RATE), np.float32)], axis=1)
    stems = {"long": noise(1, 1.05), "quiet tail": tail, "short": noise(1, 0.2), "whole": noise(1)}
    session = open_session(*song(tmp_path, stems))
    signals = {track.name: track.signal for track in session.tracks}
    assert {signal.shape[1] for signal in signals.values()} == {RATE}
    assert np.array_equal(signals["long"], stems["long"][:, :RATE])
    assert np.array_equal(signals["quiet tail"], tail[:, :RATE])
    assert np.array_equal(signals["short"][:, : round(0.2 * RATE)], stems["short"])
    assert not signals["short"][:, round(0.2 * RATE) :].any()
    assert session.findings == ("long: cut at the end of the mix, 0.05 s went",)


@pytest.mark.parametrize(("seconds", "told"), [(0.4, "lasts 0.4 s"), (1.2, "sounds for 1.2 s"), (3, "3.0 s")])
def test_stems_of_another_song_are_refused(tmp_path: Path, seconds: float, told: str) -> None:
    stems = {"a": noise(1, 0.1), "b": noise(1, seconds)}
    with pytest.raises(InputError) as caught:
        open_session(*song(tmp_path, stems))
    assert told in str(caught.value)
    assert "the mix lasts 1.0 s" in str(caught.value)
    assert "b.wav" in str(caught.value)


def test_channels_that_are_the_same_are_one(tmp_path: Path) -> None:
    mono = noise(1)
    nearly = np.concatenate([mono, mono * np.float32(1 + 1e-3)])
    session = open_session(*song(tmp_path, {"dual": np.concatenate([mono, mono]), "nearly": nearly}))
    assert [track.signal.shape[0] for track in session.tracks] == [1, 2]
    assert np.array_equal(session.tracks[0].signal, mono)
    assert session.findings == ("dual: both channels are the same, taken as mono",)


def test_a_mono_mix_is_doubled_and_told(tmp_path: Path) -> None:
    mono = noise(1, seed=99)
    session = open_session(*song(tmp_path, {"a": noise(1)}, mono))
    assert np.array_equal(session.mix, np.concatenate([mono, mono]))
    assert session.findings == ("the mix is mono: both channels are the same",)


def test_silent_stems_are_set_aside(tmp_path: Path) -> None:
    hiss = noise(1) * np.float32(1e-5)
    stems = {"kick": noise(1), "snare": noise(1, seed=1), "tom": hiss, "vox": np.zeros((2, RATE), np.float32)}
    paths = song(tmp_path, stems)
    session = open_session(*paths)
    assert session.silent == ("tom", "vox")
    assert session.groups == {"drums": ("kick", "snare")}
    (tmp_path / "groups.yaml").write_text("all: [vox, tom, kick]\nvocals: [v*]\n", encoding="utf-8")
    session = open_session(*paths, tmp_path / "groups.yaml")
    assert session.groups == {"all": ("kick",)}
    assert len(session.findings) == 1  # 'v*' comes too late; silent tracks are no reason to complain


def test_what_has_nothing_to_recover_is_refused(tmp_path: Path) -> None:
    silence = np.zeros((2, RATE), np.float32)
    stems, mix = song(tmp_path, {"a": silence}, noise())
    with pytest.raises(InputError, match="only silent stems"):
        open_session(stems, mix)
    write_wav(stems / "a.wav", noise(), RATE)
    write_wav(mix, silence, RATE)
    with pytest.raises(InputError, match="is silent"):
        open_session(stems, mix)


@pytest.mark.parametrize("name", ["a\x07b", "x" * 201])
def test_names_that_no_session_holds_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="rename the file"):
        open_session(*song(tmp_path, {name: noise()}))


def test_the_mix_may_lie_among_the_stems(tmp_path: Path) -> None:
    stems, mix = song(tmp_path, {"a": noise(), "b": noise(seed=1)})
    inside = mix.rename(stems / "mix.wav")
    assert [track.name for track in open_session(stems, inside).tracks] == ["a", "b"]


def test_groups_of_a_file_may_have_one_track(tmp_path: Path) -> None:
    paths = song(tmp_path, {"Kick": noise(), "LeadVox": noise(), "x": noise()})
    (tmp_path / "groups.yaml").write_text("voice: ['*VOX']\ndrums: [kick, snare]\n", encoding="utf-8")
    session = open_session(*paths, tmp_path / "groups.yaml")
    assert session.groups == {"voice": ("LeadVox",), "drums": ("Kick",)}
    assert [track.group for track in session.tracks] == ["drums", "voice", None]
    assert len(session.findings) == 1
    assert "'snare' matches no track" in session.findings[0]


def test_written_groups_give_the_same_groups_again(tmp_path: Path) -> None:
    names = [
        "Kick [in]",
        "kick *",
        "snare: top",
        "- tom",
        "#oh",
        "on",
        "12",
        "caf\u00e9 vox",
        "vox 'b'",
        "yes?",
    ]
    paths = song(tmp_path, {name.replace("?", "q"): noise(seed=i) for i, name in enumerate(names)})
    path = tmp_path / "groups.yaml"
    for source in (None, "everything: ['*']\n", "a: ['on', '12']\nb: ['- *', '#*']\n", "{}\n"):
        if source is not None:
            path.write_text(source, encoding="utf-8")
        first = open_session(*paths, None if source is None else path)
        path.write_text(groups_yaml(first), encoding="utf-8")
        second = open_session(*paths, path)
        assert list(second.groups.items()) == list(first.groups.items())
        assert [track.group for track in second.tracks] == [track.group for track in first.tracks]
        assert second.findings == first.findings == ()
        assert groups_yaml(second) == groups_yaml(first)
