"""Freed memory is kept by the process while a search needs it again and again, and handed back to the system
when there is much of it."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

MIB = 1 << 20
# Options of glibc's mallopt(3); from which size on a buffer goes back to the system after all (five minutes
# of stereo do, a step's largest buffers do not), and how much may be kept.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGEST_BYTES, _KEPT_BYTES = 96 * MIB, 2**31 - 1
_USUAL_LARGEST_BYTES, _USUAL_KEPT_BYTES = 32 * MIB, 64 * MIB  # the most that glibc comes to by itself
_SONG_BYTES = 8 * MIB  # of one channel of 45 s and more
MUCH_BYTES = 1024 * MIB


class _Info(ctypes.Structure):
    """What glibc's mallinfo2(3) tells; `fordblks` is what was freed and is kept, in bytes."""

    _names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in _names.split()]


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Make large buffers come from kept memory: a step of the search allocates and frees hundreds of them,
    and fresh pages from the system cost a sixth of its time. Nothing changes where there is no glibc."""
    mallopt = _glibc("mallopt")
    if mallopt is None:
        yield
        return
    mallopt(_MMAP_THRESHOLD, _LARGEST_BYTES)
    mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)
    try:
        yield
    finally:
        mallopt(_MMAP_THRESHOLD, _USUAL_LARGEST_BYTES)
        mallopt(_TRIM_THRESHOLD, _USUAL_KEPT_BYTES)
        hand_back_freed_memory()


@contextmanager
def freed_memory_not_kept() -> Iterator[None]:
    """Within `freed_memory_kept`, where whole songs are played: their buffers come from the system and go
    back. glibc finds no use for an aligned buffer that was freed and kept, even if it is asked for the same
    again: 60 strips of five minutes would pile up to 10 GiB."""
    mallopt = _glibc("mallopt")
    if mallopt is None:
        yield
        return
    mallopt(_MMAP_THRESHOLD, _SONG_BYTES)
    try:
        yield
    finally:
        mallopt(_MMAP_THRESHOLD, _LARGEST_BYTES)


def hand_back_freed_memory(much_bytes: int = 0) -> None:
    """Hand back what is kept, if it is more than so many bytes: what follows may need less."""
    trim, info = _glibc("malloc_trim"), _glibc("mallinfo2")
    if info is not None:
        info.restype = _Info
        if info().fordblks <= much_bytes:
            return
    if trim is not None:
        trim(0)


def _glibc(function: str) -> Any | None:
    """A function of the C library: `Callable`, with the attributes that ctypes gives it."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        found: Callable[..., int] = getattr(ctypes.CDLL(None), function)
    except (OSError, AttributeError):
        return None
    return found
