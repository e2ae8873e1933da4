"""A search that is killed goes on where it was, and ends as if nothing had happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest
from _kills import killed, recovered
from search_helpers import session_of
from test_cli import listing, make_song, run
from test_lock import console, settings, sources

from mix2daw.output import new_folder, work_folder
from mix2daw.progress import Silence
from mix2daw.search import STATE_FILE, Plan, Settings, Store, plan
from mix2daw.search.course import from_stems
from mix2daw.search.state import State

KILLS, REPLACEMENTS = 3, 12


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


def test_what_is_kept_but_not_whole_is_not_taken(planned: Plan, tmp_path: Path) -> None:
    """Half a file, and one impulse response that is named but not there."""
    store = _Dying(tmp_path, "one")
    store.last = 1
    with pytest.raises(KilledError):
        planned.run(Silence(), store)
    kept = tmp_path / STATE_FILE
    whole = kept.read_text(encoding="utf-8")
    for spoilt in (whole[: len(whole) // 2], whole.replace('"impulses": []', '"impulses": ["room#0"]')):
        assert spoilt != whole
        kept.write_text(spoilt, encoding="utf-8")
        again = _Dying(tmp_path, "one", resume=True)
        again.last = 1
        with pytest.raises(KilledError):  # after its first step: it began at the start
            planned.run(Silence(), again)


def test_a_killed_process_is_gone_on_with(tmp_path: Path) -> None:
    """At random moments of the whole run, over an older result; report and session are compared, too."""
    song = make_song(tmp_path / "song")
    given = [str(song / "stems"), str(song / "mix.wav"), "--preview", "--only", "equalizer", "--to", "reaper"]
    steps = [step.__name__ for step in from_stems(Settings(quick=True))]
    whole = tmp_path / "place/whole"
    whole_s = recovered(given, whole)
    outcome = killed(given, whole, whole_s, steps, KILLS, seed=1)
    assert outcome.wrong == []
    assert len(outcome.kills) == KILLS
    assert outcome.files > 10
    assert [path.name for path in whole.parent.iterdir()] == ["whole"]


def generations(folder: Path) -> set[str]:
    """What stands in the files of a result."""
    return {file.read_text(encoding="utf-8") for file in folder.iterdir()}


def test_a_kill_while_a_result_is_replaced_loses_nothing(tmp_path: Path) -> None:
    """A process replaces a result as fast as it can, and is killed at random; the next one brings back what
    the kill left in the way."""
    out, random = tmp_path / "out", Random(2)
    code = f"""
from pathlib import Path
from mix2daw.output import new_folder
number = 0
while True:
    with new_folder(Path({str(out)!r})) as folder:
        for name in ("graph.json", "render.wav", "result.json"):
            (folder / name).write_text(str(number))
    number += 1
    print(number, flush=True)
"""
    for _ in range(REPLACEMENTS):
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()  # one result stands
        time.sleep(random.uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        with new_folder(out) as folder:
            assert len(generations(out)) == 1  # whole, and brought back if it was away
            (folder / "graph.json").write_text("next", encoding="utf-8")
        assert generations(out) == {"next"}
        assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_a_killed_run_of_our_own_number_left_is_in_nobodys_way(tmp_path: Path) -> None:
    """In a container the numbers of processes begin anew."""
    old, half = (tmp_path / f".out.{os.getpid()}.{kind}" for kind in ("old", "part"))
    for left in (old, half):
        left.mkdir()
        (left / "graph.json").write_text(left.suffix, encoding="utf-8")
    with new_folder(tmp_path / "out") as folder:
        assert generations(tmp_path / "out") == {".old"}
        assert list(folder.iterdir()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


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
