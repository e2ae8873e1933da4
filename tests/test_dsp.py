"""What single processors do to sound: levels, slopes and ceilings that a meter would show."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from mix2daw.dsp.rows import Remembered
from mix2daw.exporters.chains import apply_device
from mix2daw.graph import Device
from mix2daw.processors import PROCESSORS

RATE = 48000


def play(name: str, signal: Tensor, **values: float) -> Tensor:
    """One strip (channels, samples) through a processor at 48 kHz; what is omitted is at rest."""
    return play_at(RATE, name, signal, **values)


def play_at(sample_rate: int, name: str, signal: Tensor, /, **values: float) -> Tensor:
    full = {**PROCESSORS[name].rest(), **values}
    controls = {key: torch.tensor([float(value)], dtype=torch.float64) for key, value in full.items()}
    return PROCESSORS[name].process(signal[None], sample_rate, **controls)[0]


def response_db(frequency_hz: float, **values: float) -> float:
    """The equaliser's level at one frequency, from its impulse response (bins of 1 Hz)."""
    impulse = torch.zeros(1, RATE)
    impulse[0, 0] = 1
    spectrum = np.fft.rfft(play("equalizer", impulse, **values)[0].numpy().astype(float))
    return float(20 * np.log10(abs(spectrum[round(frequency_hz)])))


def sine(level_db: float, frequency_hz: float = 1000, seconds: float = 1) -> Tensor:
    t = torch.arange(int(seconds * RATE)) / RATE
    return (10 ** (level_db / 20) * torch.sin(2 * torch.pi * frequency_hz * t))[None]


def test_a_bell_has_its_level_at_its_frequency() -> None:
    bell = {"bell_2_hz": 800, "bell_2_db": -7.5, "bell_2_q": 2}
    assert response_db(800, **bell) == pytest.approx(-7.5, abs=1e-3)
    assert response_db(20, **bell) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize(("band", "far_hz"), [("low_shelf", 0), ("high_shelf", 24000)])
def test_a_shelf_is_half_way_at_its_frequency(band: str, far_hz: float) -> None:
    shelf = {f"{band}_hz": 900, f"{band}_db": 8.0}
    assert response_db(900, **shelf) == pytest.approx(4, abs=1e-3)
    assert response_db(far_hz, **shelf) == pytest.approx(8, abs=1e-2)


@pytest.mark.parametrize("slope_db", [6, 12])
def test_a_pass_filter_falls_with_its_slope(slope_db: int) -> None:
    high = {"high_pass_hz": 1000.0, "high_pass_slope_db": float(slope_db)}
    low = {"low_pass_hz": 500.0, "low_pass_slope_db": float(slope_db)}
    assert response_db(1000, **high) == pytest.approx(-3.01, abs=0.01)
    assert response_db(500, **low) == pytest.approx(-3.01, abs=0.01)
    assert response_db(100, **high) - response_db(50, **high) == pytest.approx(slope_db * 1.0034, abs=0.05)
    assert response_db(2000, **low) - response_db(4000, **low) > slope_db * 0.95


@pytest.mark.parametrize("sample_rate", [8000, 16000])
def test_frequencies_above_half_a_low_sample_rate_are_those_of_pedalboard(sample_rate: int) -> None:
    values = {
        **PROCESSORS["equalizer"].rest(),
        "bell_4_hz": 20000.0, "bell_4_db": 9.0, "high_shelf_hz": 20000.0, "high_shelf_db": -6.0,
        "low_pass_hz": 22000.0, "low_pass_slope_db": 12.0,
    }  # fmt: skip
    signal = 0.1 * torch.randn(2, 4000, generator=torch.Generator().manual_seed(1))
    reference = apply_device(signal.numpy(), Device(type="equalizer", values=values), sample_rate)
    twin = play_at(sample_rate, "equalizer", signal, **values).numpy()
    assert np.sum((twin - reference) ** 2) < 1e-10 * np.sum(reference**2)


def test_compressor_divides_the_excess_by_its_ratio() -> None:
    steady = torch.full((1, RATE), 10 ** (-8 / 20))
    out = play("compressor", steady, threshold_db=-20, ratio=4, attack_ms=5, release_ms=50)
    assert float(20 * torch.log10(out[0, -1])) == pytest.approx(-20 + 12 / 4, abs=1e-3)


def test_compressor_time_constant_is_a_part_of_two_pi() -> None:
    steady = torch.ones(1, RATE)
    out = play("compressor", steady, threshold_db=-60, ratio=2, attack_ms=100, release_ms=100)
    envelope = 1e-3 / out[0].double() ** 2  # at ratio 2 the gain is the root of threshold / envelope
    after = round(RATE * 0.1 / (2 * np.pi)) - 1
    assert float(envelope[after]) == pytest.approx(1 - 1 / np.e, abs=1e-3)


def test_linked_compressor_gives_both_channels_the_gain_of_the_louder() -> None:
    loud = torch.randn(1, RATE, generator=torch.Generator().manual_seed(1))
    values = {"threshold_db": -20, "ratio": 4, "attack_ms": 5, "release_ms": 50}
    alone = play("compressor", loud, **values)
    for quiet_lin in (0.125, -1, 0):
        both = play("compressor", torch.cat([quiet_lin * loud, loud]), link=1, **values)
        assert torch.equal(both, torch.cat([quiet_lin * alone, alone]))


