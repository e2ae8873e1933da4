"""What is kept of a song that is done, beside its graph: song.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from mix2daw import limits
from mix2daw.collection.song import Layout
from mix2daw.errors import InputError
from mix2daw.output import json_text, new_file, write_text

RECORD_FILE, GRAPH_FILE = "song.json", "graph.json"
RECORD_SCHEMA: Literal["mix2daw.song/1"] = "mix2daw.song/1"


@dataclass(frozen=True)
class Record:
    """`key`: of the bytes of all that went into it, and of the settings; `instruments`: of its tracks, as far
    as metadata told them."""

    song: str
    layout: Layout
    key: str
    instruments: Mapping[str, str]
    schema: Literal["mix2daw.song/1"] = RECORD_SCHEMA


def write_record(folder: Path, record: Record) -> None:
    """The last thing that is written of a song: what has it is whole. Raises OutputError."""
    with new_file(folder / RECORD_FILE) as partial:
        write_text(partial, json_text(asdict(record)))


def read_record(folder: Path) -> Record | None:
    """None if there is none, or none that counts."""
    if not all((folder / name).is_file() for name in (RECORD_FILE, GRAPH_FILE, "result.json")):
        return None
    try:
        text = limits.read_text(folder / RECORD_FILE, limits.GRAPH_BYTES, InputError, "")
        return TypeAdapter(Record).validate_json(text)
    except (InputError, ValidationError):
        return None
