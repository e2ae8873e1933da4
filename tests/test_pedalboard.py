"""The render of a whole console against the same sums written out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pedalboard
import pytest
import soundfile

from mix2daw.errors import FormatError, GraphError, InputError
from mix2daw.exporters.chains import apply_device, chain
from mix2daw.exporters.pedalboard import render, render_taps
from mix2daw.graph import Device, Graph, Send, Strip
from mix2daw.processors import INSERTS, PROCESSORS, checked_graph

RATE = 48000
LENGTH = 24000
OFFSET = 3000

BELL = Device(type="equalizer", values={"bell_2_hz": 700, "bell_2_db": 6, "bell_2_q": 1.5})
PRESS = Device(type="compressor", values={"threshold_db": -30, "ratio": 4})
HALF = Device(type="compressor", values={"threshold_db": -40, "ratio": 8}, wet=0.25)
LINKED = Device(type="compressor", values={"threshold_db": -30, "ratio": 4, "link": 1})
ROOM = Device(type="reverb", values={"wet_level": 0.8, "dry_level": 0.0, "room_size": 0.6})
NARROW = Device(type="width", values={"width": 0.5})
ECHO = Device(type="delay", values={"delay_ms": 20, "mix": 0.5, "feedback": 0.3})
WALL = Device(type="limiter", values={"ceiling_db": -12})
IMPULSE = np.random.default_rng(2).standard_normal((4, 700)).astype(np.float32) * np.geomspace(
    0.3, 1e-4, 700, dtype=np.float32
)


def lin(level_db: float) -> float:
    return float(10 ** (level_db / 20))


def plugin(signal: np.ndarray, *plugins: pedalboard.Plugin) -> np.ndarray:
    for each in plugins:
        signal = each.process(signal.astype(np.float32), RATE)
    return signal.astype(float)


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, np.ndarray]:
    """Two stereo stems and a shorter mono one, written to the folder; as (2, samples)."""
    rng = np.random.default_rng(3)
    found = {}
    for name, channels, samples in (("kick", 1, 12000), ("snare", 2, LENGTH), ("voice", 2, LENGTH + 500)):
        signal = 0.3 * rng.standard_normal((samples, channels)) * np.exp(-np.arange(samples) / 8000)[:, None]
        soundfile.write(tmp_path / f"{name}.wav", signal.astype(np.float32), RATE, subtype="FLOAT")
        found[name] = np.repeat(signal.T.astype(np.float32), 3 - channels, axis=0).astype(float)
    return found


def song() -> Graph:
    """A nested group, a send before and one after the fader, a return, parallel compression, post devices."""
    return checked_graph(
        Graph(
            sample_rate=RATE,
            length_samples=LENGTH,
            strips=(
                Strip(
                    name="kick", kind="track", source="kick.wav", channels=1, offset_samples=OFFSET,
                    devices=(BELL, HALF), fader_db=-3, pan=0.25, output="drums",
                    sends=(Send(target="room", level_db=-6, tap="pre"),),
                ),
                Strip(
                    name="snare", kind="track", source="snare.wav", fader_db=2, pan=-0.5, output="drums",
                    devices=(NARROW,), sends=(Send(target="room", level_db=-10),),
                ),
                Strip(name="voice", kind="track", source="voice.wav", offset_samples=-400, output="all"),
                Strip(name="drums", kind="group", devices=(PRESS,), fader_db=-1, output="all"),
                Strip(name="all", kind="group", post_devices=(ECHO,), fader_db=-2, pan=0.1, output="master"),
                Strip(name="room", kind="return", devices=(ROOM,), fader_db=-4, output="master"),
                Strip(name="master", kind="master", post_devices=(WALL,)),
            ),
        ),
        PROCESSORS,
    )  # fmt: skip


def by_hand(sources: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The song in float64, strip by strip."""
    kick = np.zeros((2, LENGTH))
    kick[:, OFFSET : OFFSET + 12000] = sources["kick"]
    kick = plugin(kick, pedalboard.PeakFilter(700, 6, 1.5))
    kick = 0.25 * plugin(kick, pedalboard.Compressor(-40, 8, 10, 100)) + 0.75 * kick
    kick_out = kick * lin(-3) * np.array([[0.75], [1.0]])

    middle, side = sources["snare"].sum(0) / 2, (sources["snare"][0] - sources["snare"][1]) / 2
    snare = np.stack([middle + 0.5 * side, middle - 0.5 * side])
    snare_out = snare * lin(2) * np.array([[1.0], [0.5]])

    voice = np.zeros((2, LENGTH))
    voice[:] = sources["voice"][:, 400 : 400 + LENGTH]

    drums = plugin(kick_out + snare_out, pedalboard.Compressor(-30, 4, 10, 100)) * lin(-1)
    everything = (drums + voice) * lin(-2) * np.array([[0.9], [1.0]])
    everything = plugin(everything, pedalboard.Delay(960.5 / RATE, 0.3, 0.5))
    room_in = kick * lin(-6) + snare_out * lin(-10)
    room = plugin(room_in, pedalboard.Reverb(0.6, 0.5, 0.8, 0.0, 1.0)) * lin(-4)
    master = plugin(everything + room, pedalboard.BrickwallLimiter(-12, 100, 5))
    return {"kick": kick_out, "drums": drums, "all": everything, "room": room, "master": master}


