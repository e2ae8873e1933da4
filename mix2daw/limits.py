"""How large what is read may be: far beyond any real session, and small enough that a file that lies, or that
was made to do harm, is refused in one line before it takes the memory or the hours of a machine."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from mix2daw.errors import MixError

MIB = 1 << 20
GRAPH_BYTES = 64 * MIB  # of a graph.json or a result.json
SETTINGS_BYTES = MIB  # of a groups.yaml or a mix2daw.toml
RATE_LOW_HZ, RATE_HIGH_HZ = 8000, 384000
LONGEST_S = 24 * 3600  # of a song and of every file
LONGEST_SAMPLES = LONGEST_S * RATE_HIGH_HZ
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
    than `most_bytes` (whole MiB), or no text.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise error(path, "cannot be read (it is no ordinary file)", remedy)
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
        if len(content) > most_bytes:
            raise error(path, f"is larger than {most_bytes // MIB} MiB", remedy)
        return content.decode("utf-8-sig")
    except FileNotFoundError:
        raise error(path, "does not exist", remedy) from None
    except (OSError, ValueError) as failure:
        reason = getattr(failure, "strerror", None) or failure
        raise error(path, f"cannot be read ({reason})", remedy) from None


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
