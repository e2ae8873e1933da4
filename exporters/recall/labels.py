"""Words that the files of a recall sheet share."""

from __future__ import annotations

from pathlib import PurePosixPath

from mix2daw.exporters.names import clean_text


def file_label(path: str) -> str:
    """The name of a file on one line, without its folders: a sheet that is passed on tells no paths."""
    return clean_text(PurePosixPath(path).name)