def assert_close(signal: np.ndarray, expected: np.ndarray) -> None:
    """−110 dB or less apart: float32 sums in another order, through compressors and filters."""
    assert signal.dtype == np.float32
    assert signal.shape == expected.shape
    assert np.sum((signal - expected) ** 2) < 1e-11 * np.sum(expected**2)


def test_render_is_the_console_written_out(tmp_path: Path, sources: dict[str, np.ndarray]) -> None:
    expected = by_hand(sources)
    assert_close(render(song(), tmp_path), expected["master"])
    outputs = render_taps(song(), tmp_path, [(name, -1) for name in expected])
    for name, signal in expected.items():
        assert_close(outputs[name, -1], signal)


def test_the_same_render_twice_is_the_same_bytes(tmp_path: Path, sources: dict[str, np.ndarray]) -> None:
    assert render(song(), tmp_path).tobytes() == render(song(), tmp_path).tobytes()


def test_taps_follow_each_other_through_the_devices(tmp_path: Path, sources: dict[str, np.ndarray]) -> None:
    graph = song()
    taps = render_taps(graph, tmp_path, [("kick", 0), ("kick", 1), ("kick", 2), ("kick", -1), ("drums", 0)])
    assert taps["kick", 0].shape == (1, LENGTH)
    np.testing.assert_array_equal(taps["kick", 0][:, :OFFSET], 0)
    np.testing.assert_array_equal(taps["kick", 0][0, OFFSET : OFFSET + 12000], sources["kick"][0])
    for index, device in enumerate(graph.strip("kick").devices):
        np.testing.assert_array_equal(
            apply_device(taps["kick", index], device, RATE), taps["kick", index + 1]
        )
    assert taps["kick", -1].shape == (2, LENGTH)
    snare = render_taps(graph, tmp_path, [("snare", -1)])["snare", -1]
    np.testing.assert_array_equal(taps["drums", 0], taps["kick", -1] + snare)


def test_a_tap_reads_only_the_sources_that_it_needs(tmp_path: Path, sources: dict[str, np.ndarray]) -> None:
    (tmp_path / "voice.wav").unlink()
    assert render_taps(song(), tmp_path, [("drums", 1)])["drums", 1].any()
    with pytest.raises(InputError, match=r"voice\.wav"):
        render(song(), tmp_path)


def test_a_tap_that_is_not_there_is_named(tmp_path: Path, sources: dict[str, np.ndarray]) -> None:
    for tap in (("kick", 3), ("kick", -2), ("choir", 0)):
        with pytest.raises(GraphError, match=tap[0]):
            render_taps(song(), tmp_path, [tap])


@pytest.mark.parametrize("name", INSERTS)
def test_a_mono_signal_sounds_as_a_double_one(name: str) -> None:
    settings = {
        "threshold_db": -20,
        "ratio": 3,
        "mix": 0.5,
        "wet_level": 0.5,
        "ceiling_db": -9,
        "bell_1_db": 5,
    }
    known = {key: value for key, value in settings.items() if key in PROCESSORS[name].rest()}
    device = Device(type=name, values={**PROCESSORS[name].rest(), **known}, wet=0.7)
    mono = 0.4 * np.random.default_rng(1).standard_normal((1, 5000)).astype(np.float32)
    double = apply_device(np.repeat(mono, 2, axis=0), device, RATE, IMPULSE)
    alone = apply_device(mono, device, RATE, IMPULSE)
    np.testing.assert_array_equal(np.broadcast_to(alone, double.shape), double)


def test_linked_compressor_is_the_plugin_of_the_louder_channel() -> None:
    loud = 0.4 * np.random.default_rng(1).standard_normal((1, 5000)).astype(np.float32)
    linked = Device(type="compressor", values={**PROCESSORS["compressor"].rest(), **LINKED.values})
    alone = pedalboard.Compressor(-30, 4, 10, 100).process(loud, RATE)
    for quiet_lin in (-0.25, 1, 0):
        both = apply_device(np.concatenate([loud, quiet_lin * loud], dtype=np.float32), linked, RATE)
        np.testing.assert_array_equal(both, np.concatenate([alone, quiet_lin * alone]))
    np.testing.assert_array_equal(apply_device(loud, linked, RATE), alone)


@pytest.mark.parametrize("samples", [1, 2, 3, 17])
def test_very_short_songs_can_be_played(samples: int) -> None:
    signal = np.full((2, samples), 0.5, np.float32)
    for device in (BELL, PRESS, LINKED, ROOM, ECHO, WALL):
        complete = Device(type=device.type, values={**PROCESSORS[device.type].rest(), **device.values})
        long = apply_device(np.full((2, 400), 0.5, np.float32), complete, RATE)
        np.testing.assert_array_equal(apply_device(signal, complete, RATE), long[:, :samples])


def test_rest_needs_no_plugins_that_change_the_sound() -> None:
    signal = 0.4 * np.random.default_rng(1).standard_normal((2, 5000)).astype(np.float32)
    for name in INSERTS:
        device = Device(type=name, values=PROCESSORS[name].rest())
        np.testing.assert_array_equal(apply_device(signal, device, RATE, IMPULSE), signal)


def test_devices_that_cannot_be_played_are_named() -> None:
    with pytest.raises(FormatError, match="flanger"):
        chain("flanger", {}, RATE)
    with pytest.raises(GraphError, match=r"compressor.*ratio"):
        chain("compressor", {"threshold_db": -3}, RATE)
