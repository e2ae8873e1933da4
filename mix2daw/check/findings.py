"""A finding: a code, the files it is about, and what was measured there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mix2daw.check.code import Code
from mix2daw.check.codes import CODES
from mix2daw.errors import InputError

Measured = Mapping[str, float | int | str]


@dataclass(frozen=True)
class Finding:
    """`code`: what was found; `files`: where; `measured`: numbers and names, by names that end in their unit;
    `said`: in words; `remedy`: what to do."""

    code: Code
    files: tuple[Path, ...]
    measured: Measured
    said: str
    remedy: str


def finding(code: str, files: Sequence[Path], measured: Measured) -> Finding:
    """A finding of a declared code; `measured` has what its words need."""
    declared = CODES[code]
    said, remedy = (text.format_map(measured) for text in (declared.said, declared.remedy))
    return Finding(declared, tuple(files), measured, said, remedy)


def refusal(error: InputError, path: Path, code: str | None = None) -> Finding:
    """What `recover` would refuse, as a finding about a file."""
    return finding(code or error.code, [path], {"what": error.what, "remedy": error.remedy})


def in_order(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Findings as they are listed: as their codes are declared, the most severe first, then by file."""
    place = {name: index for index, name in enumerate(CODES)}
    return tuple(sorted(findings, key=lambda found: (place[found.code.name], [str(f) for f in found.files])))
