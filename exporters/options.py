"""What a caller may choose of a session, whatever the format: every option with its values.

A format declares which of them it has (`Exporter.options`); to choose another value of any other is an error.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from mix2daw.errors import FormatError

# The first value of each is what is written unless another is asked for.
CHOICES = {"devices": ("own", "native"), "media": ("embed", "link")}


@dataclass(frozen=True)
class Options:
    """`devices`: played by effects of ours that come with the session (own), or by those of the DAW, which
    sound nearly so (native). `media`: the audio is in the session (embed), or the session names the stems
    where they lie (link). Raises FormatError for a value that does not exist."""

    devices: str = CHOICES["devices"][0]
    media: str = CHOICES["media"][0]

    def __post_init__(self) -> None:
        for name, value in self._values().items():
            if value not in CHOICES[name]:
                raise FormatError(f"--{name} {value}", "does not exist", f"use {' or '.join(CHOICES[name])}")

    def chosen(self) -> dict[str, str]:
        """The options that are not as they are unless another value is asked for."""
        return {name: value for name, value in self._values().items() if value != CHOICES[name][0]}

    def _values(self) -> dict[str, str]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


DEFAULTS = Options()
