"""The convolution reverb: its layouts, its blocks, its file, and a whole graph that has it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from mix2daw.controls import Controls
from mix2daw.dsp import convolution
from mix2daw.dsp.convolution import convolved, delayed, stacked
from mix2daw.errors import GraphError, InputError, OutputError
from mix2daw.export import export_folder
from mix2daw.exporters.bands import is_idle
from mix2daw.exporters.chains import apply_device
from mix2daw.exporters.pedalboard import render
from mix2daw.exporters.words import describe
from mix2daw.graph import Device, Graph, Send, Strip, read_graph
from mix2daw.mixdown import read_impulses, read_sources, render_torch
from mix2daw.play import play
from mix2daw.processors import PROCESSORS, checked_graph
from mix2daw.progress import Silence
from mix2daw.search.fold import fold_wet
from mix2daw.stems import read_impulse

RATE, LENGTH = 44100, 30000
PROCESSOR = PROCESSORS["convolution"]


def noise(*shape: int, seed: int = 1) -> np.ndarray:
    return 0.3 * np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def room(channels: int, taps: int, seed: int = 2) -> np.ndarray:
    """An impulse response (channels, taps) that decays by 60 dB."""
    return noise(channels, taps, seed=seed) * np.geomspace(1, 1e-3, taps, dtype=np.float32)


def by_hand(signal: np.ndarray, impulse: np.ndarray) -> np.ndarray:
    """The two ears, in the time domain and in float64."""
    left, right = signal.astype(float)
    h = impulse.astype(float)
    if len(h) == 2:
        ears = [np.convolve((left + right) / 2, h[ear]) for ear in (0, 1)]
    else:
        ears = [np.convolve(left, h[ear]) + np.convolve(right, h[2 + ear]) for ear in (0, 1)]
    return np.stack(ears)[:, : signal.shape[1]]


def residual_db(signal: np.ndarray, reference: np.ndarray) -> float:
    error = np.sum((signal.astype(float) - reference) ** 2)
    return 10 * math.log10(max(error, 1e-40) / np.sum(reference.astype(float) ** 2))


@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("taps", [1, 2, 999, 6000])
def test_each_layout_is_its_sum_of_products(channels: int, taps: int) -> None:
    signal, impulse = noise(3, 2, 5000), np.stack([room(channels, taps, seed) for seed in range(3)])
    ears = convolved(torch.from_numpy(signal), torch.from_numpy(impulse)).numpy()
    for strip in range(3):
        assert residual_db(ears[strip], by_hand(signal[strip], impulse[strip])) < -125


@pytest.mark.parametrize("channels", [2, 4])
def test_blocks_are_one_fft(channels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    signal = torch.from_numpy(noise(2, 2, convolution.BLOCKS_FROM_SAMPLES + 70001))
    impulse = torch.from_numpy(np.stack([room(channels, 20000, seed) for seed in (3, 4)]))
    in_blocks = convolved(signal, impulse)
    assert torch.equal(in_blocks, convolved(signal, impulse))
    at_once = convolved(signal.clone().requires_grad_(), impulse).detach()
    assert not torch.equal(in_blocks, at_once)
    assert residual_db(in_blocks.numpy(), at_once.numpy()) < -120
    early = slice(0, 40000)
    assert residual_db(in_blocks[0, :, early].numpy(), at_once[0, :, early].numpy()) < -120


def test_layouts_and_lengths_that_differ_are_stacked() -> None:
    signal = torch.from_numpy(noise(2, 2, 3000))
    two, four = torch.from_numpy(room(2, 700)), torch.from_numpy(room(4, 300))
    together = convolved(signal, stacked([two, four]))
    for strip, impulse in enumerate((two, four)):
        alone = convolved(signal[strip : strip + 1], impulse[None])[0]
        assert residual_db(together[strip].numpy(), alone.numpy()) < -120
    assert torch.equal(stacked([two, two])[1], two)


def test_the_impulse_response_has_a_gradient() -> None:
    signal = torch.from_numpy(noise(1, 2, 800)).double()
    impulse = torch.from_numpy(room(4, 60)[None]).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda h: convolved(signal, h).square().sum(), impulse)


@pytest.mark.parametrize("lags", [[0, 0], [0, 7], [5, 2000]])
def test_a_delay_is_whole_samples(lags: list[int]) -> None:
    signal = torch.from_numpy(noise(2, 2, 1000))
    late = delayed(signal, torch.tensor(lags))
    for strip, lag in enumerate(lags):
        assert not late[strip, :, :lag].any()
        assert torch.equal(late[strip, :, lag:], signal[strip, :, : max(0, 1000 - lag)])


@pytest.mark.parametrize("sample_rate", [44100, 48000, 96000])
@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("inputs", [1, 2])
def test_long_responses_null_against_pedalboard(sample_rate: int, channels: int, inputs: int) -> None:
    signal, impulse = noise(inputs, sample_rate), room(channels, sample_rate // 2)
    values = {"pre_delay_ms": 12.3, "width": 1.4, "wet_level": 0.8, "dry_level": 0.25}
    device = Device(type="convolution", values=values)
    reference = apply_device(signal, device, sample_rate, impulse)
    controls = {name: torch.tensor([value], dtype=torch.float64) for name, value in values.items()}
    with torch.no_grad():
        twin = PROCESSOR.process(
            torch.from_numpy(signal)[None], sample_rate, torch.from_numpy(impulse)[None], **controls
        )
    assert residual_db(twin[0].numpy(), reference) < PROCESSOR.null_db


@pytest.mark.parametrize("level", [1e-6, 1.0, 50.0])
def test_pedalboard_plays_a_response_as_loud_as_it_is(level: float) -> None:
    signal, impulse = noise(2, 4000), np.float32(level) * room(4, 500)
    device = Device(type="convolution", values={**PROCESSOR.rest(), "wet_level": 1, "dry_level": 0})
    played = apply_device(signal, device, RATE, impulse)
    assert residual_db(played, by_hand(signal, impulse)) < -110


@pytest.mark.parametrize("samples", [1, 2, 3, 17])
@pytest.mark.parametrize("channels", [2, 4])
def test_very_short_signals_can_be_played(samples: int, channels: int) -> None:
    signal, impulse = noise(2, samples), room(channels, 40)
    device = Device(type="convolution", values={**PROCESSOR.rest(), "wet_level": 1, "dry_level": 0})
    assert residual_db(apply_device(signal, device, RATE, impulse), by_hand(signal, impulse)) < -110
    late = device.model_copy(update={"values": {**device.values, "pre_delay_ms": 250}})
    assert not apply_device(signal, late, RATE, impulse).any()


def test_width_is_that_of_the_wet_ears_alone() -> None:
    signal, impulse = noise(2, 4000), room(2, 500)
    controls = {"pre_delay_ms": 0.0, "width": 0.0, "wet_level": 1.0, "dry_level": 1.0}
    tensors = {name: torch.tensor([value], dtype=torch.float64) for name, value in controls.items()}
    played = PROCESSOR.process(
        torch.from_numpy(signal)[None], RATE, torch.from_numpy(impulse)[None], **tensors
    )
    expected = signal + by_hand(signal, impulse).mean(0)
    assert residual_db(played[0].numpy(), expected) < -120


def test_a_response_is_as_loud_at_every_rate(tmp_path: Path) -> None:
    """Twice as many taps must not be twice as loud: the level of a low tone stays."""
    impulse = np.zeros((2, 4000), np.float32)
    impulse[:, 500:] = room(2, 3500) + 0.01
    soundfile.write(tmp_path / "hall.wav", impulse.T, 48000, subtype="FLOAT")

    def level_db(sample_rate: int, tone_hz: float) -> float:
        h = read_impulse(tmp_path / "hall.wav", sample_rate)
        turn = np.exp(-2j * np.pi * tone_hz * np.arange(h.shape[1]) / sample_rate)
        return float(20 * np.log10(abs(h[0] @ turn)))

    assert np.array_equal(read_impulse(tmp_path / "hall.wav", 48000), impulse)
    for tone_hz in (40.0, 1000.0, 9000.0):
        assert level_db(96000, tone_hz) == pytest.approx(level_db(48000, tone_hz), abs=0.01)
        assert level_db(44100, tone_hz) == pytest.approx(level_db(48000, tone_hz), abs=0.01)


def hall(path: str, wet: float = 1.0, **values: float) -> Device:
    return Device(type="convolution", impulse=path, values=values, wet=wet)


@pytest.fixture
def graph(tmp_path: Path) -> Graph:
    """A song in `tmp_path` with convolutions on a return, as inserts of two layouts and after a fader."""
    for name, channels in (("kick", 1), ("snare", 2), ("keys", 2)):
        signal = noise(LENGTH, channels, seed=len(name)) * np.geomspace(1, 1e-3, LENGTH)[:, None]
        soundfile.write(tmp_path / f"{name}.wav", signal, RATE, subtype="FLOAT")
    (tmp_path / "rooms").mkdir()
    for name, channels, taps, rate in (("big", 4, 20000, 48000), ("plate", 2, 9000, RATE)):
        soundfile.write(tmp_path / "rooms" / f"{name}.wav", room(channels, taps).T, rate, subtype="FLOAT")
    plate = hall("rooms/plate.wav", wet_level=0.5, width=1.5, pre_delay_ms=3)
    big = hall("rooms/big.wav", wet=0.8, wet_level=0.3)
    wet = hall("rooms/big.wav", wet_level=0.7, dry_level=0, pre_delay_ms=20)
    to_room = (Send(target="room", level_db=-6),)
    return checked_graph(
        Graph(
            sample_rate=RATE,
            length_samples=LENGTH,
            strips=(
                Strip(name="kick", kind="track", source="kick.wav", channels=1, output="band", sends=to_room),
                Strip(name="snare", kind="track", source="snare.wav", output="band", devices=(plate,)),
                Strip(name="keys", kind="track", source="keys.wav", output="band", devices=(big,), pan=0.3),
                Strip(name="band", kind="group", output="master", post_devices=(plate,), fader_db=-2),
                Strip(name="room", kind="return", output="master", devices=(wet,)),
                Strip(name="master", kind="master"),
            ),
        ),
        PROCESSORS,
    )


def test_both_engines_play_a_graph_with_impulse_responses(graph: Graph, tmp_path: Path) -> None:
    (tmp_path / "graph.json").write_text(graph.to_json(), encoding="utf-8")
    again = read_graph(tmp_path / "graph.json")
    assert again == graph
    assert again.impulses() == ("rooms/plate.wav", "rooms/big.wav")
    by_pedalboard = render(again, tmp_path)
    assert residual_db(render_torch(again, tmp_path), by_pedalboard) < PROCESSOR.null_db
    dry = graph.replace(*(s.model_copy(update={"devices": (), "post_devices": ()}) for s in graph.strips))
    assert residual_db(render(dry, tmp_path), by_pedalboard) > -20


def test_controls_keep_the_impulse_responses(graph: Graph, tmp_path: Path) -> None:
    impulses = read_impulses(graph, tmp_path)
    back = Controls(graph, impulses).to_graph()
    assert [device.impulse for _, device in back.devices()] == [d.impulse for _, d in graph.devices()]
    sources = read_sources(graph, tmp_path)
    with pytest.raises(GraphError, match=r"snare\.convolution\.0\.impulse: 'rooms/plate\.wav' was not read"):
        play(graph, Controls(graph), sources)
    controls = Controls(graph, impulses)
    level = controls.raw["convolution"]["wet_level"].requires_grad_()
    play(graph, controls, sources).out["master"].square().mean().backward()
    assert level.grad is not None
    assert bool((level.grad != 0).all())


def test_folding_the_dry_share_sounds_the_same(graph: Graph, tmp_path: Path) -> None:
    folded = fold_wet(graph)
    assert all(device.wet == 1 for _, device in folded.devices())
    assert residual_db(render_torch(folded, tmp_path), render_torch(graph, tmp_path)) < -120


@pytest.mark.parametrize("engine", [render, render_torch])
def test_a_file_that_is_no_response_is_refused_by_name(graph: Graph, tmp_path: Path, engine) -> None:
    plate = tmp_path / "rooms" / "plate.wav"
    for channels in (1, 3, 6):
        soundfile.write(plate, noise(500, channels), RATE, subtype="FLOAT")
        with pytest.raises(InputError, match=rf"plate\.wav: has {channels} channel") as error:
            engine(graph, tmp_path)
        assert "\n" not in str(error.value)
    plate.unlink()
    with pytest.raises(InputError, match=r"plate\.wav: does not exist"):
        engine(graph, tmp_path)


def test_an_export_does_not_replace_the_responses_it_reads(graph: Graph, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"holds '(plate|big)\.wav', which is read"):
        export_folder(graph, tmp_path, ["reaper"], tmp_path / "rooms", True, Silence())


def test_words_and_idleness_of_a_convolution() -> None:
    values = PROCESSOR.rest()
    idle = Device(type="convolution", impulse="rooms/a\nbig hall.wav", values=values)
    assert is_idle(idle, RATE)
    for awake in ({"wet_level": 0.1}, {"dry_level": 0.0}):
        assert not is_idle(idle.model_copy(update={"values": values | awake}), RATE)
    words = describe(idle, RATE)
    assert words.startswith("convolution: pre delay 0 ms, width 1")
    assert words.endswith("impulse a big hall.wav")
