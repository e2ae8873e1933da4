"""What a mix that was encoded, limited or faded does to a recovery of the sample: benchmarks/material.md.

    python benchmarks/material.py
    python benchmarks/material.py --only mp3

Each mix is recovered with `--preview` (the loudest 20 s, with fewer steps) and `--only equalizer,compressor`.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from mix2daw.compare import compare
from mix2daw.progress import Silence
from mix2daw.recover import Job, recover
from mix2daw.search import Settings
from mix2daw.selection import Selection
from mix2daw.stems import Signal, read_audio, write_wav

ROOT = Path(__file__).resolve().parent.parent
SONG = ROOT / "samples" / "song"
TABLE = Path(__file__).with_suffix(".md")
DEVICES = ("equalizer", "compressor")
RATE = 44100
MP3_KBPS = {96: 0.8, 128: 0.65, 192: 0.45}  # libsndfile's compression level of a constant bit rate
HEAD = (
    "| mix | La: to it | La: to the clean mix | SDR dB | devices | muted | told |\n"
    "|---|---|---|---|---|---|---|"
)
NOTES = """\
*La: to it* is of the render against the mix as it was given, *to the clean mix* against the sample's mix:
what the console alone can be. SDR is against the given mix. All are `--preview --only equalizer,compressor`,
so none is as close as a whole recovery; the first line is the same recovery of the clean mix. A limiter and a
clipper drive the mix into the peak that it had: it is louder then, which is in La to the clean mix. Codes in
brackets are those of [check.md](../docs/check.md)."""


def encoded(folder: Path, mix: Signal, suffix: str, level: float | None) -> Path:
    """The mix by a lossy encoder of libsndfile."""
    path = folder / f"mix.{suffix}"
    formats = {"mp3": ("MP3", "MPEG_LAYER_III"), "ogg": ("OGG", "VORBIS")}
    form, subtype = formats[suffix]
    mode = {"bitrate_mode": "CONSTANT"} if suffix == "mp3" else {}
    soundfile.write(path, mix.T, RATE, format=form, subtype=subtype, compression_level=level, **mode)
    return path


def written(folder: Path, mix: Signal) -> Path:
    """The mix as a file of 32-bit float."""
    write_wav(folder / "mix.wav", np.ascontiguousarray(mix, np.float32), RATE)
    return folder / "mix.wav"


def limited(mix: Signal, drive_db: float, hold_s: float = 0.005) -> Signal:
    """A look-ahead limiter: driven by so much, at the peak that the mix had."""
    loud = mix * 10 ** (drive_db / 20)
    ceiling = float(np.abs(mix).max())
    hold = round(hold_s * RATE)
    wanted = np.minimum(1.0, ceiling / np.maximum(np.abs(loud).max(0), 1e-9))
    padded = np.pad(wanted, hold, constant_values=1.0)
    least = np.lib.stride_tricks.sliding_window_view(padded, 2 * hold + 1).min(1)
    smooth = np.convolve(np.pad(least, hold // 2, mode="edge"), np.ones(hold + 1) / (hold + 1), "same")
    gain = np.minimum(smooth[hold // 2 : hold // 2 + mix.shape[1]], wanted)
    return (loud * gain).astype(np.float32)


def clipped(mix: Signal, drive_db: float) -> Signal:
    """Cut off at the peak that the mix had."""
    ceiling = float(np.abs(mix).max())
    return np.clip(mix * 10 ** (drive_db / 20), -ceiling, ceiling).astype(np.float32)


def dithered(mix: Signal) -> Signal:
    """16 bits with triangular dither."""
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (2, *mix.shape)).sum(0)
    return (np.round(mix * 32768 + noise) / 32768).astype(np.float32)


def faded(mix: Signal, seconds: float) -> Signal:
    """A fade-out over the last seconds, even in decibels, to −50 dB."""
    samples = round(seconds * RATE)
    gain = np.ones(mix.shape[1], np.float32)
    gain[-samples:] = 10 ** (np.linspace(0, -50, samples) / 20)
    return mix * gain


MIXES: dict[str, Callable[[Path, Signal], Path]] = {
    "clean": written,
    **{
        f"mp3 {kbps} kbit/s": (lambda folder, mix, level=level: encoded(folder, mix, "mp3", level))
        for kbps, level in MP3_KBPS.items()
    },
    "ogg 106 kbit/s": lambda folder, mix: encoded(folder, mix, "ogg", 0.7),
    "limiter, 8 dB": lambda folder, mix: written(folder, limited(mix, 8.0)),
    "clipper, 6 dB": lambda folder, mix: written(folder, clipped(mix, 6.0)),
    "16 bit, dithered": lambda folder, mix: written(folder, dithered(mix)),
    "fade-out, 8 s": lambda folder, mix: written(folder, faded(mix, 8.0)),
    "limiter 8 dB, then mp3 128": lambda folder, mix: encoded(
        folder, limited(mix, 8.0), "mp3", MP3_KBPS[128]
    ),
}


def row(name: str) -> str:
    """Recover a mix: one line of the table."""
    clean = read_audio(SONG / "mix.flac")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        mix = MIXES[name](folder, clean)
        settings = Settings(only=Selection.of("--only", DEVICES))
        job = Job(SONG / "stems", mix, folder / "out", None, (), settings, report=False, preview=True)
        done = recover(job, Silence())
        render = read_audio(folder / "out" / "render.wav")
        heard = read_audio(folder / "out" / "mix.wav")
        start = _start(heard, read_audio(mix))
        clean = clean[:, start : start + render.shape[1]]
        to_clean = compare(render[:, : clean.shape[1]], clean, RATE)["la.full"]
        numbers = [done.result.la["full"], to_clean, done.result.sdr_db or math.nan]
        assert np.isfinite(numbers).all(), numbers
        told = "; ".join(
            line.replace("|", "/") for line in done.result.findings if "loudest part" not in line
        )
        cells = (
            name,
            *(f"{number:.3f}" for number in numbers[:2]),
            f"{numbers[2]:.1f}",
            f"{done.result.devices_after.total}",
            ", ".join(done.result.muted) or "–",
            told or "–",
        )
    return f"| {' | '.join(cells)} |"


def _start(part: Signal, whole: Signal) -> int:
    """Where a part of a signal begins in it."""
    first = np.flatnonzero(np.all(np.isclose(whole, part[:, :1], atol=0), axis=0))
    for start in first:
        if np.array_equal(whole[:, start : start + 64], part[:, :64]):
            return int(start)
    raise ValueError("no part of it")


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", help="mixes whose names contain this; nothing is written")
    parser.add_argument("--table", type=Path, default=TABLE)
    arguments = parser.parse_args()
    lines = [HEAD]
    for name in MIXES:
        if arguments.only is None or arguments.only in name:
            lines.append(row(name))
            print(lines[-1], flush=True)
    if arguments.only is None:
        text = "\n".join(lines)
        arguments.table.write_text(
            f"# Mixes that were mastered or encoded\n\n{text}\n\n{NOTES}\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
