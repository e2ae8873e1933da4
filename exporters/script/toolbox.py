"""The functions that a written script copies: whatever its strips use of them, as they stand here.

They do what `chains` and `exporters.pedalboard` do, in the same order and precision, for someone who has
only the script; a test compares the bits. RATE and LENGTH are the script's own. Signals are
(1 or 2, LENGTH) float32.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import soundfile
from pedalboard import Convolution, Plugin

from mix2daw.exporters.arithmetic import Audio, widened

HERE = Path(__file__).resolve().parent
RATE, LENGTH = 48000, 1

BLOCK_SAMPLES = 8192  # the filters clear tiny states at the end of a block
SHORTEST_SAMPLES = 16  # pedalboard cannot tell channels from samples in a square array
BUSES: dict[str, Audio] = {}  # what has been fed to each group, return and the master so far


def source(file: str, start: int = 0) -> Audio:
    """A stem on the time line of the song; its first sample is at `start`, in samples, also before 0."""
    audio = soundfile.read(HERE / "stems" / file, dtype="float32", always_2d=True)[0].T
    x = np.zeros((len(audio), LENGTH), np.float32)
    first, last = max(start, 0), min(start + audio.shape[1], LENGTH)
    if first < last:
        x[:, first:last] = audio[:, first - start : last - start]
    return x


def feed(name: str, x: Audio) -> None:
    """Add a signal to a bus."""
    BUSES[name] = BUSES[name] + x if name in BUSES else x


def bus(name: str) -> Audio:
    """What was fed to a bus; silence if nothing was."""
    return BUSES.pop(name, np.zeros((2, LENGTH), np.float32))


def lin(level_db: float) -> np.float32:
    """Amplitude of a level."""
    return np.float32(10.0 ** (level_db / 20))


def stereo(x: Audio) -> Audio:
    """A mono signal on both sides; a stereo one as it is."""
    return x if len(x) == 2 else np.repeat(x, 2, axis=0)


def balance(pan: float) -> Audio:
    """Gains of left and right, (2, 1): the pan law is a balance at 0 dB."""
    return np.array([[min(1.0, 1 - pan)], [min(1.0, 1 + pan)]], np.float32)


def level(x: Audio, fader_db: float, pan: float) -> Audio:
    """Fader and pan, as one factor: two would round otherwise."""
    return stereo(x) * (lin(fader_db) * balance(pan))


def play(x: Audio, *plugins: Plugin) -> Audio:
    """Through plugins, one after the other, each from silence."""
    x = np.pad(x, ((0, 0), (0, max(0, SHORTEST_SAMPLES - LENGTH))))
    for plugin in plugins:
        x = plugin.process(x, RATE, buffer_size=BLOCK_SAMPLES, reset=True)
    return x[:, :LENGTH]


def play_linked(x: Audio, compressor: Plugin) -> Audio:
    """Through a compressor that hears the louder channel and turns both down alike."""
    if len(x) == 1:
        return play(x, compressor)
    key = np.abs(x).max(0, keepdims=True)
    played = play(key, compressor)
    gain = np.divide(played, key, out=np.ones(key.shape), where=key > 0, dtype=np.float64)
    y: Audio = (x * gain).astype(np.float32)
    return y


def blend(share: float, wet: Audio, dry: Audio) -> Audio:
    """A share (0 to 1) of the wet signal, and the rest of the dry one."""
    return np.float32(share) * wet + np.float32(1 - share) * dry


def convolve(x: Audio, impulse: Audio) -> Audio:
    """(2, LENGTH) through (2, taps), channel by channel, as loud as the impulse response is: pedalboard
    scales it to an energy of its own, which is undone here."""
    taps = impulse.shape[1]
    response = np.pad(impulse, ((0, 0), (0, max(0, SHORTEST_SAMPLES - taps))))
    energy = np.cumsum(np.square(impulse), axis=1, dtype=np.float32)[:, -1].max()
    scale = np.float32(0.125) / np.sqrt(energy) if energy >= 1e-8 else np.float32(1)
    return play(x, Convolution(response, 1.0, RATE)) / scale


def room(x: Audio, file: str, wet_level: float, dry_level: float, width: float, pre_delay_ms: float) -> Audio:
    """A convolution reverb. A response of 2 channels hears the mean of both sides; one of 4 (L→L, L→R, R→L,
    R→R) hears each side with both ears."""
    x = stereo(x)
    impulse = np.ascontiguousarray(
        soundfile.read(HERE / "impulses" / file, dtype="float32", always_2d=True)[0].T
    )
    dry = x * np.float32(dry_level)
    if wet_level == 0:
        return dry
    if len(impulse) == 2:
        middle = (x[:1] + x[1:]) * np.float32(0.5)
        ears = convolve(np.repeat(middle, 2, axis=0), impulse)
    else:
        left, right = np.repeat(x[:1], 2, axis=0), np.repeat(x[1:], 2, axis=0)
        ears = convolve(left, impulse[:2]) + convolve(right, impulse[2:])
    lag = min(LENGTH, round(pre_delay_ms * RATE / 1000))
    later = np.pad(ears[:, : LENGTH - lag], ((0, 0), (lag, 0)))
    return widened(later, width) * np.float32(wet_level) + dry


def write(path: Path, x: Audio) -> None:
    """A WAV file in 32-bit float. By hand, because libsndfile puts the time of writing into float files."""
    data = np.ascontiguousarray(x.T, "<f4").tobytes()
    frame = 4 * len(x)  # bytes
    chunks = struct.pack("<4sIHHIIHHH", b"fmt ", 18, 3, len(x), RATE, RATE * frame, frame, 32, 0)
    chunks += struct.pack("<4sII", b"fact", 4, x.shape[1])
    chunks += struct.pack("<4sI", b"data", len(data))
    path.write_bytes(struct.pack("<4sI4s", b"RIFF", 4 + len(chunks) + len(data), b"WAVE") + chunks + data)
