"""Audio files that lie, end early or are extreme: each is read for what it is, or refused in one line."""

from __future__ import annotations

import os
import struct
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
import targets
from hypothesis import given, settings
from hypothesis import strategies as st

from mix2daw import limits
from mix2daw.errors import InputError
from mix2daw.session import is_silent, open_session
from mix2daw.stems import list_stems, probe, read_audio, resample, write_wav

SEEDS = list(targets._audio_seeds())
WHOLE, HALF = 20000, 10000
# What libsndfile tells by the content of a file, whatever its name. An Ogg file says nowhere how long it is.
CONTAINERS = (
    ("WAV", "PCM_16"),
    ("WAV", "FLOAT"),
    ("WAVEX", "PCM_24"),
    ("RF64", "PCM_16"),
    ("W64", "PCM_16"),
    ("AIFF", "PCM_16"),
    ("CAF", "PCM_16"),
    ("AU", "PCM_16"),
    ("FLAC", "PCM_16"),
    ("MP3", "MPEG_LAYER_III"),
)


def noise(samples: int, channels: int = 2) -> np.ndarray:
    return np.random.default_rng(5).uniform(-0.9, 0.9, (samples, channels))


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_audio(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(
    seed=st.sampled_from(SEEDS),
    changes=st.lists(st.tuples(st.integers(0, 120), st.binary(min_size=1, max_size=8)), max_size=3),
    end=st.none() | st.integers(1, 300),
)
def test_a_header_that_lies_is_read_or_refused(
    seed: bytes, changes: list[tuple[int, bytes]], end: int | None
) -> None:
    data = bytearray(seed)
    for place, new in changes:
        data[place : place + len(new)] = new
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.wav")
        path.write_bytes(data[:end])
        try:
            signal = read_audio(path)
        except InputError:
            refused(path)
            return
        found = probe(path)
        assert signal.shape[0] == found.channels
        assert 0 < signal.shape[1] <= found.samples
        assert np.isfinite(signal).all()


@pytest.mark.parametrize(("container", "subtype"), CONTAINERS)
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, container: str, subtype: str) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(WHOLE), 8000, format=container, subtype=subtype)
    assert read_audio(path).shape == (2, WHOLE)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size * 6 // 10)
    refused(path)


def test_an_mp3_may_end_a_little_early(tmp_path: Path) -> None:
    """Its length is an estimate."""
    path = tmp_path / "a.mp3"
    soundfile.write(path, noise(96000), 48000, format="MP3")
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size * 9 // 10)
    assert 0.8 * 96000 < read_audio(path).shape[1] < 96000


@pytest.mark.parametrize("said", [0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000, 0xFFFFFFFF - 36])
def test_a_size_that_a_stream_left_open_is_no_lie(tmp_path: Path, said: int) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(HALF), 48000, subtype="PCM_16")
    data = bytearray(path.read_bytes())
    place = data.index(b"data") + 4
    data[4:8] = struct.pack("<I", said)
    data[place : place + 4] = struct.pack("<I", said)
    path.write_bytes(data)
    assert read_audio(path).shape == (2, HALF)


@pytest.mark.parametrize("hours", [1, 20000])
def test_a_length_that_is_only_in_the_header_takes_no_memory(tmp_path: Path, hours: int) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, noise(HALF, 1), 8000)
    data = bytearray(path.read_bytes())
    samples = min(hours * 3600 * 8000, 2**36 - 1)
    data[21] = data[21] & 0xF0 | samples >> 32
    data[22:26] = struct.pack(">I", samples & 0xFFFFFFFF)
    path.write_bytes(data)
    assert probe(path).samples == samples if hours < 24 else "h by its header" in refused(path)
    refused(path)


def test_what_no_memory_could_hold_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_wav(tmp_path / "a.wav", noise(WHOLE).T.astype(np.float32), 48000)
    monkeypatch.setattr(limits, "memory_bytes", lambda: 8 * WHOLE - 1)
    assert "memory" in refused(tmp_path / "a.wav")
    monkeypatch.setattr(limits, "memory_bytes", lambda: 8 * WHOLE)
    assert read_audio(tmp_path / "a.wav").shape == (2, WHOLE)


