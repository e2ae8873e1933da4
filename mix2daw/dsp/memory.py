"""Freed memory is kept by the process instead of being handed back to the system."""

from __future__ import annotations

import ctypes
import sys

# Options of glibc's mallopt(3), and from which size on a buffer goes back to the system after all.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_KEPT_BYTES, _LARGEST_BYTES = 2**31 - 1, 2**28


def keep_freed_memory() -> None:
    """Make large buffers come from kept memory: a step of the search allocates and frees hundreds of them,
    and fresh pages from the system cost a sixth of its time. Does nothing where there is no glibc."""
    if not sys.platform.startswith("linux"):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(_MMAP_THRESHOLD, _LARGEST_BYTES)
    mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)
