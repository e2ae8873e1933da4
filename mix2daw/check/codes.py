"""The codes that `check` has. The table of docs/check.md is made from here.

Adding one takes a declaration, a finding that is made of it, and a test that makes its cause.
"""

from __future__ import annotations

from mix2daw.check.code import Code
from mix2daw.check.note_codes import NOTES
from mix2daw.check.warning_codes import WARNINGS


def _stop(name: str, means: str) -> Code:
    """A stop says what is wrong and what to do as `recover` says it."""
    return Code(name, "stop", means, "{what}", "{remedy}")


STOPS = (
    _stop("no-stems", "The folder of the stems does not exist, cannot be listed, or holds no audio file"),
    _stop("names-clash", "Two files of the folder would be one track: they differ by extension or case"),
    _stop("name-unusable", "A name that no session can hold: control characters, more than 200 characters"),
    _stop(
        "file-unusable",
        "A file is missing, empty, cut off, of no length, too long, or cannot be read as audio",
    ),
    _stop("channels-unusable", "A file has more than two channels"),
    _stop("rate-unusable", "A sample rate outside 8000 to 384000 Hz"),
    _stop("not-finite", "Samples that are NaN or infinite"),
    _stop("length-foreign", "The longest stem lasts less than half the mix, or one sounds 1.1 times as long"),
    _stop("mix-short", "The mix lasts less than half a second"),
    _stop("mix-silent", "The mix's RMS is below −90 dBFS"),
    _stop("all-silent", "Every stem's RMS is below −90 dBFS, in its file or in what the mix has of it"),
    _stop("groups-unusable", "The groups.yaml cannot be read as groups"),
)
CODES: dict[str, Code] = {code.name: code for code in (*STOPS, *WARNINGS, *NOTES)}


def markdown() -> str:
    """The table of all codes."""
    lines = ["| code | severity | found when | what to do |", "| --- | --- | --- | --- |"]
    for code in CODES.values():
        remedy = "what it says" if code.severity == "stop" else code.remedy
        lines.append(f"| `{code.name}` | {code.severity} | {code.means} | {remedy} |")
    return "\n".join(lines) + "\n"
