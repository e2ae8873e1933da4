"""What is told of a run while it goes on: on a terminal a bar, else only what was asked for."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from rich.console import Console
from test_cli import make_song, refused, run

from mix2daw.eta import Cost
from mix2daw.overview import Overview

SMALL = ("--only", "width", "--budget", "0.01s", "--to", "recall")


def overview(verbose: bool = False, quiet: bool = False) -> tuple[Overview, io.StringIO]:
    told = io.StringIO()
    return Overview(Console(file=told, highlight=False, width=200), quiet, verbose), told


def test_the_state_names_stage_step_la_and_devices() -> None:
    seen, _ = overview()
    seen.expect([Cost("fit", 10.0)])
    seen.stands(None, 68)
    seen.stage("fit", 40)
    seen.step("waveform 0.2")
    seen.stands(0.1234, None)
    assert seen.state() == "fit, step 1 of 40, waveform 0.2, La 0.123, 68 devices left"
    seen.step("La 0.100, 51 devices left")
    assert seen.state() == "fit, step 2 of 40, La 0.100, 51 devices left"
    seen.stage("write", 1)
    assert seen.state() == "write, La 0.123, 68 devices left"


def test_verbose_tells_each_stage_when_it_is_over() -> None:
    seen, told = overview(verbose=True)
    seen.stage("fit", 2)
    seen.stands(0.5, 12)
    seen.stage("prune", 2)
    assert re.fullmatch(r"mix2daw: fit: \d+\.\d s, La 0\.500, 12 devices left\n", told.getvalue())
    seen.stands(0.4, 7)
    seen.done()
    assert told.getvalue().splitlines()[1].endswith("La 0.400, 7 devices left")
    assert len(told.getvalue().splitlines()) == 2


def test_without_verbose_only_what_is_said_is_told() -> None:
    seen, told = overview()
    seen.stage("fit", 2)
    seen.step("La 0.5")
    seen.say("a [bold]stem[/] is\nsilent")
    seen.done()
    assert told.getvalue() == "mix2daw: a [bold]stem[/] is silent\n"


def test_quiet_says_nothing() -> None:
    seen, told = overview(quiet=True)
    seen.stage("fit", 2)
    seen.say("a stem is silent")
    seen.done()
    assert told.getvalue() == ""


def test_quiet_and_verbose_contradict_each_other(tmp_path: Path) -> None:
    song = make_song(tmp_path)
    command = ["recover", song / "stems", song / "mix.wav", "--out", song / "out"]
    refused(song, [*command, "--quiet", "--verbose"], "--quiet", "--verbose")


def test_a_quiet_recovery_says_nothing_at_all(tmp_path: Path) -> None:
    song = make_song(tmp_path)
    result = run("recover", song / "stems", song / "mix.wav", "--out", song / "out", *SMALL, "--quiet")
    assert (result.exit_code, result.output) == (0, "")
    assert (song / "out/graph.json").exists()
    result = run("report", song / "out", "--quiet")
    assert (result.exit_code, result.output) == (0, "")


def seen_on_a_terminal(*arguments: object) -> tuple[str, str]:
    """Standard output of a command, and what a terminal on standard error gets to see."""
    ours, theirs = pty.openpty()
    shown: list[bytes] = []

    def read() -> None:
        try:
            while part := os.read(ours, 65536):
                shown.append(part)
        except OSError:  # the other end is closed
            pass

    reader = threading.Thread(target=read)
    reader.start()
    command = [sys.executable, "-m", "mix2daw", *map(str, arguments)]
    env = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"}
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, check=True, env=env)
    finally:
        os.close(theirs)  # which ends the reader
        reader.join()
        os.close(ours)
    return done.stdout.decode(), b"".join(shown).decode()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_on_a_terminal_there_is_one_bar_and_json_stays_alone(tmp_path: Path) -> None:
    song = make_song(tmp_path)
    out, shown = seen_on_a_terminal(
        *("recover", song / "stems", song / "mix.wav", "--out", song / "out", *SMALL, "--json", "-v")
    )
    assert json.loads(out) == json.loads((song / "out/result.json").read_text(encoding="utf-8"))
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert re.search(r"\d+ % \d:\d\d, about \d:\d\d left", plain)
    assert re.search(r"La \d\.\d{3}.*devices left", plain)
    assert re.search(r"mix2daw: Rendering: \d+\.\d s", plain)
    # The bar and the line beneath it are wiped in the end.
    assert shown.endswith(2 * "\x1b[1A\x1b[2K")
