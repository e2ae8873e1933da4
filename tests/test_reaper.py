"""REAPER projects: ReaEQ against a state that REAPER wrote, the formulas of its bands, the grammar."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rpp
from exporter_helpers import (
    RATE,
    ReadBand,
    device,
    graph_of,
    native_graph,
    printed_graph,
    rbj,
    track,
    write_stems,
)
from exporter_readers import reaeq_bands
from scipy.signal import sosfreqz

from mix2daw.exporters import exporter
from mix2daw.exporters.bands import Band
from mix2daw.exporters.reaper.reaeq import bandwidth_oct, refusal, state_lines
from mix2daw.graph import Device, Graph, Strip

# A ReaEQ as REAPER 7 keeps it: five bands, of which only a high pass is on.
FROM_REAPER = [
    "cWVlcu5e7f4CAAAAAQAAAAAAAAACAAAAAAAAAAIAAAABAAAAAAAAAAIAAAAAAAAAzQAAAAEAAAAAABAA",
    "IQAAAAUAAAAEAAAAAQAAAG9ScPi3GllAAAAAAAAA8D8AAAAAAAAAQAEAAAAAAAAAAAQEaDDZCWlAAAAAAAAA8D8AAAAAAAAAQAEIAAAA"
    "AAAAAAEaHb6ED4lAAAAAAAAA",
    "8D8AAAAAAADwPwEIAAAAAAAAAHfH++l3aKdAAAAAAAAA8D8AAAAAAADwPwEBAAAAAAAAAKWt3qUPUL9AAAAAAAAA8D8AAAAAAAAAQAEB"
    "AAAAAQAAAAAAAAAAAPA/AAAA",
    "AP0BAABcAQAAAgAAAA==",
    "AAAQAAAA",
]


def project(graph: Graph, stems: Path, out: Path) -> rpp.Element:
    """The tree of the project that is written for a graph."""
    out.mkdir()
    exporter("reaper").write(graph, stems, out)
    return rpp.loads((out / "mix2daw.rpp").read_text(encoding="utf-8"))


def equalized(folder: Path, *inserts: Device, **more: object) -> Graph:
    """A graph of one stereo track with these inserts."""
    write_stems(folder, {"one": 2})
    return graph_of(track("A", "one", devices=inserts, **more), Strip(name="Master", kind="master"))


def test_reader_and_writer_know_what_reaper_writes() -> None:
    (band,) = reaeq_bands(FROM_REAPER)
    assert band.kind == "high_pass"
    assert band.freq_hz == pytest.approx(100.41747866600939)
    ours = state_lines([Band("bell", 1000, 3, 1)] * 5, RATE)
    assert (ours[0], ours[-1]) == (FROM_REAPER[0], FROM_REAPER[-1])
    assert [len(line) for line in ours] == [len(line) for line in FROM_REAPER]
    assert max(len(line) for line in ours) == 128


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
@pytest.mark.parametrize(("freq_hz", "q"), [(60, 0.3), (1000, 1.0), (9000, 4.0), (15000, 0.8)])
def test_bells_have_the_bandwidth_of_the_cookbook(freq_hz: float, q: float, rate: int) -> None:
    """alpha = sin(w) sinh(ln 2 / 2 x bw x w / sin(w)) is sin(w) / 2Q."""
    octaves = bandwidth_oct(Band("bell", freq_hz, 3, q), rate)
    angle = 2 * np.pi * freq_hz / rate
    alpha = np.sin(angle) * np.sinh(np.log(2) / 2 * octaves * angle / np.sin(angle))
    assert alpha == pytest.approx(np.sin(angle) / (2 * q))


@pytest.mark.parametrize("gain_db", [-12.0, -3.0, 6.0])
@pytest.mark.parametrize("q", [0.5, 0.5**0.5, 0.72])
@pytest.mark.parametrize("kind", ["low_shelf", "high_shelf"])
def test_shelves_have_the_slope_of_the_cookbook(kind: str, q: float, gain_db: float) -> None:
    """RBJ's shelf of slope S = 1 / bw^2 has the response of the shelf of this Q."""
    band = Band(kind, 800, gain_db, q)  # type: ignore[arg-type]
    slope = 1 / bandwidth_oct(band, RATE) ** 2
    amplitude = 10 ** (gain_db / 40)
    of_slope = 1 / np.sqrt((amplitude + 1 / amplitude) * (1 / slope - 1) + 2)
    ours, wanted = (sosfreqz(rbj(ReadBand(kind, 800, gain_db, x)))[1] for x in (of_slope, q))
    assert np.allclose(ours, wanted, rtol=1e-12)


@pytest.mark.parametrize(
    "band",
    [
        Band("high_pass", 80, slope_db=6),
        Band("bell", 15000, 3, q=0.05),
        Band("low_shelf", 100, 6, q=0.9),
        Band("high_shelf", 5000, 20, q=2),
    ],
)
def test_equalizer_refuses_what_it_cannot_play(band: Band) -> None:
    assert refusal(band, RATE)


def test_filters_of_12_db_are_native(tmp_path: Path) -> None:
    filters = device(
        "equalizer", high_pass_hz=90, high_pass_slope_db=12, low_pass_hz=9000, low_pass_slope_db=12
    )
    root = project(equalized(tmp_path, filters), tmp_path, tmp_path / "out")
    (vst,) = root.findall(".//VST")
    assert [(band.kind, round(band.freq_hz), round(band.q, 6)) for band in reaeq_bands(list(vst))] == [
        ("high_pass", 90, 0.707107),
        ("low_pass", 9000, 0.707107),
    ]


@pytest.mark.parametrize(
    ("inserts", "held"),
    [
        ((("width", {"width": 0.4}),), True),
        ((("width", {"width": 1.4}),), False),
        ((("width", {"width": 0.4}), ("equalizer", {"bell_1_db": 2})), False),
        ((("equalizer", {"bell_1_db": 2}), ("width", {"width": 0.4})), True),
    ],
)
def test_width_is_held_at_the_end_of_the_strip(
    inserts: tuple[tuple[str, dict[str, float]], ...], held: bool, tmp_path: Path
) -> None:
    graph = equalized(tmp_path, *(device(type_, **values) for type_, values in inserts), pan=0.2)
    (tmp_path / "out").mkdir()
    lost = exporter("reaper").write(graph, tmp_path, tmp_path / "out")
    assert ("width" in {entry.device for entry in lost}) != held


def test_file_is_the_same_when_read_and_written_again(tmp_path: Path) -> None:
    project(printed_graph(tmp_path), tmp_path, tmp_path / "out")
    text = (tmp_path / "out" / "mix2daw.rpp").read_text(encoding="utf-8")
    assert rpp.dumps(rpp.loads(text)) == text


def test_fades_are_written_as_none_and_rate_is_forced(tmp_path: Path) -> None:
    root = project(native_graph(tmp_path), tmp_path, tmp_path / "out")
    items = root.findall(".//ITEM")
    assert items
    for item in items:
        assert float(item.find("FADEIN")[2]) == float(item.find("FADEOUT")[2]) == 0
        assert item.find("LOOP")[1] == "0"
    assert root.find("SAMPLERATE")[1:3] == [str(RATE), "1"]


def test_notes_say_what_is_set(tmp_path: Path) -> None:
    root = project(native_graph(tmp_path), tmp_path, tmp_path / "out")
    notes = list(root.find("NOTES"))
    assert "|Drums" in notes
    assert "|  post send to Room -9.00 dB" in notes
    assert any("bell 900 Hz -6.0 dB Q 2.00" in line for line in notes)
