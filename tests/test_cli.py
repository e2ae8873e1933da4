"""The command line: bad input ends in one line and exit code 2, and leaves nothing behind; good input in a
whole folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from typer.testing import CliRunner, Result

from mix2daw.cli import app
from mix2daw.graph import Graph, Strip, read_graph

RATE = 16000
SECONDS = 2.0


def run(*arguments: object) -> Result:
    """The outcome of a command, as a shell would see it."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def bursts(seed: int, every_s: float, pitch_hz: float) -> np.ndarray:
    """Decaying tones with some noise, mono."""
    random = np.random.default_rng(seed)
    time = np.arange(int(SECONDS * RATE)) / RATE
    envelope = np.exp(-8 * (time % every_s))
    signal = envelope * (np.sin(2 * np.pi * pitch_hz * time) + 0.2 * random.standard_normal(len(time)))
    return 0.2 * signal


def write(path: Path, signal: np.ndarray, rate: int = RATE) -> None:
    """A FLAC or WAV file; `signal` (samples,) or (samples, channels)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, signal, rate, subtype="FLOAT" if path.suffix == ".wav" else "PCM_24")


@pytest.fixture
def song(tmp_path: Path) -> Path:
    """A folder with `stems/` (three that sound, one silent) and `mix.wav`."""
    return make_song(tmp_path)


def make_song(folder: Path) -> Path:
    """Stems and mix in `folder`."""
    kick, keys, lead = bursts(1, 0.5, 60), bursts(2, 0.75, 330), bursts(3, 1.1, 880)
    write(folder / "stems/kick.wav", kick)
    write(folder / "stems/keys.wav", np.stack([keys, 0.8 * np.roll(keys, 40)], axis=1))
    write(folder / "stems/lead [b].wav", lead)
    write(folder / "stems/spare.wav", np.zeros_like(kick))
    left = kick + 0.5 * keys + 0.3 * lead
    right = kick + 0.4 * np.roll(keys, 40) + 0.6 * lead
    write(folder / "mix.wav", np.stack([left, right], axis=1))
    return folder


@pytest.fixture
def graph_file(song: Path) -> Path:
    """A small graph beside the song."""
    strips = (
        Strip(name="kick", kind="track", source="stems/kick.wav", channels=1, fader_db=-6, output="master"),
        Strip(name="lead", kind="track", source="stems/lead [b].wav", channels=1, pan=0.5, output="master"),
        Strip(name="master", kind="master"),
    )
    path = song / "graph.json"
    graph = Graph(sample_rate=RATE, length_samples=int(SECONDS * RATE), strips=strips)
    path.write_text(graph.to_json(), encoding="utf-8")
    return path


def listing(folder: Path) -> list[str]:
    """Everything beneath a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def refused(folder: Path, arguments: Sequence[object], *words: str) -> None:
    """One line with the words on standard error, exit code 2, and nothing changed in `folder`."""
    before = listing(folder)
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("mix2daw: ")
    for word in words:
        assert word in lines[0]
    assert listing(folder) == before


def no_folder(song: Path) -> None:
    (song / "stems").rename(song / "elsewhere")


def empty_folder(song: Path) -> None:
    for path in (song / "stems").iterdir():
        path.unlink()


def text_as_wav(song: Path) -> None:
    (song / "stems/kick.wav").write_text("this is no audio\n" * 40, encoding="utf-8")


def nan_samples(song: Path) -> None:
    signal = bursts(1, 0.5, 60)
    signal[1000] = np.nan
    write(song / "stems/kick.wav", signal)


