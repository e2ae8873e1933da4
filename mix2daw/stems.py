"""Audio files: finding, reading and writing them.

Signals are float32 `(channels, samples)`, channels 1 or 2, full scale ±1; an impulse response has 2 or 4
channels (mono or true stereo to stereo). Whatever cannot be used as a
stem or a mix is refused here, in one line that names the file, so that nothing behind this door has to
look for it again.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray
from scipy.io import wavfile

from mix2daw import limits
from mix2daw.errors import InputError, OutputError
from mix2daw.limits import RATE_HIGH_HZ, RATE_LOW_HZ

Signal = NDArray[np.float32]

EXTENSIONS: tuple[str, ...] = (
    ".wav", ".wave", ".bwf", ".rf64", ".w64", ".flac", ".aif", ".aiff", ".caf", ".ogg", ".mp3",
)  # fmt: skip
Channels = tuple[int, ...]
STEM_CHANNELS: Channels = (1, 2)
IMPULSE_CHANNELS: Channels = (2, 4)
_CHANNELS_REMEDY = {
    STEM_CHANNELS: "split it into mono or stereo files",
    IMPULSE_CHANNELS: "an impulse response has 2 (mono to stereo) or 4 (L→L, L→R, R→L, R→R)",
}
_BLOCK_FRAMES = 1 << 20
# What libsndfile notes of a file that ends before its header says, and the sizes that mean "not known".
_CUT_OFF = re.compile(
    r"^ *(?:data|SSND|Data Size|riff) *: (\d+) \(should be (\d+)\)"
    r"|Calculated frame count (?P<have>\d+) does not match value from 'ds64' chunk of (?P<said>\d+)",
    re.MULTILINE,
)
_UNKNOWN_BYTES = (0x7FFFF000, 0xFFFFF000)


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

    Raises InputError: no such file, empty, no audio, cut off, longer than a day, other channels, or an
    unusable sample rate.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise InputError(path, "is not a file", "give the path of one audio file")
        if found.st_size == 0:
            raise InputError(path, "is empty (0 bytes)", "export it again")
        info = soundfile.info(str(path), verbose=True)
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(path, "does not exist", "check the path") from None
    except (soundfile.SoundFileError, OSError, RuntimeError, ValueError) as error:
        raise _unreadable(path, error) from None
    _check_whole(path, info.extra_info)
    if info.frames < 1:
        raise InputError(path, "has a length of zero", "export it again, or take it out of the folder")
    if info.channels not in channels:
        many = "1 channel" if info.channels == 1 else f"{info.channels} channels"
        raise InputError(path, f"has {many}", _CHANNELS_REMEDY[channels], "channels-unusable")
    if not RATE_LOW_HZ <= info.samplerate <= RATE_HIGH_HZ:
        allowed = f"{RATE_LOW_HZ} to {RATE_HIGH_HZ} Hz"
        what = f"has a sample rate of {info.samplerate} Hz"
        raise InputError(path, what, f"export it at {allowed}", "rate-unusable")
    if info.frames > limits.LONGEST_S * info.samplerate:
        what = f"lasts {info.frames / info.samplerate / 3600:.0f} h by its header"
        raise InputError(path, what, f"give {limits.LONGEST_S // 3600} h at most")
    return AudioFile(path, int(info.samplerate), int(info.channels), int(info.frames))


def read_audio(path: Path, sample_rate: int | None = None, channels: Channels = STEM_CHANNELS) -> Signal:
    """Read a file as `(channels, samples)` float32, at `sample_rate` (None: its own), resampled by soxr VHQ.

    Raises InputError as `probe` does, for NaN, infinite or absurdly large samples, for a file that ends
    before its header says, and for one that this machine's memory could never hold.
    """
    info = probe(path, channels)
    size = 4 * info.channels * info.samples
    limits.check_memory(path, info.duration_s, size, InputError)
    try:
        signal = np.empty((info.channels, info.samples), np.float32)
        place = 0
        with soundfile.SoundFile(str(path)) as file:
            kind = file.format
            while len(block := file.read(_BLOCK_FRAMES, dtype="float32", always_2d=True)):
                if not np.isfinite(block).all():
                    raise _not_finite(path, block, place, info.sample_rate)
                peak_lin = float(max(block.max(), -block.min()))
                if peak_lin > limits.LOUDEST_LIN:
                    what = f"has samples of {peak_lin:.3g} times full scale"
                    raise InputError(path, what, "export it as float with a full scale of 1", "not-finite")
                block = block[: info.samples - place]
                signal[:, place : place + len(block)] = block.T
                place += len(block)
    except (soundfile.SoundFileError, OSError, RuntimeError, MemoryError) as error:
        raise _unreadable(path, error) from None
    # The length of an MP3 is an estimate where its encoder left none.
    slack = info.sample_rate if kind == "MP3" else 0
    if place < max(1, info.samples - slack):
        raise _cut_off(path, f"{info.samples} samples", f"{place}")
    return resample(signal[:, :place], info.sample_rate, sample_rate or info.sample_rate)


def _not_finite(path: Path, block: NDArray[np.float32], place: int, sample_rate: int) -> InputError:
    """What to raise for a block `(samples, channels)`, which begins at sample `place`, with such a sample."""
    sample, channel = (int(index) for index in np.argwhere(~np.isfinite(block))[0])
    where = f"channel {channel + 1}, {(place + sample) / sample_rate:.3f} s"
    what = f"contains NaN or infinite samples (first: {where})"
    return InputError(path, what, "export it again", "not-finite")


def _check_whole(path: Path, log: str) -> None:
    """Raise InputError if the header of a file, as libsndfile's log has it, promises more than is there."""
    for match in _CUT_OFF.finditer(log):
        if match["said"] is not None:
            said, have, unit = int(match["said"]), int(match["have"]), "samples"
        else:
            said, have, unit = int(match[1]), int(match[2]), "bytes"
            if any(unknown <= said <= unknown + 0xFFF for unknown in _UNKNOWN_BYTES):
                continue
        if said > have + 1:  # a byte that pads the last chunk may be left out
            raise _cut_off(path, f"{said} {unit}", f"{have}")


def _cut_off(path: Path, said: str, have: str) -> InputError:
    what = f"is cut off: its header says {said}, {have} are there"
    return InputError(path, what, "export it again, or save what there is in an audio editor")


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
    least = -(-from_rate // to_rate)  # of these, one sample is left
    if signal.shape[1] < least:
        signal = np.pad(signal, ((0, 0), (0, least - signal.shape[1])))
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
    if len(files) > limits.STEMS:
        what, remedy = f"holds {len(files)} audio files", f"give {limits.STEMS} stems at most"
        raise InputError(folder, what, remedy)
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
