"""How large what is read may be: far beyond any real session, and small enough that a file that lies, or that
was made to do harm, is refused in one line before it takes the memory or the hours of a machine."""

from __future__ import annotations

import json
import os
import stat
from collections import Counter
from pathlib import Path

from mix2daw.errors import MixError

MIB = 1 << 20
GRAPH_BYTES = 16 * MIB  # of a graph.json
RESULT_BYTES = 64 * MIB
GROUPS_BYTES = MIB
SETTINGS_BYTES = MIB // 64
PATTERNS = 10_000  # in a groups.yaml, with the names of the groups
GRAPH_ITEMS, RESULT_ITEMS = 2000, 100_000  # of any list or object in a file
RATE_LOW_HZ, RATE_HIGH_HZ = 8000, 384000
LONGEST_S = 24 * 3600  # of a song and of every file
LONGEST_SAMPLES = LONGEST_S * RATE_HIGH_HZ
LOUDEST_LIN = 1e6  # no fader reaches further, and powers of more would not stay finite
STEMS = 1000
STRIPS = 2000
LAYERS = 100  # strips that a signal passes, one after the other
INSERTS = 100  # before the fader of a strip, and as many behind it
CONTROLS = 200  # of a device
SENDS = 250  # of a strip
NAME_LENGTH = 200
PATH_LENGTH = 4096


def read_text(path: Path, most_bytes: int, error: type[MixError], remedy: str) -> str:
    """The text of a UTF-8 file, with or without a byte order mark.

    Raises `error`, with this remedy: no such file, no ordinary file (a device or a pipe has no end), larger
    than `most_bytes`, or no text.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise error(path, "cannot be read (it is no ordinary file)", remedy)
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
        if len(content) > most_bytes:
            size = f"{most_bytes // MIB} MiB" if most_bytes >= MIB else f"{most_bytes // 1024} KiB"
            raise error(path, f"is larger than {size}", remedy)
        return content.decode("utf-8-sig")
    except FileNotFoundError:
        raise error(path, "does not exist", remedy) from None
    except (OSError, ValueError) as failure:
        reason = getattr(failure, "strerror", None) or failure
        raise error(path, f"cannot be read ({reason})", remedy) from None


def check_json(path: Path, text: str, items: int, error: type[MixError]) -> None:
    """Raise `error` if an object of a JSON text has a key twice, as readers differ in which they take, or if
    an object or a list has more items than so many: each could be a fault to be told of, and a hundred
    thousand fit into a megabyte. What is no JSON passes."""

    def check(pairs: list[tuple[str, object]]) -> None:
        remedy = "is this the right file?"
        if len(pairs) > items:
            raise error(f"{path}: {pairs[0][0]}", f"stands among more than {items} keys", remedy)
        for name, value in pairs:
            if isinstance(value, list) and len(value) > items:
                raise error(f"{path}: {name}", f"has more than {items} items", remedy)
        names = Counter(name for name, _ in pairs)
        if len(names) < len(pairs):
            raise error(f"{path}: {names.most_common(1)[0][0]}", "is there twice", "take one of them out")

    try:
        json.loads(text, object_pairs_hook=check)
    except (ValueError, RecursionError):
        return


def memory_bytes() -> int | None:
    """The memory of this machine, None where the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def check_memory(where: object, seconds: float, bytes_: int, error: type[MixError], name: str = "it") -> None:
    """Raise `error` if what lasts so long, in that many bytes, could never fit into this machine's memory."""
    have = memory_bytes()
    if have is not None and bytes_ > have:
        need = f"{name} lasts {seconds / 3600:.1f} h, which is {bytes_ / 2**30:.0f} GiB"
        raise error(where, f"{need}; this machine has {have / 2**30:.0f} GiB of memory", "use a shorter one")
