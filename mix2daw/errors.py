"""What can go wrong, said so that a person can mend it.

MixError
├── InputError      a stem, a mix or a settings file cannot be used
├── GraphError      a graph is not valid: the message names the field
├── OutputError     a result cannot be written, or would overwrite another
└── FormatError     a processor, format, preset or engine that does not exist

Every message has three parts: which file or field, what is wrong, what to do about it. It is one line of
text, whatever was named in it.
"""

from __future__ import annotations

MOST_CHARACTERS = 5000  # of each part: room for any path, and for the names of a large console


class MixError(Exception):
    """Base of all errors that mix2daw raises on purpose.

    `where`: the file or field; `what`: what is wrong with it; `remedy`: what the user can do.
    """

    def __init__(self, where: object, what: str, remedy: str) -> None:
        self.where = str(where)
        self.what = what
        self.remedy = remedy
        super().__init__()
        self._tell()

    def rename(self, old: object, new: object) -> None:
        """Say `new` where it says `old`: what is written under a name for the time being has another one."""
        self.where = self.where.replace(str(old), str(new))
        self._tell()

    def advise(self, more: str) -> None:
        """Add to the remedy."""
        self.remedy = f"{self.remedy}; {more}"
        self._tell()

    def _tell(self) -> None:
        self.args = (f"{_line(self.where)}: {_line(self.what)}; {_line(self.remedy)}",)


def _line(text: str) -> str:
    """Text without line breaks and control characters, and with an end."""
    line = "".join(char if char.isprintable() else " " for char in text[:MOST_CHARACTERS])
    return line if len(text) <= MOST_CHARACTERS else f"{line}…"


class InputError(MixError):
    """A stem, a mix or a settings file cannot be used. `code`: which of the findings of `check` it is."""

    def __init__(self, where: object, what: str, remedy: str, code: str = "file-unusable") -> None:
        super().__init__(where, what, remedy)
        self.code = code


class GraphError(MixError):
    """A graph is not valid; `where` names the file and the field."""


class OutputError(MixError):
    """A result cannot be written, or would overwrite an existing one."""


class FormatError(MixError):
    """A processor, format, preset or engine that does not exist."""