def test_linked_compressor_hears_the_louder_channel_of_every_moment() -> None:
    first, second = sine(-6).repeat(2, 1).split(1)
    first, second = first.clone(), second.clone()
    first[:, RATE // 2 :] *= 0.01
    second[:, : RATE // 2] *= 0.01
    values = {"threshold_db": -20, "ratio": 4, "attack_ms": 5, "release_ms": 50}
    both = torch.cat([first, second])
    out = play("compressor", both, link=1, **values)
    torch.testing.assert_close(out[0] * both[1], out[1] * both[0], rtol=1e-6, atol=1e-9)
    whole = play("compressor", sine(-6), **values)
    torch.testing.assert_close(out.abs().amax(0), whole[0].abs(), rtol=0, atol=0)


@pytest.mark.parametrize("channels", [1, 2])
def test_a_mono_signal_sounds_the_same_linked_and_unlinked(channels: int) -> None:
    noise = torch.randn(1, RATE, generator=torch.Generator().manual_seed(1)).repeat(channels, 1)
    apart, linked = (play("compressor", noise, threshold_db=-30, ratio=5, link=link) for link in (0, 1))
    assert torch.equal(apart, linked)


def test_gate_multiplies_the_shortfall_by_its_ratio() -> None:
    quiet = torch.full((1, RATE), 10 ** (-40 / 20))
    out = play("gate", quiet, threshold_db=-30, ratio=3, attack_ms=1, release_ms=50)
    assert float(20 * torch.log10(out[0, -1])) == pytest.approx(-30 - 3 * 10, abs=0.01)
    loud = sine(-6)
    late = slice(RATE // 2, None)
    gated = play("gate", loud, threshold_db=-30, ratio=3, attack_ms=1, release_ms=50)
    assert torch.equal(gated[:, late], loud[:, late])


def test_limiter_keeps_its_ceiling_and_links_its_channels() -> None:
    noise = torch.randn(2, RATE, generator=torch.Generator().manual_seed(1))
    noise[1] *= 0.1
    out = play("limiter", noise, ceiling_db=-3, release_ms=30)
    assert float(out.abs().max()) <= 10 ** (-3 / 20) * (1 + 1e-6)
    torch.testing.assert_close(out[1] * noise[0], out[0] * noise[1], rtol=1e-5, atol=1e-6)


def test_width_and_pan_at_their_ends() -> None:
    noise = torch.randn(2, 1000, generator=torch.Generator().manual_seed(1))
    mono = play("width", noise, width=0)
    torch.testing.assert_close(mono[0], noise.mean(0))
    torch.testing.assert_close(mono[1], noise.mean(0))
    left = play("pan", noise, pan=-1)
    assert torch.equal(left[0], noise[0])
    assert not left[1].any()


def test_delay_repeats_after_whole_samples() -> None:
    impulse = torch.zeros(1, 2000)
    impulse[0, 0] = 1
    out = play("delay", impulse, delay_ms=10, feedback=0.5, mix=0.25)[0]
    expected = {0: 0.75, 480: 0.25, 960: 0.125, 1440: 0.0625, 1920: 0.03125}
    assert {int(n): float(out[n]) for n in out.nonzero()[:, 0]} == expected


def test_reverb_decays_faster_in_a_smaller_room() -> None:
    click = torch.zeros(2, 2 * RATE)
    click[:, 0] = 1

    def tail_share(room_size: float) -> float:
        wet = play("reverb", click, room_size=room_size, damping=0.2, wet_level=1, dry_level=0)
        power = wet.double().square()
        return float(power[:, RATE:].sum() / power.sum())

    assert tail_share(0.2) < tail_share(0.6) < tail_share(1.0)


def test_a_filter_is_designed_once_and_again_when_a_setting_has_moved() -> None:
    """The same tensors are the same settings only as long as nobody has written to them."""
    asked: list[float] = []

    def doubled(number: int, setting: Tensor) -> float:
        asked.append(float(setting.detach()))
        return number * asked[-1]

    remembered, setting = Remembered(doubled, answers=2), torch.tensor(3.0)
    assert [remembered(2, setting), remembered(2, setting), remembered(5, setting)] == [6, 6, 15]
    assert len(asked) == 2
    setting.fill_(4.0)
    assert remembered(2, setting) == 8
    learnt = torch.tensor(1.0, requires_grad=True)
    assert [remembered(1, learnt), remembered(1, learnt)] == [1, 1]
    assert asked[3:] == [1.0, 1.0]  # a gradient would be that of the first time
    others = [torch.tensor(float(n)) for n in range(10)]
    assert [remembered(1, other) for other in others] == list(range(10))
    assert remembered(2, setting) == 8
    assert len(asked) == 5 + 10 + 1  # the oldest answers were forgotten


def test_an_equalizer_follows_settings_that_are_written_over() -> None:
    gain_db = torch.tensor([0.0], dtype=torch.float64)
    controls = {
        key: torch.tensor([float(value)], dtype=torch.float64)
        for key, value in PROCESSORS["equalizer"].rest().items()
    } | {"bell_1_db": gain_db}
    signal = sine(-6, float(controls["bell_1_hz"]))[None]

    def level_db() -> float:
        return float(
            20 * PROCESSORS["equalizer"].process(signal, RATE, **controls)[..., RATE // 2 :].std().log10()
        )

    before = level_db()
    gain_db.fill_(6.0)
    assert level_db() - before == pytest.approx(6, abs=0.05)
