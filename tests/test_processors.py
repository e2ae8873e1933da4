"""Every registered processor: rest, declaration, gradients, null against pedalboard, safety."""

from __future__ import annotations

import inspect
import math

import numba
import numpy as np
import pytest
import torch
from torch import Tensor

from mix2daw.exporters.chains import apply_device
from mix2daw.graph import Device
from mix2daw.params import Param
from mix2daw.processors import PROCESSORS, Processor

RATE = 44100
RATES = (44100, 48000, 96000)

# Settings at which every control is heard; the starting point of random ones.
ACTIVE: dict[str, dict[str, float]] = {
    "equalizer": {
        "high_pass_hz": 200, "high_pass_slope_db": 12, "low_shelf_hz": 900, "low_shelf_db": 4,
        "bell_1_hz": 700, "bell_1_db": -6, "bell_2_hz": 1500, "bell_2_db": 3,
        "bell_3_hz": 3000, "bell_3_db": -4, "bell_4_hz": 6000, "bell_4_db": 5,
        "high_shelf_hz": 7000, "high_shelf_db": 2, "low_pass_hz": 9000, "low_pass_slope_db": 12,
    },
    "gate": {"threshold_db": -4, "ratio": 2.5, "attack_ms": 3, "release_ms": 30},
    "compressor": {"threshold_db": -20, "ratio": 3, "attack_ms": 3, "release_ms": 40},
    "width": {"width": 0.6},
    "fader": {"fader_db": -4},
    "pan": {"pan": 0.3},
    "delay": {"delay_ms": 10, "feedback": 0.5, "mix": 0.4},
    "reverb": {"room_size": 0.6, "damping": 0.4, "wet_level": 0.5, "dry_level": 0.4, "width": 0.7},
    "convolution": {"pre_delay_ms": 7, "width": 0.7, "wet_level": 0.6, "dry_level": 0.4},
    "limiter": {"ceiling_db": -9, "release_ms": 50, "lookahead_ms": 1},
}  # fmt: skip

# A choice that makes another device of the same controls is tested as one.
CASES = {name: (processor, ACTIVE[name]) for name, processor in PROCESSORS.items()}
CASES["compressor, linked"] = (PROCESSORS["compressor"], {**ACTIVE["compressor"], "link": 1})

every_processor = pytest.mark.parametrize("processor", PROCESSORS.values(), ids=PROCESSORS)
every_case = pytest.mark.parametrize(("processor", "active"), CASES.values(), ids=CASES)
every_learnable = pytest.mark.parametrize(
    ("processor", "active", "param"),
    [
        pytest.param(processor, active, param, id=f"{name}-{param.name}")
        for name, (processor, active) in CASES.items()
        for param in processor.params
        if param.continuous
    ],
)


def room(channels: int = 4, taps: int = 2000) -> np.ndarray:
    """An impulse response (channels, taps): an early reflection and decaying noise, no two channels alike."""
    rng = np.random.default_rng(11)
    tail = 0.05 * rng.standard_normal((channels, taps)) * np.exp(-np.arange(taps) / (taps / 6))
    tail[:, 30] += np.linspace(0.5, 0.2, channels)
    return tail.astype(np.float32)


def controls_of(processor: Processor, *settings: dict[str, float]) -> dict[str, Tensor]:
    """Controls (strips,), one strip for each of `settings`, what is omitted at rest; and the same true stereo
    room for every strip, if the processor takes impulse responses."""
    full = [{**processor.rest(), **values} for values in settings]
    controls = {
        name: torch.tensor([values[name] for values in full], dtype=torch.float64)
        for name in processor.rest()
    }
    if processor.impulse:
        controls["impulse"] = torch.from_numpy(room()).repeat(len(full), 1, 1)
    return controls


def played(processor: Processor, signal: Tensor, sample_rate: int, *settings: dict[str, float]) -> Tensor:
    with torch.no_grad():
        return processor.process(signal, sample_rate, **controls_of(processor, *settings))


def same(processor: Processor, signal: Tensor, reference: Tensor, loudest: float = 0.0) -> bool:
    """Whether two signals have the same bits, or differ by no more than the rounding that is declared,
    relative to the loudest sample of the reference (or to `loudest`)."""
    if math.isinf(processor.rounding_db):
        return torch.equal(signal, reference)
    allowed = 10 ** (processor.rounding_db / 20) * max(loudest, float(reference.abs().max()))
    return signal.shape == reference.shape and float((signal - reference).abs().max()) <= allowed


