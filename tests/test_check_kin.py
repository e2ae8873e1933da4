"""Stems that are made of one another: copies, bounces, the mix itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from check_helpers import RATE, Stems, found, gain, look, piece, stereo

from mix2daw.check.kinship import find_kin, measure_gram, sum_finding
from mix2daw.check.song import Song, Stem
from mix2daw.spool import Spool
from mix2daw.stems import AudioFile, Signal

SAMPLES = 300_000


def noise(seed: int, channels: int = 1) -> Signal:
    shape = (channels, SAMPLES)
    return (0.1 * np.random.default_rng(seed).standard_normal(shape)).astype(np.float32)


def song(stems: Stems, mix: Signal, room_bytes: int = 2**28) -> Song:
    """A song in memory or, beyond `room_bytes`, in a temporary file."""
    spool = Spool(room_bytes)
    kept = tuple(
        Stem(AudioFile(Path(f"{name}.wav"), RATE, len(signal), signal.shape[1]), spool.keep(signal))
        for name, signal in stems.items()
    )
    return Song(RATE, mix, Path("mix.wav"), kept)


def kin(stems: Stems, mix: Signal, room_bytes: int = 2**28) -> tuple[list[tuple[str, ...]], set[str]]:
    """Codes with the names of their files, and the stems that are spare."""
    whole = song(stems, mix, room_bytes)
    result = find_kin(whole, measure_gram(whole))
    told = [(one.code.name, *(path.stem for path in one.files)) for one in result.findings]
    return told, {list(stems)[number] for number in result.spare}


MIX = noise(99, 2)


def test_strangers_are_no_kin() -> None:
    assert kin({"a": noise(1), "b": noise(2, 2), "c": 0.5 * noise(3)}, MIX) == ([], set())


@pytest.mark.parametrize("room_bytes", [0, 2**28])
def test_copies(room_bytes: int) -> None:
    a, b = noise(1), noise(2, 2)
    told, spare = kin({"a": a, "b": b, "c": a}, MIX, room_bytes)
    assert (told, spare) == ([("stems-equal", "c", "a")], {"c"})
    told, spare = kin({"a": a, "b": b, "c": gain(-3) * b}, MIX, room_bytes)
    assert (told, spare) == ([("stems-scaled", "c", "b")], {"c"})
    panned = np.concatenate([0.3 * a, 0.9 * a])
    assert kin({"a": a, "b": panned}, MIX)[0] == [("stems-scaled", "b", "a")]


def test_the_gain_of_a_copy_is_measured() -> None:
    a = noise(1)
    whole = song({"a": a, "b": -gain(-3) * a}, MIX)
    (copy,) = find_kin(whole, measure_gram(whole)).findings
    assert copy.measured["gain_db"] == pytest.approx(-3, abs=1e-3)
    assert "inverted" in copy.said


def test_a_bounce_beside_its_members() -> None:
    stems = {name: noise(seed, 1 + seed % 2) for seed, name in enumerate("abcde")}
    bounce = stereo(stems["b"]) + gain(-4) * stereo(stems["c"]) + 0.2 * stereo(stems["e"])
    told, spare = kin({"0": bounce, **stems}, MIX)
    assert (told, spare) == ([("stem-is-sum", "0", "b", "c", "e")], {"0"})
    processed = np.tanh(4 * bounce) / 4
    assert kin({"0": processed, **stems}, MIX) == ([], set())


def test_a_bounce_of_rounded_files_is_one() -> None:
    stems = {name: np.round(noise(seed) * 2**15) / np.float32(2**15) for seed, name in enumerate("abc")}
    bounce = np.round((stems["a"] + 0.7 * stems["b"]) * 2**15) / np.float32(2**15)
    assert kin({**stems, "d": bounce}, MIX)[0] == [("stem-is-sum", "d", "a", "b")]


def test_the_mix_among_the_stems() -> None:
    stems = {"a": noise(1), "b": noise(2), "rough mix": gain(1.5) * MIX}
    assert kin(stems, MIX) == ([("mix-among-stems", "rough mix")], {"rough mix"})
    alone = {"a": MIX}
    assert kin(alone, MIX) == ([], set())  # a song of one stem


def test_a_plain_sum_and_how_plain() -> None:
    stems = {"a": noise(1), "b": noise(2, 2)}

    def told(mix: Signal) -> list[dict[str, object]]:
        whole = song(stems, mix)
        return [dict(one.measured) for one in sum_finding(whole, measure_gram(whole))]

    a, b = stereo(stems["a"]), stems["b"]
    assert told(a + b)[0]["gains"] == "unity"
    panned = np.stack([0.5 * a[0] + b[0], a[1] + 0.25 * b[1]])
    assert told(panned)[0]["low_db"] == pytest.approx(0, abs=1e-6)
    assert told(0.5 * a + 0.25 * b)[0]["low_db"] == pytest.approx(-12.04, abs=0.01)
    assert told(np.tanh(3 * (a + b))) == []


def test_kin_in_a_song_is_all_that_is_told(tmp_path: Path) -> None:
    stems, mix = piece()
    drums = np.sum([stereo(stems[name]) for name in ("hats", "kick", "snare")], axis=0)
    more = {"lead copy": gain(-6) * stems["lead"], "z drums": drums, "z master": gain(-1) * mix}
    report = look(tmp_path, stems | more, mix)
    assert report.ready
    warnings = found(report, "warning")
    assert set(warnings) == {
        ("stems-scaled", "lead copy"),
        ("stem-is-sum", "z drums"),
        ("mix-among-stems", "z master"),
    }
    members = {path.stem for path in warnings["stem-is-sum", "z drums"].files}
    assert members == {"z drums", "hats", "kick", "snare"}
    assert warnings["mix-among-stems", "z master"].measured["gain_db"] == pytest.approx(1, abs=0.01)
