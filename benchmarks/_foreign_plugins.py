"""Other makers' plug-ins, and the racks that foreign mixes are made with.

Every rack is an equalizer with a high-pass of 12 dB per octave, a compressor for tracks, one for groups and a
reverb: none is a processor of ours under another name. Those of LV2 are played by `lv2apply` (Debian:
lilv-utils), the others by sox and ffmpeg.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Generic, TypeVar

import numpy as np
import soundfile
from numpy.typing import NDArray

Signal = NDArray[np.float32]
Words = list[str]
S = TypeVar("S")
DRY, WET = "dry.wav", "wet.wav"
CALF, LSP = "http://calf.sourceforge.net/plugins/", "http://lsp-plug.in/plugins/lv2/"
SWH, X42 = "http://plugin.org.uk/swh-plugins/", "http://gareus.org/oss/lv2/"


@dataclass(frozen=True)
class Bands:
    """An equalizer's settings: `highpass_hz` (None: off), bells of (Hz, dB, Q), a high shelf of (Hz, dB)."""

    highpass_hz: float | None
    bells: tuple[tuple[float, float, float], ...]
    shelf_hz: float
    shelf_db: float


@dataclass(frozen=True)
class Squash:
    """A compressor's settings."""

    threshold_db: float
    ratio: float
    attack_ms: float
    release_ms: float


@dataclass(frozen=True)
class Plugin(Generic[S]):
    """A plug-in: the command that plays DRY into WET with some settings. `mono`: it takes one channel."""

    command: Callable[[S], Words]
    mono: bool = False


@dataclass(frozen=True)
class Rack:
    """What a mix is made with; a reverb's setting is its decay in seconds. `makers`: of each, in words."""

    equalizer: Plugin[Bands]
    compressor: Plugin[Squash]
    glue: Plugin[Squash]
    reverb: Plugin[float]
    makers: str


def lin(db: float) -> float:
    """Decibels as an amplitude."""
    return float(10 ** (db / 20))


def play(signal: Signal, sample_rate: int, plugin: Plugin[S], settings: S) -> Signal:
    """A stereo signal (2, samples) through a plug-in, cut to its length."""
    dry = signal.mean(0, keepdims=True) if plugin.mono else signal
    with TemporaryDirectory() as folder:
        soundfile.write(Path(folder, DRY), dry.T, sample_rate, subtype="FLOAT")
        subprocess.run(plugin.command(settings), check=True, capture_output=True, timeout=600, cwd=folder)
        wet: Signal = soundfile.read(Path(folder, WET), dtype="float32", always_2d=True)[0].T
    return wet[:, : signal.shape[1]]


def _lv2(uri: str, ports: Mapping[str, float]) -> Words:
    controls = [word for symbol, value in ports.items() for word in ("-c", symbol, f"{value:.6f}")]
    return ["lv2apply", "-i", DRY, "-o", WET, *controls, uri]


def _lsp_eq(bands: Bands) -> Words:
    ports = {"ft_0": 3.0, "f_0": bands.shelf_hz, "g_0": lin(bands.shelf_db)}
    if bands.highpass_hz is not None:
        ports |= {"ft_1": 2.0, "f_1": bands.highpass_hz}
    for band, (hz, db, q) in enumerate(bands.bells, start=2):
        ports |= {f"ft_{band}": 1.0, f"f_{band}": hz, f"g_{band}": lin(db), f"q_{band}": q}
    return _lv2(LSP + "para_equalizer_x16_stereo", ports)


def _sox_eq(bands: Bands) -> Words:
    filters = [] if bands.highpass_hz is None else ["highpass", f"{bands.highpass_hz:.2f}", "0.707q"]
    for hz, db, q in bands.bells:
        filters += ["equalizer", f"{hz:.2f}", f"{q:.3f}q", f"{db:.3f}"]
    return ["sox", "-D", DRY, WET, *filters, "treble", f"{bands.shelf_db:.3f}", f"{bands.shelf_hz:.2f}"]


