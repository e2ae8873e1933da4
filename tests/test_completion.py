"""What a shell completes: the names that exist, by the shell's own way, without torch."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from test_cli import run

from mix2daw.cli import completing
from mix2daw.console import PRESETS
from mix2daw.graph import Graph, Strip
from mix2daw.processors import INSERTS
from mix2daw.search import settings

SCRIPT = Path(sys.executable).with_name("mix2daw")


def test_the_names_are_those_that_exist() -> None:
    assert tuple(PRESETS) == completing.PRESETS
    assert settings.STRATEGIES == completing.STRATEGIES
    assert settings.ENGINES == completing.DEVICES
    assert set(INSERTS) == set(completing.PROCESSORS)


def test_engines_and_daws_are_those_that_a_refusal_names(tmp_path: Path) -> None:
    graph = Graph(sample_rate=44100, length_samples=1, strips=(Strip(name="master", kind="master"),))
    file = tmp_path / "graph.json"
    file.write_text(graph.to_json(), encoding="utf-8")
    refusal = run("render", file, "--engine", "tape", "--out", tmp_path / "x.wav").stderr
    assert refusal.strip().endswith(f"use one of: {', '.join(completing.ENGINES)}")
    refusal = run("verify", file, "--daw", "tape").stderr
    assert refusal.strip().endswith(f"use {', '.join(completing.DAWS)}")


def completed(*words: str) -> list[str]:
    """What bash offers for the last of these words, by the script that `--show-completion` prints."""
    script = f"""
        mix2daw() {{ {SCRIPT} "$@"; }}
        export -f mix2daw
        eval "$({SCRIPT} --show-completion bash)"
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
        _mix2daw_completion {SCRIPT}
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    env = {**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    shell = ["bash", "-c", script, "bash", *words]
    result = subprocess.run(shell, capture_output=True, text=True, check=True, env=env)
    assert result.stderr == ""
    return result.stdout.split()


OFFERED: dict[tuple[str, ...], list[str]] = {
    ("mix2daw", "rec"): ["recover"],
    ("mix2daw", "recover", "--pres"): ["--preset"],
    ("mix2daw", "recover", "--preset", ""): ["studio", "paper"],
    ("mix2daw", "recover", "stems", "mix.wav", "--strategy", "d"): ["dry-wet"],
    ("mix2daw", "recover", "--to", "reaper,a"): ["reaper,ardour", "reaper,aaf"],
    ("mix2daw", "recover", "--only", "limiter,width,lim"): [],
    ("mix2daw", "export", "g.json", "--devices", ""): ["own", "native"],
    ("mix2daw", "render", "g.json", "--engine", "t"): ["torch"],
    ("mix2daw", "formats", "--no"): ["--no-settings"],
}


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize("words", OFFERED, ids=" ".join)
def test_bash_offers_what_fits(words: tuple[str, ...]) -> None:
    assert completed(*words) == OFFERED[words]


def test_a_settings_file_does_not_stand_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mix2daw.toml").write_text("[nothing]\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert completed("mix2daw", "recover", "--preset", "s") == ["studio"]


def test_torch_is_not_loaded_at_a_tab() -> None:
    code = "import mix2daw.cli, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
