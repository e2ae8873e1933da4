"""A search for a mix that a known graph played."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mix2daw.controls import Controls
from mix2daw.graph import Device, Graph, Send, Strip
from mix2daw.play import play
from mix2daw.progress import Silence
from mix2daw.search import Settings
from mix2daw.search.lock import Lock
from mix2daw.search.state import State
from mix2daw.session import Session, Track
from mix2daw.spool import Spool


def bursts(sample_rate: int, seconds: int) -> dict[str, Tensor]:
    """Two tracks, "one" and "two", of decaying noise that begins anew every 0.5 and 0.7 s."""
    generator = torch.Generator().manual_seed(1)
    t = torch.arange(seconds * sample_rate) / sample_rate
    return {
        name: (0.3 * torch.randn(t.shape, generator=generator) * torch.exp(-6 * (t % period_s)))[None]
        for name, period_s in {"one": 0.5, "two": 0.7}.items()
    }


def mono_track(
    name: str, devices: tuple[Device, ...] = (), sends: tuple[Send, ...] = (), fader_db: float = 0.0
) -> Strip:
    """A track that feeds the master."""
    return Strip(
        name=name,
        kind="track",
        source=f"{name}.wav",
        channels=1,
        output="master",
        devices=devices,
        sends=sends,
        fader_db=fader_db,
    )


def session_of(truth: Graph, sources: Mapping[str, Tensor]) -> Session:
    """Sources, and what `truth` makes of them, in the groups that it has."""
    with torch.no_grad():
        mix = play(truth, Controls(truth), dict(sources)).out[truth.master.name].numpy()
    tracks = tuple(
        Track(name, Path(f"{name}.wav"), Spool().keep(signal.numpy()), group_of(truth, name), "")
        for name, signal in sources.items()
    )
    groups = {strip.name: truth.inputs(strip.name) for strip in truth.of_kind("group")}
    return Session(truth.sample_rate, np.ascontiguousarray(mix), Path("mix.wav"), tracks, (), groups, ())


def group_of(graph: Graph, name: str) -> str | None:
    """The group that a track feeds; None for the master."""
    output = graph.strip(str(graph.strip(name).output))
    return output.name if output.kind == "group" else None


def state_of(truth: Graph, start: Graph, sources: Mapping[str, Tensor], lock: Lock | None = None) -> State:
    """A search for what `truth` makes of the sources, that stands at `start`."""
    return State(session_of(truth, sources), start, Settings(), Silence(), lock)
