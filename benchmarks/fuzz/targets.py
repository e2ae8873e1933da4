"""What is fuzzed: bytes in, and nothing but a `MixError` may come out.

Each target writes the bytes into a folder as the file that a person would give, and reads it as a command
does. `seeds` are small valid files, from which mutations start.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import typer
from consoles import drawn_graph, export_all, mutated_json, write_audio
from typer.main import get_command

from mix2daw.cli import app
from mix2daw.cli.settings_file import apply_settings
from mix2daw.exporters import FORMATS
from mix2daw.graph import read_graph
from mix2daw.groups import read_groups, sorted_into
from mix2daw.processors import PROCESSORS, checked_graph
from mix2daw.render import render_graph
from mix2daw.result import read_result
from mix2daw.session import open_session
from mix2daw.stems import AudioFile, probe, read_audio, read_impulse

HERE = Path(__file__).resolve().parent
SAMPLE = HERE.parent.parent / "samples" / "song"
# Containers and sample formats that libsndfile tells by their content, whatever the name of the file.
CONTAINERS: tuple[tuple[str, str], ...] = (
    ("WAV", "PCM_U8"),
    ("WAV", "PCM_16"),
    ("WAV", "FLOAT"),
    ("WAV", "DOUBLE"),
    ("WAV", "IMA_ADPCM"),
    ("WAVEX", "PCM_24"),
    ("RF64", "PCM_16"),
    ("W64", "PCM_32"),
    ("AIFF", "PCM_S8"),
    ("AIFF", "FLOAT"),
    ("CAF", "PCM_24"),
    ("CAF", "ALAC_16"),
    ("AU", "ULAW"),
    ("FLAC", "PCM_16"),
    ("FLAC", "PCM_24"),
    ("OGG", "VORBIS"),
    ("OGG", "OPUS"),
    ("MP3", "MPEG_LAYER_III"),
)


@dataclass(frozen=True)
class Target:
    """`run(data, folder)`: whatever is no MixError is a bug; `seeds`: what mutations start from;
    `most_bytes`: of one input."""

    run: Callable[[bytes, Path], None]
    seeds: Callable[[], Iterator[bytes]]
    most_bytes: int = 4096


def _graph(data: bytes, folder: Path) -> None:
    path = folder / "graph.json"
    path.write_bytes(data)
    graph = checked_graph(read_graph(path), PROCESSORS)
    path.write_text(graph.to_json(), encoding="utf-8")
    assert read_graph(path) == graph


def _graph_seeds() -> Iterator[bytes]:
    yield (SAMPLE / "truth.json").read_bytes()[:4096]
    for number in range(8):
        graph = drawn_graph(bytes((7 * number + 31 * place) % 256 for place in range(150)))
        yield graph.to_json().encode()


def _render(data: bytes, folder: Path) -> None:
    """A graph with some of its values changed, played by both engines."""
    write_audio(folder)
    path = folder / "graph.json"
    path.write_text(mutated_json(data), encoding="utf-8")
    graph = read_graph(path)
    for engine in ("pedalboard", "torch"):
        mix = render_graph(graph, folder, engine)
        assert mix.shape == (2, graph.length_samples)


def _groups(data: bytes, folder: Path) -> None:
    path = folder / "groups.yaml"
    path.write_bytes(data)
    groups, _ = sorted_into(read_groups(path), ("Kick", "lead vox", "[a]", "ß"))
    assert all(groups.values())


def _group_seeds() -> Iterator[bytes]:
    yield (SAMPLE / "groups.yaml").read_bytes()
    yield b'drums: [kick*, "oh ?", "[!a]*"]\nvox:\n- lead vox\n- \'*harm*\'\n'
    yield b"a: &x [b]\nc: *x\n"
    yield b"? a\n: - b\n...\n---\n!!str c: [!!str d]\n<<: {e: [f]}\n"


def _settings(data: bytes, folder: Path) -> None:
    path = folder / "mix2daw.toml"
    path.write_bytes(data)
    for name in ("recover", "export"):
        apply_settings(typer.Context(_COMMAND.commands[name], parent=typer.Context(_COMMAND)), path)


_COMMAND: Any = get_command(app)


def _settings_seeds() -> Iterator[bytes]:
    yield b'[recover]\npreset = "studio"\nto = ["reaper", "ardour"]\nseed = 3\ntolerance = 0.01\n'
    yield b'[export]\namount = ["50", "Vox=30"]\ndevices = "native"\n[compare]\njson = true\n'
    yield b'[recover]\ngroups = "a.yaml"\nbudget = "10m"\nno-report = true\nonly = "gate,vox.equalizer"\n'
    yield b'recover.preset = """a\nb"""\n[[export]]\nx = 1979-05-27T07:32:00Z\n[refine]\ny = [1, {z = inf}]\n'


def _audio(data: bytes, folder: Path) -> None:
    path = folder / "a.wav"
    path.write_bytes(data)
    for read in (read_audio, lambda path: read_impulse(path, 44100)):
        try:
            signal = read(path)
        except Exception as error:
            if not type(error).__module__.startswith("mix2daw."):
                raise
            continue
        assert signal.dtype == np.float32
        assert signal.shape[1] > 0
        assert np.isfinite(signal).all()
    file: AudioFile = probe(path)
    assert file.samples > 0


def _audio_seeds() -> Iterator[bytes]:
    rng = np.random.default_rng(1)
    for container, subtype in CONTAINERS:
        for channels, rate in ((1, 8000), (2, 48000), (4, 44100)):
            out = io.BytesIO()
            signal = rng.uniform(-0.5, 0.5, (64, channels))
            try:
                soundfile.write(out, signal, rate, format=container, subtype=subtype)
            except soundfile.SoundFileError:  # a format that does not have this rate, or so many channels
                continue
            yield out.getvalue()
    # A broadcast extension, a list of texts and a cue, as recorders write them.
    out = io.BytesIO()
    soundfile.write(out, np.zeros((64, 2)), 48000, format="WAV", subtype="PCM_16")
    whole = out.getvalue()
    more = b"bext" + (602).to_bytes(4, "little") + b"x" * 602
    more += b"LIST" + (16).to_bytes(4, "little") + b"INFOINAM" + (4).to_bytes(4, "little") + b"kick"
    more += b"cue " + (4).to_bytes(4, "little") + bytes(4)
    body = whole[:36] + more + whole[36:]
    yield body[:4] + (len(body) - 8).to_bytes(4, "little") + body[8:]


def _session(data: bytes, folder: Path) -> None:
    """One stem and a mix of the same bytes, but for where they are cut."""
    half = len(data) // 2
    stems = folder / "stems"
    stems.mkdir(exist_ok=True)
    (stems / "a.wav").write_bytes(data[:half])
    (folder / "mix.wav").write_bytes(data[half:])
    session = open_session(stems, folder / "mix.wav")
    assert all(track.signal.shape[1] == session.mix.shape[1] for track in session.tracks)


def _session_seeds() -> Iterator[bytes]:
    rng = np.random.default_rng(1)
    for rate, subtype in ((8000, "PCM_16"), (11025, "PCM_U8"), (8000, "FLOAT")):
        parts = []
        signal = rng.uniform(-0.5, 0.5, (rate // 2 + 8, 1))
        for channels in (1, 2):
            out = io.BytesIO()
            soundfile.write(out, np.repeat(signal, channels, 1), rate, format="WAV", subtype=subtype)
            parts.append(out.getvalue())
        size = max(map(len, parts))
        yield b"".join(part.ljust(size, b"\0") for part in parts)


def _result(data: bytes, folder: Path) -> None:
    path = folder / "result.json"
    path.write_bytes(data)
    read_result(path).to_json()


def _result_seeds() -> Iterator[bytes]:
    numbers = {"torch": 0.1, "pedalboard": 0.2}
    devices = {"total": 2, "per_type": {"gate": 2}}
    result = {
        "la": numbers,
        "la_paper": numbers,
        "la_sum_of_stems": 1.0,
        "la_console": None,
        "linear_ceiling": 0.5,
        "devices_before": devices,
        "devices_after": devices,
        "sdr_db": 10.0,
        "loudness_difference_lu": None,
        "null_db": {"a": None},
        "seconds": {"total": 3.0},
        "peak_rss_mib": 100.0,
        "lost": {"reaper": [{"strip": "a", "device": "gate", "how": "printed", "reason": "b"}]},
        "silent": ["c"],
        "findings": ["d"],
        "interrupted": False,
        "out_of_time": False,
        "preset": "studio",
        "strategy": "saliency",
        "tolerance": 0.01,
        "seed": 0,
        "version": "1",
    }
    yield json.dumps(result).encode()


def _export(data: bytes, folder: Path) -> None:
    graph = drawn_graph(data)
    # An AAF takes as long as a hundred of the others.
    with_aaf = sum(data) % 64 == 0
    export_all(graph, folder, FORMATS if with_aaf else [name for name in FORMATS if name != "aaf"])


def _export_seeds() -> Iterator[bytes]:
    for number in range(6):
        yield bytes((11 * number + 37 * place) % 256 for place in range(200))
    yield "<&>\"']]>\0\ud7ff=@-+../../etc/passwd".encode() * 5


TARGETS: dict[str, Target] = {
    "graph": Target(_graph, _graph_seeds),
    "render": Target(_render, _export_seeds, 600),
    "groups": Target(_groups, _group_seeds, 1024),
    "settings": Target(_settings, _settings_seeds, 1024),
    "audio": Target(_audio, _audio_seeds),
    "session": Target(_session, _session_seeds, 40000),
    "result": Target(_result, _result_seeds),
    "export": Target(_export, _export_seeds, 600),
}
