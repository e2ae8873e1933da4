"""Words that the files of a recall sheet share."""

from __future__ import annotations

from pathlib import PurePosixPath

from mix2daw.exporters.names import clean_text


def file_label(path: str) -> str:
    """The name of a file without its folders, on one line: a sheet that is passed on tells no paths."""
    return clean_text(PurePosixPath(path.replace("\\", "/")).name)