def unrelated_lengths(song: Path) -> None:
    for path in (song / "stems").iterdir():
        write(path, 0.1 * np.ones(RATE // 2))


def two_of_one_name(song: Path) -> None:
    write(song / "stems/kick.flac", bursts(1, 0.5, 60))


def no_mix(song: Path) -> None:
    (song / "mix.wav").unlink()


def all_silent(song: Path) -> None:
    for path in (song / "stems").iterdir():
        write(path, np.zeros(int(SECONDS * RATE)))


BAD_SONGS: dict[Callable[[Path], None], str] = {
    no_folder: "stems",
    empty_folder: "stems",
    text_as_wav: "kick.wav",
    nan_samples: "kick.wav",
    unrelated_lengths: "0.5 s",
    two_of_one_name: "kick.flac",
    no_mix: "mix.wav",
    all_silent: "silent",
}


@pytest.mark.parametrize("spoil", BAD_SONGS, ids=lambda spoil: spoil.__name__)
def test_a_bad_song_is_refused(song: Path, spoil: Callable[[Path], None]) -> None:
    spoil(song)
    refused(song, ["recover", song / "stems", song / "mix.wav", "--out", song / "out"], BAD_SONGS[spoil])


BAD_OPTIONS: dict[str, tuple[list[str], tuple[str, ...]]] = {
    "only": (["--only", "equalizer,flanger"], ("--only flanger", "compressor")),
    "only nothing": (["--only", ","], ("commas",)),
    "without": (["--without", "kick.flanger"], ("--without kick.flanger", "keys")),
    "without what is not there": (["--without", "kick.width"], ("--without kick.width", "gate")),
    "lock what is left out": (
        ["--without", "gate", "--lock", "kick.gate"],
        ("--lock kick.gate", "compressor"),
    ),
    "format": (["--to", "reaper,cubase"], ("cubase", "dawproject")),
    "no format": (["--to", ","], ("commas",)),
    "preset": (["--preset", "radio"], ("radio", "studio")),
    "strategy": (["--strategy", "luck"], ("luck", "saliency")),
    "device": (["--device", "tpu"], ("tpu", "cpu")),
    "budget": (["--budget", "soon"], ("soon", "10m")),
    "negative budget": (["--budget=-5m"], ("-5m",)),
    "tolerance": (["--tolerance=-1"], ("tolerance",)),
    "not a number": (["--tolerance=nan"], ("tolerance",)),
    "groups that are not there": (["--groups", "nowhere.yaml"], ("nowhere.yaml",)),
}


@pytest.mark.parametrize("name", BAD_OPTIONS)
def test_a_bad_option_is_refused(song: Path, name: str) -> None:
    options, words = BAD_OPTIONS[name]
    where = ["recover", song / "stems", song / "mix.wav", "--out", song / "out"]
    refused(song, [*where, *options], *words)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_cuda_is_refused_in_one_line(song: Path) -> None:
    where = ["recover", song / "stems", song / "mix.wav", "--out", song / "out"]
    refused(song, [*where, "--device", "cuda"], "cuda", "cpu")


def test_a_place_that_cannot_be_written_is_refused(song: Path) -> None:
    (song / "file").write_text("", encoding="utf-8")
    where = ["recover", song / "stems", song / "mix.wav", "--out"]
    refused(song, [*where, song / "file"], "file")
    refused(song, [*where, song / "file/inside/deep"], "file")


def test_existing_output_is_refused_without_force(song: Path, graph_file: Path) -> None:
    out = song / "out"
    out.mkdir()
    (out / "graph.json").write_text("{}", encoding="utf-8")
    refused(song, ["recover", song / "stems", song / "mix.wav", "--out", out], "--force")
    refused(song, ["export", graph_file, "--to", "reaper", "--out", out], "--force")
    wav = song / "render.wav"
    wav.write_bytes(b"old")
    refused(song, ["render", graph_file, "--out", wav], "--force")
    assert wav.read_bytes() == b"old"


def test_force_replaces_nothing_but_results(song: Path, graph_file: Path) -> None:
    holiday = song / "holiday"
    holiday.mkdir()
    (holiday / "photo.jpg").write_bytes(b"a memory")
    recover = ["recover", song / "stems", song / "mix.wav", "--force", "--out"]
    refused(song, [*recover, holiday], "photo.jpg")
    (holiday / "graph.json").write_text("{}", encoding="utf-8")
    refused(song, [*recover, holiday], "photo.jpg")
    refused(song, [*recover, song], "mix")
    refused(song, [*recover, song / "stems"], "stems")
    refused(song, ["export", graph_file, "--to", "reaper", "--force", "--out", holiday], "holiday")
    assert (holiday / "photo.jpg").read_bytes() == b"a memory"


def test_bad_graphs_and_engines_are_refused(song: Path, graph_file: Path) -> None:
    out = song / "new.wav"
    refused(song, ["render", graph_file, "--engine", "tape", "--out", out], "tape", "pedalboard")
    refused(song, ["render", song / "no.json", "--out", out], "no.json")
    refused(song, ["export", graph_file, "--to", "cubase", "--out", song / "new"], "cubase")
    (song / "stems/kick.wav").unlink()
    refused(song, ["render", graph_file, "--out", out], "kick.wav")
    refused(song, ["export", graph_file, "--to", "reaper", "--out", song / "new"], "kick.wav")
    graph_file.write_text('{"schema": "mix2daw.graph/1", "strips": 3}', encoding="utf-8")
    refused(song, ["render", graph_file, "--out", out], "graph.json")


def test_an_unknown_processor_in_a_graph_is_refused(song: Path, graph_file: Path) -> None:
    graph_file.write_text(
        graph_file.read_text(encoding="utf-8").replace('"devices": []', '"devices": [{"type": "flanger"}]'),
        encoding="utf-8",
    )
    refused(song, ["render", graph_file, "--out", song / "new.wav"], "flanger", "strips.kick")


def test_a_name_with_a_line_break_still_gives_one_line(song: Path) -> None:
    odd = song / "two\nlines"
    refused(song, ["recover", odd, song / "mix.wav", "--out", song / "out"], "two lines")


def test_the_console_script_ends_without_a_traceback(song: Path) -> None:
    script = Path(sys.executable).with_name("mix2daw")
    arguments = [script, "recover", song / "nowhere", song / "mix.wav", "--out", song / "out"]
    result = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert "nowhere" in result.stderr
    usage = subprocess.run([script, "recover"], capture_output=True, text=True, check=False)
    assert usage.returncode == 2
    assert "Traceback" not in usage.stderr


@pytest.mark.parametrize("engine", ["pedalboard", "torch"])
def test_render_plays_the_graph(song: Path, graph_file: Path, engine: str) -> None:
    out = song / "render.wav"
    assert run("render", graph_file, "--engine", engine, "--out", out).exit_code == 0
    info = soundfile.info(out)
    assert (info.samplerate, info.channels, info.frames) == (RATE, 2, int(SECONDS * RATE))
    assert info.subtype == "FLOAT"
    kick, lead = (soundfile.read(song / f"stems/{name}.wav")[0] for name in ("kick", "lead [b]"))
    fader = 10 ** (-6 / 20)
    np.testing.assert_allclose(
        soundfile.read(out)[0], np.stack([fader * kick + 0.5 * lead, fader * kick + lead], axis=1), atol=1e-6
    )


def test_compare_measures_a_known_difference(song: Path) -> None:
    mix, _ = soundfile.read(song / "mix.wav")
    write(song / "half.wav", 0.5 * mix)
    result = run("compare", song / "half.wav", song / "mix.wav", "--json")
    assert result.exit_code == 0
    measures = json.loads(result.stdout)
    assert measures["sdr_db"] == pytest.approx(20 * np.log10(2), abs=1e-3)
    assert measures["loudness_difference_lu"] == pytest.approx(-20 * np.log10(2), abs=1e-3)
    same = json.loads(run("compare", song / "mix.wav", song / "mix.wav", "--json").stdout)
    assert (same["la.full"], same["null_db"]) == (0, None)
    assert "sdr_db" in run("compare", song / "half.wav", song / "mix.wav").stdout


def test_explain_ranks_what_is_missing(song: Path, graph_file: Path) -> None:
    out = song / "render.wav"
    assert run("render", graph_file, "--out", out).exit_code == 0
    same = json.loads(run("explain", graph_file, "--mix", out, "--json").stdout)
    assert same["la"] < 1e-3
    louder, rate = soundfile.read(out)
    soundfile.write(song / "louder.wav", 0.5 * louder, rate, subtype="FLOAT")
    other = json.loads(run("explain", graph_file, "--mix", song / "louder.wav", "--json").stdout)
    assert other["missing"][0]["la_fall"] > 0.3 * other["la"]
    shown = run("explain", graph_file, "--mix", song / "louder.wav", "--top", "2").stdout
    assert other["missing"][0]["strip"] in shown
    refused(song, ["explain", graph_file, "--mix", song / "no.wav"], "no.wav")


def test_export_writes_each_format_and_what_is_lost(song: Path, graph_file: Path) -> None:
    out = song / "deep/er/sessions"
    arguments = ["export", graph_file, "--to", "dawproject,reaper,ardour", "--out", out]
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    assert {path.name for path in out.iterdir()} == {"dawproject", "reaper", "ardour", "lost.json"}
    lost = json.loads((out / "lost.json").read_text(encoding="utf-8"))
    assert set(lost) == {"dawproject", "reaper", "ardour"}
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert run(*arguments, "--force").exit_code == 0
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    assert listing(out.parent) == sorted(["sessions", *(f"sessions/{name}" for name in listing(out))])


def test_the_lists_name_everything() -> None:
    from mix2daw.exporters import FORMATS, matrix
    from mix2daw.processors import PROCESSORS

    shown = run("processors").stdout
    for processor in PROCESSORS.values():
        assert all(param.name in shown for param in processor.params)
    shown = run("formats").stdout
    assert all(name in shown for name in (*FORMATS, *PROCESSORS, "own DSP"))
    assert run("formats", "--markdown").stdout == matrix.markdown()


@pytest.fixture(scope="module")
def recovered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A recovery of a small song with a small console, as a shell would see it."""
    folder = tmp_path_factory.mktemp("recovered")
    make_song(folder)
    return folder, recover_small(folder)


def recover_small(folder: Path, *more: str) -> Result:
    """`recover` of the song in `folder` with few processors."""
    few = ("--only", "width", "--budget", "0.01s", "--json")
    return run("recover", folder / "stems", folder / "mix.wav", "--out", folder / "out/song", *few, *more)


def test_recover_leaves_a_whole_folder(recovered: tuple[Path, Result]) -> None:
    folder, outcome = recovered
    assert outcome.exit_code == 0, outcome.output
    out = folder / "out/song"
    names = {"graph.json", "render.wav", "difference.wav", "result.json", "groups.yaml", "sessions"}
    assert {path.name for path in out.iterdir()} == {*names, "report.html"}
    assert {path.name for path in (out / "sessions").iterdir()} == {
        "dawproject",
        "reaper",
        "ardour",
        "recall",
    }
    assert [path.name for path in out.parent.iterdir()] == ["song"]
    assert (out.stat().st_mode & 0o777) == 0o777 & ~current_umask()


def test_recover_says_on_standard_output_what_is_in_the_file(recovered: tuple[Path, Result]) -> None:
    folder, outcome = recovered
    result = json.loads(outcome.stdout)
    assert result == json.loads((folder / "out/song/result.json").read_text(encoding="utf-8"))
    assert set(result["la"]) == {"full", "left_right", "mid", "side"}
    assert result["silent"] == ["spare"]
    assert result["la"]["full"] < result["la_sum_of_stems"]
    for count in (result["devices_before"], result["devices_after"]):
        assert count["total"] == sum(count["per_type"].values())
    assert result["null_db"]["torch_pedalboard"] is None or result["null_db"]["torch_pedalboard"] < -80
    assert set(result["lost"]) == {"dawproject", "reaper", "ardour", "recall"}
    assert "spare" in outcome.stderr


def test_render_and_difference_add_up_to_the_mix(recovered: tuple[Path, Result]) -> None:
    folder, _ = recovered
    render, difference, mix = (
        soundfile.read(path, dtype="float32")[0]
        for path in (folder / "out/song/render.wav", folder / "out/song/difference.wav", folder / "mix.wav")
    )
    np.testing.assert_allclose(render + difference, mix, atol=1e-6)


def test_the_sources_of_the_graph_are_found_from_its_folder(recovered: tuple[Path, Result]) -> None:
    folder, _ = recovered
    out = folder / "out/song"
    graph = read_graph(out / "graph.json")
    named = {(out / strip.source).resolve() for strip in graph.of_kind("track") if strip.source}
    assert named == {folder / "stems" / f"{name}.wav" for name in ("kick", "keys", "lead [b]")}
    again = folder / "again.wav"
    assert run("render", out / "graph.json", "--out", again).exit_code == 0
    assert again.read_bytes() == (out / "render.wav").read_bytes()


def test_recover_again_gives_the_same_bytes(recovered: tuple[Path, Result]) -> None:
    folder, _ = recovered
    out = folder / "out/song"
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    groups = ("--groups", str(out / "groups.yaml"))
    assert recover_small(folder, "--force", *groups).exit_code == 0
    after = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    for timed in (out / "result.json", out / "report.html"):  # both tell the seconds
        assert before.pop(timed) != b""
        after.pop(timed)
    assert after == before


def test_the_report_is_that_of_the_folder(recovered: tuple[Path, Result]) -> None:
    folder, _ = recovered
    again = folder / "again.html"
    outcome = run("report", folder / "out/song", "--out", again)
    assert outcome.exit_code == 0, outcome.output
    assert again.read_bytes() == (folder / "out/song/report.html").read_bytes()
    record = json.loads((folder / "out/song/result.json").read_text(encoding="utf-8"))["search"]
    assert record["schema"] == "mix2daw.search/1"
    offered = {strip["name"]: strip for strip in record["offered"]}
    assert offered["keys"]["inserts"] == ["width"]
    assert offered["master"]["kind"] == "master"
    refused(folder, ["report", folder / "out/song", "--out", again], "--force")


def test_recover_without_a_report(song: Path) -> None:
    assert recover_small(song, "--no-report").exit_code == 0
    assert not (song / "out/song/report.html").exists()


def test_a_stop_in_the_report_leaves_the_result(song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import mix2daw.report.folder

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(mix2daw.report.folder, "report_html", stopped)
    outcome = recover_small(song)
    assert outcome.exit_code == 0
    assert "no report" in outcome.stderr
    assert (song / "out/song/graph.json").exists()
    assert not list((song / "out/song").glob("*report*"))


def test_a_stop_while_writing_leaves_nothing(song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import mix2daw.recover

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(mix2daw.recover.Plan, "run", stopped)
    before = listing(song)
    outcome = run("recover", song / "stems", song / "mix.wav", "--out", song / "deep/out")
    assert outcome.exit_code == 130
    assert outcome.stderr.splitlines()[-1] == "mix2daw: stopped: nothing was written"
    assert listing(song) == before


def current_umask() -> int:
    """The umask of this process."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
