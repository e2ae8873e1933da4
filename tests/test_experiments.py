"""`benchmark paper`: the searches it makes of a corpus, and tables that say what came of them."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from collection_helpers import make_song
from matplotlib.image import imread
from pyarrow import parquet
from test_cli import refused, run

from mix2daw.console import PRESETS, build_console, cut_down, preset
from mix2daw.errors import InputError
from mix2daw.experiments import published
from mix2daw.experiments.paper import Benchmark, Outcome, benchmark
from mix2daw.experiments.plan import Experiments, plan
from mix2daw.output import check_gathering
from mix2daw.progress import Silence
from mix2daw.search import Settings
from mix2daw.selection import Selection, places_of
from mix2daw.session import open_session

FEW = Experiments(strategies=("saliency",), tolerances=(0.01,), seeds=(0, 1))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A song, and one with a stem that cannot be read."""
    folder = tmp_path_factory.mktemp("corpus")
    make_song(folder / "fine", 1)
    broken = make_song(folder / "torn", 0) / "stems/bass.wav"
    broken.write_bytes(broken.read_bytes()[:5000])
    return folder


@pytest.fixture(scope="module")
def task(corpus: Path) -> Benchmark:
    return Benchmark(corpus, corpus.parent / "tables", FEW, preview=True, workers=1, threads=1)


@pytest.fixture(scope="module")
def outcome(task: Benchmark) -> Outcome:
    return benchmark(task, Silence())


def songs_of(task: Benchmark, search: str) -> list[dict[str, Any]]:
    table = parquet.read_table(task.out / "searches" / search / "songs.parquet")
    found: list[dict[str, Any]] = table.to_pylist()
    return found


def tables_of(task: Benchmark) -> dict[str, list[dict[str, str]]]:
    """paper.md by its headings: rows by the names of columns."""
    found = {}
    for section in (task.out / "paper.md").read_text(encoding="utf-8").split("\n## ")[1:]:
        title, _, body = section.partition("\n")
        head, _, *rows = [
            [cell.strip() for cell in line.strip("|").split("|")]
            for line in body.splitlines()
            if line.startswith("|")
        ]
        found[title] = [dict(zip(head, row, strict=True)) for row in rows]
    return found


@pytest.mark.parametrize("name", PRESETS)
def test_consoles_grow_from_faders_to_all_that_the_preset_has(name: str, tmp_path: Path) -> None:
    session = open_session(make_song(tmp_path, 1) / "stems", tmp_path / "mix.wav")
    whole = build_console(session, preset(name), tmp_path)
    consoles = plan(replace(FEW, settings=Settings(preset=name))).consoles
    graphs = [cut_down(whole, search.settings.allows) for search in consoles.values()]
    assert not any(strip.all_devices() for strip in graphs[0].strips)
    assert graphs[-1] == whole
    for smaller, larger in pairwise(graphs):
        assert set(places_of(smaller)) <= set(places_of(larger))
    if name == "paper":
        assert list(consoles) == list(published.CONSOLES)


def test_every_pair_is_searched_once_and_the_first_with_all_seeds() -> None:
    planned = plan(Experiments(("hybrid", "saliency"), (0.1, 0.01), (5, 6)))
    names = [search.name for search in planned.searches()]
    assert len(names) == len(set(names)) == len(planned.consoles) + 4 + 1
    assert planned.seeds[5] is not planned.seeds[6]
    assert planned.seeds[5] == planned.pruning["hybrid", 0.1]
    assert planned.seeds[6].settings == replace(planned.seeds[5].settings, seed=6)
    assert {search.settings.seed for search in planned.consoles.values()} == {5}


def test_a_song_that_fails_is_told_and_in_no_table(task: Benchmark, outcome: Outcome) -> None:
    assert (outcome.songs, outcome.failed) == (("fine",), ("torn",))
    assert outcome.done == outcome.searches == len(published.CONSOLES) + 2
    text = (task.out / "paper.md").read_text(encoding="utf-8")
    assert text.startswith("1 song, the loudest 20 s of each")
    assert "Not in the tables, as a search failed on them: torn" in text


