"""Disks that are full or cannot be written, files that go away or change: one line, and nothing is lost."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from test_cli import listing, make_song, run

from mix2daw.errors import InputError, MixError
from mix2daw.exporters import FORMATS
from mix2daw.progress import Silence
from mix2daw.recover import Job, recover
from mix2daw.search import STATE_FILE, Settings
from mix2daw.selection import Selection

KIB = 1024
SEARCH = ("--only", "width", "--budget", "0.01s")  # next to none
QUIET = "--quiet"
LEFT_OVER = [".out.work", ".out.work/lock", f".out.work/{STATE_FILE}"]


class Disk:
    """A small disk. `leave(bytes)` fills it up to so many."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def leave(self, free_bytes: int) -> None:
        filler = self.folder / "filler"
        filler.unlink(missing_ok=True)
        if (more := shutil.disk_usage(self.folder).free - free_bytes) > 0:
            with filler.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, more)

    def lock(self, mode: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{mode}", str(self.folder)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "none", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    yield Disk(folder)
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A song, and what `recover` made of it, in `out`."""
    folder = make_song(tmp_path_factory.mktemp("song"))
    assert run(*recovering(folder), "--out", folder / "out").exit_code == 0
    return folder


@pytest.fixture
def own_song(song: Path, tmp_path: Path) -> Path:
    """The same, to be spoilt."""
    return Path(shutil.copytree(song, tmp_path / "song"))


def recovering(song: Path, *more: object) -> list[object]:
    return ["recover", song / "stems", song / "mix.wav", *SEARCH, *more]


def content(folder: Path) -> dict[str, bytes]:
    """All files but those with seconds in them."""
    timed = ("result.json", "report.html")
    files = (path for path in folder.rglob("*") if path.is_file() and path.name not in timed)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def one_line(arguments: list[object], *words: str) -> None:
    """Exit code 2, and one line with the words on standard error."""
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert all(word in lines[0] for word in words), lines[0]


# By the name of a command: what it takes, and the free room (KiB) with which it ends early, late, or at once.
WRITES: dict[str, tuple[list[object], tuple[int, ...]]] = {
    **{f"export {name}": (["export", "GRAPH", "--to", name, "--out", "OUT"], (0, 500)) for name in FORMATS},
    "export recall": (["export", "GRAPH", "--to", "recall", "--out", "OUT"], (0, 4, 16)),
    "export dawproject": (["export", "GRAPH", "--to", "dawproject", "--out", "OUT"], (0, 800, 3000)),
    "render": (["render", "GRAPH", "--out", "OUT.wav"], (0, 100)),
    "report": (["report", "SONG", "--out", "OUT.html", "--quiet"], (0, 800)),
}


# pyaaf2 leaves a file that it could not begin to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("name", WRITES)
def test_a_full_disk_ends_a_command_in_one_line(song: Path, disk: Disk, name: str) -> None:
    given, rooms_kib = WRITES[name]
    place = {"GRAPH": song / "out/graph.json", "SONG": song / "out", "OUT": disk.folder / "out"}
    place |= {f"OUT{suffix}": disk.folder / f"out{suffix}" for suffix in (".wav", ".html")}
    for room in rooms_kib:
        disk.leave(room * KIB)
        one_line([place.get(str(word), word) for word in given], str(disk.folder / "out"), "No space left")
        assert listing(disk.folder) == ["filler"]
    gc.collect()  # here, where such a file is expected, and not in a later test


@pytest.mark.parametrize("name", WRITES)
def test_a_disk_that_cannot_be_written_ends_a_command_in_one_line(song: Path, disk: Disk, name: str) -> None:
    place = {"GRAPH": song / "out/graph.json", "SONG": song / "out", "OUT": disk.folder / "out"}
    place |= {f"OUT{suffix}": disk.folder / f"out{suffix}" for suffix in (".wav", ".html")}
    disk.lock("ro")
    one_line([place.get(str(word), word) for word in WRITES[name][0]], str(disk.folder / "out"))
    assert listing(disk.folder) == []


def test_a_result_on_a_disk_that_cannot_be_written_stays_as_it_is(song: Path, disk: Disk) -> None:
    out = Path(shutil.copytree(song / "out", disk.folder / "out"))
    disk.lock("ro")
    before = content(out)
    one_line([*recovering(song, "--force", QUIET), "--out", out], "out")
    one_line(["refine", song / "out/graph.json", "--force", "--out", out], "out")
    one_line(["report", out], "report.html")
    assert content(out) == before


def test_a_search_that_finds_no_room_is_kept_and_gone_on_with(song: Path, disk: Disk, tmp_path: Path) -> None:
    """At first an older result is in the place, and it is there afterwards; with room, the end is the same as
    without the fault."""
    out = disk.folder / "out"
    out.mkdir()
    (out / "graph.json").write_text("older", encoding="utf-8")
    command = [*recovering(song, "--force", "--resume"), "--out", out]
    for room in (64, 500, 3000):
        disk.leave(room * KIB)
        one_line([*command, QUIET], str(out), "No space left", "--resume")
        assert listing(disk.folder) == [*LEFT_OVER, "filler", "out", "out/graph.json"]
        assert (out / "graph.json").read_text(encoding="utf-8") == "older"
    disk.leave(16_000 * KIB)
    done = run(*command)
    assert done.exit_code == 0, done.output
    assert "going on" in done.stderr
    whole = tmp_path / "other/out"  # as deep, for paths are in it
    assert run(*recovering(song), "--out", whole).exit_code == 0
    assert content(out) == content(whole)
    assert not (disk.folder / ".out.work").exists()


def test_a_search_without_room_to_be_kept_still_ends(song: Path, disk: Disk, tmp_path: Path) -> None:
    """Only the place where it is kept is full: its folder lies on the small disk, the result does not."""
    disk.leave(0)
    (tmp_path / ".out.work").symlink_to(disk.folder, target_is_directory=True)
    done = run(*recovering(song, "--no-report"), "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert done.stderr.count("cannot keep where the search stands") == 1
    assert (tmp_path / "out/render.wav").read_bytes() == (song / "out/render.wav").read_bytes()


def test_a_report_without_room_leaves_the_result(song: Path, disk: Disk) -> None:
    out = disk.folder / "out"
    disk.leave(800 * KIB)
    one_line(
        [*recovering(song, "--to", "recall", QUIET), "--out", out], str(out / "report.html"), "mix2daw report"
    )
    assert (out / "render.wav").read_bytes() == (song / "out/render.wav").read_bytes()
    assert not list(out.glob("*report*"))
    assert listing(disk.folder) == ["filler", "out", *(f"out/{name}" for name in listing(out))]
    disk.leave(16_000 * KIB)
    assert run("report", out).exit_code == 0
    assert (out / "report.html").exists()


PRINTS = (
    ["check", "SONG/stems", "SONG/mix.wav", "--json"],
    ["schema"],
    ["--help"],
)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("given", PRINTS, ids=lambda given: given[0])
def test_an_output_that_takes_no_more_is_one_line(song: Path, given: list[str]) -> None:
    words = [word.replace("SONG", str(song)) for word in given]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "mix2daw", *words],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            text=True,
        )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "No space left" in done.stderr


def test_stems_that_fit_nowhere_are_one_clear_line() -> None:
    """Not into memory, and there is no folder for temporary files."""
    code = """
import resource, numpy as np
from mix2daw.errors import OutputError
from mix2daw.spool import Spool
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
try:
    Spool(0).keep(np.ones((1, 100_000), np.float32))
except OutputError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "TMPDIR" in done.stdout
    assert done.stdout.count("\n") == 1


class At(Silence):
    """Does something to a file when a stage begins."""

    def __init__(self, stage: str, file: Path, action: str) -> None:
        self.at, self.file, self.action = stage, file, action

    def stage(self, name: str, steps: int) -> None:
        if name == self.at:
            spoil(self.file, self.action)


def spoil(file: Path, action: str) -> None:
    """Remove a file, change it, or leave only its first half."""
    if action == "gone":
        file.unlink()
    elif action == "changed":
        signal, rate = soundfile.read(file)
        soundfile.write(file, 0.5 * signal, rate, subtype="FLOAT")
    else:
        whole = file.read_bytes()
        file.write_bytes(whole[:20])


def job(song: Path, out: Path, resume: bool = False) -> Job:
    settings = Settings(only=Selection.of("--only", ["width"]), budget_s=0.01)
    return Job(song / "stems", song / "mix.wav", out, settings=settings, resume=resume, force=True)


@pytest.mark.parametrize("action", ["gone", "changed", "unreadable"])
@pytest.mark.parametrize(
    ("stage", "name"),
    [
        ("warm start", "stems/kick.wav"),
        ("Rendering", "stems/kick.wav"),
        ("Report", "stems/kick.wav"),
        ("Comparing", "mix.wav"),
    ],
)
def test_a_file_that_goes_in_the_run_is_named_and_the_search_is_kept(
    own_song: Path, song: Path, stage: str, name: str, action: str
) -> None:
    out, file = own_song / "out", own_song / name
    before, whole = content(out), file.read_bytes()
    with pytest.raises(MixError) as caught:
        recover(job(own_song, out), At(stage, file, action))
    assert isinstance(caught.value, InputError)
    assert file.name in caught.value.where
    assert ".part" not in str(caught.value)
    assert "--resume" in caught.value.remedy
    assert content(out) == before
    assert (own_song / f".out.work/{STATE_FILE}").exists()
    file.write_bytes(whole)
    shutil.rmtree(out)
    recover(job(own_song, out, resume=True), Silence())
    assert content(out) == content(song / "out")


def test_stems_that_differ_when_a_run_is_gone_on_with_are_named(own_song: Path, song: Path) -> None:
    out, kick = own_song / "out", own_song / "stems/kick.wav"
    with pytest.raises(InputError):
        recover(job(own_song, out), At("Rendering", kick, "gone"))
    kept = (own_song / f".out.work/{STATE_FILE}").read_bytes()
    command = [*recovering(own_song, "--resume", "--force"), "--out", out]
    one_line([*command, QUIET], "kick.wav", "not among the stems")
    shutil.copy(song / "stems/kick.wav", kick)
    shutil.copy(kick, own_song / "stems/another.wav")
    one_line([*command, QUIET], "another.wav", "is new")
    (own_song / "stems/another.wav").unlink()
    for file in (kick, own_song / "mix.wav"):
        whole = file.read_bytes()
        spoil(file, "changed")
        one_line([*command, QUIET], file.name, "has changed")
        file.write_bytes(whole)
    assert (own_song / f".out.work/{STATE_FILE}").read_bytes() == kept
    assert run(*command).exit_code == 0
    assert content(out) == content(song / "out")


def test_stems_that_are_gone_or_differ_after_a_run_are_told(own_song: Path) -> None:
    out, kick = own_song / "out", own_song / "stems/kick.wav"
    commands = {
        "export": ["export", out / "graph.json", "--to", "pedalboard", "--out", own_song / "new"],
        "render": ["render", out / "graph.json", "--out", own_song / "new.wav"],
        "report": ["report", out],
        "refine": [
            "refine",
            out / "graph.json",
            "--budget",
            "0.01s",
            "--to",
            "recall",
            "--out",
            own_song / "closer",
        ],
    }
    spoil(kick, "changed")
    for command in commands.values():
        result = run(*command)
        assert result.exit_code == 0, result.output
        assert result.stderr.count("kick: its file has changed since") == 1
    for name in ("new", "new.wav", "closer"):
        path = own_song / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for action in ("unreadable", "gone"):
        spoil(kick, action)
        before = content(own_song)
        for command in commands.values():
            one_line(command, "kick.wav")
            assert content(own_song) == before


def test_samples_beyond_all_measure_are_refused(own_song: Path) -> None:
    """Their squares would be infinite."""
    signal, rate = soundfile.read(own_song / "stems/kick.wav", dtype="float32")
    signal[100] = np.float32(1e25)
    soundfile.write(own_song / "stems/kick.wav", signal, rate, subtype="FLOAT")
    one_line([*recovering(own_song), "--out", own_song / "new"], "kick.wav", "full scale")
    assert not (own_song / "new").exists()
