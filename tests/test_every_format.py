"""What holds for all formats alike: any names, every usual sample rate, stems of any place and width."""

from __future__ import annotations

import ast
import csv
import json
import re
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import aaf_reader
import numpy as np
import pytest
import soundfile
from exporter_helpers import contents, device, play, residual_db
from exporter_readers import READERS
from lxml import etree
from numpy.typing import NDArray

from mix2daw.exporters import FORMATS, exporter
from mix2daw.exporters.pedalboard import render
from mix2daw.graph import Graph, Send, Strip
from mix2daw.processors import PROCESSORS, checked_graph

every_format = pytest.mark.parametrize("name", FORMATS)
LONG = "n" * 200
NAMES = (
    *(
        "two words",
        "Größe",
        "漢字 🎹",
        "مزيج",
        "e\u0301",
        "é",
        "<&>\"'",
        "a/b",
        "a\\b",
        "../up",
        "/etc/passwd",
    ),
    *(
        "C:\\x",
        LONG[:199] + "1",
        LONG[:199] + "2",
        "Kick",
        "kick",
        "KICK",
        "kick ",
        ".hidden",
        "..",
        "...",
        ".",
    ),
    *(
        "CON",
        "con.wav",
        "NUL",
        "COM1",
        "lpt9.txt",
        "end.",
        "end ",
        "end",
        "new\nline",
        "bell\x07",
        "tab\tstop",
    ),
    *(
        "zero\u200bwidth",
        "line\u2028end",
        "$HOME",
        "`date`",
        "%PATH%",
        "-rf",
        "~",
        "|",
        "#",
        "{x}",
        "]]>",
        "'''",
    ),
)
WINDOWS = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10)),
}


def write(name: str, graph: Graph, stems: Path, out: Path) -> Path:
    """A session in the new folder `out`."""
    out.mkdir()
    exporter(name).write(graph, stems, out)
    return out


def shown_in_recall(out: Path) -> list[str]:
    """Strips of the table; the page and the picture have to be whole, and the node-link graph to be JSON."""
    etree.parse(str(out / "graph.svg"))
    page = etree.HTML((out / "recall.html").read_text(encoding="utf-8"))
    titles = ["".join(title.itertext()) for title in page.findall(".//h3")]
    rows = csv.DictReader((out / "recall.csv").read_text(encoding="utf-8-sig").splitlines())
    # A cell that a spreadsheet would take for a formula has an apostrophe before it.
    names = list(dict.fromkeys(re.sub(r"^'(?=[-=+@])", "", row["strip"]) for row in rows))
    assert sorted(names) == sorted(titles)
    nodes = json.loads((out / "graph-nodelink.json").read_text(encoding="utf-8"))["nodes"]
    assert len(nodes) >= len(names)
    return names


def shown_in_script(out: Path) -> list[str]:
    """Functions of the script that read a stem, and the others but for its helpers."""
    tree = ast.parse((out / "render.py").read_text(encoding="utf-8"))
    found = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert len(found) == len(set(found))
    return found


SHOWN: dict[str, Callable[[Path], list[str]]] = {
    **{name: lambda out, reader=reader: list(reader(out)) for name, reader in READERS.items()},
    "aaf": lambda out: list(aaf_reader.read(out)),
    "pedalboard": shown_in_script,
    "recall": shown_in_recall,
}


def named_graph(folder: Path) -> Graph:
    """One track for each of the names, each at another level, in a group with a name of the same kind."""
    soundfile.write(str(folder / "one.wav"), 0.1 * np.random.default_rng(1).standard_normal(2400), 48000)
    tracks = [
        Strip(name=name, kind="track", source="one.wav", channels=1, output="../\n<G>", fader_db=-number / 4)
        for number, name in enumerate(NAMES)
    ]
    buses = (Strip(name="../\n<G>", kind="group", output="NUL."), Strip(name="NUL.", kind="master"))
    graph = Graph(sample_rate=48000, length_samples=2400, strips=(*tracks, *buses))
    return checked_graph(graph, PROCESSORS)


@every_format
def test_any_name_is_valid_and_distinct_and_stays_in_its_folder(name: str, tmp_path: Path) -> None:
    stems = tmp_path / "stems"
    stems.mkdir()
    graph = named_graph(stems)
    out = write(name, graph, stems, tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} == {"stems", "out"}
    assert {path.name for path in stems.iterdir()} == {"one.wav"}
    files = list(contents(out))
    assert len({unicodedata.normalize("NFC", file).casefold() for file in files}) == len(files)
    for part in {part for file in files for part in re.split(r"(?<=\.zip):|/", file)}:
        assert not re.search(r'[<>:"/\\|?*\x00-\x1f]|^[. ]|[. ]$', part), part
        assert part.split(".")[0].strip().casefold() not in WINDOWS
        assert len(part.encode()) < 200
    if name in ("dawproject", "reaper", "ardour"):
        assert sum(file.endswith(".wav") for file in files) >= len(NAMES)
    shown = SHOWN[name](out)
    assert len(set(shown)) == len(shown) >= len(NAMES)
    assert all(text.strip() and not re.search(r"[\x00-\x1f\x7f\x85\u2028\u2029]", text) for text in shown)