def random_settings(processor: Processor, generator: np.random.Generator) -> dict[str, float]:
    """A value for every control, drawn evenly on its scale."""

    def draw(param: Param) -> float:
        if param.scale == "choice":
            return float(generator.choice(param.choices))
        if param.scale == "log":
            return float(np.exp(generator.uniform(math.log(param.low), math.log(param.high))))
        return float(generator.uniform(param.low, param.high))

    return {param.name: draw(param) for param in processor.params}


def signals(sample_rate: int, seconds: float = 0.7) -> dict[str, np.ndarray]:
    """Noise, drum-like bursts with silence between them, and a chord; stereo, peak 0.9."""
    rng = np.random.default_rng(5)
    t = np.arange(int(sample_rate * seconds)) / sample_rate
    noise = rng.standard_normal((2, t.size))
    since_hit = t % 0.23
    kick = np.sin(2 * np.pi * (50 * since_hit + 4 * (1 - np.exp(-since_hit * 40))))
    drums = kick * np.exp(-since_hit * 30) * (t > 0.05) * np.array([[1.0], [0.8]])
    drums += 0.3 * noise * np.exp(-((t + 0.1) % 0.23) * 60)
    drums[:, (since_hit > 0.2)] = 0
    pitches = np.array([55, 110, 220, 277.2, 440, 880, 1760, 3520])[:, None]
    partials = np.sin(2 * np.pi * pitches * t + np.sin(2 * np.pi * 5 * t)) / np.arange(1, 9)[:, None]
    music = np.stack([partials.sum(0), partials[::2].sum(0)]) * (1 + 0.5 * np.sin(2 * np.pi * 3 * t))
    found = {"noise": noise, "drums": drums, "music": music}
    return {name: (0.9 * x / np.abs(x).max()).astype(np.float32) for name, x in found.items()}


def smooth_signal(processor: Processor, samples: int = 6000) -> Tensor:
    """Something that moves every detector and stays clear of the corners of the limiter's hold."""
    generator = torch.Generator().manual_seed(2)
    if processor.name == "limiter":  # separate bursts, each with one clear peak
        t = torch.arange(samples) % 1500 / 1500.0
        return (torch.exp(-((t - 0.3) ** 2) * 400) * torch.tensor([[0.9], [0.7]]))[None].contiguous()
    return torch.randn(1, 2, samples, generator=generator) * torch.tensor([[0.3], [0.2]])


def loss(output: Tensor) -> Tensor:
    """A smooth scalar: half the energy of the difference to a fixed signal, in float64."""
    generator = torch.Generator().manual_seed(3)
    target = 0.2 * torch.randn(output.shape[-1], generator=generator, dtype=torch.float64)
    return 0.5 * ((output.double() - target) ** 2).sum()


def residual_db(signal: np.ndarray, reference: np.ndarray) -> float:
    error = np.sum((signal.astype(float) - reference) ** 2)
    return 10 * math.log10(max(error, 1e-40) / np.sum(reference.astype(float) ** 2))


def test_the_settings_above_are_for_what_is_registered() -> None:
    assert set(ACTIVE) == set(PROCESSORS)


@every_processor
def test_declared_controls_are_the_arguments(processor: Processor) -> None:
    names = list(inspect.signature(processor.process).parameters)
    impulse = ["impulse"] if processor.impulse else []
    assert names == ["signal", "sample_rate", *impulse, *(param.name for param in processor.params)]
    assert PROCESSORS[processor.name] is processor


@every_processor
@pytest.mark.parametrize("learning", [False, True])
def test_at_rest_nothing_changes(processor: Processor, learning: bool) -> None:
    signal = torch.from_numpy(np.stack(list(signals(RATE, 0.2).values())))
    controls = controls_of(processor, *[{}] * len(signal))
    for param in processor.params:
        controls[param.name].requires_grad_(learning and param.continuous)
    assert torch.equal(processor.process(signal, RATE, **controls), signal)


@every_processor
def test_raw_values_return_as_human_ones(processor: Processor) -> None:
    for param in processor.params:
        if param.scale == "choice":
            continue
        low, high = param.raw_range()
        raw = torch.linspace(low, high, 101, dtype=torch.float64)
        human = param.to_human(raw)
        assert human.min() >= param.low
        assert human.max() <= param.high
        torch.testing.assert_close(param.to_raw(human), raw, rtol=1e-9, atol=1e-9)


