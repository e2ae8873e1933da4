"""The recall sheet, read back by readers that know nothing of its writers: csv, lxml and networkx."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import networkx
import pytest
from exporter_helpers import (
    ODD_NAMES,
    contents,
    device,
    graph_of,
    native_graph,
    printed_graph,
    track,
)
from lxml import etree

from mix2daw.errors import OutputError
from mix2daw.exporters import Lost, exporter
from mix2daw.exporters.words import pan_position
from mix2daw.graph import Device, Graph, Send, Strip, read_graph
from mix2daw.processors import PROCESSORS, checked_graph

FILES = {"recall.csv", "recall.html", "graph-nodelink.json", "graph.svg"}
SVG = "{http://www.w3.org/2000/svg}"
SAMPLE = Path(__file__).resolve().parent.parent / "samples" / "song" / "truth.json"
EQUALIZER = device(
    "equalizer", high_pass_hz=90, high_pass_slope_db=12, bell_1_hz=800, bell_1_db=3.5, bell_1_q=1.2
)
COMPRESSOR = device("compressor", threshold_db=-20, ratio=4, attack_ms=10, release_ms=150, link=1)


def sample(_: Path) -> Graph:
    return checked_graph(read_graph(SAMPLE), PROCESSORS)


graphs = pytest.mark.parametrize(
    "make", [native_graph, printed_graph, sample], ids=lambda make: make.__name__
)
Make = Callable[[Path], Graph]


def write(graph: Graph, out: Path) -> list[Lost]:
    """A sheet in the new folder `out`; the graph's sources need not exist."""
    out.mkdir(parents=True)
    return exporter("recall").write(graph, Path("nowhere"), out)


