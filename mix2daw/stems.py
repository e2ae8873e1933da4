"""Audio files: finding, reading and writing them.

Signals are float32 `(channels, samples)`, channels 1 or 2, full scale ±1; an impulse response has 2 or 4
channels (mono or true stereo to stereo). Whatever cannot be used as a
stem or a mix is refused here, in one line that names the file, so that nothing behind this door has to
look for it again.
"""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray
from scipy.io import wavfile

from mix2daw.errors import InputError, OutputError

Signal = NDArray[np.float32]

EXTENSIONS: tuple[str, ...] = (".wav", ".wave", ".flac", ".aif", ".aiff", ".ogg", ".mp3")
RATE_LOW_HZ, RATE_HIGH_HZ = 8000, 384000
HIGHEST_LIN = 1e6  # no fader reaches further, and powers of more would not stay finite
Channels = tuple[int, ...]
STEM_CHANNELS: Channels = (1, 2)
IMPULSE_CHANNELS: Channels = (2, 4)
_CHANNELS_REMEDY = {
    STEM_CHANNELS: "split it into mono or stereo files",
    IMPULSE_CHANNELS: "an impulse response has 2 (mono to stereo) or 4 (L→L, L→R, R→L, R→R)",
}


@dataclass(frozen=True)
class AudioFile:
    """What the header of an audio file says. `samples`: per channel, at `sample_rate`."""

    path: Path
    sample_rate: int
    channels: int
    samples: int

    @property
    def name(self) -> str:
        """The name of its track: the file's name without extension, composed (NFC)."""
        return unicodedata.normalize("NFC", self.path.stem)

    @property
    def duration_s(self) -> float:
        """Its length in seconds."""
        return self.samples / self.sample_rate


def is_audio(path: Path) -> bool:
    """Whether the name is that of a visible audio file (`.DS_Store` and `._kick.wav` are not)."""
    return path.suffix.lower() in EXTENSIONS and not path.name.startswith(".")


def probe(path: Path, channels: Channels = STEM_CHANNELS) -> AudioFile:
    """Read the header of an audio file that has one of these numbers of channels.

    Raises InputError: no such file, empty, no audio, other channels, or an unusable sample rate.
    """
    if not path.exists():
        raise InputError(path, "does not exist", "check the path")
    if not path.is_file():
        raise InputError(path, "is not a file", "give the path of one audio file")
    try:
        if path.stat().st_size == 0:
            raise InputError(path, "is empty (0 bytes)", "export it again")
        info = soundfile.info(str(path))
    except (soundfile.SoundFileError, OSError, RuntimeError) as error:
        raise _unreadable(path, error) from None
    if info.frames < 1:
        raise InputError(path, "has a length of zero", "export it again, or take it out of the folder")
    if info.channels not in channels:
        many = "1 channel" if info.channels == 1 else f"{info.channels} channels"
        raise InputError(path, f"has {many}", _CHANNELS_REMEDY[channels], "channels-unusable")
    if not RATE_LOW_HZ <= info.samplerate <= RATE_HIGH_HZ:
        allowed = f"{RATE_LOW_HZ} to {RATE_HIGH_HZ} Hz"
        what = f"has a sample rate of {info.samplerate} Hz"
        raise InputError(path, what, f"export it at {allowed}", "rate-unusable")
    return AudioFile(path, int(info.samplerate), int(info.channels), int(info.frames))


def read_audio(path: Path, sample_rate: int | None = None, channels: Channels = STEM_CHANNELS) -> Signal:
    """Read a file as `(channels, samples)` float32, at `sample_rate` (None: its own), resampled by soxr VHQ.

    Raises InputError as `probe` does, for NaN or infinite samples, and for samples beyond all measure.
    """
    info = probe(path, channels)
    try:
        frames, own_rate = soundfile.read(str(path), dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError, RuntimeError, MemoryError) as error:
        raise _unreadable(path, error) from None
    if len(frames) == 0:
        raise InputError(path, "has a length of zero", "export it again, or take it out of the folder")
    if not np.isfinite(frames).all():
        channel, sample = (int(index) for index in np.argwhere(~np.isfinite(frames.T))[0])
        where = f"channel {channel + 1}, {sample / info.sample_rate:.3f} s"
        what = f"contains NaN or infinite samples (first: {where})"
        raise InputError(path, what, "export it again", "not-finite")
    peak = float(np.abs(frames).max())
    if peak > HIGHEST_LIN:
        what = f"has samples of {peak:.3g} times full scale"
        raise InputError(path, what, "export it as float with a full scale of 1", "not-finite")
    return resample(np.ascontiguousarray(frames.T), own_rate, sample_rate or own_rate)


