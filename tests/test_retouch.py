"""What is still wrong with a track is measured on the played console, however soft the track is."""

from __future__ import annotations

import pytest
import torch
from search_helpers import state_of
from torch import Tensor

from mix2daw.graph import Device, Graph, Strip
from mix2daw.processors import PROCESSORS, checked_graph
from mix2daw.search.equalizer_descent import equalizer_curve_db
from mix2daw.search.retouch import measure_lack, retouch

RATE, SECONDS = 22050, 10
SOFT = {"bell_1_hz": 300.0, "bell_1_db": 5.0, "bell_1_q": 0.9, "high_shelf_hz": 3000.0, "high_shelf_db": -6.0}
LOUD = {"bell_2_hz": 900.0, "bell_2_db": -4.0, "bell_2_q": 1.0}
GLUE = {"bell_3_hz": 2500.0, "bell_3_db": 3.0, "low_shelf_hz": 150.0, "low_shelf_db": -3.0}
REST = PROCESSORS["equalizer"].rest()


def equalizer(values: dict[str, float]) -> Device:
    return Device(type="equalizer", values=values)


def console(soft: dict[str, float] = SOFT, pan: float = -0.4, loud: dict[str, float] = LOUD) -> Graph:
    """Two tracks, 24 dB apart, in a group with an equalizer and under a compressor on the master."""
    press = Device(type="compressor", values={"threshold_db": -30, "ratio": 2.5, "attack_ms": 5})
    strips = (
        Strip(name="soft", kind="track", source="soft.wav", channels=1, output="band", pan=pan, fader_db=-24,
              devices=(equalizer(soft),)),
        Strip(name="loud", kind="track", source="loud.wav", output="band", devices=(equalizer(loud),)),
        Strip(name="band", kind="group", output="master", devices=(equalizer(GLUE),)),
        Strip(name="master", kind="master", devices=(press,)),
    )  # fmt: skip
    return checked_graph(Graph(sample_rate=RATE, length_samples=SECONDS * RATE, strips=strips), PROCESSORS)


def sources() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(3)
    t = torch.arange(SECONDS * RATE) / RATE
    noise = 0.3 * torch.randn(3, len(t), generator=generator)
    return {
        "soft": (noise[0] * torch.exp(-4 * (t % 0.7)))[None],
        "loud": noise[1:] * torch.exp(-4 * (t % 0.5)),
    }


def curve_db(graph: Graph, name: str) -> Tensor:
    (device,) = graph.strip(name).devices
    settings = {key: torch.tensor([value], dtype=torch.float64) for key, value in device.values.items()}
    return equalizer_curve_db(settings, torch.logspace(1.7, 3.9, 60, dtype=torch.float64), RATE)[0]


def rms_about_mean(curve: Tensor) -> float:
    return float((curve - curve.mean()).square().mean().sqrt())


def test_equalizer_and_pan_of_a_soft_track_are_mended() -> None:
    wrong = SOFT | {"bell_1_db": -2.0, "bell_1_hz": 700.0, "high_shelf_db": 2.0}
    truth = console()
    search = state_of(truth, console(wrong, pan=-0.2), sources())
    before = search.judge().score
    retouch(search, 1.0)
    off_db = curve_db(search.graph, "soft") - curve_db(truth, "soft")
    was_off_db = curve_db(console(wrong), "soft") - curve_db(truth, "soft")
    assert rms_about_mean(off_db) < 0.5 < 3 < rms_about_mean(was_off_db)
    assert search.judge().score < 0.5 * before
    retouch(search, 1.0)
    assert search.graph.strip("soft").pan == pytest.approx(-0.4, abs=0.03)


def test_equalizer_that_stands_flat_is_set() -> None:
    search = state_of(console(), console(REST), sources())
    retouch(search, 1.0)
    assert rms_about_mean(curve_db(search.graph, "soft") - curve_db(console(), "soft")) < 0.5


def test_what_is_right_is_left_alone() -> None:
    search = state_of(console(), console(), sources())
    lack = measure_lack(search)
    assert float(lack.rms_db().max()) < 0.05
    assert float((lack.sides_lin - 1).abs().max()) < 0.01
    retouch(search, 1.0)
    for key, value in LOUD.items():
        assert search.graph.strip("loud").devices[0].values[key] == pytest.approx(value, rel=1e-5)
    assert search.graph.strip("soft").pan == pytest.approx(-0.4, abs=1e-5)


def test_what_a_group_does_is_not_asked_of_its_tracks() -> None:
    """The group's equalizer and the master's compressor are in the mix and in the render, and cancel; where
    the compressor's work cannot be told from a soft track, less than all is believed to lack."""
    search = state_of(console(), console(pan=0.1), sources())
    lack = measure_lack(search)
    assert float(lack.rms_db().max()) < 0.3
    left, right = lack.sides_lin[0].tolist()
    assert 1.05 < left <= 1 / 0.9 + 0.01
    assert 0.6 - 0.01 <= right < 0.75
    assert torch.allclose(lack.sides_lin[1], torch.ones(2, dtype=torch.float64), atol=0.01)


def test_two_equalizers_of_one_track_are_nobody_s_guess() -> None:
    """Which of them lacks a curve cannot be told, so the descent moves them."""
    start = console(loud=LOUD | {"bell_2_db": 4.0})
    loud = start.strip("loud")
    twice = start.replace(loud.model_copy(update={"devices": (*loud.devices, equalizer(REST))}))
    search = state_of(console(), checked_graph(twice, PROCESSORS), sources())
    retouch(search, 1.0)
    assert search.graph.strip("loud").devices[0].values["bell_2_db"] == 4.0
