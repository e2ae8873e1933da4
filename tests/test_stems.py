"""Audio files: what is found, what is read back, and what is refused with a line that helps."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mix2daw.errors import InputError, OutputError
from mix2daw.stems import find_stems, probe, read_audio, resample, stereo, write_wav

RATE = 44100


def noise(channels: int = 2, samples: int = 1000, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.uniform(-0.9, 0.9, (channels, samples)).astype(np.float32)


@pytest.mark.parametrize("channels", [1, 2])
def test_what_is_written_is_read_back_bit_for_bit(tmp_path: Path, channels: int) -> None:
    signal = noise(channels)
    write_wav(tmp_path / "a.wav", signal, RATE)
    assert np.array_equal(read_audio(tmp_path / "a.wav"), signal)
    read, rate = soundfile.read(tmp_path / "a.wav", dtype="float32", always_2d=True)
    assert rate == RATE
    assert np.array_equal(read.T, signal)
    assert soundfile.info(tmp_path / "a.wav").subtype == "FLOAT"


def test_same_signal_same_bytes_and_no_leftovers(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        write_wav(tmp_path / name, noise(), RATE)
    content = (tmp_path / "a.wav").read_bytes()
    assert content == (tmp_path / "b.wav").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.wav", "b.wav"]
    chunks, place = [], 12
    while place < len(content):
        name, size = struct.unpack_from("<4sI", content, place)
        chunks.append(name)
        place += 8 + size
    assert chunks == [b"fmt ", b"fact", b"data"]  # no PEAK chunk, which holds the time of writing


@pytest.mark.parametrize(
    ("name", "format_", "subtype", "tolerance"),
    [
        ("a.WAV", "WAV", "PCM_24", 2**-22),
        ("a.wave", "WAV", "PCM_16", 2**-14),
        ("a.flac", "FLAC", "PCM_24", 2**-22),
        ("a.aif", "AIFF", "PCM_24", 2**-22),
        ("a.Aiff", "AIFF", "FLOAT", 0),
        ("a.bwf", "WAVEX", "PCM_24", 2**-22),
        ("a.rf64", "RF64", "PCM_24", 2**-22),
        ("a.w64", "W64", "FLOAT", 0),
        ("a.caf", "CAF", "PCM_24", 2**-22),
    ],
)
def test_lossless_formats(tmp_path: Path, name: str, format_: str, subtype: str, tolerance: float) -> None:
    soundfile.write(tmp_path / name, noise().T, RATE, subtype=subtype, format=format_)
    assert find_stems(tmp_path) == (tmp_path / name,)
    assert np.abs(read_audio(tmp_path / name) - noise()).max() <= tolerance


@pytest.mark.parametrize(("name", "format_"), [("a.ogg", "OGG"), ("a.mp3", "MP3")])
def test_lossy_formats(tmp_path: Path, name: str, format_: str) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
    soundfile.write(tmp_path / name, np.stack([tone, -tone], 1), RATE, format=format_)
    signal = read_audio(tmp_path / name)
    assert probe(tmp_path / name).channels == 2
    middle = slice(RATE // 4, RATE // 2)
    assert np.sqrt(2) * signal[0, middle].std() == pytest.approx(0.5, rel=0.03)


def test_resampling_keeps_tone_level_and_time(tmp_path: Path) -> None:
    def tone(rate: int) -> np.ndarray:
        time_s = np.arange(rate) / rate
        envelope = np.exp(-0.5 * ((time_s - 0.5) / 0.05) ** 2)
        return np.stack([0.5 * envelope * np.sin(2 * np.pi * 997 * time_s)]).astype(np.float32)

    write_wav(tmp_path / "a.wav", tone(RATE), RATE)
    assert np.abs(read_audio(tmp_path / "a.wav", 48000) - tone(48000)).max() < 1e-5
    assert np.array_equal(resample(tone(RATE), RATE, RATE), tone(RATE))


def test_a_mono_signal_is_on_both_channels_at_its_level() -> None:
    mono = noise(1)
    assert np.array_equal(stereo(mono), np.concatenate([mono, mono]))
    assert np.array_equal(stereo(noise(2)), noise(2))


def test_what_is_no_stem_is_passed_over(tmp_path: Path) -> None:
    for name in ("b.wav", "A.wav", "mix.wav"):
        write_wav(tmp_path / name, noise(), RATE)
    for name in (".DS_Store", "._b.wav", "notes.txt"):
        (tmp_path / name).write_bytes(b"\0\1")
    (tmp_path / "folder.wav").mkdir()
    found = find_stems(tmp_path, tmp_path / ".." / tmp_path.name / "mix.wav")
    assert [path.name for path in found] == ["A.wav", "b.wav"]


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_audio(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_files_that_are_refused(tmp_path: Path) -> None:
    assert "does not exist" in refused(tmp_path / "none.wav")
    assert "is not a file" in refused(tmp_path)
    (tmp_path / "text.wav").write_text("this is not audio, whatever its name says")
    assert "cannot be read as audio" in refused(tmp_path / "text.wav")
    (tmp_path / "empty.wav").write_bytes(b"")
    assert "0 bytes" in refused(tmp_path / "empty.wav")
    write_wav(tmp_path / "nothing.wav", noise(2, 0), RATE)
    assert "length of zero" in refused(tmp_path / "nothing.wav")
    soundfile.write(tmp_path / "surround.wav", noise(6).T, RATE)
    assert "6 channels; split" in refused(tmp_path / "surround.wav")
    soundfile.write(tmp_path / "slow.wav", noise().T, 4000)
    assert "4000 Hz" in refused(tmp_path / "slow.wav")
    whole = (tmp_path / "surround.wav").read_bytes()
    (tmp_path / "header.wav").write_bytes(whole[:20])
    assert "cannot be read as audio" in refused(tmp_path / "header.wav")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused_with_their_place(tmp_path: Path, bad: float) -> None:
    signal = noise(2, RATE)
    signal[1, RATE // 2] = bad
    soundfile.write(tmp_path / "a.wav", signal.T, RATE, subtype="FLOAT")
    assert "channel 2, 0.500 s" in refused(tmp_path / "a.wav")
    with pytest.raises(OutputError, match="NaN"):
        write_wav(tmp_path / "b.wav", signal, RATE)
    assert not (tmp_path / "b.wav").exists()


def test_folders_that_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        find_stems(tmp_path / "none")
    with pytest.raises(InputError, match=r"holds no stems \(\.wav, .*\.mp3\)"):
        find_stems(tmp_path)
    write_wav(tmp_path / "mix.wav", noise(), RATE)
    with pytest.raises(InputError, match="is not a folder"):
        find_stems(tmp_path / "mix.wav")
    with pytest.raises(InputError, match="holds no stems"):
        find_stems(tmp_path, tmp_path / "mix.wav")


@pytest.mark.parametrize(
    ("first", "second"),
    [("kick.wav", "kick.flac"), ("Kick.wav", "kick.wav"), ("caf\u00e9.wav", "cafe\u0301.wav")],
)
def test_two_files_of_one_track_are_refused(tmp_path: Path, first: str, second: str) -> None:
    for name in (first, second):
        soundfile.write(tmp_path / name, noise().T, RATE)
    if len(list(tmp_path.iterdir())) < 2:
        pytest.skip("this file system takes them for one file")
    with pytest.raises(InputError) as caught:
        find_stems(tmp_path)
    assert first in str(caught.value)
    assert second in str(caught.value)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write_wav(tmp_path / "none" / "a.wav", noise(), RATE)
    (tmp_path / "a.wav").mkdir()
    with pytest.raises(OutputError, match="cannot be written"):
        write_wav(tmp_path / "a.wav", noise(), RATE)
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]