def slope_of(processor: Processor, param: Param, values: dict[str, float]) -> tuple[float, float]:
    """Derivative of the loss by one raw unit of a control: from autograd, and by central differences."""
    signal = smooth_signal(processor)
    controls = controls_of(processor, values)
    middle = param.to_raw(controls[param.name])

    def at(raw: Tensor) -> Tensor:
        scaled = raw * param.step  # past the ends of the range, for a derivative at rest
        human = scaled.exp() if param.scale == "log" else scaled
        human = 1 / (1 - scaled) if param.scale == "ratio" else human
        return loss(processor.process(signal, RATE, **{**controls, param.name: human}))

    raw = middle.clone().requires_grad_()
    (slope,) = torch.autograd.grad(at(raw), raw)
    # The limiter counts its release in whole samples: a small step would see the rounding.
    width = 2.0 if (processor.name, param.name) == ("limiter", "release_ms") else 0.5
    with torch.no_grad():
        difference = (at(middle + width) - at(middle - width)) / (2 * width)
    return float(slope), float(difference)


@every_learnable
def test_gradient_of_a_control_is_its_finite_difference(
    processor: Processor, active: dict[str, float], param: Param
) -> None:
    slope, difference = slope_of(processor, param, active)
    assert difference != 0
    assert slope == pytest.approx(difference, rel=5e-3)


@pytest.mark.parametrize(
    ("name", "control", "values"),
    [
        *(("equalizer", f"{band}_db", {f"{band}_hz": 900}) for band in ("low_shelf", "bell_1", "high_shelf")),
        ("compressor", "ratio", {"threshold_db": -20}),
        ("gate", "ratio", {"threshold_db": -5}),
        ("pan", "pan", {}),
        ("width", "width", {}),
        ("fader", "fader_db", {}),
        ("delay", "mix", {}),
        ("reverb", "wet_level", {}),
        ("convolution", "wet_level", {}),
    ],
)
def test_a_control_can_leave_its_rest(name: str, control: str, values: dict[str, float]) -> None:
    processor = PROCESSORS[name]
    slope, difference = slope_of(processor, processor.param(control), values)
    assert difference != 0
    assert slope == pytest.approx(difference, rel=1e-2)


@every_case
def test_gradient_of_the_signal_is_its_finite_difference(
    processor: Processor, active: dict[str, float]
) -> None:
    signal = smooth_signal(processor)
    controls = controls_of(processor, active)
    # Moved along the signal and its past: noise alone would hide the detectors' part.
    direction = signal + 0.5 * signal.roll(7, -1)
    variable = signal.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(processor.process(variable, RATE, **controls)), variable)
    width = 2e-3
    with torch.no_grad():
        ahead = loss(processor.process(signal + width * direction, RATE, **controls))
        behind = loss(processor.process(signal - width * direction, RATE, **controls))
    slope = float((gradient.double() * direction).sum())
    assert slope == pytest.approx(float(ahead - behind) / (2 * width), rel=2e-3)


@every_case
@pytest.mark.parametrize("sample_rate", RATES)
def test_null_against_pedalboard(processor: Processor, active: dict[str, float], sample_rate: int) -> None:
    generator = np.random.default_rng(1)
    settings = [{**processor.rest(), **active}]
    settings += [random_settings(processor, generator) for _ in range(3)]
    for values in settings:
        for name, signal in signals(sample_rate).items():
            device = Device(type=processor.name, values=values)
            reference = apply_device(signal, device, sample_rate, room() if processor.impulse else None)
            twin = played(processor, torch.from_numpy(signal)[None], sample_rate, values)[0].numpy()
            assert residual_db(twin, reference) < processor.null_db, (name, values)


@every_case
def test_strips_in_one_call_are_strips_alone(processor: Processor, active: dict[str, float]) -> None:
    generator = np.random.default_rng(7)
    settings = [{}, active, *(random_settings(processor, generator) for _ in range(5))]
    signal = 0.3 * torch.randn(7, 2, 3001, generator=torch.Generator().manual_seed(4))
    together = played(processor, signal, RATE, *settings)
    for strip, values in enumerate(settings):
        alone = played(processor, signal[strip : strip + 1], RATE, values)
        assert same(processor, together[strip], alone[0])


