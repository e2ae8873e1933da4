"""A search that is killed goes on where it was, and ends as if nothing had happened."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from search_helpers import session_of
from test_cli import listing, make_song, run
from test_lock import console, settings, sources

from mix2daw.output import new_folder, work_folder
from mix2daw.progress import Silence
from mix2daw.search import STATE_FILE, Plan, Store, plan
from mix2daw.search.state import State

KILLS_S = (4.0, 9.0)  # after these, counted from the start of the process


class KilledError(Exception):
    """Stands for the end of the process."""


class _Dying(Store):
    """A store of a process that ends after some steps."""

    last = 0

    def keep(self, state: State, done: int) -> None:
        super().keep(state, done)
        if done == self.last:
            raise KilledError


@pytest.fixture(scope="module")
def planned() -> Plan:
    return plan(session_of(console(band_db=-1.5), sources()), Path(), settings())


def test_a_search_ends_the_same_wherever_it_was_cut(planned: Plan, tmp_path: Path) -> None:
    whole = planned.run(Silence())
    for last in range(1, len(planned.steps)):
        store = _Dying(tmp_path, "one", resume=last > 1)
        store.last = last
        with pytest.raises(KilledError):
            planned.run(Silence(), store)
    found = planned.run(Silence(), Store(tmp_path, "one", resume=True))
    assert found.graph == whole.graph
    assert (found.la_start, found.la_console, found.descent) == (
        whole.la_start,
        whole.la_console,
        whole.descent,
    )
    assert found.trace == whole.trace


def test_what_is_of_another_search_is_not_taken(planned: Plan, tmp_path: Path) -> None:
    store = _Dying(tmp_path, "one")
    store.last = 1
    with pytest.raises(KilledError):
        planned.run(Silence(), store)
    other = _Dying(tmp_path, "another", resume=True)
    other.last = 1
    with pytest.raises(KilledError):  # after its first step: it began at the start
        planned.run(Silence(), other)


def digests(folder: Path) -> dict[str, str]:
    """Of everything that a search and its play decide."""
    files = [folder / "graph.json", folder / "render.wav", folder / "difference.wav"]
    files += sorted((folder / "sessions").rglob("*"))
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
        if file.is_file()
    }


def test_a_killed_process_is_gone_on_with(tmp_path: Path) -> None:
    song = make_song(tmp_path / "song")
    given = ["recover", song / "stems", song / "mix.wav", "--no-report", "--to", "reaper"]
    assert run(*given, "--out", tmp_path / "whole").exit_code == 0
    command = [
        sys.executable,
        "-m",
        "mix2daw",
        *map(str, given),
        "--out",
        str(tmp_path / "killed"),
        "--resume",
    ]
    environment = {**os.environ, "OMP_WAIT_POLICY": "passive"}
    for seconds in KILLS_S:
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not (tmp_path / "killed").exists()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert digests(tmp_path / "killed") == digests(tmp_path / "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["killed", "song", "whole"]


def test_one_run_at_a_time_has_a_folder(tmp_path: Path) -> None:
    song = make_song(tmp_path / "song")
    with work_folder(tmp_path / "out", STATE_FILE):
        before = listing(tmp_path)
        result = run("recover", song / "stems", song / "mix.wav", "--out", tmp_path / "out")
        assert result.exit_code == 2
        assert "another run" in result.stderr
        assert listing(tmp_path) == before
    assert listing(tmp_path) == listing(song.parent)
    assert not (tmp_path / ".out.work").exists()


def test_what_a_killed_run_was_about_to_replace_comes_back(tmp_path: Path) -> None:
    """KilledError between taking the old result away and putting the new one in its place."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    old, half = tmp_path / f".out.{dead.pid}.old", tmp_path / f".out.{dead.pid}.part"
    for folder in (old, half):
        folder.mkdir()
        (folder / "graph.json").write_text(folder.suffix)
    with new_folder(tmp_path / "out") as folder:
        assert (tmp_path / "out" / "graph.json").read_text() == ".old"
        (folder / "graph.json").write_text(".new")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "graph.json").read_text() == ".new"
