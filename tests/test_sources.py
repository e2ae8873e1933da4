"""What stands at the head of a track: polarity, stretch, mute; in both engines, and what a graph may say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soxr
from exporter_helpers import device

from mix2daw.errors import GraphError
from mix2daw.exporters.pedalboard import OUTPUT, render, render_taps
from mix2daw.graph import Graph, Send, Strip, read_graph
from mix2daw.mixdown import render_torch
from mix2daw.processors import PROCESSORS, checked_graph
from mix2daw.reopen import reopen
from mix2daw.stems import Signal, write_wav

RATE, SAMPLES = 44100, 44100


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("sources")
    write_wav(made / "stem.wav", stem(), RATE)
    write_wav(made / "mix.wav", stem(), RATE)
    return made


def stem() -> Signal:
    return np.random.default_rng(5).uniform(-0.4, 0.4, (2, SAMPLES)).astype(np.float32)


def graph(**head: object) -> Graph:
    """One track with that head, a return that it sends to, a master."""
    fields = {"name": "A", "kind": "track", "source": "stem.wav", "output": "M", **head}
    sends = (Send(target="R", level_db=-6), Send(target="P", level_db=-6, tap="pre"))
    strips = (
        Strip.model_validate({**fields, "sends": sends, "fader_db": -3}),
        Strip(name="R", kind="return", output="M"),
        Strip(name="P", kind="return", output="M"),
        Strip(name="M", kind="master"),
    )
    made = Graph(sample_rate=RATE, length_samples=SAMPLES, mix="mix.wav", strips=strips)
    return checked_graph(made, PROCESSORS)


def test_an_inverted_track_is_the_other_way_up_everywhere(folder: Path) -> None:
    upright, turned = graph(), graph(polarity="inverted")
    assert np.array_equal(render(turned, folder), -render(upright, folder))
    assert np.array_equal(render_torch(turned, folder), -render_torch(upright, folder))
    assert np.array_equal(reopen(turned, folder).tracks[0].signal, -stem())


def test_a_muted_track_feeds_nothing(folder: Path) -> None:
    muted = graph(muted=True, devices=(device("compressor", threshold_db=-30, ratio=2),))
    assert not render(muted, folder).any()
    assert not render_torch(muted, folder).any()
    assert not render_taps(muted, folder, [("A", OUTPUT)])["A", OUTPUT].any()


def test_a_stretched_track_is_the_resampled_stem(folder: Path) -> None:
    longer = soxr.resample(stem().T, 1.0, 1.0001, quality="VHQ").T[:, :SAMPLES]
    level = 10 ** (-3 / 20) * (1 + 10 ** (-6 / 20)) + 10 ** (-6 / 20)
    for played in (render, render_torch):
        assert np.abs(played(graph(stretch_ppm=100), folder) - level * longer).max() < 1e-5
    assert np.allclose(reopen(graph(stretch_ppm=100), folder).tracks[0].signal, longer, atol=1e-6)


@pytest.mark.parametrize(
    ("head", "told"),
    [
        ('"polarity": "upside down"', "polarity"),
        ('"stretch_ppm": 2000', "stretch_ppm"),
        ('"muted": "maybe"', "muted"),
    ],
)
def test_a_wrong_head_is_named(head: str, told: str, tmp_path: Path) -> None:
    text = graph().to_json()
    for rest in ('"polarity": "normal"', '"stretch_ppm": 0.0', '"muted": false'):
        text = text.replace(rest, head if told in rest else rest, 1)
    (tmp_path / "graph.json").write_text(text, encoding="utf-8")
    with pytest.raises(GraphError, match=told):
        read_graph(tmp_path / "graph.json")


@pytest.mark.parametrize("head", [{"polarity": "inverted"}, {"stretch_ppm": 3.0}, {"muted": True}])
def test_only_tracks_have_a_head(head: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="only tracks do"):
        Strip.model_validate({"name": "G", "kind": "group", "output": "M", **head})
