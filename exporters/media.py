"""The audio files of a session: sources copied without loss, prints in 32-bit float, names made safe."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from mix2daw.errors import OutputError
from mix2daw.exporters.names import file_name, is_text, unique_file
from mix2daw.graph import Strip, relative_source
from mix2daw.source import read_source
from mix2daw.stems import EXTENSIONS, probe, read_audio, write_wav

# Sample formats that 24-bit PCM holds without loss.
_WITHIN_24_BIT = frozenset(("PCM_S8", "PCM_U8", "PCM_16", "PCM_24"))
# Formats that every host reads alike; decoders of the others disagree about where the first sample is.
_LINKED = frozenset(("WAV", "WAVEX", "RF64", "AIFF", "FLAC"))


@dataclass(frozen=True)
class Clip:
    """One audio file on the time line of a strip, in samples of the session's rate.

    `file`: its name in the media folder, or the path from the session to a file that is `linked` and not in
    it, with forward slashes; `samples`: of the whole file; `position_samples`: where the clip
    begins on the time line; `start_samples`: where in the file it begins; `length_samples`: how long it is.
    """

    file: str
    channels: int
    samples: int
    position_samples: int
    start_samples: int
    length_samples: int
    linked: bool = False


class Media:
    """A folder that audio files are written into, each under a name that is free and safe.

    `link_from`: the folder of a session that names sources where they lie; None: they are copied.
    """

    def __init__(self, folder: Path, sample_rate: int, link_from: Path | None = None) -> None:
        self.folder = folder
        self.sample_rate = sample_rate
        self.link_from = link_from
        self._names: list[str] = []

    def add_track(self, strip: Strip, graph_folder: Path, session_samples: int) -> Clip | None:
        """The source of a track: by `add_source` as it is, or in 32-bit float with its polarity and its
        stretch."""
        path, offset = graph_folder / str(strip.source), strip.offset_samples
        if strip.polarity == "normal" and strip.stretch_ppm == 0:
            return self.add_source(strip.name, path, offset, session_samples)
        signal = read_source(strip, graph_folder, self.sample_rate)
        return self._add_signal(strip.name, signal, max(0, offset), max(0, -offset), session_samples)

    def add_source(self, name: str, path: Path, offset_samples: int, session_samples: int) -> Clip | None:
        """Copy the file at `path` for the strip `name`: 24-bit PCM if that is lossless, else 32-bit float.

        A file at another rate is resampled (then float). Where sources are linked, a file at the rate of the
        session is not copied, unless it is of a lossy format or its path cannot be told in a text. None if no
        sample of it lies inside the session. Raises InputError if it cannot be read, OutputError if the copy
        cannot be written.
        """
        position, start = max(0, offset_samples), max(0, -offset_samples)
        probe(path)  # says what is wrong with a file that cannot be read
        info = soundfile.info(str(path))
        at_rate = info.samplerate == self.sample_rate
        if at_rate and info.format in _LINKED and (file := self._link(path)) is not None:
            length = min(info.frames - start, session_samples - position)
            if length <= 0:
                return None
            return Clip(file, info.channels, info.frames, position, start, length, linked=True)
        if at_rate and info.subtype in _WITHIN_24_BIT:
            frames = soundfile.read(str(path), dtype="int32", always_2d=True)[0]
            channels, samples = frames.shape[1], frames.shape[0]
            length = min(samples - start, session_samples - position)
            if length <= 0:
                return None
            file = self._name(name)
            try:
                soundfile.write(str(self.folder / file), frames, self.sample_rate, subtype="PCM_24")
            except (soundfile.SoundFileError, OSError, RuntimeError) as error:
                raise OutputError(
                    self.folder / file, f"cannot be written ({error})", "check the folder and free space"
                ) from None
            return Clip(file, channels, samples, position, start, length)
        return self._add_signal(name, read_audio(path, self.sample_rate), position, start, session_samples)

    def add_print(self, name: str, signal: NDArray[np.float32]) -> Clip:
        """Write a print `(channels, samples)` that begins with the session, in 32-bit float."""
        clip = self._add_signal(name, signal, 0, 0, signal.shape[1])
        assert clip is not None
        return clip

    def add_copy(self, name: str, path: Path) -> str:
        """Copy the audio file at `path` as it is (an impulse response, at its own rate); returns its new
        name, which ends like an audio file's whatever the old one is.

        Raises OutputError if the copy cannot be written.
        """
        suffix = path.suffix.lower()
        file = self._name(name, suffix if suffix in EXTENSIONS else ".wav")
        try:
            shutil.copyfile(path, self.folder / file)
        except OSError as error:
            reason = f"cannot be written ({error.strerror})"
            raise OutputError(self.folder / file, reason, "check the folder and free space") from None
        return file

    def _add_signal(
        self, name: str, signal: NDArray[np.float32], position: int, start: int, session_samples: int
    ) -> Clip | None:
        channels, samples = signal.shape
        length = min(samples - start, session_samples - position)
        if length <= 0:
            return None
        file = self._name(name)
        write_wav(self.folder / file, signal, self.sample_rate)
        return Clip(file, channels, samples, position, start, length)

    def _link(self, path: Path) -> str | None:
        """The path of a source as the session names it; None if it is to be copied."""
        if self.link_from is None:
            return None
        found = relative_source(path, self.link_from)
        return found if is_text(found) else None

    def _name(self, name: str, suffix: str = ".wav") -> str:
        stem = unique_file(file_name(name), self._names)
        self._names.append(stem)
        return f"{stem}{suffix}"
