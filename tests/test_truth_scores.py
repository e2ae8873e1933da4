"""The scores of a recovery against its truth: nothing wrong scores nothing, and one known change its size."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
from _truth_parts import Part, all_parts, audible_parts, inserts_and_sends, score_parts
from _truth_returns import reverb_time_s
from _truth_scores import Score, score, spread_db
from _truth_ways import gain_and_pan

from mix2daw.console import return_device
from mix2daw.graph import Device, Graph, Send, Strip
from mix2daw.processors import PROCESSORS, checked_graph, complete_device

RATE = 44100
LENGTH = 2 * RATE
BELL = Device(type="equalizer", values={"bell_2_hz": 900, "bell_2_db": 6, "bell_2_q": 1.2})
PRESS = Device(type="compressor", values={"threshold_db": -20, "ratio": 2, "attack_ms": 1, "release_ms": 10})
IDLE = Device(type="compressor", values={"threshold_db": 0, "ratio": 4})
ECHO = Device(type="delay", values={"delay_ms": 250, "feedback": 0.3, "mix": 1})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`kick`: ±a at random, half of it at −10 dBFS, half at −30; `voice`, `choir`: white noise."""
    place = tmp_path_factory.mktemp("stems")
    rng = np.random.default_rng(5)
    level_db = np.where(np.arange(LENGTH) < LENGTH // 2, -10, -30)
    kick = np.sign(rng.standard_normal(LENGTH)) * 10 ** (level_db / 20)
    for name, stem in {
        "kick": kick,
        "voice": 0.1 * rng.standard_normal(LENGTH),
        "choir": 0.1 * rng.standard_normal((LENGTH, 2)),
    }.items():
        soundfile.write(place / f"{name}.wav", stem.astype(np.float32), RATE, subtype="FLOAT")
    return place


def track(name: str, output: str, devices: tuple[Device, ...] = (), sends: tuple[Send, ...] = ()) -> Strip:
    return Strip(
        name=name,
        kind="track",
        source=f"{name}.wav",
        devices=devices,
        sends=sends,
        output=output,
        fader_db=-3,
    )


def to(target: str, level_db: float) -> Send:
    return Send(target=target, level_db=level_db)


@pytest.fixture(scope="module")
def truth() -> Graph:
    """A group of one, a group of two, a reverb and a delay."""
    strips = (
        track("kick", "low", (PRESS,)),
        track("voice", "vocals", (BELL,), (to("reverb", -6), to("delay", -6))),
        track("choir", "vocals", (), (to("reverb", -3),)),
        Strip(name="low", kind="group", output="master"),
        Strip(name="vocals", kind="group", output="master"),
        Strip(name="reverb", kind="return", devices=(return_device("reverb"),), output="master"),
        Strip(name="delay", kind="return", devices=(ECHO,), output="master"),
        Strip(name="master", kind="master"),
    )
    return checked_graph(Graph(sample_rate=RATE, length_samples=LENGTH, strips=strips), PROCESSORS)


def changed(graph: Graph, name: str, **fields: object) -> Graph:
    """The graph with some fields of one strip changed, and devices completed."""
    return checked_graph(graph.replace(graph.strip(name).model_copy(update=fields)), PROCESSORS)


def scored(truth: Graph, recovered: Graph, folder: Path) -> Score:
    return score(truth, folder, recovered, folder, all_parts(truth))


def errors(result: Score) -> list[float]:
    """Every number of a score that should be 0."""
    tracks = result.tracks.values()
    of_tracks = [error for t in tracks for error in (t.fader_db, t.level_db, t.pan, t.equalizer_db)]
    return [*of_tracks, *result.reduction_db.values()]


def test_the_truth_itself_scores_no_error(truth: Graph, folder: Path) -> None:
    result = scored(truth, truth, folder)
    assert errors(result) == [0.0] * (3 * 4 + 1)
    assert list(result.send_db.values()) == [0.0] * 3
    assert (result.parts.missed, result.parts.false, result.parts.false_share) == ((), (), 0)
    assert result.parts.audible == all_parts(truth).total() == 2 + 3 + 2
    assert result.delay_exact is True
    assert result.decay_percent == 0


def test_one_decibel_of_fader_is_one_decibel(truth: Graph, folder: Path) -> None:
    tracks = scored(truth, changed(truth, "kick", fader_db=-2), folder).tracks
    assert tracks["kick"].fader_db == pytest.approx(1)
    assert tracks["kick"].level_db == pytest.approx(1, abs=1e-4)
    assert tracks["voice"].fader_db == tracks["voice"].level_db == 0


def test_a_fader_may_stand_on_the_group(truth: Graph, folder: Path) -> None:
    moved = changed(truth, "vocals", fader_db=-3)
    for name in ("voice", "choir"):
        moved = changed(moved, name, fader_db=0)
    assert errors(scored(truth, moved, folder)) == pytest.approx([0] * 13, abs=1e-5)


def test_a_pan_may_stand_on_the_group(truth: Graph, folder: Path) -> None:
    on_group, on_track = changed(truth, "low", pan=-0.3), changed(truth, "kick", pan=-0.3)
    assert errors(scored(on_group, on_track, folder)) == pytest.approx([0] * 13, abs=1e-5)
    assert scored(truth, on_group, folder).tracks["kick"].pan == pytest.approx(-0.3)


def test_balances_in_a_row_multiply(truth: Graph) -> None:
    half_left, half_right = (truth.strip("voice").model_copy(update={"pan": pan}) for pan in (-0.5, 0.5))
    fader_db, pan = gain_and_pan((half_left, half_right))
    assert fader_db == pytest.approx(-6 - 20 * np.log10(2))
    assert pan == 0
    assert gain_and_pan((half_left, half_left))[1] == pytest.approx(-0.75)


def bell_db(frequency_hz: np.ndarray, centre_hz: float, level_db: float, q: float) -> np.ndarray:
    """The bell of the audio equalizer cookbook."""
    a, w = 10 ** (level_db / 40), 2 * np.pi * centre_hz / RATE
    alpha, z = np.sin(w) / (2 * q), np.exp(-2j * np.pi * frequency_hz / RATE)
    top = 1 + alpha * a - 2 * np.cos(w) * z + (1 - alpha * a) * z**2
    bottom = 1 + alpha / a - 2 * np.cos(w) * z + (1 - alpha / a) * z**2
    return np.asarray(20 * np.log10(np.abs(top / bottom)))


def test_a_missing_bell_is_as_wrong_as_it_is_wide(truth: Graph, folder: Path) -> None:
    """White noise weighs all frequencies alike: the error is the deviation of the curve."""
    result = scored(truth, changed(truth, "voice", devices=()), folder)
    curve_db = bell_db(np.linspace(20, 20000, 20000), 900, 6, 1.2)
    assert result.tracks["voice"].equalizer_db == pytest.approx(np.std(curve_db), rel=0.05)
    assert result.tracks["choir"].equalizer_db == 0
    assert result.parts.missed == ("voice: equalizer",)


def test_an_equalizer_may_stand_on_the_group(truth: Graph, folder: Path) -> None:
    on_group = changed(truth, "low", devices=(BELL,))
    on_track = changed(truth, "kick", devices=(BELL, PRESS))
    assert scored(on_group, on_track, folder).tracks["kick"].equalizer_db == 0


def test_an_even_level_is_no_error_of_a_curve() -> None:
    curve_db, weight = np.array([1.0, 3.0, 100.0]), np.array([1.0, 1.0, 0.0])
    assert spread_db(curve_db, weight) == spread_db(curve_db + 7, weight) == 1
    assert spread_db(curve_db, np.zeros(3)) == 0


def test_gain_reduction_is_compared_over_time(truth: Graph, folder: Path) -> None:
    """The loud half is 10 dB above the threshold, the other below: at 4:1 it falls by 7.5 dB, not by 5."""
    harder = Device(type="compressor", values={**PRESS.values, "ratio": 4})
    result = scored(truth, changed(truth, "kick", devices=(harder,)), folder)
    assert result.reduction_db == {"kick": pytest.approx(2.5 / 2, abs=0.03)}
    assert result.tracks["kick"].level_db == pytest.approx(-2.5, abs=0.2)
    absent = scored(truth, changed(truth, "kick", devices=()), folder)
    assert absent.reduction_db == {"kick": pytest.approx(5 / 2, abs=0.05)}


def test_an_invented_compressor_is_false_and_counts_in_gain_reduction(truth: Graph, folder: Path) -> None:
    bare = changed(truth, "kick", devices=())
    result = scored(bare, truth, folder)
    assert result.reduction_db == {"kick": pytest.approx(5 / 2, abs=0.05)}
    assert result.parts.false == ("kick: compressor",)
    assert result.parts.false_share == pytest.approx(1 / 5)


def test_a_compressor_of_a_group_of_one_is_its_tracks(truth: Graph, folder: Path) -> None:
    moved = changed(changed(truth, "kick", devices=(), fader_db=0), "low", devices=(PRESS,), fader_db=-3)
    result = scored(truth, moved, folder)
    assert (result.parts.missed, result.parts.false) == ((), ())
    assert errors(result) == pytest.approx([0] * 13, abs=1e-4)


@pytest.mark.parametrize(("delay_ms", "exact"), [(250.005, True), (250.04, False)])
def test_a_delay_is_right_to_the_sample(truth: Graph, folder: Path, delay_ms: float, exact: bool) -> None:
    shifted = Device(type="delay", values={**ECHO.values, "delay_ms": delay_ms})
    result = scored(truth, changed(truth, "delay", devices=(shifted,)), folder)
    assert result.delay_exact is exact
    assert result.parts.missed == ()


def test_without_returns_nothing_rings(truth: Graph, folder: Path) -> None:
    dry = Graph(
        sample_rate=RATE,
        length_samples=LENGTH,
        strips=tuple(s.model_copy(update={"sends": ()}) for s in truth.strips if s.kind != "return"),
    )
    result = scored(truth, dry, folder)
    assert result.delay_exact is False
    assert result.decay_percent == 100
    assert Counter(result.parts.missed) == Counter(
        f"{who}: {what}"
        for who, what in (
            ("reverb", "return"),
            ("delay", "return"),
            ("voice", "send to reverb"),
            ("voice", "send to delay"),
            ("choir", "send to reverb"),
        )
    )
    back = scored(dry, truth, folder)
    assert (back.delay_exact, back.decay_percent) == (None, None)
    assert len(back.parts.false) == 3


def test_an_echo_rings_as_long_as_its_feedback_says() -> None:
    echo = complete_device(
        Device(type="delay", values={"delay_ms": 20, "feedback": 0.8, "mix": 1}), PROCESSORS
    )
    assert reverb_time_s(echo, RATE) == pytest.approx(0.02 * 60 / (-20 * np.log10(0.8)), rel=0.03)


def test_a_larger_room_is_an_error_of_decay(truth: Graph, folder: Path) -> None:
    room = truth.strip("reverb").devices[0]
    larger = room.model_copy(update={"values": {**room.values, "room_size": 0.7}})
    times_s = [reverb_time_s(device, RATE) for device in (room, larger)]
    result = scored(truth, changed(truth, "reverb", devices=(larger,)), folder)
    assert times_s[1] > 1.2 * times_s[0]
    assert result.decay_percent == pytest.approx(100 * (times_s[1] / times_s[0] - 1))


def test_a_send_is_as_loud_as_what_comes_back(truth: Graph, folder: Path) -> None:
    """2 dB are 2 dB on the send, on the fader before it, and after the return for all that is sent there."""
    voice, choir, echo = "voice: send to reverb", "choir: send to reverb", "voice: send to delay"
    louder = changed(truth, "voice", sends=(to("reverb", -4), to("delay", -6)))
    assert scored(truth, louder, folder).send_db == pytest.approx({voice: 2, choir: 0, echo: 0}, abs=1e-5)
    faded = changed(truth, "voice", fader_db=-1)
    assert scored(truth, faded, folder).send_db == pytest.approx({voice: 2, choir: 0, echo: 2}, abs=1e-5)
    loud_room = changed(truth, "reverb", fader_db=2)
    assert scored(truth, loud_room, folder).send_db == pytest.approx({voice: 2, choir: 2, echo: 0}, abs=1e-5)
    loud = changed(truth, "master", fader_db=2)
    assert scored(truth, loud, folder).send_db == pytest.approx({voice: 2, choir: 2, echo: 2}, abs=1e-5)
    absent = changed(truth, "voice", sends=(to("delay", -6),))
    assert scored(truth, absent, folder).send_db.keys() == {choir, echo}


def test_only_what_is_heard_is_demanded(truth: Graph, folder: Path) -> None:
    idle = changed(truth, "choir", devices=(IDLE,))
    assert Part("choir", "compressor") in all_parts(idle)
    audible = audible_parts(idle, folder)
    assert audible == all_parts(truth)
    parts = score_parts(idle, audible, changed(truth, "voice", devices=()))
    assert parts.missed == ("voice: equalizer",)
    assert score_parts(idle, audible, idle).false == ()


def test_names_of_groups_and_returns_do_not_matter(truth: Graph) -> None:
    new = {"low": "bottom", "vocals": "singers", "reverb": "hall", "delay": "echo"}
    renamed = truth.model_copy(
        update={
            "strips": tuple(
                strip.model_copy(
                    update={
                        "name": new.get(strip.name, strip.name),
                        "output": new.get(strip.output or "", strip.output),
                        "sends": tuple(to(new[send.target], send.level_db) for send in strip.sends),
                    }
                )
                for strip in truth.strips
            )
        }
    )
    assert all_parts(renamed) == all_parts(truth)


def test_a_convolution_is_a_reverb(truth: Graph) -> None:
    other = Device(type="convolution")
    space = truth.replace(truth.strip("reverb").model_copy(update={"devices": (other,)}))
    assert all_parts(space) == all_parts(truth)


def test_each_of_two_alike_devices_needs_a_counterpart(truth: Graph) -> None:
    twice = changed(truth, "voice", devices=(BELL, BELL))
    assert score_parts(twice, all_parts(twice), truth).missed == ("voice: equalizer",)
    false = score_parts(truth, all_parts(truth), twice)
    assert false.false == ("voice: equalizer",)
    assert false.false_share == 1 / inserts_and_sends(twice).total()
