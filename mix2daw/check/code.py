"""What a code is: a kind of finding, by a name that stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Severity = Literal["stop", "warning", "note"]

SEVERITIES: tuple[Severity, ...] = get_args(Severity)


@dataclass(frozen=True)
class Code:
    """`name`: stable; `means`: when it is found, for the documentation; `said`: template of what was
    measured, whose names end in their unit; `remedy`: what to do, a template as well."""

    name: str
    severity: Severity
    means: str
    said: str
    remedy: str
