"""A console drawn from bytes, and all of its sessions checked: they are whole, whatever it has."""

from __future__ import annotations

import ast
import copy
import csv
import io
import json
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import aaf2
import numpy as np
import rpp
import soundfile
from lxml import etree

from mix2daw.exporters import FORMATS, exporter
from mix2daw.graph import Device, Graph, Send, Strip
from mix2daw.processors import INSERTS, PROCESSORS, checked_graph

RATES = (8000, 44100, 48000, 192000)
LENGTHS = (1, 15, 64, 1000)
SCHEMAS = Path(__file__).resolve().parents[2] / "tests" / "data" / "dawproject"
SOURCE, IMPULSE = "stem.wav", "room.wav"
# What HTML, XML, CSV, Lua, Python, JSON and file systems each take for something else than text.
SHARP = (
    "<script>", "]]>", "&#0;", '"', "'", "\\", "/", "..", "=1+1", "@x", "\t", "\n", "\r", "\0", "`", "${x}",
    "{{7*7}}", "%s", "--", "\u2028", "\u202e", "\ufeff", "\uffff", "\U0001f600", "e\u0301", "CON", " ",
)  # fmt: skip


class _Bytes:
    """Choices made by bytes, in their order; zeros when they are used up."""

    def __init__(self, data: bytes) -> None:
        self._data, self._place = data, 0

    def number(self) -> int:
        """0 to 255."""
        self._place += 1
        return self._data[self._place - 1] if self._place <= len(self._data) else 0

    def one_of(self, choices: Sequence[object]) -> object:
        """One of up to 256 choices."""
        return choices[self.number() % len(choices)]

    def share(self) -> float:
        """0 to 1, with both ends."""
        return self.number() / 255

    def text(self) -> str:
        """1 to 200 characters, surrogates left out."""
        text = ""
        for _ in range(1 + self.number() % 6):
            kind = self.number()
            if kind < 160:
                text += str(self.one_of(SHARP))
            elif kind < 250:
                text += chr(self.number() << (kind % 9)).encode("utf-8", "ignore").decode()
            else:
                text += "n" * self.number()
        return (text or "n")[:200]


def drawn_graph(data: bytes) -> Graph:
    """A checked graph of tracks, a group, a return and a master, drawn from bytes."""
    drawn = _Bytes(data)
    rate, length = drawn.one_of(RATES), drawn.one_of(LENGTHS)
    names = _names(drawn, 3 + drawn.number() % 3)
    master, group, hall, *tracks = names
    strips = [
        Strip(
            name=name,
            kind="track",
            source=SOURCE,
            channels=1 + drawn.number() % 2,
            offset_samples=(drawn.number() - 128) * drawn.number() * 10 ** (drawn.number() % 7),
            output=drawn.one_of((master, group)),
            sends=(Send(target=hall, level_db=-96 + 120 * drawn.share(), tap=drawn.one_of(("pre", "post"))),),
            **_settings(drawn),
        )
        for name in tracks
    ]
    strips.append(Strip(name=group, kind="group", output=master, **_settings(drawn)))
    strips.append(Strip(name=hall, kind="return", output=group, **_settings(drawn)))
    strips.append(Strip(name=master, kind="master", **_settings(drawn)))
    graph = Graph(sample_rate=rate, length_samples=length, strips=tuple(strips))
    return checked_graph(graph, PROCESSORS)


def _names(drawn: _Bytes, count: int) -> list[str]:
    names: list[str] = []
    while len(names) < count:
        name = drawn.text()
        names.append(name if name not in names else f"{name[:190]}{len(names)}")
    return names


def _settings(drawn: _Bytes) -> dict[str, object]:
    return {
        "fader_db": -96 + 120 * drawn.share(),
        "pan": -1 + 2 * drawn.share(),
        "devices": tuple(_device(drawn) for _ in range(drawn.number() % 3)),
        "post_devices": tuple(_device(drawn) for _ in range(drawn.number() % 2)),
    }


def _device(drawn: _Bytes) -> Device:
    type_ = str(drawn.one_of(INSERTS))
    values = {}
    for param in PROCESSORS[type_].params:
        at = drawn.share()
        values[param.name] = (
            float(param.choices[drawn.number() % len(param.choices)])
            if param.choices
            else min(param.high, max(param.low, param.low + at * (param.high - param.low)))
        )
    impulse = IMPULSE if PROCESSORS[type_].impulse else None
    return Device(type=type_, values=values, wet=drawn.share(), impulse=impulse, confidence=drawn.share())


