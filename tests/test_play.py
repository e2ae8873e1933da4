"""Playing a graph in torch: routing, reuse of signals, gradients, and the way back into a graph."""

import numpy as np
import pytest
import torch

from mix2daw.controls import Controls, Key
from mix2daw.graph import Device, Graph, Send, Strip
from mix2daw.level import Signals
from mix2daw.mixdown import mix_down, place
from mix2daw.play import downstream, play
from mix2daw.processors import PROCESSORS, checked_graph

RATE, LENGTH = 44100, 22050
EQUALIZER = Device(type="equalizer", values={"bell_2_db": 6, "high_pass_slope_db": 12})
COMPRESSOR = Device(type="compressor", values={"threshold_db": -30, "ratio": 4})


@pytest.fixture
def sources() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {
        name: 0.2 * torch.randn(channels, LENGTH, generator=generator)
        for name, channels in {"kick": 1, "snare": 2, "bass": 1}.items()
    }


def console(**strips) -> Graph:
    def track(name: str, output: str, **changes) -> Strip:
        return Strip(name=name, kind="track", source=f"{name}.wav", output=output, **changes)

    return checked_graph(
        Graph(
            sample_rate=RATE,
            length_samples=LENGTH,
            strips=(
                Strip(name="drums", kind="group", output="master", devices=(COMPRESSOR,), fader_db=-2),
                track("kick", "drums", devices=(COMPRESSOR, EQUALIZER), fader_db=-4, pan=-0.3),
                track(
                    "snare",
                    "drums",
                    devices=(EQUALIZER, COMPRESSOR),
                    pan=0.4,
                    sends=(Send(target="room", level_db=-6, tap="pre"),),
                ),
                track("bass", "master", fader_db=3, sends=(Send(target="room", level_db=-12),)),
                Strip(
                    name="room",
                    kind="return",
                    output="master",
                    devices=(Device(type="reverb", values={"wet_level": 1 / 3, "dry_level": 0}),),
                ),
                Strip(name="master", kind="master", fader_db=-1, devices=(EQUALIZER,)),
            ),
        ),
        PROCESSORS,
    )


def alone(device: Device, signal: torch.Tensor) -> torch.Tensor:
    values = {n: torch.tensor([v], dtype=torch.float64) for n, v in device.values.items()}
    processor = PROCESSORS[device.type]
    if processor.stereo:
        signal = signal.expand(2, -1)
    return processor.process(signal[None], RATE, **values)[0]


def level(strip: Strip) -> torch.Tensor:
    sides = [min(1.0, 1 - strip.pan), min(1.0, 1 + strip.pan)]
    return (10 ** (strip.fader_db / 20) * torch.tensor(sides))[:, None]


def by_hand(graph: Graph, sources: dict[str, torch.Tensor]) -> torch.Tensor:
    """The same console, strip after strip, without batches."""
    inputs: dict[str, torch.Tensor] = {}
    for layer in graph.levels():
        for strip in layer:
            x = sources[strip.name] if strip.kind == "track" else inputs[strip.name]
            for device in strip.devices:
                x = alone(device, x)
            out = x * level(strip)
            for send in strip.sends:
                tap = out if send.tap == "post" else x.expand(2, -1)
                inputs[send.target] = inputs.get(send.target, 0) + tap * 10 ** (send.level_db / 20)
            if strip.output:
                inputs[strip.output] = inputs.get(strip.output, 0) + out
    return out