def song(folder: Path, rate: int) -> Graph:
    """A second of mono and stereo, of stems that start late, early and behind the end, and longer than it."""
    rng = np.random.default_rng(rate)
    for file, channels, seconds in (("mono", 1, 0.6), ("stereo", 2, 1.4), ("short", 2, 0.2)):
        samples = round(seconds * rate)
        decay = np.exp(-np.arange(samples) / (0.2 * rate))[:, None]
        noise = 0.2 * decay * rng.standard_normal((samples, channels))
        soundfile.write(str(folder / f"{file}.wav"), noise, rate, subtype="PCM_24")
    bell = device("equalizer", bell_1_hz=1500, bell_1_db=-5, bell_1_q=1.2)

    def track(name: str, file: str, offset: int, **more: object) -> Strip:
        channels = 1 if file == "mono" else 2
        fields = {"kind": "track", "source": f"{file}.wav", "channels": channels, "offset_samples": offset}
        return Strip.model_validate({"name": name, "output": "Band", **fields, **more})

    return checked_graph(
        Graph(
            sample_rate=rate,
            length_samples=rate,
            strips=(
                track("late", "mono", rate // 3 + 1, devices=(bell,), fader_db=-2, pan=0.4,
                      sends=(Send(target="Slap", level_db=-6),)),
                track("early", "stereo", -(rate // 7), fader_db=1.5, pan=-0.3),
                track("in time", "stereo", 0, fader_db=-9, output="Master"),
                track("early and over", "short", -rate // 2),
                track("cut by the end", "short", rate - rate // 10),
                track("behind the end", "mono", 2 * rate),
                track("turned over", "stereo", 100, polarity="inverted", fader_db=-1, pan=0.2,
                      sends=(Send(target="Slap", level_db=-9),)),
                track("turned mono", "mono", -50, polarity="inverted", devices=(bell,), fader_db=-2),
                track("muted", "stereo", 0, muted=True, sends=(Send(target="Slap", level_db=-3),)),
                track("stretched", "stereo", 40, stretch_ppm=80, fader_db=-2),
                Strip(name="Band", kind="group", output="Master", devices=(bell,), fader_db=-1),
                Strip(name="Slap", kind="return", output="Master", fader_db=-3),
                Strip(name="Master", kind="master", fader_db=-0.5),
            ),
        ),
        PROCESSORS,
    )  # fmt: skip


def played_by_script(out: Path, rate: int) -> NDArray[np.float64]:
    subprocess.run([sys.executable, str(out / "render.py")], check=True, cwd=out)
    return soundfile.read(str(out / "render.wav"), always_2d=True)[0].T


# What a session sounds like, by its reader: a second, at a rate.
PLAYED: dict[str, Callable[[Path, int], NDArray[np.float64]]] = {
    **{
        name: lambda out, rate, reader=reader: play(reader(out, rate), rate, rate)
        for name, reader in READERS.items()
    },
    "aaf": lambda out, _: aaf_reader.total(aaf_reader.read(out)),
    "pedalboard": played_by_script,
}


@pytest.mark.parametrize("rate", [44100, 48000, 88200, 96000])
@pytest.mark.parametrize("name", [name for name in FORMATS if name != "recall"])  # which has no audio
def test_every_rate_and_every_place_of_a_stem(name: str, rate: int, tmp_path: Path) -> None:
    graph = song(tmp_path, rate)
    out = write(name, graph, tmp_path, tmp_path / "out")
    assert residual_db(PLAYED[name](out, rate), render(graph, tmp_path)) < -95


@pytest.mark.parametrize("rate", [44100, 48000, 88200, 96000])
def test_a_recall_sheet_says_the_rate_and_where_stems_start(rate: int, tmp_path: Path) -> None:
    out = write("recall", song(tmp_path, rate), tmp_path, tmp_path / "out")
    assert f"{rate} Hz" in (out / "recall.html").read_text(encoding="utf-8")
    table = (out / "recall.csv").read_text(encoding="utf-8")
    for samples in (rate // 3 + 1, -(rate // 7)):
        assert str(samples) in table
