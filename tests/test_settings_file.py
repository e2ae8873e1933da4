"""mix2daw.toml: its values are defaults, the command line wins, and a mistake in it is one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from test_cli import listing, make_song, refused, run

from mix2daw.exporters import matrix

SETTINGS = "mix2daw.toml"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def settings(text: str, file: Path = Path(SETTINGS)) -> Path:
    file.write_text(text, encoding="utf-8")
    return file


def plan(*arguments: object) -> dict[str, object]:
    """What `recover --dry-run` tells of the song in the current folder."""
    result = run("recover", "stems", "mix.wav", "--dry-run", "--json", *arguments)
    assert result.exit_code == 0, result.output
    found: dict[str, object] = json.loads(result.stdout)
    return found


def test_values_are_defaults_and_the_command_line_wins(here: Path) -> None:
    make_song(here)
    settings('[recover]\npreset = "paper"\nstrategy = "hybrid"\nto = ["reaper", "recall"]\nout = "song"\n')
    found = plan("--strategy", "dry-wet")
    assert (found["preset"], found["strategy"], found["formats"]) == (
        "paper",
        "dry-wet",
        ["reaper", "recall"],
    )
    assert found["out"] == "song"
    assert found["defaults"] == {
        "file": SETTINGS,
        "values": {"preset": "paper", "to": ["reaper", "recall"], "out": "song"},
    }


def test_without_a_file_nothing_is_taken(here: Path) -> None:
    make_song(here)
    found = plan("--out", "song")
    assert (found["preset"], found["defaults"]) == ("studio", None)


def test_no_settings_and_other_settings(here: Path) -> None:
    settings("[formats]\nmarkdown = true\n")
    assert run("formats").stdout == matrix.markdown()
    assert run("formats", "--no-settings").stdout != matrix.markdown()
    other = settings("[processors]\n", here / "other.toml")
    assert run("formats", "--settings", other).stdout != matrix.markdown()
    for pair in (["--settings", other, "--no-settings"], ["--no-settings", "--settings", other]):
        refused(here, ["formats", *pair], "contradict")


def test_only_the_current_folder_is_looked_into(here: Path) -> None:
    make_song(here)
    settings('[recover]\npreset = "paper"\n', here / "stems" / SETTINGS)
    assert plan("--out", "song")["preset"] == "studio"


def test_paths_are_relative_to_the_file(here: Path) -> None:
    make_song(here)
    (here / "deep").mkdir()
    (here / "deep/groups.yaml").write_text("all: ['*']\n", encoding="utf-8")
    settings('[recover]\nout = "song"\ngroups = "groups.yaml"\n', here / "deep" / SETTINGS)
    found = plan("--settings", f"deep/{SETTINGS}")
    assert found["out"] == "deep/song"
    assert {stem["group"] for stem in found["stems"] if stem["taken_channels"]} == {"all"}  # type: ignore[attr-defined]


def test_what_was_taken_is_told(here: Path) -> None:
    settings("[formats]\nmarkdown = true\n")
    told = run("formats", "-v").stderr
    assert told == f"mix2daw: from {SETTINGS}: markdown = true\n"
    assert run("formats").stderr == ""
    assert run("processors", "-v").stderr == ""


def test_verbose_may_be_set_in_the_file(here: Path) -> None:
    settings("[formats]\nverbose = true\n")
    assert run("formats").stderr == f"mix2daw: from {SETTINGS}: verbose = true\n"


def test_a_result_tells_what_was_taken(here: Path) -> None:
    make_song(here)
    settings('[recover]\nonly = "width"\nbudget = "0.01s"\nto = ["recall"]\nno-report = true\nseed = 3\n')
    result = run("recover", "stems", "mix.wav", "--out", "song", "--seed", "4", "--json")
    assert result.exit_code == 0, result.output
    written = json.loads((here / "song/result.json").read_text(encoding="utf-8"))
    assert written == json.loads(result.stdout)
    assert written["seed"] == 4
    assert set(written["lost"]) == {"recall"}
    assert written["defaults"] == {
        "file": SETTINGS,
        "values": {"only": "width", "budget": "0.01s", "to": ["recall"], "no-report": True},
    }
    assert not (here / "song/report.html").exists()


WRONG: dict[str, tuple[str, tuple[str, ...]]] = {
    "no TOML": ("[recover\n", ("line 1", "TOML")),
    "a key in no table": ('preset = "paper"\n', ("preset", "[recover]")),
    "a command that does not exist": ("[recovery]\nseed = 1\n", ("[recovery]", "recover")),
    "a key that does not exist": ("[recover]\nsede = 1\n", ("recover.sede", "did you mean seed?")),
    "a key of another kind": ("[recover]\nas_json = true\n", ("recover.as_json", "json")),
    "an argument": ('[recover]\nstems = "stems"\n', ("recover.stems",)),
    "what is for the command line": ("[recover]\nforce = true\n", ("recover.force", "command line")),
    "a text for a number": ('[recover]\nseed = "7"\n', ("recover.seed", "a whole number")),
    "a fraction for a whole number": ("[recover]\nseed = 1.5\n", ("recover.seed", "1.5", "a whole number")),
    "true for a whole number": ("[recover]\nseed = true\n", ("recover.seed", "true", "a whole number")),
    "a number for a text": ("[recover]\nbudget = 90\n", ("recover.budget", "90", "a text")),
    "a text for a flag": ('[recover]\njson = "yes"\n', ("recover.json", "yes", "true or false")),
    "a list for one name": ('[recover]\npreset = ["studio"]\n', ("recover.preset", "a text")),
    "a preset that does not exist": ('[recover]\npreset = "radio"\n', ("recover.preset", "radio", "studio")),
    "a format that does not exist": (
        '[export]\nto = ["reaper", "cubase"]\n',
        ("export.to", "cubase", "ardour"),
    ),
    "numbers for names": ("[export]\nto = [1, 2]\n", ("export.to", "list of texts")),
    "an empty list": ("[export]\nto = []\n", ("export.to", "list of texts")),
    "a time that is none": ("[recover]\nseed = 2020-01-01\n", ("recover.seed", "2020-01-01")),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_belong_there_is_refused(here: Path, name: str) -> None:
    text, words = WRONG[name]
    settings(text)
    refused(here, ["formats"], SETTINGS, *words)
    assert run("formats", "--no-settings").exit_code == 0
    assert run("formats", "--help").exit_code == 0


def test_a_file_that_cannot_be_read_is_refused(here: Path) -> None:
    refused(here, ["formats", "--settings", "no.toml"], "no.toml", "does not exist")
    (here / "folder.toml").mkdir()
    refused(here, ["formats", "--settings", "folder.toml"], "folder.toml", "cannot be read")
    (here / "latin.toml").write_bytes("[formats]\n# größer\n".encode("latin-1"))
    refused(here, ["formats", "--settings", "latin.toml"], "latin.toml", "cannot be read")


def test_every_value_of_a_wrong_kind_stays_one_line(here: Path) -> None:
    make_song(here)
    settings('[recover]\nbudget = "soon"\nout = "song"\n')
    before = listing(here)
    refused(here, ["recover", "stems", "mix.wav"], "soon", "10m", SETTINGS)
    assert listing(here) == before
