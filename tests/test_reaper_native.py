"""REAPER's own plug-ins in a project: their states are read back into human values."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import reaper_states
import rpp
from exporter_helpers import (
    RATE,
    ReadBand,
    contents,
    device,
    graph_of,
    printed_graph,
    rbj,
    room,
    track,
    write_stems,
)
from scipy.signal import sosfreqz

from mix2daw.exporters import Lost, exporter
from mix2daw.exporters.chains import apply_device
from mix2daw.exporters.options import Options
from mix2daw.exporters.reaper import expected
from mix2daw.graph import Device, Graph, Strip

NATIVE = exporter("reaper", Options(devices="native"))
# Of projects that REAPER saved itself: headers of two and of four inputs, of both kinds.
SAVED_HEADERS = {
    "ReaComp": "bWNlcu9e7f4EAAAAAQAAAAAAAAACAAAAAAAAAAQAAAAAAAAACAAAAAAAAAAC"
    "AAAAAQAAAAAAAAACAAAAAAAAAFwAAAAAAAAAAAAQAA==",
    "ReaGate": "dGdlcu9e7f4EAAAAAQAAAAAAAAACAAAAAAAAAAQAAAAAAAAACAAAAAAAAAAC"
    "AAAAAQAAAAAAAAACAAAAAAAAAFwAAAAAAAAAAAAQAA==",
    "ReaDelay": "bGRlcu5e7f4CAAAAAQAAAAAAAAACAAAAAAAAAAIAAAABAAAAAAAAAAIAAAAAAAAATAAAAAEAAAAAABAA",
    "ReaVerbate": "OGJ2cu9e7f4CAAAAAQAAAAAAAAACAAAAAAAAAAIAAAABAAAAAAAAAAIAAAAAAAAAKAAAAAAAAAAAABAA",
    "ReaEQ": "cWVlcu5e7f4CAAAAAQAAAAAAAAACAAAAAAAAAAIAAAABAAAAAAAAAAIAAAAAAAAAzQAAAAEAAAAAABAA",  # five bands
}
EQUALIZER = device(
    "equalizer", high_pass_hz=60, high_pass_slope_db=12, low_shelf_hz=150, low_shelf_db=4, low_shelf_q=0.7071,
    bell_1_hz=900, bell_1_db=-6, bell_1_q=2, bell_3_hz=12000, bell_3_db=9, bell_3_q=0.5,
    high_shelf_hz=6000, high_shelf_db=-5, high_shelf_q=0.7071,
)  # fmt: skip


def states(folder: Path, *inserts: Device, **more: object) -> tuple[rpp.Element, list[Lost]]:
    """The project of one track with these inserts, and what was told of it."""
    write_stems(folder, {"one": 2})
    graph = graph_of(track("A", "one", devices=inserts, **more), Strip(name="Master", kind="master"))
    (folder / "out").mkdir()
    lost = NATIVE.write(graph, folder, folder / "out")
    return rpp.loads((folder / "out" / "mix2daw.rpp").read_text(encoding="utf-8")), lost


def state(folder: Path, insert: Device) -> reaper_states.State:
    """The one plug-in of a track with one insert."""
    (block,) = states(folder, insert)[0].findall(".//VST")
    return reaper_states.read(block)


def response(kind: str, hz: float, gain_db: float, octaves: float) -> np.ndarray:
    """What ReaEQ makes of a band: the cookbook's formulas for bandwidth and slope."""
    w = 2 * math.pi * hz / RATE
    if kind == "bell":
        q = 1 / (2 * math.sinh(math.log(2) / 2 * octaves * w / math.sin(w)))
    elif kind.endswith("pass"):
        q = 1 / (2 * math.sinh(math.log(2) / 2 * octaves))
    else:
        a = 10 ** (gain_db / 40)
        q = 1 / math.sqrt((a + 1 / a) * (octaves**2 - 1) + 2)
    return sosfreqz(rbj(ReadBand(kind, hz, gain_db, q)), 1 << 14)[1]


