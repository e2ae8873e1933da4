"""Audio that is read again and again: in memory as long as it is little, else in a temporary file.

Twenty-four stereo stems of four minutes are two gigabytes, and the search listens to half a minute of them.
"""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, cast, overload

import numpy as np

from mix2daw.errors import OutputError
from mix2daw.stems import Signal

ROOM_BYTES = 2**28


class Spool:
    """Keeps signals: the first `room_bytes` of them in memory, what follows in a file without a name, which
    goes when nobody refers to it any more."""

    def __init__(self, room_bytes: int = ROOM_BYTES) -> None:
        self._room_bytes, self._file = room_bytes, cast("_File | None", None)

    def keep(self, signal: Signal) -> Kept:
        """Keep a signal `(channels, samples)`. Raises OutputError if the file for it cannot be written."""
        if self._file is None and signal.nbytes <= self._room_bytes:
            self._room_bytes -= signal.nbytes
            return Kept(signal.shape, signal)
        try:
            if self._file is None:
                self._file = _File()
            return Kept(signal.shape, self._file.append(signal))
        except OSError as error:
            place = tempfile.tempdir or "TMPDIR"  # None where none could be found
            what = f"has no room for the stems ({error.strerror})"
            raise OutputError(place, what, "free some space, or set TMPDIR to another folder") from None


@dataclass(frozen=True, eq=False)
class Kept:
    """A signal that was kept; `shape`: (channels, samples)."""

    shape: tuple[int, ...]
    _where: Signal | _Place

    @property
    def channels(self) -> int:
        """1 or 2."""
        return self.shape[0]

    def read(self) -> Signal:
        """The signal, float32. It must not be written to."""
        return self._where if isinstance(self._where, np.ndarray) else self._where.read(self.shape)

    def part(self, first: int, last: int) -> Signal:
        """Samples from `first` up to `last`, fewer where it ends before. It must not be written to."""
        if isinstance(self._where, np.ndarray):
            return self._where[:, first:last]
        last = min(last, self.shape[1])
        if first >= last:
            return np.empty((self.channels, 0), np.float32)
        return self._where.part(self.shape, first, last)


class Shelf(Sequence[Signal]):
    """Kept signals as a sequence that reads each when it is asked for."""

    def __init__(self, kept: Sequence[Kept]) -> None:
        self._kept = list(kept)

    @overload
    def __getitem__(self, index: int) -> Signal: ...
    @overload
    def __getitem__(self, index: slice) -> Shelf: ...
    def __getitem__(self, index: int | slice) -> Signal | Shelf:
        return Shelf(self._kept[index]) if isinstance(index, slice) else self._kept[index].read()

    def __iter__(self) -> Iterator[Signal]:
        return (kept.read() for kept in self._kept)

    def __len__(self) -> int:
        return len(self._kept)


class _File:
    """Signals one after the other, as float32."""

    def __init__(self) -> None:
        self._file = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 (closed when it is forgotten)
        weakref.finalize(self, self._file.close)

    def append(self, signal: Signal) -> _Place:
        start = self._file.seek(0, 2)
        self._file.write(np.ascontiguousarray(signal, np.float32).data)
        self._file.flush()
        return _Place(self, start)

    def read(self, start: int, shape: tuple[int, ...]) -> Signal:
        signal = np.empty(shape, np.float32)
        self._file.seek(start)
        self._file.readinto(signal.data.cast("B"))  # type: ignore[attr-defined]
        return signal


@dataclass(frozen=True, eq=False)
class _Place:
    """Where in a file a signal begins."""

    file: _File
    start: int

    def read(self, shape: tuple[int, ...]) -> Signal:
        return self.file.read(self.start, shape)

    def part(self, shape: tuple[int, ...], first: int, last: int) -> Signal:
        starts = (self.start + 4 * (row * shape[1] + first) for row in range(shape[0]))
        return np.concatenate([self.file.read(start, (1, last - first)) for start in starts])