@every_case
def test_threads_and_learning_change_no_bit(processor: Processor, active: dict[str, float]) -> None:
    signal = 0.3 * torch.randn(9, 2, 5000, generator=torch.Generator().manual_seed(4))

    def gradients() -> list[Tensor]:
        controls = controls_of(processor, *[active] * 9)
        learnt = [controls[p.name].requires_grad_() for p in processor.params if p.continuous]
        output = processor.process(signal, RATE, **controls)
        return [output.detach(), *torch.autograd.grad(loss(output), learnt)]

    threads, of_torch = numba.get_num_threads(), torch.get_num_threads()
    many = gradients()
    numba.set_num_threads(1)
    torch.set_num_threads(1)
    try:
        one = gradients()
    finally:
        numba.set_num_threads(threads)
        torch.set_num_threads(of_torch)
    assert all(torch.equal(a, b) for a, b in zip(many, one, strict=True))
    assert torch.equal(many[0], played(processor, signal, RATE, *[active] * 9))


@every_case
@pytest.mark.parametrize("length", [1, 2, 511, 513, 4000])
def test_the_beginning_does_not_know_the_rest(
    processor: Processor, active: dict[str, float], length: int
) -> None:
    signal = smooth_signal(processor)
    whole = played(processor, signal, RATE, active)
    part = played(processor, signal[..., :length], RATE, active)
    lookahead = 44 if processor.name == "limiter" else 0
    known = max(length - lookahead, 0)
    assert part.shape[-1] == length
    assert same(processor, part[..., :known], whole[..., :known], float(whole.abs().max()))


@every_case
def test_a_mono_signal_is_a_double_one(processor: Processor, active: dict[str, float]) -> None:
    mono = smooth_signal(processor)[:, :1]
    alone = played(processor, mono, RATE, active)
    double = played(processor, mono.expand(-1, 2, -1).contiguous(), RATE, active)
    assert alone.shape[1] == (2 if processor.stereo else 1)
    assert same(processor, alone.expand_as(double), double)


def test_linked_channels_that_are_equal_share_the_gradient_of_one() -> None:
    compressor, active = CASES["compressor, linked"]
    mono = smooth_signal(compressor)[:, :1].contiguous()
    double = mono.expand(-1, 2, -1).contiguous()

    def gradients(signal: Tensor) -> list[Tensor]:
        controls = controls_of(compressor, active)
        learnt = [controls[p.name].requires_grad_() for p in compressor.params if p.continuous]
        variable = signal.clone().requires_grad_()
        output = compressor.process(variable, RATE, **controls).expand(-1, 2, -1)
        return list(torch.autograd.grad(loss(output), [variable, *learnt]))

    (of_one, *controls_of_one), (of_both, *controls_of_both) = gradients(mono), gradients(double)
    assert torch.equal(of_both[:, 0], of_both[:, 1])
    torch.testing.assert_close(of_both.sum(1, keepdim=True), of_one, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(controls_of_both, controls_of_one, rtol=1e-6, atol=1e-9)


@every_case
@pytest.mark.parametrize("kind", ["silence", "denormals", "full scale", "after the music"])
def test_extreme_signals_are_safe(processor: Processor, active: dict[str, float], kind: str) -> None:
    signal = torch.zeros(1, 2, 9000)
    if kind == "denormals":
        signal = torch.full_like(signal, 1e-40)
    elif kind == "full scale":
        signal = torch.sign(torch.sin(torch.arange(9000) * 0.01)).expand(1, 2, -1).contiguous()
    elif kind == "after the music":
        signal[..., :500] = smooth_signal(processor)[..., :500]
    for values in ({}, active, *extremes(processor)):
        controls = controls_of(processor, values)
        learnt = [controls[p.name].requires_grad_() for p in processor.params if p.continuous]
        variable = signal.clone().requires_grad_()
        output = processor.process(variable, RATE, **controls)
        assert torch.isfinite(output).all()
        if kind == "silence":
            assert not output.any()
        found = torch.autograd.grad(loss(output), [variable, *learnt], allow_unused=True)
        assert all(torch.isfinite(gradient).all() for gradient in found if gradient is not None)


def extremes(processor: Processor) -> list[dict[str, float]]:
    """Every control at its lowest, and every control at its highest."""
    return [{p.name: getattr(p, end) for p in processor.params} for end in ("low", "high")]