def test_equalizer_has_the_response_of_the_render(tmp_path: Path) -> None:
    """Read back, built by the formulas, and compared with what the render makes of an impulse."""
    root, (lost,) = states(tmp_path, EQUALIZER)
    (block,) = root.findall(".//VST")
    read = reaper_states.read(block)
    assert read.header == SAVED_HEADERS["ReaEQ"]
    bands = reaper_states.reaeq(read)
    assert [(kind, pytest.approx(hz), pytest.approx(gain_db)) for kind, hz, gain_db, _ in bands] == [
        ("high_pass", 60, 0), ("low_shelf", 150, 4), ("bell", 900, -6), ("bell", 12000, 9),
        ("high_shelf", 6000, -5),
    ]  # fmt: skip
    total = np.prod([response(*band) for band in bands], axis=0)
    impulse = np.zeros((1, 1 << 15), np.float32)
    impulse[0, 0] = 1
    rendered = np.fft.rfft(apply_device(impulse, EQUALIZER, RATE)[0])[:-1]
    off_db = 10 * np.log10(np.sum(np.abs(total - rendered) ** 2) / np.sum(np.abs(rendered) ** 2))
    assert off_db < -60
    assert lost.how == "approximate"
    assert lost.residual_db == pytest.approx(off_db, abs=0.5)


@pytest.mark.parametrize("hz", [30, 1000, 15000])
@pytest.mark.parametrize("q", [0.3, 1, 8])
def test_bells_are_exact(hz: float, q: float, tmp_path: Path) -> None:
    """The bandwidth that is written means the Q of the graph, near half the sample rate too."""
    read = state(tmp_path, device("equalizer", bell_2_hz=hz, bell_2_db=7, bell_2_q=q))
    ((kind, *band),) = reaper_states.reaeq(read)
    wanted = sosfreqz(rbj(ReadBand("bell", hz, 7, q)), 1 << 14)[1]
    assert np.abs(response(kind, *band) - wanted).max() < 1e-9


def test_compressor(tmp_path: Path) -> None:
    read = state(tmp_path, device("compressor", threshold_db=-18, ratio=4, attack_ms=10, release_ms=200))
    assert (read.name, read.header) == ("ReaComp", SAVED_HEADERS["ReaComp"])
    assert reaper_states.reacomp(read) == pytest.approx({
        "threshold_db": -18, "ratio": 4, "attack_ms": 10 / (2 * math.pi), "release_ms": 200 / (2 * math.pi),
        "pre_comp_ms": 0, "low_pass_hz": 20000, "high_pass_hz": 0, "dry": 0, "wet_db": 0, "rms_ms": 0,
        "knee_db": 0,
    })  # fmt: skip


def test_gate(tmp_path: Path) -> None:
    read = state(tmp_path, device("gate", threshold_db=-40, ratio=3, attack_ms=2, release_ms=150))
    assert (read.name, read.header) == ("ReaGate", SAVED_HEADERS["ReaGate"])
    assert reaper_states.reagate(read) == pytest.approx({
        "threshold_db": -40, "attack_ms": 2 / (2 * math.pi), "release_ms": 150 / (2 * math.pi),
        "pre_open_ms": 0, "hold_ms": 0, "closed_db": -24, "wet_db": 0, "noise": 0, "hysteresis_db": 0,
        "rms_ms": 50,
    })  # fmt: skip


def test_delay(tmp_path: Path) -> None:
    read = state(tmp_path, device("delay", delay_ms=375, feedback=0.4, mix=0.25))
    assert (read.name, read.header) == ("ReaDelay", SAVED_HEADERS["ReaDelay"])
    assert reaper_states.readelay(read) == pytest.approx({
        "wet": 0.25, "dry": 0.75, "delay_ms": 375, "beats": 0, "feedback": 0.4, "low_pass_hz": 20000,
        "high_pass_hz": 0, "width": 1, "volume_db": 0, "pan": 0,
    })  # fmt: skip


def test_reverb(tmp_path: Path) -> None:
    reverb = device("reverb", room_size=0.7, damping=0.2, wet_level=0.4, dry_level=0.25, width=0.6)
    read = state(tmp_path, reverb)
    assert (read.name, read.header) == ("ReaVerbate", SAVED_HEADERS["ReaVerbate"])
    assert reaper_states.reaverbate(read) == pytest.approx({
        "wet": 0.4, "dry": 0.5, "room_size": 0.7, "damping": 0.2, "width": 0.6, "delay_ms": 0,
        "low_pass_hz": 20000, "high_pass_hz": 0,
    })  # fmt: skip


