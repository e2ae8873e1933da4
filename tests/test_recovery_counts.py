"""How much of a known console comes back: alike consoles score 1, one device less or more its share."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from _calibration import calibrated
from _recovery_counts import SongScore, Tally, kind_of, knob_errors, song_score, summed, tallies, whose
from _recovery_report import plot, report
from _recovery_songs import Pair, as_heard, read_pairs
from _truth_parts import Part, all_parts
from _truth_scores import score
from recovery import how_recovered

from mix2daw.collection.record import Record
from mix2daw.console import return_device
from mix2daw.errors import InputError
from mix2daw.exporters.pedalboard import render
from mix2daw.graph import Device, Graph, Send, Strip
from mix2daw.processors import PROCESSORS, checked_graph
from mix2daw.result import Result

RATE = 44100
BELL = Device(type="equalizer", values={"bell_2_hz": 900, "bell_2_db": 6}, confidence=0.3)
PRESS = Device(type="compressor", values={"threshold_db": -30, "ratio": 4}, confidence=0.02)
INSTRUMENTS = {"kick": "drums", "snare": "drums", "voice": "vocals"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise for every track; of `voice` only the second half sounds."""
    place = tmp_path_factory.mktemp("stems")
    for number, name in enumerate(INSTRUMENTS):
        stem = 0.1 * np.random.default_rng(number).standard_normal(RATE)
        stem[: RATE // 2] *= name != "voice"
        soundfile.write(place / f"{name}.wav", stem.astype(np.float32), RATE, subtype="FLOAT")
    return place


def track(name: str, output: str, *devices: Device, sends: tuple[Send, ...] = ()) -> Strip:
    return Strip(name=name, kind="track", source=f"{name}.wav", devices=devices, output=output, sends=sends)


@pytest.fixture(scope="module")
def truth() -> Graph:
    """Three equalizers (one on a group), a compressor, two sends and their reverb: seven parts."""
    to_room = (Send(target="room", level_db=-6),)
    strips = (
        track("kick", "drums", BELL, PRESS),
        track("snare", "drums", BELL, sends=to_room),
        track("voice", "vocals", sends=to_room),
        Strip(name="drums", kind="group", devices=(BELL,), output="master"),
        Strip(name="vocals", kind="group", output="master"),
        Strip(name="room", kind="return", devices=(return_device("reverb"),), output="master"),
        Strip(name="master", kind="master"),
    )
    return checked_graph(Graph(sample_rate=RATE, length_samples=RATE, strips=strips), PROCESSORS)


def changed(graph: Graph, name: str, **fields: object) -> Graph:
    return checked_graph(graph.replace(graph.strip(name).model_copy(update=fields)), PROCESSORS)


def total(truth: Graph, recovered: Graph) -> Tally:
    return sum(tallies(truth, all_parts(truth), recovered).values(), Tally())


def test_a_console_against_itself_is_perfect(truth: Graph) -> None:
    found = total(truth, truth)
    assert (found.true, found.false, found.missed, found.audible) == (7, 0, 0, 7)
    assert found.precision == found.recall == found.audible_recall == found.f1 == 1


def test_a_device_that_is_missing_costs_recall(truth: Graph) -> None:
    found = total(truth, changed(truth, "kick", devices=(BELL,)))
    assert found.precision == 1
    assert [found.recall, found.audible_recall] == pytest.approx([6 / 7, 6 / 7])
    assert found.f1 == pytest.approx(2 * 6 / (6 + 7))


def test_what_is_not_heard_is_not_missed_by_ear(truth: Graph) -> None:
    heard = all_parts(truth)
    del heard[Part("kick", "compressor")]
    found = sum(tallies(truth, heard, changed(truth, "kick", devices=(BELL,))).values(), Tally())
    assert found.recall == pytest.approx(6 / 7)
    assert found.audible_recall == 1


def test_a_device_too_many_costs_precision(truth: Graph) -> None:
    found = total(truth, changed(truth, "voice", devices=(BELL,)))
    assert found.recall == 1
    assert found.precision == pytest.approx(7 / 8)
    assert total(truth, changed(truth, "kick", devices=(BELL, BELL, PRESS))).precision == pytest.approx(7 / 8)


def test_a_console_without_devices_has_no_precision(truth: Graph) -> None:
    bare = truth
    for name in ("kick", "snare", "voice", "drums"):
        bare = changed(bare, name, devices=(), sends=())
    found = total(truth, bare)
    assert (found.precision, found.recall, found.f1) == (None, 0, 0)
    assert (Tally().recall, Tally().audible_recall, Tally().f1) == (None, None, None)


def test_a_convolution_and_a_group_of_one_count_as_what_they_are(truth: Graph) -> None:
    on_track, on_group = changed(truth, "voice", devices=(BELL,)), changed(truth, "vocals", devices=(BELL,))
    assert total(on_track, on_group).f1 == 1
    other = truth.replace(truth.strip("room").model_copy(update={"devices": (Device(type="convolution"),)}))
    assert total(truth, other).f1 == 1


def compared(truth: Graph, recovered: Graph, folder: Path) -> SongScore:
    audible = all_parts(truth)
    result = score(truth, folder, recovered, folder, audible)
    return song_score("song", truth, audible, recovered, result, INSTRUMENTS)


def test_parts_belong_to_types_and_to_instruments(truth: Graph, folder: Path) -> None:
    song = compared(truth, changed(truth, "master", devices=(PRESS,)), folder)
    types = summed([song, song], lambda _, part: kind_of(part))
    assert {name: tally.true for name, tally in types.items()} == {
        "compressor": 2,
        "equalizer": 6,
        "return: reverb": 2,
        "send to reverb": 4,
    }
    owners = summed([song], whose)
    assert {name: (tally.true, tally.false) for name, tally in owners.items()} == {
        "drums": (5, 0),
        "master": (0, 1),
        "returns": (1, 0),
        "vocals": (1, 0),
    }


def test_a_confidence_counts_for_the_truth_of_its_device(truth: Graph, folder: Path) -> None:
    """Of two equalizers where the truth has one, the surer is true. Sends and returns have no confidence."""
    doubt = BELL.model_copy(update={"confidence": 0.01})
    song = compared(truth, changed(truth, "snare", devices=(doubt, BELL)), folder)
    assert sorted((case.confidence, case.true) for case in song.cases) == [
        (0.01, False),
        (0.02, True),
        *[(0.3, True)] * 3,
    ]


def test_errors_of_settings_are_told_by_their_owners(truth: Graph, folder: Path) -> None:
    wrong = changed(changed(truth, "snare", fader_db=-2), "voice", pan=-0.2)
    errors = knob_errors(compared(truth, wrong, folder))
    found = {(knob, owner): size for knob, owner, size in errors if size > 1e-5}
    assert found[("fader dB", "drums")] == pytest.approx(2)
    assert found[("pan", "vocals")] == pytest.approx(0.2)
    assert found[("send dB", "drums")] == pytest.approx(2)
    assert [owner for knob, owner, _ in errors if knob == "EQ curve dB"] == ["drums", "drums"]
    assert ("decay %", "returns", 0) in errors


def test_of_a_preview_the_truth_is_cut_to_what_was_heard(truth: Graph, folder: Path) -> None:
    """A stretch of the first half, in which one track is silent: it goes, with its group, and what is left
    sounds as it did, but for what compressors and echoes knew of the time before."""
    start, length = RATE // 10, RATE // 3
    heard = truth
    for name in ("kick", "snare"):
        heard = changed(heard, name, offset_samples=-start)
    strips = tuple(strip for strip in heard.strips if strip.name not in ("voice", "vocals"))
    recovered = heard.model_validate({**dict(heard), "length_samples": length, "strips": strips})
    cut = as_heard(truth, recovered)
    assert cut == recovered
    dry = changed(cut, "snare", sends=())
    whole = changed(truth, "snare", sends=())
    late = slice(length // 2, length)
    played, wanted = render(dry, folder)[:, late], render(whole, folder)[:, start : start + length][:, late]
    assert np.allclose(played, wanted, atol=1e-4)
    assert as_heard(truth, truth) is truth


def test_a_collection_without_the_songs_is_told(tmp_path: Path) -> None:
    (tmp_path / "manifest.jsonl").write_text('{"song": "a", "stems": "stems", "mix": "a/mix.flac"}\n')
    with pytest.raises(InputError, match=r"holds none of the songs.*mix2daw collect"):
        read_pairs(tmp_path, tmp_path / "corpus")
    with pytest.raises(InputError, match="does not exist"):
        read_pairs(tmp_path / "none", tmp_path)


def test_what_was_recovered_is_said_with_its_effort(truth: Graph, folder: Path) -> None:
    told = {"la": {"full": 0.2}, "preset": "studio", "strategy": "saliency", "tolerance": 0.1}
    fields = {**dict.fromkeys(Result.__dataclass_fields__), **told, "out_of_time": True}
    result = Result(**fields)
    record = Record("song", "manifest", "key", {})
    pair = Pair("song", folder, truth, folder, truth, folder, record, result, preview=True)
    text = how_recovered([pair], ["other"])
    assert text.startswith("1 of 2 songs of 3 tracks, 1 s heard of each (studio, saliency, tolerance 0.1).")
    assert "**1 of them are previews" in text
    assert "**1 were cut short by a budget.**" in text
    assert "All are random mixes of one song's stems" in text
    assert text.endswith("Not in the collection: other.")
    elsewhere = replace(pair, stems=folder / "elsewhere")
    assert "All are random mixes of 2 songs' stems" in how_recovered([pair, elsewhere], [])


def test_the_report_has_tables_of_one_shape_and_a_picture(truth: Graph, folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    song = compared(truth, changed(truth, "voice", devices=(PRESS,)), folder)
    found = calibrated(song.cases)
    text = report("One song.", [song], found)
    blocks = [part for part in text.split("\n\n") if part.lstrip().startswith("|")]
    assert len(blocks) == 7
    for block in blocks:
        assert len({line.count("|") for line in block.strip().splitlines()}) == 1
    assert "| all | 7 | 8 | 7 | 88 % | 100 % | 100 % of 7 | 0.93 |" in text
    assert max(map(len, (line for line in text.splitlines() if not line.startswith("|")))) <= 125
    plot([song], found, tmp_path / "recovery.png")
    assert (tmp_path / "recovery.png").read_bytes().startswith(b"\x89PNG")
    assert "No insert has a confidence." in report("One song.", [song], None)
