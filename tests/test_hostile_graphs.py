"""Graphs and settings that were made to do harm: one line, soon, and nothing that is not theirs is read."""

from __future__ import annotations

import json
import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import consoles
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from mix2daw import limits
from mix2daw.cli import app
from mix2daw.cli.settings_file import read_tables
from mix2daw.errors import GraphError, InputError, MixError
from mix2daw.export import export_folder
from mix2daw.exporters import FORMATS, exporter
from mix2daw.graph import Graph, read_graph
from mix2daw.groups import read_groups, sorted_into
from mix2daw.processors import PROCESSORS, checked_graph
from mix2daw.progress import Silence
from mix2daw.render import render_graph
from mix2daw.result import read_result

reproducible = settings(derandomize=True, deadline=None, max_examples=60)
Read = Callable[[Path], object]
READERS: tuple[Read, ...] = (read_graph, read_groups, read_tables, read_result)
every_reader = pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
SECRET = b"a secret that stands in no audio file"


def console(**changes: object) -> dict[str, Any]:
    """A graph of one track, as an object for JSON."""
    strips = [
        {"name": "a", "kind": "track", "source": consoles.SOURCE, "channels": 1, "output": "m"},
        {"name": "m", "kind": "master"},
    ]
    return {
        "schema": "mix2daw.graph/1",
        "sample_rate": 48000,
        "length_samples": 64,
        "strips": strips,
        **changes,
    }