def _ffmpeg(filters: Iterable[str]) -> Words:
    return ["ffmpeg", "-v", "error", "-i", DRY, "-af", ",".join(filters), "-c:a", "pcm_f32le", WET]


def _ffmpeg_eq(bands: Bands) -> Words:
    filters = [] if bands.highpass_hz is None else [f"highpass=f={bands.highpass_hz:.2f}"]
    filters += [f"equalizer=f={hz:.2f}:t=q:w={q:.3f}:g={db:.3f}" for hz, db, q in bands.bells]
    return _ffmpeg([*filters, f"treble=f={bands.shelf_hz:.2f}:g={bands.shelf_db:.3f}"])


def _ffmpeg_compressor(squash: Squash) -> Words:
    levels = f"threshold={max(0.000977, lin(squash.threshold_db)):.6f}:ratio={squash.ratio:.3f}"
    return _ffmpeg([f"acompressor={levels}:attack={squash.attack_ms:.3f}:release={squash.release_ms:.3f}"])


def _darc(squash: Squash) -> Words:
    ports = {
        "threshold": max(-50.0, squash.threshold_db),
        "Ratio": 1 - 1 / squash.ratio,  # from 0 (none) to 1 (a limiter)
        "attack": squash.attack_ms / 1000,
        "release": max(0.03, squash.release_ms / 1000),
    }
    return _lv2(X42 + "darc#stereo", ports)


def _calf_compressor(squash: Squash) -> Words:
    ports = {
        "threshold": max(0.000977, lin(squash.threshold_db)),
        "ratio": squash.ratio,
        "attack": squash.attack_ms,
        "release": squash.release_ms,
    }
    return _lv2(CALF + "Compressor", ports)


def _sc4(squash: Squash) -> Words:
    ports = {
        "threshold": max(-30.0, squash.threshold_db),
        "ratio": squash.ratio,
        "rms_peak": 0.3,
        "attack": max(1.5, squash.attack_ms),
        "release": squash.release_ms,
    }
    return _lv2(SWH + "sc4", ports)


def _lsp_compressor(squash: Squash) -> Words:
    ports = {
        "al": max(0.001, lin(squash.threshold_db)),
        "cr": squash.ratio,
        "at": squash.attack_ms,
        "rt": squash.release_ms,
    }
    return _lv2(LSP + "compressor_stereo", ports)


def _calf_reverb(decay_s: float) -> Words:
    return _lv2(CALF + "Reverb", {"decay_time": decay_s, "amount": 1, "dry": 0, "room_size": 3})


def _gverb(decay_s: float) -> Words:
    return _lv2(SWH + "gverb", {"revtime": decay_s, "roomsize": 60, "drylevel": -70, "earlylevel": -12})


def _ardour_reverb(decay_s: float) -> Words:
    # Its size has no unit: 0.5 falls by 60 dB in 0.6 s, 0.75 in some five.
    return _lv2("urn:ardour:a-reverb", {"blend": 1, "roomsz": min(1.0, decay_s / 2)})


RACKS = {
    "lsp": Rack(
        Plugin(_lsp_eq),
        Plugin(_darc),
        Plugin(_calf_compressor),
        Plugin(_calf_reverb),
        "LSP's equalizer, x42's darc, Calf's compressor and reverb",
    ),
    "swh": Rack(
        Plugin(_sox_eq),
        Plugin(_sc4),
        Plugin(_lsp_compressor),
        Plugin(_gverb, mono=True),
        "SoX's filters, Steve Harris' SC4, LSP's compressor, GVerb",
    ),
    "ffmpeg": Rack(
        Plugin(_ffmpeg_eq),
        Plugin(_ffmpeg_compressor),
        Plugin(_sc4),
        Plugin(_ardour_reverb),
        "FFmpeg's filters and acompressor, SC4, Ardour's a-reverb",
    ),
}
