"""A corpus is found, recovered song by song and gathered; what fails or is killed costs no other song."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from collection_helpers import WANTED, graphs, make_medleydb, make_secrets, make_song, searching
from exporter_helpers import native_graph
from lxml import html
from pyarrow import parquet
from typer.testing import CliRunner

from mix2daw.cli import app
from mix2daw.collection import collect as collect_module
from mix2daw.collection import tables
from mix2daw.collection.collect import Cluster, Collection, collect
from mix2daw.collection.corpus import find_songs
from mix2daw.collection.tables import DEVICES, TYPES, device_rows
from mix2daw.errors import InputError, OutputError
from mix2daw.graph import Device, Send, read_graph
from mix2daw.processors import PROCESSORS, complete_device
from mix2daw.progress import Silence

FAST = ["--only", "limiter", "--preview"]


def collected(corpus: Path, out: Path, workers: int = 1) -> dict[str, int]:
    found = collect(Collection(corpus, out, WANTED, workers, 1), Silence())
    return {"done": found.done, "kept": found.kept, "failed": found.failed}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    for number in range(3):
        make_song(folder / f"artist/song {number}", number)
    return folder


@pytest.fixture(scope="module")
def out(corpus: Path) -> Path:
    """The corpus, done by one process."""
    folder = corpus.parent / "done"
    assert collected(corpus, folder) == {"done": 3, "kept": 0, "failed": 0}
    return folder


def test_three_layouts_in_one_folder(tmp_path: Path) -> None:
    make_song(tmp_path / "plain" / "first", 0)
    make_medleydb(tmp_path, "Some_Song", 1)
    make_secrets(tmp_path / "secrets", "OtherSong", 2)
    songs = find_songs(tmp_path).songs
    assert [(song.name, song.layout) for song in songs] == [
        ("Audio/Some_Song", "medleydb"),
        ("plain/first", "folder"),
        ("secrets/OtherSong_Full", "mixing-secrets"),
    ]
    medley = songs[0]
    assert medley.stems.name == "Some_Song_RAW"
    assert medley.members == {"rhythm section": tuple(f"Some_Song_RAW_01_0{k}" for k in (1, 2, 3))}
    assert list(medley.instruments.values()) == ["guitar", "kick", "pad"]
    assert songs[2].mix.name == "OtherSong_Full_Preview.mp3"


def test_what_is_no_song_is_told(tmp_path: Path) -> None:
    make_song(tmp_path / "fine", 0)
    (make_song(tmp_path / "no mix", 1) / "mix.wav").unlink()
    two = make_song(tmp_path / "two mixes", 2)
    for name in ("mix.wav", "louder.wav"):
        shutil.copy(tmp_path / "fine" / "mix.wav", two / name)
    unclear = make_song(tmp_path / "unclear", 2)
    (unclear / "mix.wav").rename(unclear / "one.wav")
    shutil.copy(unclear / "one.wav", unclear / "other.wav")
    found = find_songs(tmp_path)
    assert [song.name for song in found.songs] == ["fine", "two mixes"]
    assert len(found.oddities) == 2
    assert all("no file that is clearly their mix" in line for line in found.oddities)
    with pytest.raises(InputError, match="holds no song"):
        find_songs(tmp_path / "no mix")


def test_links_are_followed_once(tmp_path: Path) -> None:
    make_song(tmp_path / "real" / "first", 0)
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "link").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "round").symlink_to(tmp_path / "corpus")
    assert [song.name for song in find_songs(tmp_path / "corpus").songs] == ["link/first"]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_a_manifest_says_where_songs_are(tmp_path: Path, suffix: str) -> None:
    make_song(tmp_path / "there", 0)
    rows = [
        {"song": "ours/first", "stems": "there/stems", "mix": "there/mix.wav", "groups": ""},
        {"song": "", "stems": "there/stems", "mix": "there/mix.wav", "groups": "there/groups.yaml"},
    ]
    text = "\n".join(json.dumps(row) for row in rows)
    if suffix == ".csv":
        text = "\n".join([",".join(rows[0]), *(",".join(row.values()) for row in rows)])
    path = tmp_path / f"songs{suffix}"
    path.write_text(text, encoding="utf-8")
    songs = find_songs(path).songs
    assert [song.name for song in songs] == ["ours/first", "there/stems"]
    assert songs[0].stems.is_dir()
    assert [song.groups for song in songs] == [None, tmp_path / "there/groups.yaml"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("../out,a,b", "cannot be the path"),
        ("/out,a,b", "cannot be the path"),
        ("x/.hidden,a,b", "cannot be the path"),
        ("x,,b", "has no stems"),
        ("x,a,", "has no mix"),
        ("first,a,b", "a second time"),
        ("first/inner,a,b", "one would lie in the other"),
        ('x,"a,b', "is no CSV"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_one_line(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "songs.csv"
    path.write_text(f"song,stems,mix\nfirst,s,m\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError, match=said):
        find_songs(path)


def test_what_is_done_is_kept_and_what_has_changed_is_done_again(corpus: Path, out: Path) -> None:
    before = graphs(out)
    assert len(before) == 12
    times = {path: path.stat().st_mtime_ns for path in (out / "graphs").rglob("*.json")}
    assert collected(corpus, out) == {"done": 0, "kept": 3, "failed": 0}
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert not list((out / "graphs").rglob("render.wav"))
    song, stem = corpus / "artist/song 1", corpus / "artist/song 1/stems/kick.wav"
    whole = stem.read_bytes()
    stem.rename(song / "kept")
    try:
        assert collected(corpus, out) == {"done": 1, "kept": 2, "failed": 0}
        assert graphs(out) != before
    finally:
        (song / "kept").rename(stem)
    assert stem.read_bytes() == whole
    assert collected(corpus, out) == {"done": 1, "kept": 2, "failed": 0}
    assert graphs(out) == before


def test_two_processes_give_the_bytes_of_one(corpus: Path, out: Path) -> None:
    two = out.with_name("two")  # beside the other: graphs name their stems as seen from where they lie
    assert collected(corpus, two, workers=2) == {"done": 3, "kept": 0, "failed": 0}
    assert graphs(two) == graphs(out)


def test_a_song_that_fails_is_a_line_and_stops_no_other(corpus: Path, tmp_path: Path) -> None:
    shutil.copytree(corpus, tmp_path / "songs")
    broken = tmp_path / "songs/artist/song 0/stems/bass.wav"
    whole = broken.read_bytes()
    broken.write_bytes(whole[:5000])
    assert collected(tmp_path / "songs", tmp_path / "out") == {"done": 2, "kept": 0, "failed": 1}
    (line,) = (tmp_path / "out/failures.jsonl").read_text().splitlines()
    told = json.loads(line)
    assert told["song"] == "artist/song 0"
    assert told["kind"] == "InputError"
    assert told["where"].endswith("bass.wav")
    assert "cut off" in told["what"]
    broken.write_bytes(whole)
    assert collected(tmp_path / "songs", tmp_path / "out") == {"done": 1, "kept": 2, "failed": 0}
    assert (tmp_path / "out/failures.jsonl").read_text() == ""


def test_a_worker_that_is_killed_costs_nothing(corpus: Path, out: Path) -> None:
    killed, other = list[int | None](), out.with_name("killed")

    def kill() -> None:
        deadline = time.monotonic() + 120
        while not searching(other) and time.monotonic() < deadline:
            time.sleep(0.01)
        for child in multiprocessing.active_children():
            killed.append(child.pid)
            child.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    assert collected(corpus, other) == {"done": 3, "kept": 0, "failed": 0}
    killer.join()
    assert killed
    assert graphs(other) == graphs(out)


def start(corpus: Path, out: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "mix2daw", "collect", str(corpus), "--out", str(out), "--workers", "1"]
    # What a shell starts in the background ignores interrupts, and so would all that it starts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen([*command, *FAST], stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_a_leader_that_is_killed_costs_nothing(corpus: Path, out: Path) -> None:
    other = out.with_name("left")
    process = start(corpus, other)
    deadline = time.monotonic() + 120
    while not searching(other) and time.monotonic() < deadline:
        time.sleep(0.01)
    tasks = Path(f"/proc/{process.pid}/task").glob("*/children")
    children = [int(text) for task in tasks for text in task.read_text().split()]
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert children
    while any(_runs(child) for child in children):
        assert time.monotonic() < deadline, "a worker goes on without its leader"
        time.sleep(0.05)
    again = start(corpus, other)
    said = again.communicate()
    assert again.returncode == 0, said
    assert graphs(other) == graphs(out)


def test_a_stop_keeps_what_is_done(corpus: Path, out: Path) -> None:
    other = out.with_name("stopped")
    process = start(corpus, other)
    deadline = time.monotonic() + 120
    # The next one is begun when the leader has been told of the first. What is kept of its search comes
    # later, and goes so soon that it may be overlooked.
    while not any((other / "graphs/artist").glob(".song 1.*")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    said = process.communicate()[0].decode()
    assert process.returncode == 2
    assert "stopped: 2 are left" in said
    assert [row["song"] for row in rows(other, "songs")] == ["artist/song 0"]
    assert collected(corpus, other) == {"done": 2, "kept": 1, "failed": 0}
    assert graphs(other) == graphs(out)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_folder_of_something_else_is_left_alone(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"thesis\.txt"):
        collected(corpus, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_groups_and_instruments_of_medleydb_are_used(tmp_path: Path) -> None:
    make_medleydb(tmp_path / "db", "Some_Song", 1)
    assert collected(tmp_path / "db", tmp_path / "out")["done"] == 1
    graph = read_graph(tmp_path / "out/graphs/Audio/Some_Song/graph.json")
    assert [strip.name for strip in graph.of_kind("group")] == ["rhythm section"]
    assert {strip.output for strip in graph.of_kind("track")} == {"rhythm section"}


def rows(out: Path, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = parquet.read_table(out / f"{name}.parquet").to_pylist()
    return found


def test_the_page_lists_every_song_beside_its_result(corpus: Path, out: Path) -> None:
    tree = html.parse(out / "corpus.html")
    links = tree.findall(".//section[@id='songs']//tbody//a")
    assert {link.text for link in links} == {row["song"] for row in rows(out, "songs")}
    assert all((out / unquote(link.get("href")) / "graph.json").is_file() for link in links)


def test_of_a_very_large_corpus_the_page_shows_some_and_the_tables_hold_all(
    corpus: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {name: rows(out, name) for name in ("songs", "strips", "devices")}
    with monkeypatch.context() as patch:
        patch.setattr(collect_module, "MOST_SHOWN", 2)
        patch.setattr(tables, "SONGS_AT_ONCE", 1)
        assert collected(corpus, out)["kept"] == 3
    assert {name: rows(out, name) for name in before} == before
    assert parquet.ParquetFile(out / "songs.parquet").num_row_groups == 3
    tree = html.parse(out / "corpus.html")
    shown = [link.text for link in tree.findall(".//section[@id='songs']//tbody//a")]
    assert sorted(shown) == ["artist/song 0", "artist/song 2"]
    assert "One song in 2 is on this page" in tree.find(".//header").text_content()
    assert collected(corpus, out)["kept"] == 3


def test_tables_hold_what_the_files_do(corpus: Path, out: Path) -> None:
    """Parquet read by its own library, JSON as it is."""
    assert collected(corpus, out)["kept"] == 3
    songs = {row["song"]: row for row in rows(out, "songs")}
    strips, devices = rows(out, "strips"), rows(out, "devices")
    assert list(songs) == [f"artist/song {number}" for number in range(3)]
    for name, row in songs.items():
        folder = out / "graphs" / name
        graph, result = (json.loads((folder / f"{file}.json").read_text()) for file in ("graph", "result"))
        assert row["la_full"] == result["la"]["full"]
        assert row["devices_before"] == result["devices_before"]["total"]
        for when in ("before", "after"):
            assert sum(row[f"{type_}_{when}"] for type_ in TYPES) == row[f"devices_{when}"]
        assert row["pruned_share"] == 1 - row["devices_after"] / row["devices_before"]
        assert row["seconds"] == graph["length_samples"] / graph["sample_rate"]
        own = {strip["strip"]: strip for strip in strips if strip["song"] == name}
        assert list(own) == [strip["name"] for strip in graph["strips"]]
        for strip in graph["strips"]:
            assert own[strip["name"]]["fader_db"] == strip["fader_db"]
            assert own[strip["name"]]["pan"] == strip["pan"]
            inserts = [*strip["devices"], *strip["post_devices"]]
            told = [row for row in devices if (row["song"], row["strip"]) == (name, strip["name"])]
            assert [row["type"] for row in told] == [d["type"] for d in inserts] + ["send"] * len(
                strip["sends"]
            )
            for row_, device in zip(told, inserts, strict=False):
                for control, value in device["values"].items():
                    assert row_[control] == pytest.approx(value, abs=0)
    instruments = {strip["strip"]: strip["instrument"] for strip in strips}
    assert instruments["guitar"] == "guitars"
    assert instruments["master"] is None


def test_a_table_has_all_devices_of_all_types(tmp_path: Path) -> None:
    """Of a strip with every device: no column is missing."""
    track = native_graph(tmp_path).of_kind("track")[0]
    room = "impulses/room.wav"
    every = tuple(
        complete_device(Device(type=name, impulse=room if name == "convolution" else None), PROCESSORS)
        for name in PROCESSORS
    )
    strip = track.model_copy(update={"devices": every, "sends": (Send(target="room", level_db=-3.0),)})
    found = list(device_rows("song", strip, None))
    assert [row["type"] for row in found] == [*PROCESSORS, "send"]
    for row in found:
        assert set(row) <= set(DEVICES)


def test_the_command_tells_what_failed(corpus: Path, tmp_path: Path) -> None:
    shutil.copytree(corpus / "artist" / "song 0", tmp_path / "songs" / "one")
    (tmp_path / "songs/one/stems/kick.wav").write_bytes(b"")
    run = CliRunner().invoke(app, ["collect", str(tmp_path / "songs"), "--out", str(tmp_path / "out"), *FAST])
    assert run.exit_code == 2
    assert "0 songs recovered, 0 kept, 1 failed" in run.stdout
    assert json.loads((tmp_path / "out/failures.jsonl").read_text())["what"] == "is empty (0 bytes)"
    assert rows(tmp_path / "out", "songs") == []
    again = CliRunner().invoke(app, ["collect", str(tmp_path / "none"), "--out", str(tmp_path / "out2")])
    assert again.exit_code == 2
    assert not (tmp_path / "out2").exists()


def test_ray_gives_the_same_bytes(corpus: Path, out: Path) -> None:
    pytest.importorskip("ray")
    other, cluster = out.with_name("ray"), Cluster("local")
    summary = collect(Collection(corpus, other, WANTED, 2, 1, cluster), Silence())
    assert (summary.done, summary.failed) == (3, 0)
    assert graphs(other) == graphs(out)