def test_three_hours_are_in_memory_once(tmp_path: Path) -> None:
    samples = 3 * 3600 * 8000
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(8), 8000, subtype="PCM_16")
    header = bytearray(path.read_bytes()[:-16])
    struct.pack_into("<I", header, 4, len(header) - 8 + 2 * samples)
    struct.pack_into("<I", header, header.index(b"data") + 4, 2 * samples)
    with path.open("wb") as file:
        file.write(header)
        file.truncate(len(header) + 2 * samples)  # a hole: it takes no room on the disk
    tracemalloc.start()
    try:
        signal = read_audio(path)
        assert is_silent(signal)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert signal.shape == (1, samples)
    assert peak < signal.nbytes + 32 * limits.MIB


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 96000, 192000, 384000])
@pytest.mark.parametrize(
    ("container", "subtype", "step"),
    [
        ("WAV", "PCM_U8", 2**-7),
        ("AIFF", "PCM_S8", 2**-7),
        ("WAV", "PCM_16", 2**-15),
        ("WAV", "PCM_24", 2**-23),
        ("WAV", "PCM_32", 2**-24),
        ("WAV", "FLOAT", 0),
        ("WAV", "DOUBLE", 2**-24),
        ("RF64", "DOUBLE", 2**-24),
        ("W64", "PCM_32", 2**-24),
    ],
)
def test_every_depth_and_rate(tmp_path: Path, rate: int, container: str, subtype: str, step: float) -> None:
    path, signal = tmp_path / "a.wav", noise(64).astype(np.float32)
    soundfile.write(path, signal, rate, format=container, subtype=subtype)
    assert probe(path).sample_rate == rate
    assert np.abs(read_audio(path) - signal.T).max() <= step


@pytest.mark.parametrize("rate", [8000, 44100, 384000])
def test_one_sample_stays_one(tmp_path: Path, rate: int) -> None:
    write_wav(tmp_path / "a.wav", np.full((1, 1), 0.5, np.float32), rate)
    for wanted in (8000, 48000, 384000):
        signal = read_audio(tmp_path / "a.wav", wanted)
        assert signal.shape[1] == max(1, round(wanted / rate))
    assert resample(np.ones((2, 3), np.float32), 384000, 8000).shape == (2, 1)


def test_levels_that_are_no_sound_are_refused(tmp_path: Path) -> None:
    for level, subtype in ((2.0**31, "FLOAT"), (1e30, "FLOAT"), (1e300, "DOUBLE")):
        soundfile.write(tmp_path / "a.wav", np.array([0.0, -level]), 48000, subtype=subtype)
        if level < limits.LOUDEST_LIN:
            assert read_audio(tmp_path / "a.wav")[0, 1] == -level
        else:
            refused(tmp_path / "a.wav")


def test_a_session_takes_what_is_extreme_but_right(tmp_path: Path) -> None:
    stems, rng = tmp_path / "stems", np.random.default_rng(4)
    stems.mkdir()
    sound = np.sin(np.arange(44100) / 30) * rng.uniform(0, 0.3, 44100)
    extremes = {
        "eight bit": (sound[::5], 8820, "PCM_U8"),
        "double": (np.repeat(sound, 4), 176400, "DOUBLE"),
        "clipped": (np.clip(9 * sound, -1, 1), 44100, "PCM_16"),
        "offset": (0.5 + sound, 44100, "PCM_24"),
        "denormal": (np.full(44100, 1e-42), 44100, "FLOAT"),
        "one sample": (np.array([0.9]), 384000, "FLOAT"),
    }
    for name, (signal, rate, subtype) in extremes.items():
        soundfile.write(stems / f"{name}.wav", signal, rate, subtype=subtype)
    soundfile.write(tmp_path / "mix.wav", np.stack([sound, sound], 1), 44100, subtype="PCM_24")
    session = open_session(stems, tmp_path / "mix.wav")
    assert {track.name for track in session.tracks} | {*session.silent} == {*extremes}
    assert "denormal" in session.silent
    assert all(track.signal.shape[1] == 44100 for track in session.tracks)


def test_more_stems_than_any_song_has_are_refused(tmp_path: Path) -> None:
    for number in range(limits.STEMS + 1):
        (tmp_path / f"{number}.wav").touch()
    with pytest.raises(InputError, match="give 1000 stems at most"):
        list_stems(tmp_path)
    (tmp_path / "0.wav").unlink()
    assert len(list_stems(tmp_path)) == limits.STEMS


@pytest.mark.skipif(os.name == "nt", reason="Windows has none of these")
def test_links_and_devices_among_the_stems(tmp_path: Path) -> None:
    stems, secret = tmp_path / "stems", tmp_path / "secret"
    stems.mkdir()
    secret.write_text("not for others")
    (stems / "loop.wav").symlink_to(stems / "loop.wav")
    (stems / "endless.wav").symlink_to("/dev/zero")
    os.mkfifo(stems / "pipe.wav")
    with pytest.raises(InputError, match="holds no stems"):
        list_stems(stems)
    for name in ("endless", "pipe"):
        assert "is not a file" in refused(stems / f"{name}.wav")
    (stems / "text.wav").symlink_to(secret)
    message = refused(stems / "text.wav")
    assert "cannot be read as audio" in message
    assert "not for others" not in message
    refused(tmp_path / ("n" * 5000))
    refused(tmp_path / "nul\0.wav")