# What a field of a graph may hold that it should not. No length between the longest song and what fits into
# the memory of a small machine, which is accepted.
HOSTILE: tuple[object, ...] = (
    None, True, 0, -1, 1.5, 1e308, -1e308, 5e-324, 10**30, -(10**18), float("nan"), float("inf"), "", "a",
    "n" * 300, "1", [], {}, [[[[[[]]]]]], {"a": {"b": {}}}, "../../../../etc/passwd", "/etc/passwd",
    "/dev/zero", "/", ".", "\0", "x" * 5000, "//host/share/a.wav", "file:///etc/passwd", "http://localhost:1/a.wav",
    "\ud7ff\u202e\n\x1b[2J", "convolution", "fader", "master", "return", SOURCE, IMPULSE,
)  # fmt: skip


def mutated_json(data: bytes) -> str:
    """The text of a graph of which up to four values are replaced, taken out, doubled or put elsewhere."""
    drawn = _Bytes(data)
    root: Any = json.loads(drawn_graph(data[16:]).to_json())
    places = [*_places(root)]
    for _ in range(1 + drawn.number() % 4):
        holder, key = places[(drawn.number() * 256 + drawn.number()) % len(places)]
        other, other_key = places[(drawn.number() * 256 + drawn.number()) % len(places)]
        how = drawn.number() % 4
        try:
            if how == 0:
                holder[key] = copy.deepcopy(drawn.one_of(HOSTILE))
            elif how == 1:
                del holder[key]
            elif how == 2:
                holder[key] = copy.deepcopy(other[other_key])
            elif isinstance(holder, list):
                holder.insert(key, copy.deepcopy(holder[key]))
            else:
                holder[str(drawn.one_of(SHARP))] = copy.deepcopy(other[other_key])
        except (IndexError, KeyError):  # an earlier change took it away
            continue
    return json.dumps(root)


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    for key in [*node] if isinstance(node, dict) else range(len(node)):
        yield node, key
        if isinstance(node[key], dict | list):
            yield from _places(node[key])


def write_audio(folder: Path) -> None:
    """The stem and the impulse response that drawn graphs name."""
    rng = np.random.default_rng(2)
    for file, channels in ((SOURCE, 1), (IMPULSE, 2)):
        soundfile.write(str(folder / file), rng.uniform(-0.5, 0.5, (64, channels)), 48000)


def export_all(graph: Graph, folder: Path, formats: Sequence[str] = FORMATS) -> None:
    """Write the sessions of a graph, and read back what has a grammar. Raises where that fails."""
    write_audio(folder)
    for name in formats:
        out = folder / f"out-{name}"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        exporter(name).write(graph, folder, out)
        check_files(out)
    allowed = {SOURCE, IMPULSE, *(f"out-{name}" for name in FORMATS)}
    assert {path.name for path in folder.iterdir()} <= allowed


def check_files(out: Path) -> None:
    """Every file with a grammar parses, and no page has a script or a handler in it."""
    for path in out.rglob("*"):
        if path.suffix == ".dawproject":
            check_archive(path)
        elif path.suffix == ".rpp":
            rpp.loads(path.read_text(encoding="utf-8"))
        elif path.suffix == ".aaf":
            with aaf2.open(str(path)) as file:
                assert [*file.content.mobs]
        elif path.suffix in (".ardour", ".svg", ".xml"):
            etree.parse(str(path), etree.XMLParser(resolve_entities=False))
        elif path.suffix == ".json":
            json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
        elif path.suffix == ".py":
            compile(path.read_text(encoding="utf-8"), str(path), "exec", ast.PyCF_ONLY_AST)
        elif path.suffix == ".csv":
            check_table(path.read_text(encoding="utf-8-sig"))
        elif path.suffix == ".html":
            page = etree.HTML(path.read_text(encoding="utf-8"))
            assert page.find(".//script") is None
            assert not [key for node in page.iter() for key in node.attrib if key.startswith("on")]


def check_archive(path: Path) -> None:
    """A whole archive, whose files stay where they are unpacked, and whose project follows its schema."""
    schemas = {
        "project.xml": etree.XMLSchema(file=str(SCHEMAS / "Project.xsd")),
        "metadata.xml": etree.XMLSchema(file=str(SCHEMAS / "MetaData.xsd")),
    }
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        for name in archive.namelist():
            assert not name.startswith("/")
            assert ".." not in name.split("/")
            if name in schemas:
                schemas[name].assertValid(etree.fromstring(archive.read(name)))


def check_table(text: str) -> None:
    """A table of equal rows whose texts no spreadsheet takes for a formula; numbers may have a sign."""
    head, *rows = csv.reader(io.StringIO(text))
    for row in rows:
        assert len(row) == len(head)
        for cell in row:
            if cell[:1] in ("=", "+", "-", "@", "\t", "\r"):
                float(cell)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
