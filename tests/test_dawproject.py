"""DAWproject files: the official schemas, the archive, references, and the units of the generic devices."""

from __future__ import annotations

import math
import struct
import zipfile
from pathlib import Path

import pytest
from exporter_helpers import device, graph_of, native_graph, printed_graph, track, write_stems
from lxml import etree

from mix2daw.exporters import Lost, exporter
from mix2daw.graph import Device, Graph, Send, Strip

SCHEMAS = Path(__file__).parent / "data" / "dawproject"
makers = pytest.mark.parametrize("make", [native_graph, printed_graph])


def write(graph: Graph, stems: Path, out: Path) -> tuple[zipfile.ZipFile, list[Lost]]:
    """The archive that is written for a graph, and what was lost."""
    out.mkdir()
    lost = exporter("dawproject").write(graph, stems, out)
    assert [path.name for path in out.iterdir()] == ["mix2daw.dawproject"]
    return zipfile.ZipFile(out / "mix2daw.dawproject"), lost


def project(graph: Graph, stems: Path) -> etree._Element:
    """project.xml of a graph."""
    return etree.fromstring(write(graph, stems, stems / "out")[0].read("project.xml"))


def with_inserts(folder: Path, *inserts: Device) -> Graph:
    """A graph of one stereo track with these inserts."""
    write_stems(folder, {"one": 2})
    return graph_of(track("A", "one", devices=inserts), Strip(name="Master", kind="master"))


@makers
def test_official_schemas_hold(make: object, tmp_path: Path) -> None:
    archive, _ = write(make(tmp_path), tmp_path, tmp_path / "out")  # type: ignore[operator]
    for name, schema in (("project.xml", "Project.xsd"), ("metadata.xml", "MetaData.xsd")):
        etree.XMLSchema(file=str(SCHEMAS / schema)).assertValid(etree.fromstring(archive.read(name)))


def test_every_device_fits_the_schema(tmp_path: Path) -> None:
    inserts = (
        device("equalizer", high_pass_hz=80, high_pass_slope_db=12, high_shelf_db=2),
        device("gate", threshold_db=-50, ratio=4),
        device("compressor", threshold_db=-18, ratio=4),
        device("limiter", ceiling_db=-1),
    )
    root = project(with_inserts(tmp_path, *inserts), tmp_path)
    etree.XMLSchema(file=str(SCHEMAS / "Project.xsd")).assertValid(root)
    devices = root.find(".//Track[@name='A']/Channel/Devices")
    assert [element.tag for element in devices] == ["Equalizer", "NoiseGate", "Compressor", "Limiter"]
    assert all(element.get("loaded") == "true" for element in devices)


@makers
def test_references_and_media_resolve(make: object, tmp_path: Path) -> None:
    archive, _ = write(make(tmp_path), tmp_path, tmp_path / "out")  # type: ignore[operator]
    root = etree.fromstring(archive.read("project.xml"))
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    channels = {element.get("id") for element in root.iter("Channel")}
    tracks = {element.get("id") for element in root.iter("Track")}
    assert {element.get("destination") for element in root.iter() if element.get("destination")} <= channels
    assert {element.get("track") for element in root.iter("Lanes") if element.get("track")} <= tracks
    files = {element.get("path") for element in root.iter("File")}
    assert files == set(archive.namelist()) - {"project.xml", "metadata.xml"}
    masters = [element for element in root.iter("Track") if element.find("Channel").get("role") == "master"]
    assert [element.get("name") for element in masters] == ["Master"]


def test_archive_has_sums_in_its_local_headers_and_no_clock(tmp_path: Path) -> None:
    archive, _ = write(native_graph(tmp_path), tmp_path, tmp_path / "out")
    data = Path(str(archive.filename)).read_bytes()
    for entry in archive.infolist():
        fields = struct.unpack_from("<4s5H3L", data, entry.header_offset)
        signature, flags, crc = fields[0], fields[2], fields[6]
        assert signature == b"PK\x03\x04"
        assert not flags & 0x08
        assert crc == entry.CRC
        assert entry.date_time == (1980, 1, 1, 0, 0, 0)
    assert archive.namelist()[:2] == ["project.xml", "metadata.xml"]


def test_groups_are_nested_as_in_the_graph(tmp_path: Path) -> None:
    root = project(native_graph(tmp_path), tmp_path)
    parents = {
        element.get("name"): element.getparent().get("name")
        for element in root.iter("Track")
        if element.getparent().tag == "Track"
    }
    assert parents["Pads"] == parents["Bass"] == parents["Slap"] == "Inner"
    assert parents["Inner"] == parents["Drums"] == "Band"
    assert root.find(".//Track[@name='Inner']").get("contentType") == "tracks"


def test_times_and_ratios_are_in_the_units_of_the_format(tmp_path: Path) -> None:
    inserts = (
        device("compressor", threshold_db=-18, ratio=4, attack_ms=20, release_ms=200, link=1),
        device("gate", threshold_db=-50, ratio=2, attack_ms=5, release_ms=50),
        device("limiter", ceiling_db=-1, release_ms=80, lookahead_ms=4),
    )
    root = project(with_inserts(tmp_path, *inserts), tmp_path)
    devices = root.find(".//Track[@name='A']/Channel/Devices")

    def value(path: str, unit: str) -> float:
        element = devices.find(path)
        assert element.get("unit") == unit
        return float(element.get("value"))

    assert value("Compressor/Threshold", "decibel") == -18
    assert value("Compressor/Ratio", "percent") == 75
    assert value("Compressor/Attack", "seconds") == pytest.approx(0.020 / (2 * math.pi))
    assert value("Compressor/Release", "seconds") == pytest.approx(0.200 / (2 * math.pi))
    assert value("NoiseGate/Ratio", "percent") == 50
    assert value("NoiseGate/Range", "decibel") == -math.inf
    assert value("Limiter/Threshold", "decibel") == -1
    assert value("Limiter/Release", "seconds") == pytest.approx(0.08)
    names = [element.get("name") for element in devices]
    assert names[0] == "compressor: threshold -18 dB, ratio 4, attack 20 ms, release 200 ms, linked"
    comment = root.find(".//Track[@name='A']").get("comment").splitlines()
    assert comment[:3] == names


def test_what_a_host_may_play_otherwise_is_listed(tmp_path: Path) -> None:
    write_stems(tmp_path, {"one": 2})
    shelf = device("equalizer", low_shelf_db=3, low_shelf_q=1.0)
    graph = graph_of(
        track("A", "one", devices=(shelf,), fader_db=7, pan=0.1, sends=(Send(target="R", level_db=2),)),
        Strip(name="R", kind="return", output="Master"),
        Strip(name="Master", kind="master"),
    )
    _, lost = write(graph, tmp_path, tmp_path / "out")
    assert {entry.how for entry in lost} == {"approximate"}
    assert [entry.device for entry in lost] == ["equalizer", "pan", "fader", "send to R"]


def test_slope_of_6_db_is_printed(tmp_path: Path) -> None:
    graph = with_inserts(tmp_path, device("equalizer", low_pass_hz=5000, low_pass_slope_db=6))
    archive, (entry,) = write(graph, tmp_path, tmp_path / "out")
    assert (entry.device, entry.how) == ("equalizer", "printed")
    assert b"<Equalizer" not in archive.read("project.xml")
