"""Freed memory is kept by the process, and handed back to the system when it is told to."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable

# Options of glibc's mallopt(3), and from which size on a buffer goes back to the system after all.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_KEPT_BYTES, _LARGEST_BYTES = 2**31 - 1, 2**28


def keep_freed_memory() -> None:
    """Make large buffers come from kept memory: a step of the search allocates and frees hundreds of them,
    and fresh pages from the system cost a sixth of its time. Does nothing where there is no glibc."""
    if mallopt := _glibc("mallopt"):
        mallopt(_MMAP_THRESHOLD, _LARGEST_BYTES)
        mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)


def hand_back_freed_memory() -> None:
    """Hand back what is kept, after a stage that needed more than what follows. Needs glibc too."""
    if trim := _glibc("malloc_trim"):
        trim(0)


def _glibc(function: str) -> Callable[..., int] | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        found: Callable[..., int] = getattr(ctypes.CDLL(None), function)
    except (OSError, AttributeError):
        return None
    return found
