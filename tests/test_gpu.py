"""The GPU's formulations against the exact kernels. Most of it needs no GPU."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from far_device import FAR, far_device
from scipy.signal import sosfilt
from test_processors import ACTIVE, controls_of, extremes, random_settings, residual_db, signals
from torch import Tensor

from mix2daw.dsp.cascade import cascade
from mix2daw.dsp.gpu.cascade import cascade as cascade_on_gpu
from mix2daw.dsp.gpu.rows import (
    ADJOINT,
    FOLLOW,
    LIMIT,
    Recursion,
    from_chunks,
    one_before,
    over_rows,
    to_chunks,
)
from mix2daw.processors import PROCESSORS, Processor

RATE = 44100
HOST = torch.device("cpu")
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")
both_rates = pytest.mark.parametrize("sample_rate", [44100, 48000])
# Residuals against the exact kernels that are demanded: of output and signal gradient, of control gradients.
DEMANDED_DB = {
    "compressor": (-120, -100),
    "gate": (-120, -100),
    "limiter": (-120, -100),
    "delay": (-120, -100),
    "reverb": (-110, -90),
    "equalizer": (-80, -45),
}


def processed(
    processor: Processor, signal: Tensor, sample_rate: int, device: torch.device, *settings: dict[str, float]
) -> dict[str, Tensor]:
    """The "output", and gradients of the "signal" and of each learnable control; the others stay behind."""
    controls = controls_of(processor, *settings)
    variables = {"signal": signal.to(device).requires_grad_()}
    for param in processor.params:
        if param.continuous:
            controls[param.name] = controls[param.name].to(device).requires_grad_()
            variables[param.name] = controls[param.name]
    output = processor.process(variables["signal"], sample_rate, **controls)
    target = 0.2 * torch.randn(signal.shape[-1], generator=torch.Generator().manual_seed(3))
    total = 0.5 * (output - target.to(device)).square().sum()
    found = torch.autograd.grad(total, list(variables.values()), allow_unused=True)
    both = {"output": output, **dict(zip(variables, found, strict=True))}
    return {n: getattr(v, "near", v).detach().cpu() for n, v in both.items() if v is not None}


def assert_close(found: dict[str, Tensor], exact: dict[str, Tensor], demanded_db: tuple[int, int]) -> None:
    for name, value in exact.items():
        demanded = demanded_db[name not in ("output", "signal")]
        # Strip by strip for signals; a control's gradients over the strips are one vector.
        pairs = zip(found[name], value, strict=True) if value.ndim > 1 else [(found[name], value)]
        for one, other in pairs:
            assert residual_db(one.numpy(), other.numpy()) < demanded, name


@pytest.mark.parametrize("name", DEMANDED_DB)
@both_rates
def test_formulations_are_the_exact_kernels(name: str, sample_rate: int) -> None:
    processor, generator = PROCESSORS[name], np.random.default_rng(1)
    settings = [ACTIVE[name]]
    if name != "equalizer":  # whose deep filters have a test of their own
        settings += [{}, *(random_settings(processor, generator) for _ in range(4))]
    for signal in signals(sample_rate, 0.5).values():
        strips = torch.from_numpy(signal).repeat(len(settings), 1, 1)
        exact = processed(processor, strips, sample_rate, HOST, *settings)
        with far_device():
            found = processed(processor, strips, sample_rate, FAR, *settings)
        assert_close(found, exact, DEMANDED_DB[name])


def sections_of(values: dict[str, float], sample_rate: int) -> tuple[Tensor, Tensor]:
    """Sections (1, sections, 5) of an equalizer: exact, and as the plugin rounds them."""
    seen: list[tuple[Tensor, Tensor]] = []
    processor = PROCESSORS["equalizer"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "mix2daw.processors.equalizer.cascade", lambda x, exact, rounded: seen.append((exact, rounded))
        )
        processor.process(torch.zeros(1, 1, 1), sample_rate, **controls_of(processor, values))
    return seen[0]


@both_rates
def test_a_cascade_is_its_recursion_without_rounding(sample_rate: int) -> None:
    generator = np.random.default_rng(3)
    for _ in range(6):
        exact, rounded = sections_of(random_settings(PROCESSORS["equalizer"], generator), sample_rate)
        for signal in signals(sample_rate, 0.5).values():
            b, a = rounded[0, :, :3], rounded[0, :, 3:]
            reference = sosfilt(torch.cat([b, torch.ones(len(a), 1), a], 1).numpy(), signal.astype(float))
            x = torch.from_numpy(signal)[None]
            assert residual_db(cascade_on_gpu(x, exact, rounded)[0].numpy(), reference) < -110
            # What is left against the plugin is the noise of its own float32 state.
            plugin = cascade(x, exact, rounded)[0].numpy()
            found = cascade_on_gpu(x, exact, rounded)[0].numpy()
            assert residual_db(found, plugin) < max(-100, residual_db(reference, plugin) + 1)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("equalizer", {"bell_1_hz": 40, "bell_1_db": 12, "bell_1_q": 3}),
        ("reverb", {"room_size": 1, "damping": 0, "wet_level": 1, "dry_level": 0}),
    ],
)
def test_the_end_is_not_heard_at_the_beginning(name: str, values: dict[str, float]) -> None:
    late = torch.zeros(1, 2, RATE)
    late[..., -2000] = 1
    with far_device():
        heard = processed(PROCESSORS[name], late, RATE, FAR, values)["output"][0]
    before, after = heard[:, :-2000].square().sum(), heard[:, -2000:].square().sum()
    assert before < 1e-9 * after


@pytest.mark.parametrize("name", DEMANDED_DB)
@pytest.mark.parametrize("kind", ["silence", "denormals", "full scale"])
def test_extreme_signals_are_safe(name: str, kind: str) -> None:
    signal = torch.zeros(1, 2, 4000)
    if kind == "denormals":
        signal = torch.full_like(signal, 1e-40)
    elif kind == "full scale":
        signal = torch.sign(torch.sin(torch.arange(4000) * 0.01)).expand(1, 2, -1).contiguous()
    for values in (ACTIVE[name], *extremes(PROCESSORS[name])):
        with far_device():
            found = processed(PROCESSORS[name], signal, RATE, FAR, values)
        assert all(torch.isfinite(value).all() for value in found.values()), values


SIMULATED = """
import sys
import numpy as np
from mix2daw.dsp.gpu import rows
from mix2daw.dsp.gpu.kernels import kernel_of
with np.load(sys.argv[1]) as stored:
    arrays = [stored[name] for name in "abcd"]