def residual_db(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(10 * torch.log10((a - b).double().square().sum() / b.double().square().sum() + 1e-30))


def test_batches_play_what_single_strips_play(sources):
    graph = console()
    mix = play(graph, Controls(graph), sources).out["master"]
    assert residual_db(mix, by_hand(graph, sources)) < -120


def test_strips_that_part_and_meet_again_play_as_if_alone(sources):
    """Some strips of a level have a device that the others lack, between devices that all have."""
    stereo = {name: signal.expand(2, -1).contiguous() for name, signal in sources.items()}
    graph = console()
    graph = graph.replace(
        *(
            graph.strip(name).model_copy(update={"devices": devices})
            for name, devices in {
                "kick": graph.strip("kick").devices,
                "snare": graph.strip("kick").devices[:1],
                "bass": graph.strip("kick").devices[:1],
            }.items()
        )
    )
    mix = play(graph, Controls(graph), stereo).out["master"]
    assert residual_db(mix, by_hand(graph, stereo)) < -120


def test_a_console_at_rest_is_the_sum_of_its_stems(sources):
    graph = console()
    resting = graph.replace(
        *(
            strip.model_copy(
                update={
                    "devices": tuple(
                        d.model_copy(update={"values": PROCESSORS[d.type].rest()}) for d in strip.devices
                    ),
                    "fader_db": 0.0,
                    "pan": 0.0,
                    "sends": (),
                }
            )
            for strip in graph.strips
        )
    )
    mix = play(resting, Controls(resting), sources).out["master"]
    total = sum(signal.expand(2, -1) for signal in sources.values())
    assert residual_db(mix, total) < -140


def test_bypassed_devices_and_sends_are_not_heard(sources):
    graph = console()
    gone = {Key("kick", "compressor", "0"), Key("snare", "send", "room")}
    kick, snare = graph.strip("kick"), graph.strip("snare")
    smaller = graph.replace(
        kick.model_copy(update={"devices": kick.devices[1:]}), snare.model_copy(update={"sends": ()})
    )
    with_bypass = play(graph, Controls(graph), sources, bypass=gone).out["master"]
    assert torch.equal(with_bypass, play(smaller, Controls(smaller), sources).out["master"])


def differs_by_rounding(one: Signals, other: Signals) -> bool:
    """Sums agree to the last bits of float32; filters that work in float32 make noise of these: -80 dB."""
    sums = [residual_db(one.into[name].total, other.into[name].total) for name in other.into]
    return max(sums) < -120 and residual_db(one.out["master"], other.out["master"]) < -70


def test_sends_left_out_of_a_known_sum_are_gone_and_come_back(sources):
    graph = console()
    controls = Controls(graph)
    whole = play(graph, controls, sources)
    gone = {Key("snare", "send", "room")}
    bypassed = play(graph, controls, sources, bypass=gone)
    again = play(graph, controls, sources, bypass=gone, known=whole, changed=["room", "master"])
    assert differs_by_rounding(again, bypassed)
    back = play(graph, controls, sources, known=again, changed=["room", "master"])
    assert differs_by_rounding(back, whole)


@pytest.mark.parametrize("name", ["kick", "snare", "bass", "drums", "room", "master"])
def test_playing_again_only_what_hears_a_change_is_enough(sources, name):
    graph = console()
    before = play(graph, Controls(graph), sources)
    changed = graph.replace(graph.strip(name).model_copy(update={"fader_db": -7.5}))
    controls = Controls(changed)
    again = play(changed, controls, sources, known=before, changed=downstream(changed, name))
    assert differs_by_rounding(again, play(changed, controls, sources))
    assert torch.equal(before.out["master"], play(graph, Controls(graph), sources).out["master"])


def test_every_control_that_is_heard_has_a_gradient(sources):
    graph = console()
    controls = Controls(graph)
    leaves = {}
    for type_, table in controls.raw.items():
        for name in table:
            table[name].requires_grad_(True)
            leaves[type_, name] = table[name]
    play(graph, controls, sources).out["master"].square().mean().backward()
    for type_, name in [
        ("fader", "fader_db"),
        ("compressor", "ratio"),
        ("equalizer", "bell_2_db"),
        ("send", "level_db"),
        ("reverb", "room_size"),
    ]:
        assert bool((leaves[type_, name].grad != 0).all()), (type_, name)


def test_controls_go_back_into_the_same_graph():
    graph = console()
    again = Controls(graph).to_graph()
    for (_, old), (_, new) in zip(graph.devices(), again.devices(), strict=True):
        assert new.type == old.type
        assert new.values == pytest.approx(old.values, rel=1e-12)
    assert [strip.fader_db for strip in again.strips] == pytest.approx([s.fader_db for s in graph.strips])
    assert [strip.pan for strip in again.strips] == pytest.approx([strip.pan for strip in graph.strips])


@pytest.mark.parametrize("offset", [-5, 0, 7, 30])
def test_a_source_stands_at_its_offset(offset):
    signal = np.arange(1, 21, dtype=np.float32)[None]
    line = np.zeros(25, np.float32)
    for index, value in enumerate(signal[0]):
        if 0 <= index + offset < 25:
            line[index + offset] = value
    assert place(torch.from_numpy(signal), offset, 25)[0].tolist() == line.tolist()


def test_the_mix_in_little_memory_is_that_of_all_signals_bit_for_bit(sources, monkeypatch):
    graph = console()
    whole = play(graph, Controls(graph), sources).out["master"]
    for samples in (1, 1 << 24):  # one strip at a time, and all together
        monkeypatch.setattr("mix2daw.mixdown.SAMPLES_AT_ONCE", samples)
        assert torch.equal(mix_down(graph, Controls(graph), sources), whole)


def test_where_gradients_are_wanted_the_same_is_heard(sources):
    graph = console()
    controls = Controls(graph)
    expected = play(graph, controls, sources).out["master"]
    controls.raw["send"]["level_db"].requires_grad_(True)
    learnt = play(graph, controls, sources).out["master"]
    assert learnt.requires_grad
    # The sums round in another order; the master's float32 high-pass makes much of a last bit.
    assert float((learnt.detach() - expected).norm() / expected.norm()) < 1e-3
