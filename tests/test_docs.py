"""README and docs: every command, option, script, file and link in them exists, and what is quick is run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.core import TyperGroup
from typer.testing import CliRunner
from worked_example import ROOT, code_blocks

from mix2daw.cli import app
from mix2daw.cli.recovering import DEFAULT_FORMATS
from mix2daw.graph import read_graph, relative_source

DOCUMENTS = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md"), ROOT / "samples" / "README.md"])
every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
_FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
SLOW = {"demo", "recover", "refine", "explain", "verify", "report"}  # by half a minute, or with a DAW
SECONDS = 4  # of the sample song, that the quick ones play


def text_of(document: Path) -> str:
    return document.read_text(encoding="utf-8")


def prose_of(document: Path) -> str:
    """Without fenced blocks; spans of code that a line break splits are on one line."""
    return re.sub(r"\s*\n\s*(?=[^`\n]*`)", " ", _FENCED.sub("", text_of(document)))


def commands_of_ours() -> dict[str, Any]:
    """Every command by its name, as the command line parses it."""
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    return dict(group.commands)


def options_of(command: Any) -> set[str]:
    params = command.get_params(command.make_context("", [], resilient_parsing=True))
    return {name for param in params for name in (*param.opts, *param.secondary_opts)}


def lines_of(document: Path) -> Iterator[str]:
    """Commands in fenced blocks, with and without a prompt."""
    for block in re.findall(r"^```(?:console|sh)?\n(.*?)^```$", text_of(document), re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            words = line.removeprefix("$ ").split("  #")[0].strip()
            if re.match(r"(mix2daw|make|pytest|python) ", words):
                yield words


# Of the program itself, before a command.
FRAME = {"--install-completion", "--show-completion", "--version"}


@every_document
def test_commands_in_blocks_are_parsed_by_the_command_line(document: Path) -> None:
    """All of a line: arguments, options, and the types of their values."""
    for line in lines_of(document):
        program, *words = shlex.split(line.partition(" > ")[0])
        if program == "make":
            targets = re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), re.MULTILINE)
            assert set(words) <= set(targets), line
        elif program in ("python", "pytest"):
            check_script(program, words)
        else:
            name, *arguments = words
            commands_of_ours()[name].make_context(name, list(arguments)).close()


def check_script(program: str, words: list[str]) -> None:
    """A script of ours, its options named in its text; or files of tests."""
    files = [word for word in words if word.endswith(".py")]
    for file in files:
        assert (ROOT / file).is_file() or file == "render.py", file
    if program == "python" and files[:1] != ["render.py"] and words[0] != "-m":
        source = text_of(ROOT / files[0])
        for option in _OPTION.findall(" ".join(words)):
            assert f'"{option}"' in source, (files[0], option)


@every_document
def test_commands_and_options_in_the_text_exist(document: Path) -> None:
    commands = commands_of_ours()
    known = {option for command in commands.values() for option in options_of(command)} | FRAME
    for span in _SPAN.findall(prose_of(document)):
        words = span.split()
        if words[:1] == ["mix2daw"] and len(words) > 1 and words[1][0] != "-":
            if words[1] == "COMMAND":
                words[1] = "recover"
            assert words[1] in commands, span
            assert set(_OPTION.findall(span)) <= options_of(commands[words[1]]), span
        elif words[:1] == ["python"]:
            check_script("python", words[1:])
        else:
            assert set(_OPTION.findall(span)) <= known | script_options(document), span


def script_options(document: Path) -> set[str]:
    """Of the benchmarks, in the document about them."""
    if document.name != "benchmarks.md":
        return set()
    return {
        f"--{name}"
        for path in ROOT.glob("benchmarks/*.py")
        for name in re.findall(r'"--([a-z-]+)"', text_of(path))
    }


def test_the_table_of_commands_has_each_with_options_of_its_own() -> None:
    """A row of the README: `command ARGUMENTS` in the first column, in the second what it takes."""
    commands = commands_of_ours()
    section = text_of(ROOT / "README.md").split("\n## Command line\n")[1].split("\n## ")[0]
    named: set[str] = set()
    for row in re.findall(r"^\| (`.*?) \| (.*) \|$", section, re.MULTILINE):
        rows = [span.split()[0] for span in _SPAN.findall(row[0])]
        named |= set(rows)
        allowed = set().union(*(options_of(commands[name]) for name in rows))
        assert set(_OPTION.findall(" ".join(row))) <= allowed, row[0]
    assert named == set(commands)


def anchors_of(document: Path) -> set[str]:
    """Headings as a code host names them: in lower case, spaces as hyphens, without other signs."""
    headings = re.findall(r"^#+ (.*)$", _FENCED.sub("", text_of(document)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_document
def test_links_lead_somewhere(document: Path) -> None:
    for link in _LINK.findall(_FENCED.sub("", text_of(document))):
        if re.match(r"https?://", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if anchor:
            assert anchor in anchors_of(target), link


@every_document
def test_files_that_are_named_exist(document: Path) -> None:
    """Files below the folders of the source: `exporters/layout.py`."""
    made = {block.file for block in code_blocks(text_of(document)) if block.kind == "python"}
    for span in _SPAN.findall(prose_of(document)):
        if re.fullmatch(r"(mix2daw|exporters|tests|benchmarks|samples|docs)/[\w./-]+", span):
            assert span in made or (ROOT / span).exists(), span


def test_every_benchmark_and_every_document_is_named() -> None:
    benchmarks = text_of(ROOT / "docs" / "benchmarks.md")
    for path in ROOT.glob("benchmarks/[a-z]*.py"):
        assert f"(../benchmarks/{path.name})" in benchmarks
    readme = text_of(ROOT / "README.md")
    for path in ROOT.glob("docs/*.md"):
        assert f"](docs/{path.name}" in readme


def test_every_test_that_is_named_exists() -> None:
    sources = "".join(text_of(path) for path in ROOT.glob("tests/test_*.py"))
    for document in DOCUMENTS:
        for name in re.findall(r"`(test_\w+)`", text_of(document)):
            assert f"def {name}(" in sources or (ROOT / "tests" / f"{name}.py").exists(), name


def test_no_line_is_too_long_to_be_read() -> None:
    for document in DOCUMENTS:
        if document.name != "processors.md":
            long = [line for line in _FENCED.sub("", text_of(document)).splitlines() if len(line) > 125]
            assert all(line.startswith("|") for line in long), long


@pytest.fixture
def as_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks as after the slow commands of quick-start.md: the sample song, and as its recovery
    the console that made it, shortened."""
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    out = tmp_path / "out" / "sample"
    out.mkdir(parents=True)
    song = ROOT / "samples" / "song"
    graph = read_graph(song / "truth.json")
    moved = [
        strip.model_copy(update={"source": relative_source(song / str(strip.source), out)})
        for strip in graph.of_kind("track")
    ]
    short = graph.model_copy(update={"length_samples": SECONDS * graph.sample_rate}).replace(*moved)
    (out / "graph.json").write_text(short.to_json(), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert (
        CliRunner()
        .invoke(app, ["render", "out/sample/graph.json", "--out", "out/sample/render.wav"])
        .exit_code
        == 0
    )
    return tmp_path


def test_quick_commands_of_the_quick_start_do_what_it_says(as_told: Path) -> None:
    ran: set[str] = set()
    for line in lines_of(ROOT / "docs" / "quick-start.md"):
        program, *words = shlex.split(line)
        if program == "mix2daw" and words[0] not in SLOW:
            outcome = CliRunner().invoke(app, words)
            assert outcome.exit_code == 0, outcome.output
            ran.add(words[0])
            if "--out" in words:
                assert (as_told / words[words.index("--out") + 1]).exists()
    assert ran == {"compare", "render", "export", "processors", "formats", "schema"}


def test_sessions_lie_where_the_quick_start_says(as_told: Path) -> None:
    sessions = "out/sample/sessions"
    arguments = ["export", "out/sample/graph.json", "--out", sessions, "--to", DEFAULT_FORMATS]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    told = re.findall(rf"`({sessions}/[^`]+)`", text_of(ROOT / "docs" / "quick-start.md"))
    assert len(told) == 4
    for path in told:
        assert (as_told / path).is_file(), path