def rows(out: Path) -> list[dict[str, str]]:
    """The table."""
    with (out / "recall.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def page(out: Path) -> etree._Element:
    """The printable page, which is also well-formed XML but for its `meta` elements."""
    return etree.parse(str(out / "recall.html"), etree.HTMLParser(encoding="utf-8")).getroot()


def words(element: etree._Element) -> str:
    """All text of an element on one line."""
    return " ".join("".join(element.itertext()).split())


def nodes_and_edges(out: Path) -> networkx.MultiDiGraph:
    """The node-link graph."""
    data = json.loads((out / "graph-nodelink.json").read_text(encoding="utf-8"))
    return networkx.node_link_graph(data, edges="edges")


def odd_graph() -> Graph:
    """Names that break what is not careful, in every place that shows a name."""
    output = 'the <Group> & "co"'
    names = (*ODD_NAMES, "=1+1", "@here", "-12", "]]>", "</title><script>", "{{ 7 * 7 }}", "a\x00b\x1bc")
    return graph_of(
        *(track(name, "one", output, sends=(Send(target="</a>\t& b", level_db=-3),)) for name in names),
        Strip(name=output, kind="group", output="2-Bus"),
        Strip(name="</a>\t& b", kind="return", output="2-Bus"),
        Strip(name="2-Bus", kind="master"),
    )


@graphs
def test_table_has_every_knob(make: Make, tmp_path: Path) -> None:
    graph = make(tmp_path)
    write(graph, tmp_path / "out")
    table = rows(tmp_path / "out")
    wanted: list[tuple[str, str, str, str, float]] = []
    for strip in graph.strips:
        for number, insert in enumerate(strip.all_devices(), 1):
            place = "before fader" if number <= len(strip.devices) else "after fader"
            wanted += [
                (strip.name, f"{insert.type} {number}", place, control, float(f"{value:.10g}"))
                for control, value in insert.values.items()
            ]
        wanted += [
            (strip.name, "fader ", "", "fader_db", strip.fader_db),
            (strip.name, "pan ", "", "pan", strip.pan),
        ]
        taps = {"pre": "before fader", "post": "after fader"}
        wanted += [(strip.name, "send ", taps[send.tap], send.target, send.level_db) for send in strip.sends]
    read = [
        (r["strip"], f"{r['device']} {r['position']}", r["place"], r["parameter"], float(r["value"]))
        for r in table
        if r["device"] != "source"
    ]
    assert sorted(read) == sorted(wanted)
    tracks = [(strip.name, str(strip.source), str(strip.offset_samples)) for strip in graph.of_kind("track")]
    files = [r for r in table if (r["device"], r["parameter"]) == ("source", "file")]
    offsets = [r for r in table if r["parameter"] == "offset_samples"]
    assert [(f["strip"], f["value"], o["value"]) for f, o in zip(files, offsets, strict=True)] == [
        (name, Path(source).name, offset) for name, source, offset in tracks
    ]
    kinds = {strip.name: strip.kind for strip in graph.strips}
    outputs = {strip.name: strip.output for strip in graph.strips}
    for row in table:
        assert row["kind"] == kinds[row["strip"]]
        output = outputs[row["strip"]]
        assert row["group"] == (output if output and kinds[output] == "group" else "")


def test_table_tells_units_rest_wet_and_confidence(tmp_path: Path) -> None:
    room = Device(
        type="convolution",
        values=PROCESSORS["convolution"].rest(),
        impulse="/home/me/rooms/hall.wav",
        confidence=0.0123,
    )
    blended = COMPRESSOR.model_copy(update={"wet": 0.5})
    graph = graph_of(
        track("A", "one", devices=(EQUALIZER, room, blended)), Strip(name="Master", kind="master")
    )
    write(graph, tmp_path / "out")
    table = {(row["strip"], row["device"], row["parameter"]): row for row in rows(tmp_path / "out")}
    units = {parameter: row["unit"] for (_, _, parameter), row in table.items()}
    assert units["bell_1_hz"] == "Hz"
    assert units["bell_1_db"] == "dB"
    assert units["high_pass_slope_db"] == "dB/oct"
    assert units["attack_ms"] == "ms"
    assert units["ratio"] == units["bell_1_q"] == units["pan"] == ""
    active = {
        parameter
        for (_, type_, parameter), row in table.items()
        if row["active"] == "yes" and type_ == "equalizer"
    }
    assert active == {"high_pass_hz", "high_pass_slope_db", "bell_1_hz", "bell_1_db", "bell_1_q"}
    assert table["A", "convolution", "impulse"]["value"] == "hall.wav"
    assert table["A", "convolution", "width"]["active"] == "no"
    assert float(table["A", "convolution", "width"]["confidence"]) == 0.0123
    assert table["A", "compressor", "ratio"]["wet"] == "0.5"
    assert table["A", "compressor", "ratio"]["confidence"] == ""


@graphs
def test_page_has_every_device_and_setting(make: Make, tmp_path: Path) -> None:
    graph = make(tmp_path)
    write(graph, tmp_path / "out")
    articles = page(tmp_path / "out").findall(".//article")
    cards = {words(article.find("h3")): article for article in articles}
    assert len(articles) == len(cards) == len(graph.strips)
    for strip in graph.strips:
        card = cards[strip.name]
        devices = [[words(cell) for cell in row.findall("td")] for row in card.findall(".//tbody/tr")]
        assert [(cells[1], cells[2]) for cells in devices] == [
            (str(number), insert.type) for number, insert in enumerate(strip.all_devices(), 1)
        ]
        for insert, row in zip(strip.all_devices(), card.findall(".//tbody/tr"), strict=True):
            items = [words(item) for item in row.findall(".//li")]
            values = insert.values
            if insert.type == "equalizer":
                gains = [c for c in values if c.endswith("_db") and "slope" not in c and values[c]]
                slopes = [c for c in values if c.endswith("_slope_db") and values[c]]
                assert sum(" Q " in item for item in items) == len(gains)
                assert sum("dB/oct" in item for item in items) == len(slopes)
                for control in gains:
                    band = control.removesuffix("_db")
                    setting = (
                        f"{values[f'{band}_hz']:.0f} Hz {values[control]:+.1f} dB Q {values[f'{band}_q']:.2f}"
                    )
                    assert any(item.endswith(setting) for item in items)
            else:
                assert len([item for item in items if "wet" not in item or "level" in item]) >= len(values)
                for value in values.values():
                    assert value in (0, 1) or any(f" {value:.4g}" in item for item in items)
            assert (insert.wet == 1) != any(item.endswith("% wet") for item in items)
        terms = [(words(e.find("dt")), words(e.find("dd"))) for e in card.findall(".//dl/div")]
        fader = f"{strip.fader_db:+.2f} dB" if strip.fader_db else "0 dB"
        sends = [("Send", f"{s.target} {s.level_db:+.2f} dB {s.tap}") for s in strip.sends]
        assert terms == [("Fader", fader), ("Pan", pan_position(strip.pan)), *sends]


@graphs
def test_one_page_per_group(make: Make, tmp_path: Path) -> None:
    graph = make(tmp_path)
    write(graph, tmp_path / "out")
    root = page(tmp_path / "out")
    found = {
        words(section.find("h2")): [words(title) for title in section.findall(".//h3")]
        for section in root.findall(".//section")
    }
    wanted = {
        f"Group: {group.name}": [
            *(t.name for t in graph.of_kind("track") if t.output == group.name), group.name,
        ]
        for group in graph.of_kind("group")
    }  # fmt: skip
    free = [strip.name for strip in graph.of_kind("track") if strip.output == graph.master.name]
    wanted |= {"Tracks without a group": free} if free else {}
    wanted |= {"Returns": [strip.name for strip in graph.of_kind("return")], "Master": [graph.master.name]}
    assert list(found.items()) == list(wanted.items())
    assert all(section.get("class") == "page" for section in root.findall(".//section"))
    style = words(root.find(".//style"))
    assert ".page { break-before: page; }" in style
    assert "size: A4" in style


def test_paper_is_white_whatever_the_screen_is(tmp_path: Path) -> None:
    """Dark colours and the layout of a phone are for screens alone."""
    write(odd_graph(), tmp_path / "out")
    style = words(page(tmp_path / "out").find(".//style"))
    queries = re.findall(r"@media ([^{]*) {", style)
    assert "screen and (prefers-color-scheme: dark)" in queries
    assert "screen and (max-width: 560px)" in queries
    assert {query.split()[0] for query in queries} == {"screen", "print"}
    assert not re.search(r"#[0-9a-f]{3}", re.sub(r"--\w+: #[0-9a-f]+;", "", style))


def test_page_and_picture_load_nothing(tmp_path: Path) -> None:
    write(odd_graph(), tmp_path / "out")
    for root in (page(tmp_path / "out"), etree.parse(str(tmp_path / "out" / "graph.svg")).getroot()):
        for element in root.iter(etree.Element):
            tag = str(element.tag).removeprefix(SVG)
            assert tag not in ("script", "link", "img", "image", "iframe", "object", "foreignObject", "use")
            assert not [
                key for key in element.attrib if key.startswith("on") or "href" in key or key == "src"
            ]
            assert tag != "style" or not re.search(r"url\(|@import", element.text or "")


def test_a_knob_reads_as_a_person_says_it(tmp_path: Path) -> None:
    graph = graph_of(
        track("A", "one", devices=(EQUALIZER, COMPRESSOR, device("width")), pan=-0.3, offset_samples=480),
        Strip(name="Master", kind="master", pan=0.125),
    )
    write(graph, tmp_path / "out")
    first, second, third = page(tmp_path / "out").findall(".//article[1]//tbody/tr")[:3]
    assert [words(item) for item in first.iter("li")] == [
        "high pass 90 Hz 12 dB/oct",
        "bell 800 Hz +3.5 dB Q 1.20",
    ]
    assert words(second.find(".//ul")) == "threshold -20 dB ratio 4 attack 10 ms release 150 ms linked"
    assert "does nothing" in words(third)
    text = words(page(tmp_path / "out"))
    assert "Pan L30" in text
    assert "Pan R12.5" in text
    assert "+0.0100 s (+480 samples)" in text


@graphs
def test_networkx_reads_the_graph(make: Make, tmp_path: Path) -> None:
    graph = make(tmp_path)
    write(graph, tmp_path / "out")
    read = nodes_and_edges(tmp_path / "out")
    assert read.is_directed()
    assert read.is_multigraph()
    assert read.graph["sample_rate"] == graph.sample_rate
    assert list(read.nodes) == [strip.name for strip in graph.strips]
    for strip in graph.strips:
        node = read.nodes[strip.name]
        assert (node["kind"], node["fader_db"], node["pan"]) == (strip.kind, strip.fader_db, strip.pan)
        inserts = [(d["type"], d["values"], d["wet"], d["confidence"]) for d in node["devices"]]
        assert inserts == [(d.type, d.values, d.wet, d.confidence) for d in strip.all_devices()]
        places = [d["place"] for d in node["devices"]]
        assert places == ["before_fader"] * len(strip.devices) + ["after_fader"] * len(strip.post_devices)
        edges = {
            target: (e["kind"], e["level_db"], e["tap"])
            for _, target, e in read.out_edges(strip.name, data=True)
        }
        wanted = {send.target: ("send", send.level_db, send.tap) for send in strip.sends}
        assert edges == wanted | ({strip.output: ("output", 0.0, "post")} if strip.output else {})
    assert networkx.is_directed_acyclic_graph(read)
    assert all(networkx.has_path(read, name, graph.master.name) for name in read.nodes)


def test_names_are_kept_and_harmless(tmp_path: Path) -> None:
    graph = odd_graph()
    write(graph, tmp_path / "out")
    names = [strip.name for strip in graph.strips]
    assert list(nodes_and_edges(tmp_path / "out").nodes) == names
    shown = [" ".join(re.sub(r"[\x00-\x1f]", " ", name).split()) for name in names]
    assert [words(title) for title in page(tmp_path / "out").iter("h3")] == [
        *(name for name in shown if name not in ("</a> & b", "2-Bus")), "</a> & b", "2-Bus",
    ]  # fmt: skip
    table = list(dict.fromkeys(row["strip"] for row in rows(tmp_path / "out")))
    assert table == [f"'{name}" if name[0] in "=+-@" else name for name in shown]
    root = etree.parse(str(tmp_path / "out" / "graph.svg")).getroot()
    titles = {box.find(f"{SVG}title").text.split("\n")[0] for box in root.findall(f"{SVG}svg")}
    assert titles == set(shown)


@graphs
def test_same_graph_same_bytes(make: Make, tmp_path: Path) -> None:
    graph = make(tmp_path)
    write(graph, tmp_path / "a")
    write(checked_graph(Graph.model_validate_json(graph.to_json()), PROCESSORS), tmp_path / "b" / "elsewhere")
    assert contents(tmp_path / "a") == contents(tmp_path / "b" / "elsewhere")
    assert set(contents(tmp_path / "a")) == FILES
    assert not any(str(tmp_path).encode() in data for data in contents(tmp_path / "a").values())


def test_paths_of_the_machine_stay_out(tmp_path: Path) -> None:
    source = Strip(name="A", kind="track", source="/home/me/secret/kick.wav", output="Master")
    other = Strip(name="B", kind="track", source="../../secret/snare.wav", output="Master")
    write(graph_of(source, other, Strip(name="Master", kind="master")), tmp_path / "out")
    everything = b"".join(contents(tmp_path / "out").values())
    assert b"secret" not in everything
    assert everything.count(b"kick.wav") == everything.count(b"snare.wav") == 3


def test_lost_says_what_is_there_by_name_alone(tmp_path: Path) -> None:
    room = Device(type="convolution", values=PROCESSORS["convolution"].rest(), impulse="rooms/hall.wav")
    graph = graph_of(
        track("A", "one", devices=(EQUALIZER,), sends=(Send(target="Hall\tA", level_db=-6),)),
        Strip(name="Hall\tA", kind="return", output="Master", devices=(room,)),
        Strip(name="Master", kind="master", post_devices=(room,)),
    )
    lost = write(graph, tmp_path / "out")
    assert [(entry.strip, entry.device, entry.how) for entry in lost] == [
        ("Hall\tA", "impulse response", "dropped"),
        ("Master", "impulse response", "dropped"),
        ("Master", "audio", "dropped"),
    ]
    assert all("hall.wav" in entry.reason for entry in lost[:2])


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"recall\.csv"):
        exporter("recall").write(odd_graph(), tmp_path, tmp_path / "missing")
