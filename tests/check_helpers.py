"""What the tests of `check` share: a piece of the sample song, songs as files, what was found in them."""

from __future__ import annotations

import functools
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile
import soxr

from mix2daw.check.code import Severity
from mix2daw.check.findings import Finding
from mix2daw.check.preflight import Report, check
from mix2daw.progress import Silence
from mix2daw.stems import Signal, read_audio

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "samples" / "song"
RATE, FIRST_S, LAST_S = 44100, 6, 20
SAMPLES = (LAST_S - FIRST_S) * RATE

Stems = dict[str, Signal]


@functools.cache
def _piece(path: Path) -> Signal:
    return read_audio(path)[:, FIRST_S * RATE : LAST_S * RATE]


def piece() -> tuple[Stems, Signal]:
    """Fourteen seconds of the sample song: its stems by name, and its mix."""
    stems = {path.stem: _piece(path) for path in sorted((SAMPLE / "stems").iterdir())}
    return stems, _piece(SAMPLE / "mix.flac")


def write(path: Path, signal: Signal, rate: int = RATE, subtype: str = "FLOAT") -> None:
    """`(channels, samples)` as a file; the extension says which."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(str(path), signal.T, rate, subtype=subtype)


def look(folder: Path, stems: Stems, mix: Signal, rates: Mapping[str, int] | None = None) -> Report:
    """What is found in a song that is written into a folder."""
    for name, signal in stems.items():
        write(folder / "stems" / f"{name}.wav", signal, (rates or {}).get(name, RATE))
    write(folder / "mix.wav", mix)
    return check(folder / "stems", folder / "mix.wav", None, Silence())


def found(report: Report, severity: Severity) -> dict[tuple[str, str], Finding]:
    """The findings of a severity, by code and the name of the first file."""
    listed = [one for one in report.findings if one.code.severity == severity]
    by_file = {(one.code.name, one.files[0].stem): one for one in listed}
    assert len(by_file) == len(listed), "one finding of a code for a file"
    return by_file


def stereo(signal: Signal) -> Signal:
    """On both channels."""
    return signal if len(signal) == 2 else np.repeat(signal, 2, axis=0)


def shifted(signal: Signal, samples: int) -> Signal:
    """Later by some samples, as long as before."""
    return np.pad(signal[:, : signal.shape[1] - samples], ((0, 0), (samples, 0)))


def stretched(signal: Signal, ppm: float) -> Signal:
    """As a recorder whose clock is fast by so many ppm gives it, as long as before."""
    longer = soxr.resample(signal.T, 1.0, 1 + ppm * 1e-6, quality="VHQ").T.astype(np.float32)
    return np.pad(longer, ((0, 0), (0, max(0, signal.shape[1] - longer.shape[1]))))[:, : signal.shape[1]]


def gain(level_db: float) -> np.float32:
    """A level as a factor."""
    return np.float32(10 ** (level_db / 20))


def stamp(path: Path, samples: int, form: bytes = b"RIFF") -> None:
    """Put a bext chunk with a time reference before the audio of a WAV file."""
    content = path.read_bytes()
    chunk = bytes(338) + struct.pack("<Q", samples) + bytes(256)
    whole = content[12:36] + b"bext" + struct.pack("<I", len(chunk)) + chunk + content[36:]
    path.write_bytes(form + struct.pack("<I", len(whole) + 4) + b"WAVE" + whole)
