"""Options of export: which format has which, and sessions that name the stems where they lie."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from exporter_helpers import (
    RATE,
    contents,
    graph_of,
    native_graph,
    play,
    printed_graph,
    residual_db,
    track,
    write_stems,
)
from exporter_readers import read_archive
from lxml import etree
from typer.testing import CliRunner

from mix2daw.cli import app
from mix2daw.errors import FormatError, InputError
from mix2daw.exporters import FORMATS, exporter
from mix2daw.exporters.options import CHOICES, Options
from mix2daw.exporters.pedalboard import render
from mix2daw.graph import Graph, Strip

LINK = Options(media="link")
SCHEMA = Path(__file__).parent / "data" / "dawproject" / "Project.xsd"
ARCHIVES = ("mix2daw.dawproject", "mix2daw-faithful.dawproject")


def test_what_each_format_declares() -> None:
    assert {name: exporter(name).options for name in FORMATS if exporter(name).options} == {
        "dawproject": {"media"},
        "reaper": {"devices"},
    }
    assert set(CHOICES) == {option for name in FORMATS for option in exporter(name).options}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(("option", "value"), [("devices", "native"), ("media", "link")])
def test_a_format_has_an_option_or_says_which_has(name: str, option: str, value: str) -> None:
    options = Options(**{option: value})
    if option in exporter(name).options:
        assert exporter(name, options).write != exporter(name).write
        return
    having = {"devices": "reaper", "media": "dawproject"}[option]
    with pytest.raises(FormatError, match=f"--{option} {value}: is nothing that {name} has; .*{having}"):
        exporter(name, options)


@pytest.mark.parametrize("name", FORMATS)
def test_values_that_are_written_anyway_are_no_error(name: str) -> None:
    assert exporter(name, Options(devices="own", media="embed")) is exporter(name)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--to", "reaper,ardour", "--devices", "native"], "is nothing that ardour has"),
        (["--to", "dawproject", "--devices", "waves"], "--devices waves: does not exist; use own or native"),
        (["--to", "dawproject", "--media", "copy"], "--media copy: does not exist; use embed or link"),
    ],
)
def test_an_option_that_does_not_fit_is_one_line(arguments: list[str], told: str, tmp_path: Path) -> None:
    path = saved(native_graph(tmp_path), tmp_path)
    result = CliRunner().invoke(app, ["export", str(path), "--out", str(tmp_path / "out"), *arguments])
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def saved(graph: Graph, folder: Path) -> Path:
    """The graph as a file beside its stems."""
    (folder / "graph.json").write_text(graph.to_json(), encoding="utf-8")
    return folder / "graph.json"


def linked(folder: Path, name: str = ARCHIVES[0]) -> dict[str, bool]:
    """Path of each audio file of an archive -> whether it is external."""
    with zipfile.ZipFile(folder / name) as archive:
        assert archive.namelist() == ["project.xml", "metadata.xml"]
        root = etree.fromstring(archive.read("project.xml"))
    etree.XMLSchema(file=str(SCHEMA)).assertValid(root)
    return {file.get("path"): file.get("external") == "true" for file in root.iter("File")}


@pytest.mark.parametrize("make", [native_graph, printed_graph])
def test_linked_sessions_play_the_render(make: object, tmp_path: Path) -> None:
    """Nothing is embedded, every path leads from the archive to a file, and both archives sound as before."""
    stems = tmp_path / "sources & <stems>"
    stems.mkdir()
    graph = make(stems)  # type: ignore[operator]
    (tmp_path / "out").mkdir()
    exporter("dawproject", LINK).write(graph, stems, tmp_path / "out")
    for name in ARCHIVES:
        files = linked(tmp_path / "out", name)
        assert all(files.values())
        assert all((tmp_path / "out" / path).is_file() for path in files)
        played = play(read_archive(tmp_path / "out" / name))
        assert residual_db(played, render(graph, stems)) < -95
    kept = {path.name for path in (tmp_path / "out").iterdir()}
    assert kept == {*ARCHIVES, "audio", "audio-faithful"}
    named = {path for path in linked(tmp_path / "out") if "stems" in path}
    assert named <= {f"../sources & <stems>/{path.name}" for path in stems.glob("*.wav")}
    copied = {path.read_bytes() for path in (tmp_path / "out").rglob("*.wav")}
    assert not copied & {path.read_bytes() for path in stems.glob("*.wav")}


def test_sources_at_another_rate_or_of_a_lossy_format_are_copied(tmp_path: Path) -> None:
    write_stems(tmp_path, {"one": 2})
    tone = 0.3 * np.sin(np.arange(2 * RATE) / 20)
    soundfile.write(str(tmp_path / "slow.wav"), tone, 44100)
    soundfile.write(str(tmp_path / "small.ogg"), tone, RATE, format="OGG", subtype="VORBIS")
    odd = tmp_path / "line\nbreak.wav"
    odd.write_bytes((tmp_path / "one.wav").read_bytes())
    tracks = [
        track(name, "one").model_copy(update={"source": source})
        for name, source in {"A": "one.wav", "B": "slow.wav", "C": "small.ogg", "D": odd.name}.items()
    ]
    graph = graph_of(*tracks, Strip(name="Master", kind="master"), mix="one.wav")
    (tmp_path / "out").mkdir()
    exporter("dawproject", LINK).write(graph, tmp_path, tmp_path / "out")
    assert set(linked(tmp_path / "out")) == {
        "../one.wav", "audio/B.wav", "audio/C.wav", "audio/D.wav", "audio/mix2daw render.wav",
    }  # fmt: skip
    assert residual_db(play(read_archive(tmp_path / "out" / ARCHIVES[0])), render(graph, tmp_path)) < -100


def test_links_hold_where_the_command_puts_the_session(tmp_path: Path) -> None:
    """It is written beside its place and renamed there; the same graph gives the same bytes."""
    stems = tmp_path / "song"
    stems.mkdir()
    path = saved(native_graph(stems), stems)
    found = []
    for out in ("a", "b"):
        arguments = [
            "export",
            str(path),
            "--to",
            "dawproject",
            "--media",
            "link",
            "--out",
            str(tmp_path / out),
        ]
        assert CliRunner().invoke(app, arguments).exit_code == 0
        folder = tmp_path / out / "dawproject"
        assert all(os.path.isfile(folder / file) for file in linked(folder))
        found.append(contents(folder))
    assert found[0] == found[1]


def test_what_cannot_be_read_leaves_nothing(tmp_path: Path) -> None:
    graph = native_graph(tmp_path)
    (tmp_path / "two.wav").write_bytes(b"RIFF")
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match=r"two\.wav"):
        exporter("dawproject", LINK).write(graph, tmp_path, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
