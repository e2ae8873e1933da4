"""Names that a user chose, made fit for a session and for a file system."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from itertools import count

_MAX_FILE_NAME_BYTES = 120
_NOT_IN_FILE_NAMES = frozenset('<>:"/\\|?*%`')
_RESERVED = frozenset(
    ("con", "prn", "aux", "nul", "clock$", *(f"com{i}" for i in range(10)), *(f"lpt{i}" for i in range(10)))
)
# Control characters, line and paragraph separators, surrogates and unassigned code points: no XML parser
# takes all of them, and a line break would end a line of a project file.
_NO_TEXT = ("Cc", "Cs", "Cn", "Zl", "Zp")


def clean_text(text: str) -> str:
    """`text` on one line, without characters that XML or a text format cannot hold; never empty."""
    kept = "".join(" " if unicodedata.category(char) in _NO_TEXT else char for char in text)
    return " ".join(kept.split()) or "track"


def is_text(text: str) -> bool:
    """Whether XML or a text format can hold all of `text` as it is."""
    return not any(unicodedata.category(char) in _NO_TEXT for char in text)


def cut(text: str, most_bytes: int) -> str:
    """As much of `text`, from its start, as has that many bytes in UTF-8."""
    return text.encode("utf-8")[:most_bytes].decode("utf-8", errors="ignore")


def file_name(name: str) -> str:
    """A file name (without extension) for `name`, valid on Linux, macOS and Windows.

    Unicode is kept (NFC); separators and reserved characters become `_`; no leading or trailing dots or
    spaces, no reserved device name, at most 120 bytes.
    """
    text = unicodedata.normalize("NFC", clean_text(name))
    text = "".join("_" if char in _NOT_IN_FILE_NAMES else char for char in text)
    text = cut(text, _MAX_FILE_NAME_BYTES).strip(". ")
    if not text:
        return "track"
    head, dot, rest = text.partition(".")
    # Windows takes a device name for the device whatever stands behind its first dot.
    return f"{head.strip()}_{dot}{rest}" if head.strip().casefold() in _RESERVED else text


def unique(name: str, taken: Iterable[str]) -> str:
    """`name`, or `name (2)`, `name (3)` ..., the first that is not among `taken`."""
    used = set(taken)
    return next(candidate for candidate in _candidates(name) if candidate not in used)


def unique_file(name: str, taken: Iterable[str]) -> str:
    """As `unique`, for file systems that do not tell upper case from lower case."""
    used = {_folded(other) for other in taken}
    return next(candidate for candidate in _candidates(name) if _folded(candidate) not in used)


def _candidates(name: str) -> Iterator[str]:
    yield name
    for number in count(2):
        yield f"{name} ({number})"


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
