"""A whole step of the search on a GPU: the same as on the CPU, and without waiting for the device."""

from __future__ import annotations

import pytest
import torch
from far_device import FAR, far_device
from test_processors import ACTIVE, residual_db, signals
from torch import Tensor

from mix2daw.controls import Controls
from mix2daw.graph import Device, Graph, Send, Strip
from mix2daw.loss import SegmentLoss, WaveformLoss
from mix2daw.play import play
from mix2daw.processors import PROCESSORS, checked_graph
from mix2daw.search.adam import Adam
from mix2daw.search.excerpts import TrainingExcerpt
from mix2daw.search.fit import READ_EVERY, Fit, Loss

RATE = 44100
HOST = torch.device("cpu")
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")


def console() -> Graph:
    """Every processor on some strip, a return of each kind, pre- and post-fader sends."""

    def devices(*types: str) -> tuple[Device, ...]:
        return tuple(Device(type=type_, values=ACTIVE[type_]) for type_ in types)

    sends = (Send(target="room", level_db=-6), Send(target="echo", level_db=-9, tap="pre"))
    drum = {"channels": 1, "devices": devices("equalizer", "gate", "compressor"), "sends": sends}
    keys = {"channels": 2, "devices": devices("equalizer", "width", "compressor"), "pan": 0.3}
    strips = (
        Strip(name="drum", kind="track", source="drum.wav", output="band", **drum),
        Strip(name="keys", kind="track", source="keys.wav", output="band", **keys),
        Strip(name="band", kind="group", output="master", devices=devices("compressor")),
        Strip(name="room", kind="return", output="master", devices=devices("reverb")),
        Strip(name="echo", kind="return", output="master", devices=devices("delay")),
        Strip(name="master", kind="master", devices=devices("equalizer", "limiter")),
    )
    return checked_graph(Graph(sample_rate=RATE, length_samples=RATE // 2, strips=strips), PROCESSORS)


def sources() -> dict[str, Tensor]:
    found = signals(RATE, 0.5)
    return {"drum": torch.from_numpy(found["drums"][:1]), "keys": torch.from_numpy(found["music"])}


def descent(device: torch.device) -> tuple[Fit, Adam]:
    """A descent on the console above, dry/wet weights included, ready for steps."""
    found = signals(RATE, 0.5)
    heard = torch.from_numpy(0.5 * (found["drums"] + found["music"])).to(device)[:, 1000:]
    played = {name: source.to(device) for name, source in sources().items()}
    losses = SegmentLoss(heard, RATE, order="called"), WaveformLoss(heard, RATE)
    fit = Fit(
        console(), Controls(console(), device=device), [TrainingExcerpt(played, 1000, *losses)], (), 1e-4
    )
    adam = fit.adam(steps=8)
    adam.rate = 0.1
    return fit, adam


def test_a_step_does_not_wait_for_the_device() -> None:
    near, optimiser = descent(HOST)
    expected = [near._step(optimiser, 0) for _ in range(2)]
    with far_device() as device:
        far, optimiser = descent(FAR)
        seen = [far._step(optimiser, 0)]  # the first one makes what is made once
        device.strict = True
        seen.append(far._step(optimiser, 0))
    for one, other in zip(seen, expected, strict=True):
        torch.testing.assert_close(one.near, other, rtol=1e-4, atol=0)
    for (_, _, one), (_, _, other) in zip(far.leaves, near.leaves, strict=True):
        torch.testing.assert_close(one.near, other.detach(), rtol=0, atol=1e-3)


@pytest.mark.parametrize(("stop_at", "count"), [(None, 2 * READ_EVERY + 1), (2, READ_EVERY)])
def test_a_descent_reports_every_step_though_it_reads_seldom(stop_at, count, monkeypatch) -> None:
    fit, _ = descent(HOST)
    fit.controls.device = FAR
    losses = torch.arange(3.0 * 3 * READ_EVERY, dtype=torch.float64).reshape(-1, 3)
    losses = iter(torch.nn.functional.pad(losses, (0, 1), value=1.0))
    monkeypatch.setattr(fit, "_step", lambda optimiser, which: next(losses))
    calls: list[int] = []

    def after_step(index: int, loss: Loss) -> bool:
        calls.append(index)
        assert (loss.la, loss.error, loss.total) == (3 * index, 3 * index + 1, 3 * index + 2)
        return index == stop_at

    assert len(fit.run(2 * READ_EVERY + 1, 1.0, after_step)) == count
    assert calls == list(range(count))


@pytest.mark.parametrize(
    "wait",
    [
        lambda x: x.sum().item(),
        lambda x: bool((x > 0).any()),
        lambda x: x.cpu(),
        lambda x: x.tolist(),
        lambda x: x[x > 0],
        lambda x: x + torch.ones(3),
        lambda x: torch.ones(3).to(x.device),
    ],
)
def test_the_make_believe_device_notices_waiting(wait) -> None:
    with far_device() as device:
        x = torch.ones(3).to(FAR)
        device.strict = True
        with pytest.raises(AssertionError):
            wait(x)


@needs_cuda
def test_a_console_on_the_gpu_is_that_on_the_cpu() -> None:
    cuda = torch.device("cuda")
    with torch.no_grad():
        exact = play(console(), Controls(console()), sources()).out["master"]
        there = {name: source.to(cuda) for name, source in sources().items()}
        found = play(console(), Controls(console(), device=cuda), there).out["master"]
    assert residual_db(found.cpu().numpy(), exact.numpy()) < -60


@needs_cuda
@pytest.mark.filterwarnings("ignore:Synchronization debug mode is a prototype")
def test_a_step_on_the_gpu_does_not_wait() -> None:
    fit, optimiser = descent(torch.device("cuda"))
    fit._step(optimiser, 0)
    torch.cuda.set_sync_debug_mode("error")
    try:
        fit._step(optimiser, 0)
    finally:
        torch.cuda.set_sync_debug_mode("default")