def test_tables_say_what_the_collections_hold(task: Benchmark, outcome: Outcome) -> None:
    """Read back by the libraries of Parquet, not by the writer's code."""
    tables = tables_of(task)
    assert outcome.done
    sum_of_stems, *consoles = tables["Consoles, before pruning"]
    planned = plan(FEW)
    for row, search in zip(consoles, planned.consoles.values(), strict=True):
        (song,) = songs_of(task, search.name)
        assert float(row["La"]) == pytest.approx(song["la_full"], abs=0.0005)
        assert float(row["devices"]) == song["devices_before"]
        assert float(sum_of_stems["La"]) == pytest.approx(song["la_sum_of_stems"], abs=0.0005)
    (song,) = songs_of(task, planned.seeds[0].name)
    (row,) = tables["Strategies and tolerances"]
    assert (row["strategy"], float(row["τ"])) == (song["strategy"], song["tolerance"])
    assert float(row["La before"]) == pytest.approx(song["la_console"], abs=0.0005)
    (types,) = tables["ρ by type"]
    assert types["equalizer"] == f"{100 * (1 - song['equalizer_after'] / song['equalizer_before']):.0f} %"
    assert types["fader, pan"] == f"{100 * (1 - song['fader_pan_after'] / song['fader_pan_before']):.0f} %"
    *seeds, deviation = tables["Seeds"]
    las = [songs_of(task, search.name)[0]["la_full"] for search in planned.seeds.values()]
    assert [float(row["La"]) for row in seeds] == pytest.approx(las, abs=0.0005)
    assert float(deviation["La"]) == pytest.approx(np.std(las, ddof=1), abs=0.0005)


def test_a_console_that_is_not_pruned_keeps_all_that_does_anything(task: Benchmark, outcome: Outcome) -> None:
    assert outcome.done
    *_, full = plan(FEW).consoles.values()
    (song,) = songs_of(task, full.name)
    (pruned,) = songs_of(task, plan(FEW).seeds[0].name)
    assert song["strategy"] == "none"
    assert song["devices_before"] == pruned["devices_before"]
    assert song["devices_after"] > pruned["devices_after"]
    assert song["la_full"] <= song["la_console"] + 0.001  # of rounding


def test_it_goes_on_where_it_was_left_and_writes_the_same_bytes(task: Benchmark, outcome: Outcome) -> None:
    assert outcome.done
    files = [task.out / name for name in ("paper.md", "paper.png")]
    before = [file.read_bytes() for file in files]
    done = {path: path.stat().st_mtime_ns for path in task.out.rglob("song.json")}
    assert benchmark(task, Silence()) == outcome
    assert [file.read_bytes() for file in files] == before
    assert {path: path.stat().st_mtime_ns for path in done} == done
    assert len(np.unique(imread(files[1])[:, :, 0])) > 20  # it is drawn upon


def test_what_cannot_be_tried_is_refused_in_one_line(corpus: Path, tmp_path: Path) -> None:
    where = ["benchmark", "paper", corpus, "--out", tmp_path / "out"]
    refused(tmp_path, ["benchmark", "luck", *where[2:]], "luck", "paper")
    refused(tmp_path, [*where, "--strategies", "luck"], "luck", "saliency")
    refused(tmp_path, [*where, "--tolerances", "little"], "--tolerances", "little")
    refused(tmp_path, [*where, "--seeds", "0.5"], "--seeds", "0.5")
    (tmp_path / "out").mkdir()
    check_gathering(tmp_path / "out", (), "a benchmark")
    (tmp_path / "out/mine.txt").write_text("", encoding="utf-8")
    refused(tmp_path, where, "mine.txt", "another folder")


def test_a_corpus_of_which_nothing_is_recovered_is_one_line(corpus: Path, tmp_path: Path) -> None:
    where = ["benchmark", "paper", corpus / "torn", "--out", tmp_path / "out", "--preview", "--json"]
    ended = run(*where, "--strategies", "none", "--tolerances", "0.01", "--seeds", "0")
    assert ended.exit_code == 2
    assert "holds no song that every search recovered" in ended.stderr.splitlines()[-1]
    assert not (tmp_path / "out/paper.md").exists()
    failures = list((tmp_path / "out").rglob("failures.jsonl"))
    assert failures
    assert all(json.loads(file.read_text())["where"].endswith("bass.wav") for file in failures)


def test_a_type_that_no_strip_happens_to_have_is_nothing_wrong() -> None:
    """Mono stems have no width, and a corpus has songs of both kinds."""
    places = (("kick", "equalizer"), ("kick", "fader"))
    Selection.of("--without", ("width",)).check(places)
    with pytest.raises(InputError, match=r"kick\.width"):
        Selection.of("--without", ("kick.width",)).check(places)
