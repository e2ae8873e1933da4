"""The report on recoveries: every record becomes a line, a curve, and is read back as it was written."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from _record import RECORD_FILE, Record, Run, read_record
from _search_report import AT_STEPS, COLUMNS, DASH, around, plot, row, table
from _songs import Published, Song, songs_here

RESULT: dict[str, Any] = {
    "la": {"full": 0.25},
    "la_sum_of_stems": 1.5,
    "la_console": 0.26,
    "devices_before": {"total": 80, "per_type": {"equalizer": 50, "send": 30}},
    "devices_after": {"total": 25, "per_type": {"equalizer": 18, "fader_pan": 5, "send": 2}},
    "sdr_db": None,
    "null_db": {"torch_pedalboard": -300.0},
    "seconds": {"prune": 30.0, "total": 120.0},
    "peak_rss_mib": 1234.5,
}
DESCENT = tuple(1 / (step + 1) for step in range(100))
RECORD = Record("song", Run(), 0.9, DESCENT, RESULT, wall_s=130.0, cpu_s=200.0)
SONGS = {"song": Song("song", Path("stems"), Path("mix.flac"), None, Published(0.4, 99, "in a short run"))}


def test_a_line_has_every_column() -> None:
    cells = [cell.strip() for cell in row(RECORD, SONGS["song"]).strip("|").split("|")]
    found = dict(zip(COLUMNS, cells, strict=True))
    assert found["0 steps"] == "0.900"
    assert found["25 steps"] == f"{sum(DESCENT[23:27]) / 4:.3f}"
    assert found["100 steps"] == f"{sum(DESCENT[96:]) / 4:.3f}"
    assert found["200 steps"] == DASH
    assert found["**pruned**"] == "**0.250**"
    assert found["published code"] == "0.400 in 99 s"
    assert found["SDR dB"] == DASH
    assert (found["devices"], found["pruned share"]) == ("80 → 25", "69%")
    assert (found["wall s"], found["of it pruning"], found["CPU s"]) == ("130", "25%", "200")


def test_the_mean_stays_within_the_descent() -> None:
    assert around((4.0, 2.0), 1) == 3.0
    assert math.isnan(around((), 1))
    assert all(math.isfinite(around(DESCENT, step)) for step in range(1, len(DESCENT) + 1))


def test_the_file_says_how_the_published_figure_came_about() -> None:
    text = table([RECORD, replace(RECORD, song="another")], SONGS, "a machine")
    assert text.startswith("a machine.\n")
    assert "Published code on song: in a short run." in text
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in lines}) == 1
    assert len(lines) == 4


def test_the_picture_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    records = [
        RECORD,
        replace(RECORD, run=Run(preset="paper", strategy="hybrid")),
        replace(RECORD, song="another"),
        replace(RECORD, song="short", descent=DESCENT[:2]),
    ]
    plot(records, SONGS, tmp_path / "new" / "search.png")
    assert (tmp_path / "new" / "search.png").read_bytes().startswith(b"\x89PNG")


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / RECORD_FILE).write_text(json.dumps(asdict(RECORD)), encoding="utf-8")
    assert read_record(tmp_path / RECORD_FILE) == RECORD


def test_songs_that_are_absent_are_left_out_with_a_line(tmp_path: Path, capsys) -> None:
    assert [song.name for song in songs_here(shared=tmp_path)] == ["sample"]
    assert "soul-foreign-plugins: not on this machine, left out" in capsys.readouterr().out
    with pytest.raises(ValueError, match="no song 'none'"):
        list(songs_here(["none"]))


def test_the_columns_of_steps_are_named_after_them() -> None:
    assert [name for name in COLUMNS if name.endswith(" steps")] == [f"{steps} steps" for steps in AT_STEPS]
