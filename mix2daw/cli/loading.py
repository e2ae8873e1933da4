"""Loading what a search needs."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Import much, with the garbage collector out of the way: it would walk through a million objects that
    stay, many times now, and again and again as long as a search makes tensors."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
