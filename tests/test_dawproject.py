"""DAWproject files: the official schemas, the archive, references, and the units of the generic devices."""

from __future__ import annotations

import math
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from exporter_helpers import device, graph_of, native_graph, printed_graph, track, write_stems
from exporter_readers import read_archive
from lxml import etree

from mix2daw.errors import InputError
from mix2daw.exporters import Lost, exporter
from mix2daw.graph import Device, Graph, Send, Strip, read_graph
from mix2daw.processors import PROCESSORS, checked_graph

ARCHIVES = ("mix2daw.dawproject", "mix2daw-faithful.dawproject")
SONG = Path(__file__).resolve().parent.parent / "samples" / "song"
SCHEMAS = Path(__file__).parent / "data" / "dawproject"
makers = pytest.mark.parametrize("make", [native_graph, printed_graph])


def write(graph: Graph, stems: Path, out: Path) -> tuple[zipfile.ZipFile, list[Lost]]:
    """The editable archive that is written for a graph, and what was lost."""
    out.mkdir()
    lost = exporter("dawproject").write(graph, stems, out)
    assert {path.name for path in out.iterdir()} == set(ARCHIVES)
    return zipfile.ZipFile(out / ARCHIVES[0]), lost


def both(graph: Graph, stems: Path) -> list[zipfile.ZipFile]:
    """The editable and the faithful archive."""
    write(graph, stems, stems / "out")
    return [zipfile.ZipFile(stems / "out" / name) for name in ARCHIVES]


def project(graph: Graph, stems: Path) -> etree._Element:
    """project.xml of a graph."""
    return etree.fromstring(write(graph, stems, stems / "out")[0].read("project.xml"))


def with_inserts(folder: Path, *inserts: Device) -> Graph:
    """A graph of one stereo track with these inserts."""
    write_stems(folder, {"one": 2})
    return graph_of(track("A", "one", devices=inserts), Strip(name="Master", kind="master"))


@makers
def test_official_schemas_hold(make: Callable[[Path], Graph], tmp_path: Path) -> None:
    for archive in both(make(tmp_path), tmp_path):
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
def test_references_and_media_resolve(make: Callable[[Path], Graph], tmp_path: Path) -> None:
    for archive in both(make(tmp_path), tmp_path):
        root = etree.fromstring(archive.read("project.xml"))
        ids = [element.get("id") for element in root.iter() if element.get("id")]
        assert len(ids) == len(set(ids))
        channels = {element.get("id") for element in root.iter("Channel")}
        tracks = {element.get("id") for element in root.iter("Track")}
        named = {element.get("destination") for element in root.iter() if element.get("destination")}
        assert named <= channels
        assert {lanes.get("track") for lanes in root.iter("Lanes") if lanes.get("track")} <= tracks
        files = {element.get("path") for element in root.iter("File")}
        assert files == set(archive.namelist()) - {"project.xml", "metadata.xml"}
        roles = {track.get("name"): track.find("Channel").get("role") for track in root.iter("Track")}
        assert [name for name, role in roles.items() if role == "master"] == ["Master"]
        assert all(track.get("comment") for track in root.iter("Track"))


def test_archive_has_sums_in_its_local_headers_and_no_clock(tmp_path: Path) -> None:
    for archive in both(native_graph(tmp_path), tmp_path):
        data = Path(str(archive.filename)).read_bytes()
        for entry in archive.infolist():
            fields = struct.unpack_from("<4s5H3L", data, entry.header_offset)
            signature, flags, crc = fields[0], fields[2], fields[6]
            assert signature == b"PK\x03\x04"
            assert not flags & 0x08
            assert crc == entry.CRC == zlib.crc32(archive.read(entry.filename))
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


