"""Less of the processing: every device goes evenly from as recovered to nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from exporter_helpers import device, graph_of, native_graph, printed_graph, residual_db, track, write_stems
from typer.testing import CliRunner

from mix2daw.amount import scaled, shares
from mix2daw.cli import app
from mix2daw.errors import FormatError
from mix2daw.exporters.pedalboard import render
from mix2daw.graph import Device, Graph, Send, Strip

MASTER = Strip(name="Master", kind="master")


def of(insert: Device, share: float) -> Device:
    """An insert at a share, on a strip of its own."""
    graph = scaled(graph_of(track("A", "one", devices=(insert,)), MASTER), {"A": share})
    return graph.strip("A").devices[0]


@pytest.mark.parametrize("make", [native_graph, printed_graph])
def test_a_hundred_percent_is_the_graph_and_nothing_is_faders_and_pans(make: object, tmp_path: Path) -> None:
    graph: Graph = make(tmp_path)  # type: ignore[operator]
    assert scaled(graph, shares(["100"], graph)).to_json() == graph.to_json()
    none = scaled(graph, shares(["0"], graph))
    assert not [strip for strip, _ in none.devices()]
    assert not none.of_kind("return")
    kept = [strip for strip in graph.strips if strip.kind != "return"]
    assert [(s.name, s.fader_db, s.pan) for s in none.strips] == [(s.name, s.fader_db, s.pan) for s in kept]
    plain = graph.model_copy(
        update={
            "strips": tuple(
                s.model_copy(update={"devices": (), "post_devices": (), "sends": ()}) for s in kept
            )
        }
    )
    assert np.array_equal(render(none, tmp_path), render(plain, tmp_path))


def test_decibels_are_scaled() -> None:
    half = of(
        device("equalizer", bell_1_db=-6, high_shelf_db=3, high_pass_hz=160, high_pass_slope_db=12), 0.5
    )
    assert (half.values["bell_1_db"], half.values["high_shelf_db"]) == (-3, 1.5)
    assert half.values["high_pass_hz"] == pytest.approx(40)
    assert (half.values["high_pass_slope_db"], half.wet) == (12, 1)
    assert of(device("compressor", ratio=4, threshold_db=-20), 1 / 3).values["ratio"] == pytest.approx(4 / 3)
    assert of(device("gate", ratio=4, threshold_db=-20), 1 / 3).values["ratio"] == pytest.approx(2)


@pytest.mark.parametrize(
    "insert",
    [
        device("width", width=0.4),
        device("limiter", ceiling_db=-20),
        device("delay", delay_ms=50, mix=0.5, wet=0.8),
    ],
    ids=lambda insert: insert.type,
)
def test_everything_else_is_blended_with_the_dry_signal(insert: Device, tmp_path: Path) -> None:
    write_stems(tmp_path, {"one": 2})
    full = graph_of(track("A", "one", devices=(insert,)), MASTER)
    less, none = (render(scaled(full, {"A": share}), tmp_path) for share in (0.3, 0))
    assert residual_db(less, 0.3 * render(full, tmp_path) + 0.7 * none) < -120


def test_a_compressor_turns_down_by_a_share_of_its_decibels(tmp_path: Path) -> None:
    write_stems(tmp_path, {"one": 2})
    full = graph_of(track("A", "one", devices=(device("compressor", threshold_db=-30, ratio=6),)), MASTER)
    dry, less, most = (render(scaled(full, {"A": share}), tmp_path) for share in (0, 0.4, 1))
    heard = np.abs(dry) > 1e-3
    gains = [np.log(np.abs(signal[heard] / dry[heard])) for signal in (less, most)]
    assert np.abs(gains[0] - 0.4 * gains[1]).max() < 1e-3


def test_sends_are_scaled_and_returns_stay_wet() -> None:
    wet = device("reverb", wet_level=1, dry_level=0)
    to_slap = (Send(target="Slap", level_db=0),)
    graph = graph_of(
        track("A", "one", sends=(Send(target="Hall", level_db=-6), Send(target="Slap", level_db=-3))),
        Strip(name="Hall", kind="return", output="Master", devices=(wet,), sends=to_slap),
        Strip(name="Slap", kind="return", output="Master"),
        MASTER,
    )
    half = scaled(graph, shares(["50"], graph))
    assert [send.level_db for send in half.strip("A").sends] == pytest.approx([-12.02, -9.02], abs=0.01)
    assert half.strip("Hall") == graph.strip("Hall")
    dry = scaled(graph, shares(["Hall=0"], graph))
    assert [strip.name for strip in dry.strips] == ["A", "Slap", "Master"]
    assert dry.strip("A").sends == graph.strip("A").sends[1:]
    assert [strip.name for strip in scaled(graph, shares(["0"], graph)).strips] == ["A", "Master"]


def test_names_count_before_the_number_for_all() -> None:
    graph = graph_of(track("a=b", "one"), track("B", "one"), MASTER)
    assert shares(["a=b=30%", "50", "B=1", "B=0"], graph) == {"a=b": 0.3, "B": 0, "Master": 0.5}


@pytest.mark.parametrize("text", ["-1", "101", "nan", "inf", "", "half", "B=", "Nobody=50", "=50"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(FormatError, match="--amount"):
        shares([text], graph_of(track("B", "one"), MASTER))


def test_export_takes_amounts(tmp_path: Path) -> None:
    graph = printed_graph(tmp_path)
    (tmp_path / "graph.json").write_text(graph.to_json(), encoding="utf-8")
    command = ["export", str(tmp_path / "graph.json"), "--to", "dawproject", "--quiet", "--out"]

    def export(name: str, *more: str) -> Path:
        result = CliRunner().invoke(app, [*command, str(tmp_path / name), *more])
        assert result.exit_code == 0, result.output
        return tmp_path / name

    lost = json.loads((export("none", "--amount", "0") / "lost.json").read_text(encoding="utf-8"))
    assert {entry["device"] for entry in lost["dawproject"]} == {"pan"}
    plain, full = export("plain"), export("full", "--amount", "100", "--amount", "Vox=100")
    for file in ("lost.json", "dawproject/mix2daw.dawproject", "dawproject/mix2daw-faithful.dawproject"):
        assert (plain / file).read_bytes() == (full / file).read_bytes()
    bad = CliRunner().invoke(app, [*command, str(tmp_path / "bad"), "--amount", "Nobody=1"])
    assert bad.exit_code == 2
    assert not (tmp_path / "bad").exists()
