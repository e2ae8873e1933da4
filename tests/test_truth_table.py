"""The table of the benchmark: one shape, and what is out of bounds stands out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from _truth_parts import PartsScore
from _truth_scores import Score, TrackScore
from truth import DEMANDED, HEAD, details, row

NUMBERS: dict[str, Any] = {"la": {"full": 0.01}, "sdr_db": 40.0}
GOOD = Score(
    parts=PartsScore(audible=7, missed=(), false=(), false_share=0.0),
    tracks={"kick": TrackScore(0.1, -0.2, 0.0, 0.3), "voice": TrackScore(-0.4, 0.0, 0.01, 0.0)},
    reduction_db={},
    delay_exact=None,
    decay_percent=4.0,
)


def test_every_line_has_the_same_columns() -> None:
    lines = (*HEAD.splitlines(), DEMANDED, row("song", GOOD, NUMBERS))
    assert len({line.count("|") for line in lines}) == 1


def test_what_is_within_bounds_is_not_bold() -> None:
    line = row("song", GOOD, NUMBERS)
    assert "**" not in line
    assert (
        "| 7 of 7 | 0% | 0.25, 0.40 | 0.10, 0.20 | 0.005, 0.010 | 0.15, 0.30 | 0.00, 0.00 |  | 4 % |" in line
    )


def test_what_is_out_of_bounds_is_bold_and_named() -> None:
    parts = PartsScore(audible=7, missed=("kick: compressor",), false=("voice: gate",), false_share=0.2)
    wrong = replace(GOOD, parts=parts, delay_exact=False, decay_percent=100.0)
    wrong = replace(wrong, tracks={"kick": TrackScore(-1.0, 0.0, 0.0, 0.0)})
    line = row("song", wrong, NUMBERS)
    for cell in ("**6 of 7**", "**20%**", "1.00, **1.00**", "**wrong**", "**100 %**"):
        assert f"| {cell} |" in line
    assert details("song", wrong) == "- song: missed kick: compressor; false voice: gate"