def test_comments_say_what_is_in_the_audio_and_what_is_missing(tmp_path: Path) -> None:
    write_stems(tmp_path, {"one": 2})
    bell, delay = device("equalizer", bell_1_hz=700, bell_1_db=3), device("delay", delay_ms=50, mix=0.25)
    graph = graph_of(
        track("A", "one", "G", devices=(bell, delay, bell)),
        Strip(name="G", kind="group", output="Master", post_devices=(delay,)),
        Strip(name="Master", kind="master", devices=(bell, delay)),
    )
    archive, lost = write(graph, tmp_path, tmp_path / "out")
    root = etree.fromstring(archive.read("project.xml"))
    last = {element.get("name"): element.get("comment").splitlines()[-1] for element in root.iter("Track")}
    assert last["A"] == "already in the audio: equalizer, delay"
    assert last["G"] == "already in the print beside this: delay, fader, pan"
    assert last["Master"] == "not in this session: delay"
    (dropped,) = (entry for entry in lost if entry.how == "dropped")
    assert dropped.reason.endswith("is a track of its own in mix2daw-faithful.dawproject")


def test_a_printed_group_may_have_the_longest_name(tmp_path: Path) -> None:
    write_stems(tmp_path, {"one": 2})
    delay = device("delay", delay_ms=50, mix=0.25)
    graph = graph_of(
        track("A", "one", "g" * 200),
        Strip(name="g" * 200, kind="group", output="Master", devices=(delay,)),
        Strip(name="Master", kind="master"),
    )
    assert project(graph, tmp_path).find(f".//Track[@name='{'g' * 200} (print)']") is not None


def test_nothing_is_left_where_a_source_cannot_be_read(tmp_path: Path) -> None:
    graph = graph_of(track("A", "none"), Strip(name="Master", kind="master"))
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match=r"none\.wav"):
        exporter("dawproject").write(graph, tmp_path, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_devices_of_the_sample_song_are_read_back(tmp_path: Path) -> None:
    """Every native device of the file, turned back into the units of the graph."""
    graph = checked_graph(read_graph(SONG / "truth.json"), PROCESSORS)
    (tmp_path / "out").mkdir()
    lost = exporter("dawproject").write(graph, SONG, tmp_path / "out")
    printed = {(entry.strip, entry.device) for entry in lost if entry.how in ("printed", "dropped")}
    path = tmp_path / "out" / ARCHIVES[0]
    strips = read_archive(path, graph.sample_rate)
    root = etree.fromstring(zipfile.ZipFile(path).read("project.xml"))
    for name in ARCHIVES:
        xml = zipfile.ZipFile(path.parent / name).read("project.xml")
        etree.XMLSchema(file=str(SCHEMAS / "Project.xsd")).assertValid(etree.fromstring(xml))
    tags = {"compressor": "Compressor", "gate": "NoiseGate", "limiter": "Limiter"}
    found = 0
    for strip in graph.strips:
        element = root.find(f".//Track[@name='{strip.name}']")
        if element is None or any(owner == strip.name for owner, _ in printed):
            continue
        read = strips[strip.name]
        assert read.fader_db == pytest.approx(strip.fader_db, abs=1e-4)
        assert read.pan == pytest.approx(strip.pan, abs=1e-6)
        for insert in strip.all_devices():
            if insert.type not in tags or insert.values.get("ratio") == 1:
                continue
            values = {child.tag: float(child.get("value")) for child in element.find(
                f"Channel/Devices/{tags[insert.type]}") if child.get("unit")}  # fmt: skip
            wanted = insert.values
            assert values["Threshold"] == pytest.approx(wanted.get("threshold_db", wanted.get("ceiling_db")))
            if insert.type != "limiter":
                assert 1 / (1 - values["Ratio"] / 100) == pytest.approx(wanted["ratio"])
                assert 2000 * math.pi * values["Attack"] == pytest.approx(wanted["attack_ms"])
                assert 2000 * math.pi * values["Release"] == pytest.approx(wanted["release_ms"])
            found += 1
    assert found >= 3


def test_what_is_listed_bears_the_names_of_the_graph(tmp_path: Path) -> None:
    write_stems(tmp_path, {"one": 2})
    bell = device("equalizer", bell_1_hz=700, bell_1_db=3)
    graph = graph_of(
        *(track(name, "one", "2-Bus", devices=(bell,)) for name in ("Kick", "Kick\x00", "Master")),
        Strip(name="2-Bus", kind="master", devices=(bell,)),
    )
    _, lost = write(graph, tmp_path, tmp_path / "out")
    assert [entry.strip for entry in lost] == ["Kick", "Kick\x00", "Master", "2-Bus"]
