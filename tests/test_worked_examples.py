"""docs/add-a-processor.md and docs/add-a-format.md, followed to the letter in a copy of the source."""

from __future__ import annotations

import csv
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from exporter_helpers import graph_of, residual_db, track, write_stems
from worked_example import ROOT, Copy, commands

from mix2daw.exporters import matrix
from mix2daw.exporters.pedalboard import render
from mix2daw.graph import Strip, read_graph
from mix2daw.processors import PROCESSORS, checked_graph

SONG = ROOT / "samples" / "song"


def followed(name: str, folder: Path) -> tuple[Copy, list[str]]:
    """A copy of the source, changed as the document says; and the commands that it gives."""
    document = (ROOT / "docs" / name).read_text(encoding="utf-8")
    copy = Copy(folder / "copy")
    copy.follow(document)
    return copy, list(commands(document))


def shell(copy: Copy, command: str, *more: str) -> str:
    """Run a command of a document; what it prints goes where it says."""
    line, _, target = command.partition(" > ")
    printed = copy.run(*shlex.split(line), *more)
    if target:
        (copy.folder / target).write_text(printed, encoding="utf-8")
    if line == "mix2daw formats --markdown":
        copy.replace("README.md", matrix.markdown(), printed)
    return printed


def passed(copy: Copy, command: str, chosen: str) -> int:
    """Run the tests that a document names, those of them that are `chosen`: how many passed."""
    printed = shell(copy, command, "-p", "no:cacheprovider", "-k", chosen)
    (count,) = re.findall(r"(\d+) passed", printed)
    return int(count)


@pytest.fixture(scope="module")
def with_clipper(tmp_path_factory: pytest.TempPathFactory) -> tuple[Copy, list[str]]:
    return followed("add-a-processor.md", tmp_path_factory.mktemp("processor"))


def test_the_added_processor_passes_the_tests_of_all(with_clipper: tuple[Copy, list[str]]) -> None:
    copy, (*documents, tests) = with_clipper
    for command in documents:
        shell(copy, command)
    assert "## clipper" in (copy.folder / "docs/processors.md").read_text(encoding="utf-8")
    of_all = ("settings_above", "the_document", "readme", "names_everything")
    assert passed(copy, tests, " or ".join(("clipper", *of_all))) >= 30


def test_the_added_processor_plays_in_both_engines_and_in_every_session(
    with_clipper: tuple[Copy, list[str]], tmp_path: Path
) -> None:
    copy, _ = with_clipper
    write_stems(tmp_path, {"one": 2})
    master = Strip(name="Master", kind="master", fader_db=-1.0)
    plain = graph_of(track("A", "one", fader_db=3.0), master)
    content = json.loads(plain.to_json())
    content["strips"][0]["devices"] = [{"type": "clipper", "values": {"ceiling_db": -12}}]
    graph = tmp_path / "graph.json"
    graph.write_text(json.dumps(content), encoding="utf-8")
    heard = {}
    for engine in ("pedalboard", "torch"):
        out = tmp_path / f"{engine}.wav"
        copy.run("mix2daw", "render", str(graph), "--engine", engine, "--out", str(out))
        heard[engine] = soundfile.read(str(out), always_2d=True)[0].T
    assert np.array_equal(heard["pedalboard"], heard["torch"])
    x = soundfile.read(str(tmp_path / "one.wav"), always_2d=True)[0].T
    ceiling = 10 ** (-12 / 20)
    assert np.abs(x).max() > ceiling
    bent = np.clip(np.abs(x), 0.5 * ceiling, 1.5 * ceiling) - 0.5 * ceiling
    clipped = np.sign(x) * (np.minimum(np.abs(x), 1.5 * ceiling) - bent**2 / (2 * ceiling))
    assert residual_db(heard["torch"], clipped * 10 ** (2 / 20)) < -130
    sessions = tmp_path / "sessions"
    copy.run(
        *("mix2daw", "export", str(graph), "--out", str(sessions), "--quiet"),
        *("--to", "dawproject,reaper,ardour,aaf,pedalboard,recall"),
    )
    lost = json.loads((sessions / "lost.json").read_text(encoding="utf-8"))
    for name, entries in lost.items():
        told = [entry["how"] for entry in entries if entry["device"] == "clipper"]
        assert told == ([] if name in ("pedalboard", "recall") else ["printed"]), name
    subprocess.run([sys.executable, str(sessions / "pedalboard" / "render.py")], check=True)
    made = (sessions / "pedalboard" / "render.wav").read_bytes()
    assert made == (tmp_path / "pedalboard.wav").read_bytes()
    assert "clipper" in (sessions / "recall" / "recall.csv").read_text(encoding="utf-8")


def test_the_added_format_passes_the_tests_of_all_and_adds_up(tmp_path: Path) -> None:
    copy, (table, listed, export, tests) = followed("add-a-format.md", tmp_path)
    assert table == "mix2daw formats --markdown"
    shell(copy, table)
    assert "trackouts" in shell(copy, listed)
    shell(copy, export)
    out = copy.folder / "out" / "trackouts" / "trackouts"
    graph = checked_graph(read_graph(SONG / "truth.json"), PROCESSORS)
    total = np.zeros((2, graph.length_samples))
    rows = list(csv.DictReader((out / "levels.csv").read_text(encoding="utf-8").splitlines()))
    assert {row["file"] for row in rows} == {path.name for path in out.glob("*.wav")}
    for row in rows:
        audio = soundfile.read(str(out / row["file"]), always_2d=True)[0].T
        fader, pan = 10 ** (float(row["fader_db"]) / 20), float(row["pan"])
        total += fader * np.array([[min(1, 1 - pan)], [min(1, 1 + pan)]]) * audio
    assert residual_db(total, render(graph, SONG)) < -130
    lost = json.loads((out.parent / "lost.json").read_text(encoding="utf-8"))["trackouts"]
    printed = {(entry["strip"], entry["device"]) for entry in lost if entry["how"] == "printed"}
    devices = {(strip.name, device.type) for strip, device in graph.devices()}
    sends = {(strip.name, f"send to {send.target}") for strip in graph.strips for send in strip.sends}
    returns = {(strip.name, "return") for strip in graph.of_kind("return")}
    assert printed == devices | sends | returns
    assert passed(copy, tests, "trackouts or readme or names_everything") > 15