@pytest.mark.parametrize(
    "insert",
    [
        device("equalizer", high_pass_hz=100, high_pass_slope_db=6),
        device("equalizer", low_shelf_hz=100, low_shelf_db=6, low_shelf_q=2),
        device("equalizer", 0.5, bell_1_db=3),
        device("compressor", 0.7, threshold_db=-30, ratio=4),
        device("width", width=0.5),
        device("limiter", ceiling_db=-6),
    ],
    ids=lambda insert: insert.type,
)
def test_what_no_plugin_plays_stays_with_our_effects(insert: Device, tmp_path: Path) -> None:
    root, lost = states(tmp_path, insert)
    assert lost == []
    assert root.findall(".//VST") == []
    (block,) = root.findall(".//JS")
    assert block.attrib[0] == f"mix2daw/mix2daw_{insert.type}.jsfx"


def test_everything_nearly_played_is_told(tmp_path: Path) -> None:
    press, wide = device("compressor", threshold_db=-30, ratio=3), device("width", width=0.7)
    root, lost = states(tmp_path, EQUALIZER, press, wide, room(tmp_path))
    assert [(entry.device, entry.how) for entry in lost] == [
        ("equalizer", "approximate"), ("compressor", "approximate"),
    ]  # fmt: skip
    assert "not documented" in lost[1].reason
    notes = list(root.find("NOTES"))
    for entry, plugin in zip(lost, ("ReaEQ", "ReaComp"), strict=True):
        assert entry.residual_db is not None
        near = f"expected difference {entry.residual_db:.0f} dB"
        assert f"|  approximate: {plugin} plays the {entry.device}, {near}" in notes
    chain = [block.tag for block in root.find("TRACK").find("FXCHAIN") if isinstance(block, rpp.Element)]
    assert chain == ["VST", "VST", "JS", "JS"]
    files = {path.name.split("_")[1] for path in (tmp_path / "out" / "Effects").rglob("*.jsfx")}
    assert files == {"width.jsfx", "convolution"}


@pytest.mark.parametrize("rate", [44100, 96000])
@pytest.mark.parametrize("ratio", [1.2, 2, 4, 20])
def test_the_expected_difference_of_dynamics_lies_between_none_and_all(ratio: float, rate: int) -> None:
    """More ratio, more of it; never more than the device itself changes."""
    for insert in (
        device("compressor", threshold_db=-20, ratio=ratio, attack_ms=20, release_ms=200, link=1),
        device("gate", threshold_db=-40, ratio=ratio, attack_ms=2, release_ms=100),
    ):
        harder = insert.model_copy(update={"values": {**insert.values, "ratio": ratio * 1.5}})
        found, more = expected.residual_db(insert, rate), expected.residual_db(harder, rate)
        assert found is not None
        assert more is not None
        assert -60 < found < more < 0


def test_the_expected_difference_of_a_tail_is_that_of_two_without_anything_in_common() -> None:
    """Played as two noises: all wet, the energy of both is twice that of one; an echo of noise a sample late
    is no other."""
    tail = device("reverb", room_size=0.6, wet_level=0.5, dry_level=0)
    assert expected.residual_db(tail, RATE) == pytest.approx(10 * math.log10(2), abs=1e-3)
    echo = device("delay", delay_ms=300, mix=1)
    assert expected.residual_db(echo, RATE) == pytest.approx(10 * math.log10(2), abs=0.1)
    assert expected.residual_db(device("delay", delay_ms=300, mix=0), RATE) is None


def test_the_table_of_native_devices_is_declared() -> None:
    assert NATIVE.approximate == {"equalizer", "compressor", "gate", "delay", "reverb"}
    assert NATIVE.own == {"width", "convolution", "limiter"}
    assert exporter("reaper").approximate == frozenset()


def test_same_graph_same_bytes(tmp_path: Path) -> None:
    graph: Graph = printed_graph(tmp_path)
    for out in ("a", "b"):
        (tmp_path / out).mkdir()
        NATIVE.write(graph, tmp_path, tmp_path / out)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
