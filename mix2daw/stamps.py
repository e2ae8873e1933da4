"""The time reference of Broadcast-WAV files (EBU Tech 3285): when a recording began, in samples."""

from __future__ import annotations

import struct
from pathlib import Path

TIME_REFERENCE = 338  # where in the bext chunk it lies, 8 bytes, little endian


def time_reference(path: Path) -> int | None:
    """Samples from midnight, at the file's rate, at which a WAV file starts; None without a bext chunk."""
    try:
        with path.open("rb") as file:
            kind, _, form = struct.unpack("<4sI4s", file.read(12))
            if kind not in (b"RIFF", b"RF64", b"BW64") or form != b"WAVE":
                return None
            size64 = None
            while len(head := file.read(8)) == 8:
                name, size = struct.unpack("<4sI", head)
                if name == b"bext" and size >= TIME_REFERENCE + 8:
                    file.seek(TIME_REFERENCE, 1)
                    return int(struct.unpack("<Q", file.read(8))[0])
                if name == b"ds64":
                    size64 = int(struct.unpack("<QQ", file.read(16))[1])
                    file.seek(size - 16, 1)
                else:
                    # In a 64-bit file the size of the audio stands in ds64.
                    whole = size64 if name == b"data" and size == 0xFFFFFFFF and size64 else size
                    file.seek(whole + whole % 2, 1)
    except (OSError, struct.error):
        return None
    return None


def stamp_s(path: Path, sample_rate: int) -> float | None:
    """The time reference of a file in seconds, at its rate; None without one."""
    samples = time_reference(path)
    return None if samples is None else samples / sample_rate
