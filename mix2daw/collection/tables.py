"""The graphs of a collection as three tables in Parquet: songs, strips, devices.

Numbers are those of graph.json and result.json, in human units, which the names of columns end with. A row of
the table of devices has the columns of all types; those of other types are null.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mix2daw.collection.record import GRAPH_FILE, Record, read_record
from mix2daw.errors import FormatError
from mix2daw.graph import Graph, Strip, read_graph
from mix2daw.groups import guess_group
from mix2daw.output import new_file
from mix2daw.processors import INSERTS, PROCESSORS, checked_graph
from mix2daw.result import Result, read_result
from mix2daw.search.found import FADER_PAN

TYPES = (*INSERTS, "send", FADER_PAN)  # as results count devices: a strip's fader and pan are one
TEXT, NUMBER, COUNT, FLAG = "string", "float64", "int64", "bool_"
LA_PARTS = ("full", "left_right", "mid", "side")

SONGS: dict[str, str] = {
    "song": TEXT,
    "layout": TEXT,
    "seconds": NUMBER,
    "sample_rate": COUNT,
    "tracks": COUNT,
    "groups": COUNT,
    "returns": COUNT,
    **{f"la_{part}": NUMBER for part in LA_PARTS},
    **{f"la_paper_{part}": NUMBER for part in LA_PARTS},
    "la_sum_of_stems": NUMBER,
    "la_console": NUMBER,
    "linear_ceiling": NUMBER,
    "sdr_db": NUMBER,
    "loudness_difference_lu": NUMBER,
    "null_db": NUMBER,
    "devices_before": COUNT,
    "devices_after": COUNT,
    "pruned_share": NUMBER,
    **{f"{type_}_{when}": COUNT for type_ in TYPES for when in ("before", "after")},
    "wall_s": NUMBER,
    "peak_rss_mib": NUMBER,
    "preset": TEXT,
    "strategy": TEXT,
    "tolerance": NUMBER,
    "seed": COUNT,
    "version": TEXT,
    "mix_sha256": TEXT,
}
STRIPS: dict[str, str] = {
    "song": TEXT,
    "strip": TEXT,
    "kind": TEXT,
    "output": TEXT,
    "instrument": TEXT,
    "fader_db": NUMBER,
    "pan": NUMBER,
    "devices": COUNT,
    "sends": COUNT,
    "muted": FLAG,
    "polarity": TEXT,
    "offset_samples": COUNT,
    "stretch_ppm": NUMBER,
    "source_sha256": TEXT,
    "residual_db": NUMBER,
}
_CONTROLS = sorted({param.name for processor in PROCESSORS.values() for param in processor.params})
DEVICES: dict[str, str] = {
    "song": TEXT,
    "strip": TEXT,
    "kind": TEXT,
    "instrument": TEXT,
    "type": TEXT,
    "place": COUNT,
    "after_fader": FLAG,
    "target": TEXT,
    "wet": NUMBER,
    "confidence": NUMBER,
    "send_db": NUMBER,
    **dict.fromkeys(_CONTROLS, NUMBER),
}


SONGS_AT_ONCE = 500
TABLES = {"songs.parquet": SONGS, "strips.parquet": STRIPS, "devices.parquet": DEVICES}


def check_tables() -> None:
    """Raise FormatError if what writes Parquet is not installed."""
    if find_spec("pyarrow") is None:
        remedy = "pip install 'mix2daw[collect]'"
        raise FormatError("collect", "needs pyarrow, which is not installed", remedy)


@dataclass(frozen=True)
class Rows:
    """Of all three tables."""

    songs: list[dict[str, Any]] = field(default_factory=list)
    strips: list[dict[str, Any]] = field(default_factory=list)
    devices: list[dict[str, Any]] = field(default_factory=list)

    def extend(self, other: Rows) -> None:
        """Add those of another song, or of more."""
        self.songs.extend(other.songs)
        self.strips.extend(other.strips)
        self.devices.extend(other.devices)


def rows_of(folder: Path) -> Rows | None:
    """Of the result in a folder; None if it is not whole. Raises InputError for one that cannot be read."""
    record = read_record(folder)
    if record is None:
        return None
    graph = checked_graph(read_graph(folder / GRAPH_FILE), PROCESSORS)
    result = read_result(folder / "result.json")
    rows = Rows([song_row(record, graph, result)])
    for strip in graph.strips:
        instrument = instrument_of(record, graph, strip)
        rows.strips.append(strip_row(record.song, strip, instrument, result))
        rows.devices.extend(device_rows(record.song, strip, instrument))
    return rows


@contextmanager
def new_tables(out: Path) -> Iterator[Callable[[Rows], None]]:
    """songs.parquet, strips.parquet and devices.parquet, which stand when the block ends well: what takes
    rows, of which memory holds those of a few hundred songs. Raises OutputError."""
    with ExitStack() as stack:
        writers = [stack.enter_context(_new_table(out / file, columns)) for file, columns in TABLES.items()]
        waiting = Rows()

        def flush() -> None:
            for write, rows in zip(writers, (waiting.songs, waiting.strips, waiting.devices), strict=True):
                write(rows)
                rows.clear()

        def add(rows: Rows) -> None:
            waiting.extend(rows)
            if len(waiting.songs) >= SONGS_AT_ONCE:
                flush()

        yield add
        flush()


def read_songs(out: Path) -> list[dict[str, Any]]:
    """The rows of songs.parquet."""
    from pyarrow import parquet  # an optional library

    rows: list[dict[str, Any]] = parquet.read_table(out / "songs.parquet").to_pylist()
    return rows


def song_row(record: Record, graph: Graph, result: Result) -> dict[str, Any]:
    """A row of songs.parquet."""
    before, after = result.devices_before, result.devices_after
    return {
        "song": record.song,
        "layout": record.layout,
        "seconds": graph.length_samples / graph.sample_rate,
        "sample_rate": graph.sample_rate,
        "tracks": len(graph.of_kind("track")),
        "groups": len(graph.of_kind("group")),
        "returns": len(graph.of_kind("return")),
        **{f"la_{part}": value for part, value in result.la.items()},
        **{f"la_paper_{part}": value for part, value in result.la_paper.items()},
        "la_sum_of_stems": result.la_sum_of_stems,
        "la_console": result.la_console,
        "linear_ceiling": result.linear_ceiling,
        "sdr_db": result.sdr_db,
        "loudness_difference_lu": result.loudness_difference_lu,
        "null_db": result.null_db.get("torch_pedalboard"),
        "devices_before": before.total,
        "devices_after": after.total,
        "pruned_share": 1 - after.total / before.total if before.total else None,
        **{f"{type_}_before": before.per_type.get(type_, 0) for type_ in TYPES},
        **{f"{type_}_after": after.per_type.get(type_, 0) for type_ in TYPES},
        "wall_s": result.seconds.get("total"),
        "peak_rss_mib": result.peak_rss_mib,
        "preset": result.preset,
        "strategy": result.strategy,
        "tolerance": result.tolerance,
        "seed": result.seed,
        "version": result.version,
        "mix_sha256": result.mix_sha256,
    }


def instrument_of(record: Record, graph: Graph, strip: Strip) -> str | None:
    """What a track is by the metadata, or else by its group or name; a group by its own name."""
    if strip.kind == "track":
        told = record.instruments.get(strip.name)
        return told or strip_group(graph, strip) or guess_group(strip.name)
    return strip.name if strip.kind == "group" else None


def strip_group(graph: Graph, strip: Strip) -> str | None:
    """The group that a track is in."""
    output = None if strip.output is None else graph.strip(strip.output)
    return output.name if output is not None and output.kind == "group" else None


def strip_row(song: str, strip: Strip, instrument: str | None, result: Result) -> dict[str, Any]:
    """A row of strips.parquet."""
    return {
        "song": song,
        "strip": strip.name,
        "kind": strip.kind,
        "output": strip.output,
        "instrument": instrument,
        "fader_db": strip.fader_db,
        "pan": strip.pan,
        "devices": len(strip.all_devices()),
        "sends": len(strip.sends),
        "muted": strip.muted,
        "polarity": strip.polarity if strip.kind == "track" else None,
        "offset_samples": strip.offset_samples if strip.kind == "track" else None,
        "stretch_ppm": strip.stretch_ppm if strip.kind == "track" else None,
        "source_sha256": strip.source_sha256,
        "residual_db": result.strip_residual_db.get(strip.name),
    }


def device_rows(song: str, strip: Strip, instrument: str | None) -> Iterator[dict[str, Any]]:
    """Rows of devices.parquet, of a strip whose devices are complete: inserts in order, then sends."""
    head = {"song": song, "strip": strip.name, "kind": strip.kind, "instrument": instrument}
    for place, device in enumerate(strip.all_devices()):
        yield {
            **head,
            "type": device.type,
            "place": place,
            "after_fader": place >= len(strip.devices),
            "wet": device.wet,
            "confidence": device.confidence,
            **device.values,
        }
    for place, send in enumerate(strip.sends):
        yield {
            **head,
            "type": "send",
            "place": place,
            "after_fader": send.tap == "post",
            "target": send.target,
            "send_db": send.level_db,
        }


@contextmanager
def _new_table(
    path: Path, columns: Mapping[str, str]
) -> Iterator[Callable[[Sequence[Mapping[str, Any]]], None]]:
    import pyarrow  # an optional library
    from pyarrow import parquet

    schema = pyarrow.schema([(name, getattr(pyarrow, kind)()) for name, kind in columns.items()])
    with (
        new_file(path) as partial,
        parquet.ParquetWriter(partial, schema, compression="zstd") as writer,
    ):

        def write(rows: Sequence[Mapping[str, Any]]) -> None:
            kept = [{name: row.get(name) for name in columns} for row in rows]
            if kept:
                writer.write_table(pyarrow.Table.from_pylist(kept, schema=schema))

        yield write
