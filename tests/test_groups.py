"""Groups from names and from a groups.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from mix2daw.errors import InputError
from mix2daw.groups import exact_pattern, guess_group, guessed_groups, read_groups, sorted_into


@pytest.mark.parametrize(
    ("group", "names"),
    [
        (
            "drums",
            "01_Kick In|KickOut|BD|Snare Top|SNR|OH|OHs|oh_l|Hi-Hat|HiHat|hats|Toms|Bass Drum|Room|Kit",
        ),
        ("percussion", "perc|Shaker 2|TAMB|Congas"),
        ("bass", "Bass|bass DI|BASS GTR|Bass Guitar|clavi-bass|Synth Bass|808"),
        ("guitars", "Gtr DI L|GTR1|ElecGtr|acoustic guitar|Guitars L|Gtr Room|Acoustic"),
        ("keys", "rodes|Rhodes|organ|clavi-chords|Pno|Piano Pad|Keys|keys_2"),
        ("synths", "arp-synth|lead-synth-2|Synths|SynthLead|Pad|string synth"),
        ("strings", "Strings|Vln 1|celli"),
        ("brass", "Sax|Trumpets|horns"),
        ("vocals", "LeadVox|vocals-verse|Vox FX|ld vox|Voice|VOX"),
        ("backing vocals", "BGV|BGVs|bgv 1|Backing Vocals 2|Vox Harmony|choir|BVs|BG Vox"),
        ("fx", "FX 1|Riser|sfx"),
        (None, "Bip 7|Track 12|Audio|Lead|_|42"),
    ],
)
def test_guesses(group: str | None, names: str) -> None:
    assert {name: guess_group(name) for name in names.split("|")} == dict.fromkeys(names.split("|"), group)


def test_a_guessed_group_has_two_tracks_at_least() -> None:
    names = ("LeadVox", "Kick", "Snare", "Bass", "Bip", "BGV 1", "BGV 2")
    assert guessed_groups(names) == {"drums": ("Kick", "Snare"), "backing vocals": ("BGV 1", "BGV 2")}


def test_the_first_match_counts_in_any_letter_case() -> None:
    patterns = {"low": ("kick*", "BASS"), "drums": ("*",)}
    groups, lines = sorted_into(patterns, ("Bass", "KICK in", "Snare"))
    assert groups == {"low": ("Bass", "KICK in"), "drums": ("Snare",)}
    assert lines == ()


def test_a_pattern_without_a_track_is_told() -> None:
    groups, lines = sorted_into({"a": ("k*", "z*"), "b": ("kick",)}, ("kick",))
    assert groups == {"a": ("kick",)}
    assert [line.split(" matches")[0] for line in lines] == [
        "group 'a': the pattern 'z*'",
        "group 'b': the pattern 'kick'",
    ]


@pytest.mark.parametrize("name", ["a*b", "[x] y", "what?", "]", "[!a]", "*"])
def test_an_exact_pattern_matches_its_name_only(name: str) -> None:
    patterns = {"g": (exact_pattern(name),)}
    assert sorted_into(patterns, (name,))[0] == {"g": (name,)}
    assert sorted_into(patterns, ("a1b", "x y", "whats", "b", name + "!"))[0] == {}


def test_a_file_is_read_in_its_order(tmp_path: Path) -> None:
    path = tmp_path / "groups.yaml"
    path.write_text('vox: [lead, "*harm?"]\ndrums:\n- kick\n', encoding="utf-8")
    assert list(read_groups(path).items()) == [("vox", ("lead", "*harm?")), ("drums", ("kick",))]
    path.write_text("# nothing yet\n", encoding="utf-8")
    assert read_groups(path) == {}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("drums: [kick", "line 1: is no valid YAML"),
        ("drums: kick", "drums: is not followed by a list of patterns"),
        ("- kick\n- snare", "does not map group names"),
        ("just text", "does not map group names"),
        ("1: [kick]", "a group's name is 1"),
        ("'': [kick]", "a group's name is ''"),
        ("drums: [1]", "drums: 1 is no pattern"),
        ("drums: [on]", "drums: True is no pattern"),
        ("drums: [[kick]]", "drums: ['kick'] is no pattern"),
        ("drums: [kick]\ndrums: [snare]", "drums: is there twice"),
        ("a: &x [kick]\nb: *x", "uses YAML aliases"),
        ("a: *vox", "uses YAML aliases"),
        ("a: [*]", "is no valid YAML"),
        ("a: !!python/object/apply:os.getcwd []", "is no valid YAML"),
        ("? [a, b]\n: [kick]", "is no valid YAML"),
        ("a: " + "[" * 100000, "has lists within lists"),
        ("a: 2024-99-99", "is no valid YAML"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, content: str, told: str) -> None:
    path = tmp_path / "groups.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_groups(path)
    assert told in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_groups(tmp_path / "none.yaml")
    with pytest.raises(InputError, match="cannot be read"):
        read_groups(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"caf\xe9: [a]")
    with pytest.raises(InputError, match="cannot be read"):
        read_groups(tmp_path / "latin.yaml")
    (tmp_path / "big.yaml").write_bytes(b"#" * ((1 << 20) + 1))
    with pytest.raises(InputError, match="larger than 1 MiB"):
        read_groups(tmp_path / "big.yaml")
