"""What `check` finds in headers, that it stops on all that `recover` refuses, and how it says it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from check_helpers import RATE, ROOT, Stems, found, piece, shifted, stamp, write
from test_cli import BAD_SONGS, bursts, listing, make_song, run
from test_cli import RATE as SONG_RATE
from test_cli import write as write_stem

from mix2daw.check.code import SEVERITIES
from mix2daw.check.codes import CODES, markdown
from mix2daw.check.preflight import check
from mix2daw.progress import Silence
from mix2daw.stamps import time_reference
from mix2daw.stems import Signal

PAGE = ROOT / "docs" / "check.md"
SHORT = 6 * RATE


def short_piece() -> tuple[Stems, Signal]:
    """Six seconds of the sample song."""
    stems, mix = piece()
    return {name: signal[:, :SHORT] for name, signal in stems.items()}, mix[:, :SHORT]


def six_channels(song: Path) -> None:
    write_stem(song / "stems/kick.wav", np.zeros((SONG_RATE, 6)))


def slow_rate(song: Path) -> None:
    write_stem(song / "stems/kick.wav", bursts(1, 0.5, 60), 4000)


def odd_name(song: Path) -> None:
    (song / "stems/kick.wav").rename(song / "stems/ki\x07ck.wav")


def long_name(song: Path) -> None:
    (song / "stems/kick.wav").rename(song / f"stems/{'k' * 210}.wav")


def empty_file(song: Path) -> None:
    (song / "stems/kick.wav").write_bytes(b"")


def long_stem(song: Path) -> None:
    write_stem(song / "stems/kick.wav", np.tile(bursts(1, 0.5, 60), 3))


def silent_mix(song: Path) -> None:
    write_stem(song / "mix.wav", np.zeros(2 * SONG_RATE))


def nan_mix(song: Path) -> None:
    write_stem(song / "mix.wav", np.full(2 * SONG_RATE, np.nan))


def text_as_mix(song: Path) -> None:
    (song / "mix.wav").write_text("no audio\n" * 50, encoding="utf-8")


def late_stems(song: Path) -> None:
    """All that the stems have comes after the end of the mix, which they have nothing to do with."""
    write_stem(song / "mix.wav", 0.1 * np.random.default_rng(100).standard_normal((2 * SONG_RATE, 2)))
    for seed, path in enumerate(sorted((song / "stems").iterdir())):
        noise = 0.1 * np.random.default_rng(seed).standard_normal(SONG_RATE // 10)
        write_stem(path, np.concatenate([np.zeros(2 * SONG_RATE), noise]))


def short_mix(song: Path) -> None:
    write_stem(song / "mix.wav", bursts(1, 0.5, 60)[: SONG_RATE // 10])


CODE_OF: dict[Callable[[Path], None], str] = {
    six_channels: "channels-unusable",
    slow_rate: "rate-unusable",
    odd_name: "name-unusable",
    long_name: "name-unusable",
    empty_file: "file-unusable",
    long_stem: "length-foreign",
    silent_mix: "mix-silent",
    nan_mix: "not-finite",
    text_as_mix: "file-unusable",
    late_stems: "all-silent",
    short_mix: "mix-short",
    **{
        spoil: {
            "no_folder": "no-stems",
            "empty_folder": "no-stems",
            "text_as_wav": "file-unusable",
            "nan_samples": "not-finite",
            "unrelated_lengths": "length-foreign",
            "two_of_one_name": "names-clash",
            "no_mix": "file-unusable",
            "all_silent": "all-silent",
        }[spoil.__name__]
        for spoil in BAD_SONGS
    },
}


@pytest.mark.parametrize("spoil", CODE_OF, ids=lambda spoil: spoil.__name__)
def test_what_recover_refuses_stops_check(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    song = make_song(tmp_path)
    spoil(song)
    before = listing(song)
    refused = run("recover", song / "stems", song / "mix.wav", "--out", song / "out")
    assert refused.exit_code == 2
    checked = run("check", song / "stems", song / "mix.wav", "--json")
    assert checked.exit_code == 2
    assert checked.stderr == ""
    report = json.loads(checked.stdout)
    assert report["ready"] is False
    assert report["command"] is None
    stops = [one for one in report["findings"] if one["severity"] == "stop"]
    assert [one["code"] for one in stops] == [CODE_OF[spoil]]
    # In the words of `recover`.
    assert stops[0]["said"] in refused.stderr
    assert stops[0]["remedy"] in refused.stderr
    assert listing(song) == before


def test_check_goes_on_after_a_defect_and_lists_all(tmp_path: Path) -> None:
    song = make_song(tmp_path)
    empty_file(song)
    write_stem(song / "stems/keys.wav", np.full((2 * SONG_RATE, 2), np.nan))
    silent_mix(song)
    (song / "groups.yaml").write_text("drums: 3\n", encoding="utf-8")
    checked = run("check", song / "stems", song / "mix.wav", "--groups", song / "groups.yaml")
    assert checked.exit_code == 2
    for code in ("file-unusable", "not-finite", "mix-silent", "groups-unusable", "stem-silent"):
        assert code in checked.stdout
    assert checked.stdout.splitlines()[-1].startswith("not ready: ")


def test_a_good_song_is_ready_and_says_how_to_go_on(tmp_path: Path) -> None:
    song = make_song(tmp_path)
    checked = run("check", song / "stems", song / "mix.wav")
    assert checked.exit_code == 0
    last = checked.stdout.splitlines()[-1]
    assert last.startswith("ready, with 1 warning: mix2daw recover ")
    assert "stem-silent" in checked.stdout
    assert "spare.wav" in checked.stdout
    (song / "groups.yaml").write_text("drums: [kick]\nvoice: [vox*]\n", encoding="utf-8")
    groups = run("check", song / "stems", song / "mix.wav", "--groups", song / "groups.yaml", "--json")
    report = json.loads(groups.stdout)
    assert groups.exit_code == 0
    assert report["schema"] == "mix2daw.check/1"
    assert str(song / "groups.yaml") in report["command"]
    unused = [one for one in report["findings"] if one["code"] == "group-unused"]
    assert ["vox*" in one["said"] for one in unused] == [True]


@pytest.mark.parametrize("seconds", [0.5, 0.6, 0.8, 1.2, 2.5])
@pytest.mark.parametrize("rate", [8000, 44100, 96000])
def test_any_length_is_looked_at(tmp_path: Path, seconds: float, rate: int) -> None:
    samples, generator = round(seconds * rate), np.random.default_rng(rate)
    stems = 0.1 * generator.standard_normal((3, 2, samples)).astype(np.float32)
    for number, stem in enumerate(stems):
        write(tmp_path / f"stems/{number}.wav", stem, rate)
    write(tmp_path / "mix.wav", np.tanh(3 * stems.sum(0)), rate)
    report = check(tmp_path / "stems", tmp_path / "mix.wav", None, Silence())
    assert report.ready
    told = {code for code, _ in found(report, "note")}
    assert "mix-level" in told
    assert ("too-short" in told) != ("mix-explained" in told)


def test_formats_that_differ(tmp_path: Path) -> None:
    stems, mix = short_piece()
    for name in ("bass", "guitar", "hats"):
        write(tmp_path / "stems" / f"{name}.wav", stems[name], subtype="PCM_24")
    write(tmp_path / "stems/kick.wav", stems["kick"], subtype="PCM_16")
    write(tmp_path / "stems/lead.ogg", stems["lead"], subtype="VORBIS")
    half = stems["pad"][:, ::2]
    write(tmp_path / "stems/pad.wav", half, RATE // 2, subtype="PCM_24")
    write(tmp_path / "stems/snare.wav", stems["snare"][:, : 5 * RATE], subtype="PCM_24")
    write(tmp_path / "mix.wav", mix, subtype="PCM_24")
    report = check(tmp_path / "stems", tmp_path / "mix.wav", None, Silence())
    notes = found(report, "note")
    assert notes["rate-differs", "pad"].measured == {"stem_hz": RATE // 2, "mix_hz": RATE}
    assert notes["depth-differs", "kick"].measured["format"] == "16 bit"
    assert notes["channels-differ", "bass"].measured["stereo"] == 2
    lengths = notes["length-differs", "snare"].measured
    assert (lengths["shortest_s"], lengths["longest_s"], lengths["mix_s"]) == (5, 5, 6)
    warnings = found(report, "warning")
    assert warnings["lossy-file", "lead"].measured["format"] == "Vorbis"


@pytest.mark.parametrize("form", [b"RIFF", b"RF64"])
def test_a_time_reference_is_read(tmp_path: Path, form: bytes) -> None:
    path = tmp_path / "a.wav"
    write(path, piece()[0]["kick"], subtype="PCM_16")
    assert time_reference(path) is None
    stamp(path, 3_600 * RATE, form)
    assert time_reference(path) == 3_600 * RATE
    if form == b"RIFF":
        assert soundfile.info(str(path)).frames == piece()[0]["kick"].shape[1]
    path.write_bytes(path.read_bytes()[:200])
    assert time_reference(path) is None
    path.write_bytes(b"RIFF")
    assert time_reference(path) is None


def test_stamps_are_held_against_the_audio(tmp_path: Path) -> None:
    stems, mix = short_piece()
    stems["lead"] = shifted(stems["lead"], 4410)
    for name in stems:
        write(tmp_path / "stems" / f"{name}.wav", stems[name], subtype="PCM_24")
        late = {"lead": -4410, "hats": 22050}.get(name, 0)
        stamp(tmp_path / "stems" / f"{name}.wav", 1_000_000 + late)
    write(tmp_path / "mix.wav", mix, subtype="PCM_24")
    stamp(tmp_path / "mix.wav", 5)  # bounced from elsewhere
    report = check(tmp_path / "stems", tmp_path / "mix.wav", None, Silence())
    assert set(found(report, "warning")) == {("start-differs", "hats")}
    differs = found(report, "warning")["start-differs", "hats"].measured
    assert (differs["stamped_samples"], differs["found_samples"]) == (22050, 0)
    notes = found(report, "note")
    assert notes["lag", "lead"].measured["lag_samples"] == -4410
    assert notes["start-stamped", "lead"].measured["stamped_samples"] == -4410


def test_the_page_has_the_table_of_all_codes() -> None:
    assert markdown() in PAGE.read_text(encoding="utf-8"), "put in check.codes.markdown()"
    assert [code.severity for code in CODES.values()] == sorted(
        (code.severity for code in CODES.values()), key=SEVERITIES.index
    )
    names = [code.name for code in CODES.values()]
    assert len(names) == len(set(names))
