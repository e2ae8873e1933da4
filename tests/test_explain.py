"""What is missing is named: the strip and the kind of device that was left out of the console."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from mix2daw.controls import Controls
from mix2daw.errors import InputError
from mix2daw.explain import explain, explain_graph
from mix2daw.graph import Device, Graph, Strip
from mix2daw.play import play
from mix2daw.processors import PROCESSORS, checked_graph
from mix2daw.stems import write_wav

RATE, SECONDS = 30000, 6

DEVICES = {
    "filter": Device(type="equalizer", values={"bell_2_hz": 700, "bell_2_db": 9, "high_shelf_db": -8}),
    "gain": Device(
        type="compressor", values={"threshold_db": -38, "ratio": 8, "attack_ms": 60, "release_ms": 900}
    ),
    "reverb": Device(type="reverb", values={"room_size": 0.7, "wet_level": 0.4}),
}


def sources() -> dict[str, Tensor]:
    """Two tracks that hardly ever sound at once, each with loud and quiet passages."""
    generator = torch.Generator().manual_seed(4)
    t = torch.arange(SECONDS * RATE) / RATE
    loud = torch.where((t % 2) < 1, 0.5, 0.08)
    return {
        "one": (0.3 * torch.randn(t.shape, generator=generator) * loud * torch.exp(-9 * (t % 0.5)))[None],
        "two": (0.3 * torch.randn(t.shape, generator=generator) * torch.exp(-9 * ((t + 0.25) % 0.5)))[None],
    }


def console(*devices: Device) -> Graph:
    strips = (
        Strip(name="one", kind="track", source="one.wav", channels=1, output="master", devices=devices),
        Strip(name="two", kind="track", source="two.wav", channels=1, output="master", pan=0.3),
        Strip(name="master", kind="master"),
    )
    graph = Graph(sample_rate=RATE, length_samples=SECONDS * RATE, mix="mix.wav", strips=strips)
    return checked_graph(graph, PROCESSORS)


def mix_of(graph: Graph) -> Tensor:
    with torch.no_grad():
        return play(graph, Controls(graph), sources()).out["master"]


@pytest.mark.parametrize("kind", DEVICES)
def test_the_device_that_was_left_out_is_the_one_that_is_missing(kind: str) -> None:
    bare = console()
    found = explain(bare, Controls(bare), sources(), mix_of(console(DEVICES[kind])))
    falls = {(missing.strip, missing.kind): missing.la_fall for missing in found.missing}
    best = max((key for key in falls if key[0] != "master"), key=lambda key: falls[key])
    assert best == ("one", kind)
    assert falls["one", kind] > 0.2 * found.la
    assert falls["one", kind] > 3 * max(falls["two", other] for other in DEVICES)


def test_nothing_is_missing_where_the_console_is_the_mix() -> None:
    found = explain(console(), Controls(console()), sources(), mix_of(console()))
    assert found.la == 0
    assert max(missing.la_fall for missing in found.missing) == 0


def test_a_graph_is_explained_from_its_files(tmp_path: Path) -> None:
    for name, source in sources().items():
        write_wav(tmp_path / f"{name}.wav", source.numpy(), RATE)
    write_wav(tmp_path / "mix.wav", mix_of(console(DEVICES["filter"])).numpy(), RATE)
    assert explain_graph(console(), tmp_path).missing[0].la_fall > 0.05
    write_wav(tmp_path / "short.wav", np.zeros((2, 1000), np.float32), RATE)
    with pytest.raises(InputError, match="samples"):
        explain_graph(console(), tmp_path, tmp_path / "short.wav")
