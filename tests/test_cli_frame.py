"""What all commands have in common: examples, exit codes, one line for what goes wrong, JSON alone."""

from __future__ import annotations

import gc
import json
import shlex
from importlib.metadata import version
from pathlib import Path

import pytest
from test_cli import listing, make_song, refused, run
from typer.core import TyperGroup
from typer.main import get_command

from mix2daw.cli import app
from mix2daw.cli.command import EXIT_CODES, Command
from mix2daw.cli.loading import loading
from mix2daw.eta import duration, rough
from mix2daw.exporters import Lost
from mix2daw.graph import Graph, Strip
from mix2daw.terminal import lost_lines

README = Path(__file__).resolve().parent.parent / "README.md"
GROUP = get_command(app)
assert isinstance(GROUP, TyperGroup)
COMMANDS = GROUP.commands


def test_the_version() -> None:
    result = run("--version")
    assert (result.exit_code, result.stdout) == (0, f"mix2daw {version('mix2daw')}\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_help_with_examples_that_hold(name: str) -> None:
    """Examples are commands that parse: each with this command's name, and only options that it has."""
    command = COMMANDS[name]
    assert isinstance(command, Command)
    result = run(name, "--help")
    assert result.exit_code == 0
    shown = result.stdout
    examples = shown[shown.index("Examples:") : shown.index("Exit codes:")].strip().splitlines()[1:]
    assert examples
    for example in examples:
        words = shlex.split(example.partition(">")[0])
        assert words[:2] == ["mix2daw", name]
        for option in (word for word in words if word.startswith("--")):
            assert f"{option} " in shown or f"{option}\n" in shown
    for code, meaning in EXIT_CODES:
        assert code in shown
        assert meaning in " ".join(shown.split())


def test_the_commands_fit_into_their_lines() -> None:
    """What a command does is not cut off in the list of commands."""
    assert "..." not in run("--help").stdout.partition("Commands:")[2]


def test_the_readme_has_the_exit_codes_and_every_command() -> None:
    text = README.read_text(encoding="utf-8")
    for code, meaning in EXIT_CODES:
        assert f"| {code} | {meaning} |" in text
    for name in COMMANDS:
        assert f"`{name}" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["recover"], ("STEMS", "mix2daw recover --help")),
        (["recover", "a", "b"], ("--out", "mix2daw recover --help")),
        (["recover", "a", "b", "--out", "c", "--seed", "x"], ("--seed", "mix2daw recover --help")),
        (["formats", "more"], ("more", "mix2daw formats --help")),
        (["recov"], ("recov", "'recover'", "mix2daw --help")),
        (["--loud"], ("--loud", "mix2daw --help")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_usage_is_one_line(tmp_path: Path, arguments: list[str], words: tuple[str, ...]) -> None:
    refused(tmp_path, arguments, *words)


def broken(*_: object) -> None:
    raise KeyError("a key that\nnobody expected")


@pytest.mark.parametrize("way", ["nothing", "--verbose", "variable"])
def test_a_bug_is_one_line_and_exit_code_1(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    import mix2daw.exporters.matrix

    monkeypatch.setattr(mix2daw.exporters.matrix, "rows", broken)
    if way == "variable":
        monkeypatch.setenv("MIX2DAW_TRACEBACK", "1")
    result = run("formats", *([way] if way.startswith("--") else []))
    assert result.exit_code == 1
    *before, last = result.stderr.splitlines()
    assert last.startswith("mix2daw: this is a bug: KeyError")
    assert "mix2daw.cli.listings" in last
    assert "please report it" in last
    assert ("Traceback (most recent call last):" in before) == (way != "nothing")
    assert (before == []) == (way == "nothing")


@pytest.fixture
def graph_file(tmp_path: Path) -> Path:
    """A graph with a pan, which is approximate in a DAWproject."""
    song = make_song(tmp_path)
    strips = (
        Strip(name="kick", kind="track", source="stems/kick.wav", channels=1, pan=0.4, output="master"),
        Strip(name="master", kind="master"),
    )
    path = song / "graph.json"
    path.write_text(Graph(sample_rate=16000, length_samples=32000, strips=strips).to_json(), encoding="utf-8")
    return path


def test_export_speaks_json(graph_file: Path) -> None:
    out = graph_file.parent / "sessions"
    result = run("export", graph_file, "--to", "dawproject,recall", "--out", out, "--json")
    assert result.exit_code == 0, result.output
    assert result.stdout == (out / "lost.json").read_text(encoding="utf-8")
    assert [item["device"] for item in json.loads(result.stdout)["dawproject"]] == ["pan"]
    result = run("export", graph_file, "--to", "recall", "--out", out, "--force", "--quiet")
    assert (result.exit_code, result.output) == (0, "")


def test_a_dry_run_tells_and_writes_nothing(tmp_path: Path) -> None:
    song = make_song(tmp_path)
    before = listing(song)
    command = ["recover", song / "stems", song / "mix.wav", "--out", song / "deep/out", "--dry-run"]
    found = json.loads(run(*command, "--json").stdout)
    assert listing(song) == before
    assert found["schema"] == "mix2daw.plan/1"
    assert {stem["name"]: stem["taken_channels"] for stem in found["stems"]} == {
        "keys": 2,
        "kick": 1,
        "lead [b]": 1,
        "spare": 0,
    }
    assert {stem["sample_rate"] for stem in found["stems"]} == {16000}
    assert found["seconds"] == 2
    assert found["devices"]["total"] == sum(found["devices"]["per_type"].values()) > 10
    assert found["about_seconds"] == pytest.approx(sum(found["about_seconds_of"].values()), abs=1.5)
    assert found["about_mib"] > 100
    shown = run(*command).stdout
    assert "silent: set aside" in shown
    assert "nothing was written" in shown
    assert f"{found['devices']['total']} devices" in shown
    (song / "groups.yaml").write_text("band: [k*]\n", encoding="utf-8")
    grouped = json.loads(run(*command, "--json", "--groups", song / "groups.yaml").stdout)
    assert [stem["group"] for stem in grouped["stems"]] == ["band", "band", None, None]
    refused(song, [*command, "--preset", "radio"], "radio")
    (song / "mix.wav").unlink()
    refused(song, command, "mix.wav")


LOSSES = {
    "plain": [],
    "other": [
        *(Lost(name, "pan", "approximate", "no pan law; the host has its own") for name in "abcde"),
        Lost("a", "gate", "printed", "Other has no gate; it is printed into the track"),
        Lost("delay", "delay", "printed", "Other has no delay; it is printed in place of the return"),
        Lost("master", "limiter", "dropped", "Other has no limiter; on the master it would freeze the mix"),
    ],
}


def test_what_was_lost_is_told_in_short() -> None:
    assert list(lost_lines(LOSSES)) == [
        "plain: carries everything",
        "other: 1 dropped, 2 printed, 5 approximate",
        "    dropped: limiter (master): Other has no limiter",
        "    printed: gate (a), delay: Other has no gate or delay",
        "    approximate: pan ×5: no pan law",
    ]


def test_in_full_every_strip_and_reason_is_told() -> None:
    lines = list(lost_lines(LOSSES, full=True))
    assert lines[-1] == "    approximate: pan (a, b, c, d, e): no pan law; the host has its own"
    assert len(lines) == 6


def test_lengths_of_time() -> None:
    assert [duration(seconds) for seconds in (-1, 9.4, 750, 3723)] == ["0:00", "0:09", "12:30", "1:02:03"]
    assert [rough(seconds) for seconds in (3, 44, 170, 663, 5400, 9000)] == [
        *("10 s", "40 s", "3 min", "11 min", "90 min", "2.5 h")
    ]


def test_the_garbage_collector_is_back_when_all_is_loaded() -> None:
    with loading():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(KeyError), loading():
        raise KeyError
    assert gc.isenabled()