def refused(read: Read, path: Path, content: str | bytes) -> str:
    """The one line that a file gets."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    with pytest.raises(MixError) as caught:
        read(path)
    line = str(caught.value)
    assert "\n" not in line
    assert len(line) < 20000
    return line


def one_line(error: MixError) -> None:
    """What a refusal is, and it tells nothing of what is in a file."""
    assert "\n" not in str(error)
    assert SECRET.decode() not in str(error)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
fields = st.sampled_from(
    ("schema", "sample_rate", "length_samples", "strips", "mix", "pan_law", "la", "seconds")
)


@reproducible
@given(content=st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "ignore")))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file")
        path.write_bytes(content)
        for read in READERS:
            try:
                read(path)
            except MixError as error:
                one_line(error)


@reproducible
@given(content=st.dictionaries(fields, json_values))
def test_any_json_is_read_or_refused(content: dict[str, object]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file.json")
        path.write_text(json.dumps(console() | content), encoding="utf-8")
        for read in (read_graph, read_result):
            try:
                read(path)
            except MixError as error:
                one_line(error)


@reproducible
@given(data=st.binary(min_size=40, max_size=300))
def test_a_graph_with_changed_values_is_played_or_refused(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "graph.json")
        path.write_text(consoles.mutated_json(data), encoding="utf-8")
        consoles.write_audio(path.parent)
        try:
            graph = read_graph(path)
            mix = render_graph(graph, path.parent, "pedalboard")
        except MixError as error:
            one_line(error)
        else:
            assert mix.shape == (2, graph.length_samples)
        assert {*path.parent.iterdir()} == {
            path,
            path.parent / consoles.SOURCE,
            path.parent / consoles.IMPULSE,
        }


@settings(derandomize=True, deadline=None, max_examples=15)
@given(data=st.binary(min_size=60, max_size=300))
def test_sessions_are_valid_whatever_their_names_and_values(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        formats = [name for name in FORMATS if name != "aaf"]
        consoles.export_all(consoles.drawn_graph(data), Path(folder), formats)


def test_an_aaf_is_valid_whatever_its_names(tmp_path: Path) -> None:
    """One example: each takes seconds."""
    consoles.export_all(consoles.drawn_graph(b"\x01" + bytes(range(255))), tmp_path, ["aaf"])


def test_a_name_without_ascii_is_no_word_of_python(tmp_path: Path) -> None:
    strips = [{"name": name, "kind": "return", "output": "m"} for name in ("漢字", "—", "RETURN", "")[:3]]
    content = console()
    content["strips"][1:1] = strips
    graph = checked_graph(Graph.model_validate(content), PROCESSORS)
    consoles.export_all(graph, tmp_path, ["pedalboard"])


BOMBS = {
    "deep lists": "[" * 500_000,
    "deep objects": '{"a":' * 500_000,
    "many keys": json.dumps({str(number): 0 for number in range(3000)}),
    "many keys of a device": json.dumps(console(strips=[{"values": {str(n): "x" for n in range(3000)}}])),
    "many strips": json.dumps(console(strips=[1] * 3000)),
    "a long text": json.dumps(console(schema="a" * 10**6)),
    "a long key": json.dumps(console(**{"a" * 10**6: 1})),
    "a long whole number": json.dumps(console()).replace("48000", "9" * 10**5),
    "a long number": json.dumps(console()).replace("48000", "1." + "9" * 10**5),
    "no number": json.dumps(console(sample_rate=float("nan"))),
    "infinity": json.dumps(console(length_samples=float("inf"))),
    "beyond a day": json.dumps(console(length_samples=limits.LONGEST_SAMPLES + 1)),
    "beyond a day at its rate": json.dumps(console(length_samples=24 * 3600 * 48000 + 1)),
    "a huge integer": json.dumps(console(length_samples=10**30)),
    "half a character": '{"schema": "\\ud800"}',
    "half a character, as bytes": '{"schema": "\ud800"}',
    "a NUL": '{"schema": "\0"}',
    "UTF-16": json.dumps(console()).encode("utf-16"),
    "a path with a NUL": json.dumps(console(mix="a\0.wav")),
    "no path": json.dumps(console(mix="")),
    "a path without end": json.dumps(console(mix="a/" * 3000)),
    "a key twice": json.dumps(console()).replace('"channels": 1', '"channels": 1, "channels": 2'),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_what_would_take_memory_or_hours_is_refused(bomb: str, tmp_path: Path) -> None:
    for read in (read_graph, read_result):
        refused(read, tmp_path / "graph.json", BOMBS[bomb])


def test_what_is_twice_is_named(tmp_path: Path) -> None:
    assert "channels: is there twice" in refused(read_graph, tmp_path / "graph.json", BOMBS["a key twice"])


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "graph.json"
    path.write_text(json.dumps(console()), encoding="utf-8-sig")
    assert read_graph(path).strip("a").source == consoles.SOURCE


def chain(strips: int) -> dict[str, Any]:
    groups = [{"name": str(n), "kind": "group", "output": str(n + 1)} for n in range(strips - 1)]
    return console(strips=[*groups, {"name": str(strips - 1), "kind": "master"}])


def test_a_large_console_is_taken_and_a_larger_one_refused(tmp_path: Path) -> None:
    path = tmp_path / "graph.json"
    tracks = [
        {"name": f"t{n}", "kind": "track", "source": "a.wav", "output": "m"} for n in range(limits.STRIPS - 1)
    ]
    large = console(strips=[*tracks, {"name": "m", "kind": "master"}], sample_rate=192000)
    path.write_text(json.dumps(large | {"length_samples": 3 * 3600 * 192000}), encoding="utf-8")
    assert len(read_graph(path).strips) == limits.STRIPS
    large["strips"].append({"name": "g", "kind": "group", "output": "m"})
    assert "more than 2000 items" in refused(read_graph, path, json.dumps(large))
    path.write_text(json.dumps(chain(limits.LAYERS)), encoding="utf-8")
    assert len(read_graph(path).levels()) == limits.LAYERS
    assert "more than 100 strips" in refused(read_graph, path, json.dumps(chain(limits.LAYERS + 1)))


def test_a_song_that_no_memory_holds_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "memory_bytes", lambda: 2**30)
    graph = Graph.model_validate(console(length_samples=2**30 // 8 + 1))
    consoles.write_audio(tmp_path)
    for engine in ("pedalboard", "torch"):
        with pytest.raises(GraphError, match="length_samples"):
            render_graph(graph, tmp_path, engine)
    with pytest.raises(GraphError, match="length_samples"):
        export_folder(graph, tmp_path, ["reaper"], tmp_path / "out", False, Silence())
    assert not (tmp_path / "out").exists()


@every_reader
def test_what_has_no_end_is_not_read(read: Read, tmp_path: Path) -> None:
    refused(read, tmp_path / "file", b" " * (65 * limits.MIB))
    for path in (tmp_path, tmp_path / "none", tmp_path / ("n" * 5000), tmp_path / "nul\0"):
        with pytest.raises(MixError):
            read(path)
    if os.name != "nt":
        os.mkfifo(tmp_path / "pipe")
        for path in (Path("/dev/zero"), tmp_path / "pipe"):
            with pytest.raises(MixError, match="no ordinary file"):
                read(path)


@pytest.mark.parametrize(
    "content",
    [
        "a: [" + "b," * 20000 + "]",
        "".join(f"k{number}: [a]\n" for number in range(6000)),
        "a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
        "a: !!binary x",
        "a: !!python/name:os.system",
        "\0",
    ],
)
def test_groups_that_would_take_hours_or_run_code_are_refused(content: str, tmp_path: Path) -> None:
    refused(read_groups, tmp_path / "groups.yaml", content)


def test_a_pattern_of_many_stars_is_quick() -> None:
    """By backtracking alone this would take longer than the universe lasts."""
    patterns = {"g": ("*a" * 100, "*?a" * 66, "[!" * 100)}
    assert sorted_into(patterns, ("a" * 99 + "b" * 101,))[0] == {}


@pytest.mark.parametrize(
    "content",
    [
        "[recover]\nseed = " + "9" * 5000,
        "[recover]\npreset." + "a." * 3000 + "a = 1",
        "[recover]\nseed = " + "[" * 5000,
        "[recover]\nseed = {" + "a = {" * 2000,
        "[recover]\nseed = 2024-99-99",
        "[recover]\nseed = nan",
        "[recover]\nseed = 0x" + "f" * 9000,
        "a." * 40000 + "a = 1",
    ],
)
def test_settings_that_were_made_to_do_harm_are_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "mix2daw.toml").write_text(content, encoding="utf-8")
    command = ["recover", "stems", "mix.wav", "--out", "out", "--settings", str(tmp_path / "mix2daw.toml")]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert "mix2daw.toml" in result.stderr


def places(folder: Path) -> list[str]:
    """Paths that a graph has no business with."""
    secret, pipe = folder / "secret.wav", folder / "pipe.wav"
    secret.write_bytes(SECRET)
    found = [str(secret), f"../{folder.name}/secret.wav", "/etc/passwd", "../../../../../../etc/passwd", "."]
    found += ["/dev/zero", "/proc/self/environ", "//host/share/a.wav", "http://localhost/a.wav", "n" * 4000]
    found += ["file:///etc/passwd", "C:\\a.wav", "-", "a\nb\x1b[2J.wav", "~/.bashrc"]
    if os.name != "nt":
        os.mkfifo(pipe)
        (folder / "loop.wav").symlink_to(folder / "loop.wav")
        found += [str(pipe), "loop.wav"]
    return found


@pytest.mark.parametrize("field", ["source", "impulse", "mix"])
def test_a_graph_reads_audio_and_nothing_else(
    field: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked for")

    monkeypatch.setattr(socket, "socket", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    folder = tmp_path / "song"
    folder.mkdir()
    consoles.write_audio(folder)
    listed = places(folder)
    before = {*tmp_path.rglob("*")}
    for place in listed:
        content = console()
        if field == "source":
            content["strips"][0]["source"] = place
        elif field == "mix":
            content["mix"] = place
        else:
            content["strips"][0]["devices"] = [{"type": "convolution", "impulse": place}]
        graph = Graph.model_validate(content)
        for name in ("reaper", "pedalboard"):
            try:
                export_folder(graph, folder, [name], tmp_path / "out", False, Silence())
            except MixError as error:
                one_line(error)
                assert not (tmp_path / "out").exists()
                continue
            # A mix that is not there is left out of a session; a script has none.
            assert field == "mix"
            written = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
            assert not [path for path in written if SECRET in path.read_bytes()]
            export_folder(graph, folder, [name], tmp_path / "out", True, Silence())
            _remove(tmp_path / "out")
    assert {*tmp_path.rglob("*")} == before


def _remove(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()


def test_a_copied_impulse_response_ends_like_audio(tmp_path: Path) -> None:
    consoles.write_audio(tmp_path)
    (tmp_path / "room.wav").rename(tmp_path / "room.exe")
    content = console()
    content["strips"][0]["devices"] = [
        {"type": "convolution", "impulse": "room.exe", "values": {"wet_level": 1}}
    ]
    graph = checked_graph(Graph.model_validate(content), PROCESSORS)
    out = tmp_path / "out"
    out.mkdir()
    exporter("dawproject").write(graph, tmp_path, out)
    for archive in out.glob("*.dawproject"):
        consoles.check_archive(archive)
        assert b".exe" not in archive.read_bytes()


def test_a_message_is_one_line_of_limited_length() -> None:
    error = InputError("a\nb\x1b[2J\u202e", "c\r\n" * 5000, "d\0")
    assert str(error).isprintable()
    assert len(str(error)) < 6000


def test_noise_is_played_alike_after_hostile_neighbours(tmp_path: Path) -> None:
    """A stem that stands wholly outside the song, however far, is silence."""
    consoles.write_audio(tmp_path)
    content = console()
    for offset in (limits.LONGEST_SAMPLES, -limits.LONGEST_SAMPLES):
        content["strips"][0]["offset_samples"] = offset
        graph = Graph.model_validate(content)
        for engine in ("pedalboard", "torch"):
            assert not np.any(render_graph(graph, tmp_path, engine))
    assert soundfile.info(str(tmp_path / consoles.SOURCE)).frames == 64
