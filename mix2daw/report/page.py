"""The page: everything measured, and put into its template."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from mix2daw.exporters.recall.picture import Mark, draw
from mix2daw.exporters.renaming import renamed, session_names
from mix2daw.exporters.words import file_label
from mix2daw.graph import Graph
from mix2daw.report.cards import anchors, cards, colours
from mix2daw.report.heat import gradient, heat_plot
from mix2daw.report.history import Pruned, pruned, renamed_record, search_plots
from mix2daw.report.material import LOOP_S, Material, clips_of
from mix2daw.report.measure import (
    Floats,
    columns,
    integrated_lufs,
)
from mix2daw.report.moments import residual_cells, worst_moments
from mix2daw.report.overview import Song, loudness_plot, waveform
from mix2daw.report.rides import Overlap
from mix2daw.report.sessions import carried
from mix2daw.report.strips import Heard
from mix2daw.report.verdict import hz_range, loudness_within_lu, minutes, sentence, signed, unexplained
from mix2daw.result import Result

REPORT_FILE = "report.html"
HEAT_COLUMNS = 480
MAINS = (
    ("target", "Mix", "the finished mix"),
    ("ours", "Ours", "the recovered console, played"),
    ("difference", "Difference", "mix − ours"),
    ("sum", "Stems", "the stems added up, without a console"),
)


def report_html(graph: Graph, result: Result, material: Material) -> str:
    """report.html of a result: its graph (devices complete), and what was gathered of its audio. The same
    folder makes the same page."""
    song, heard = material.song, material.heard
    new = session_names(graph)
    shown = renamed(graph, new)
    taken = pruned(shown, renamed_record(result.search, new))
    listened = {new[name]: value for name, value in heard.items()}
    content = {
        **_outcome(song, result, [value.overlap for value in heard.values()], new),
        **_pictures(song, shown, result, taken),
        "strips": cards(shown, listened, taken.of if taken else {}),
        "player": _player(material, listened),
        "clips": [*material.clips, *clips_of(heard)],
        "plan": material.plan,
        "mains": MAINS,
        "sessions": carried(graph, result.lost),
        "result": result,
        "graph": shown,
        "minutes": minutes,
        "signed": signed,
        "inputs": [(file_label(str(s.source)), s.source_sha256) for s in graph.of_kind("track")],
        "mix": file_label(graph.mix) if graph.mix else "",
    }
    return _template().render(content)


def _outcome(song: Song, result: Result, overlaps: list[Overlap], new: Mapping[str, str]) -> dict[str, Any]:
    within = loudness_within_lu(song.target_blocks, song.ours_blocks)
    named = [replace(each, strip=new[each.strip]) for each in overlaps]
    rest = unexplained(song.target_energies, song.difference_energies, named, song.sample_rate)
    kept, offered = result.devices_after.total, result.devices_before.total
    moments = worst_moments(
        song.target_blocks, song.difference_blocks, song.difference_energies, song.length_s
    )
    return {
        "sentence": sentence(within, kept, offered, rest),
        "moments": [
            {
                "start_s": moment.start_s,
                "time": _tenths(moment.start_s),
                "band": hz_range(*moment.hz),
                "where": moment.where,
                "level": signed(moment.level_lu, 1),
            }
            for moment in moments
        ],
    }


def _pictures(song: Song, shown: Graph, result: Result, taken: Pruned | None) -> dict[str, Any]:
    target, difference = (
        columns(energies, HEAT_COLUMNS) for energies in (song.target_energies, song.difference_energies)
    )
    cells = residual_cells(target, difference)
    heats = [
        heat_plot(part, name, song.length_s, _share_above(part))
        for part, name in zip(cells, ("mid", "side"), strict=True)
    ]
    anchor, colour = anchors(shown), colours(shown)
    marks = {
        strip.name: Mark(
            f"#{anchor[strip.name]}",
            f"bar c{colour[strip.name]}" if colour[strip.name] >= 0 else f"bar {strip.kind}s",
            taken.of.get(strip.name, ()) if taken else (),
        )
        for strip in shown.strips
    }
    steps = result.search.steps if result.search else []
    return {
        "heats": heats,
        "heat_gradient": gradient(),
        "wave": waveform(song),
        "loudness": loudness_plot(song),
        # The text of the picture is escaped where it is drawn.
        "flow": Markup(draw(shown, marks)),
        "pruned": taken,
        "search_plots": search_plots(steps, result.devices_before.total, result.devices_after.total),
        "stages": _stages(result),
    }


@dataclass(frozen=True)
class Stage:
    """Wall seconds of a stage, `percent` of the longest."""

    name: str
    seconds: float
    percent: float


def _stages(result: Result) -> list[Stage]:
    longest = max((s for name, s in result.seconds.items() if name != "total"), default=0.0) or 1.0
    return [
        Stage(name, seconds, round(100 * seconds / longest, 1))
        for name, seconds in result.seconds.items()
        if name != "total"
    ]


def _share_above(cells: Floats) -> str:
    return f"{np.mean(cells > -12):.0%} of it is less than 12 dB below the mix."


def _player(material: Material, heard: Mapping[str, Heard]) -> dict[str, Any]:
    """What the player has to know, but for the audio. `heard`: by the names that are shown."""
    song, plan = material.song, material.plan
    loudness = {
        "target": integrated_lufs(song.target, song.sample_rate),
        "ours": integrated_lufs(song.ours, song.sample_rate),
        "sum": integrated_lufs(material.plain_sum, song.sample_rate),
    }

    def match(name: str) -> float:
        change = loudness["target"] - loudness.get(name, loudness["target"])
        return round(change, 2) if np.isfinite(change) else 0.0

    first = max(material.loudest_s, plan.start_s)
    return {
        "length": round(song.length_s, 4),
        "start": round(plan.start_s, 4),
        "seconds": round(plan.seconds, 4),
        "loop": [round(first, 2), round(min(first + LOOP_S, plan.start_s + plan.seconds), 2)],
        "mains": {clip.id: {"level": clip.level_db, "match": match(clip.id)} for clip in material.clips},
        "strips": {
            each.wet.id.removesuffix("-wet"): {
                "start": round(each.wet.start_s, 4),
                "levels": {
                    way: round(clip.level_db + match_db, 3)
                    for way, clip, match_db in (("dry", each.dry, each.match_db), ("wet", each.wet, 0.0))
                    if clip is not None
                },
            }
            for each in heard.values()
            if each.wet is not None
        },
    }


def _tenths(seconds: float) -> str:
    tenths = round(seconds * 10)
    return f"{tenths // 600}:{tenths // 10 % 60:02d}.{tenths % 10}"


def _template() -> Template:
    """The template, with style and script beside it: in a checkout and in an installed package alike."""
    folder = Path(__file__).parent / "templates"
    environment = Environment(
        loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters["json"] = _json
    for name in ("style.css", "deck.js", "page.js"):
        text = (folder / name).read_text(encoding="utf-8")
        environment.globals[re.sub(r"\W", "_", name)] = Markup(text)
    return environment.get_template("page.html.j2")


def _json(value: object) -> Markup:
    """JSON that may stand inside a `script` element."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))