kernel_of(getattr(rows, sys.argv[2]))[len(arrays[0]), arrays[0].shape[2]](*arrays)
np.savez(sys.argv[1], **dict(zip("abcd", arrays)))
"""


@pytest.mark.parametrize("name", ["FOLLOW", "LIMIT", "ADJOINT"])
def test_kernels_in_the_simulator_are_the_recursions(name: str, tmp_path: Path) -> None:
    recursion: Recursion = {"FOLLOW": FOLLOW, "LIMIT": LIMIT, "ADJOINT": ADJOINT}[name]
    generator = np.random.default_rng(4)
    count, samples, chunks = 3, 118, 24  # chunks are shorter than what the limiter looks ahead
    x = torch.from_numpy(generator.random((count, samples), np.float32))
    controls = torch.tensor([[0.6, 0.99, 7]]).expand(count, 3).contiguous()
    move = torch.from_numpy(generator.integers(0, 3, (count, samples), np.uint8))

    def arguments(chunks: int) -> tuple[Tensor, ...]:
        """Input, controls and the two others, of which the last or the last two are filled."""
        cut, moves = to_chunks(x, chunks), to_chunks(move, chunks)
        filled = torch.zeros_like(cut)
        return (cut, controls, moves, filled) if recursion is ADJOINT else (cut, controls, filled, moves)

    store = tmp_path / "arrays.npz"
    np.savez(store, **{key: t.numpy() for key, t in zip("abcd", arguments(chunks), strict=True)})
    command = [sys.executable, "-W", "ignore", "-c", SIMULATED, str(store), name]
    simulated = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1", "NUMBA_DISABLE_JIT": "1"}
    subprocess.run(command, check=True, env=simulated)
    exact = arguments(1)
    over_rows(recursion, *exact)
    with np.load(store) as stored:
        for key, expected in zip("cd", exact[2:], strict=True):
            found = from_chunks(torch.from_numpy(stored[key]), samples)
            assert expected.any()
            torch.testing.assert_close(found, expected[..., 0], rtol=1e-5, atol=1e-6)


def test_chunks_are_in_order() -> None:
    rows = torch.arange(1.0, 21).reshape(2, 10)
    chunked = to_chunks(rows, 4)
    assert chunked.shape == (2, 3, 4)
    torch.testing.assert_close(chunked[0, :, 1], torch.tensor([4.0, 5, 6]))
    torch.testing.assert_close(from_chunks(chunked, 10), rows)
    before = from_chunks(one_before(chunked, -1.0), 10)
    torch.testing.assert_close(before, torch.nn.functional.pad(rows[:, :-1], (1, 0), value=-1.0))


@needs_cuda
@pytest.mark.parametrize("name", DEMANDED_DB)
def test_a_processor_on_the_gpu_is_that_on_the_cpu(name: str) -> None:
    strips = torch.from_numpy(signals(RATE, 0.5)["drums"])[None]
    exact = processed(PROCESSORS[name], strips, RATE, HOST, ACTIVE[name])
    found = processed(PROCESSORS[name], strips, RATE, torch.device("cuda"), ACTIVE[name])
    # A GPU fuses products and sums, which the CPU rounds one by one.
    assert_close(found, exact, (max(-90, DEMANDED_DB[name][0]), max(-60, DEMANDED_DB[name][1])))