def read_impulse(path: Path, sample_rate: int) -> Signal:
    """An impulse response `(2 or 4, taps)` float32 at `sample_rate`, equally loud at every rate.

    Raises InputError as `read_audio` does; a file that is not of 2 or 4 channels is refused.
    """
    own_rate = probe(path, IMPULSE_CHANNELS).sample_rate
    impulse = read_audio(path, sample_rate, IMPULSE_CHANNELS)
    # Twice the rate is twice as many taps in the same sum.
    return impulse if own_rate == sample_rate else impulse * np.float32(own_rate / sample_rate)


def resample(signal: Signal, from_rate: int, to_rate: int) -> Signal:
    """`(channels, samples)` at another rate: soxr VHQ, linear phase, no delay. At its own rate as it is."""
    if from_rate == to_rate:
        return signal
    frames = soxr.resample(np.ascontiguousarray(signal.T), from_rate, to_rate, quality="VHQ")
    return np.ascontiguousarray(frames.T, dtype=np.float32)


def stereo(signal: Signal) -> Signal:
    """`(1 or 2, samples)` as `(2, samples)`: a mono signal on both channels at its own level."""
    return signal if signal.shape[0] == 2 else np.repeat(signal, 2, axis=0)


def find_stems(folder: Path, mix: Path | None = None) -> tuple[Path, ...]:
    """The audio files directly in `folder`, sorted by name; `mix` is left out if it lies there.

    Raises InputError: no such folder, no audio file in it, or two files that would be one track.
    """
    files = list_stems(folder, mix)
    check_tracks_differ(folder, files)
    return files


def list_stems(folder: Path, mix: Path | None = None) -> tuple[Path, ...]:
    """As `find_stems`, whether or not two files would be one track."""
    code = "no-stems"
    if not folder.exists():
        raise InputError(folder, "does not exist", "give the folder that holds the stems", code)
    if not folder.is_dir():
        raise InputError(folder, "is not a folder", "give the folder that holds the stems", code)
    try:
        files = sorted(path for path in folder.iterdir() if is_audio(path) and path.is_file())
    except OSError as error:
        what = f"cannot be listed ({error.strerror})"
        raise InputError(folder, what, "check its permissions", code) from None
    if mix is not None and mix.exists():
        files = [path for path in files if not path.samefile(mix)]
    if not files:
        what = f"holds no stems ({', '.join(EXTENSIONS)})"
        raise InputError(folder, what, "put one audio file per track into it", code)
    return tuple(sorted(files, key=lambda path: (name_key(path.stem), path.name)))


def check_tracks_differ(folder: Path, files: Sequence[Path]) -> None:
    """Raise InputError if two files of a folder would be one track."""
    seen: dict[str, Path] = {}
    for path in sorted(files):
        key = name_key(path.stem)
        if key in seen:
            what = f"{seen[key].name!r} and {path.name!r} would both be the track {path.stem!r}"
            raise InputError(folder, what, "rename or remove one", "names-clash")
        seen[key] = path


def name_key(name: str) -> str:
    """The form in which two track names are compared: composed (NFC), case folded."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, 64 hexadecimal digits. Raises InputError if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(path, error) from None


def write_wav(path: Path, signal: Signal, sample_rate: int) -> None:
    """Write `(channels, samples)` as 32-bit float WAV; same input, same bytes.

    The file appears under its name only when it is whole. libsndfile is not used because its float files
    carry the time of writing (PEAK chunk). Raises OutputError; ValueError for a wrong shape.
    """
    if signal.ndim != 2 or signal.shape[0] not in (1, 2, 4):
        raise ValueError(f"expected (1, 2 or 4, samples), got {signal.shape}")
    if not np.isfinite(signal).all():
        raise OutputError(path, "would contain NaN or infinite samples", "nothing was written")
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        try:
            with partial.open("wb") as file:
                wavfile.write(file, sample_rate, np.ascontiguousarray(signal.T, dtype="<f4"))
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise OutputError(path, f"cannot be written ({reason})", "check the folder and free space") from None


def _unreadable(path: Path, error: BaseException) -> InputError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    reason = reason.replace(f"Error opening {str(path)!r}: ", "").rstrip(".")
    return InputError(path, f"cannot be read as audio ({reason})", "export it again as WAV or FLAC")
