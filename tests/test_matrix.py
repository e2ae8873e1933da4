"""The table of what each format carries: it is complete, it is in the README, and exports agree with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from exporter_helpers import RATE, device, graph_of, track, write_stems

from mix2daw.exporters import FORMATS, Exporter, exporter, matrix
from mix2daw.graph import Device, Graph, Send, Strip
from mix2daw.processors import INSERTS, PROCESSORS

README = Path(__file__).resolve().parent.parent / "README.md"
PLAIN = {
    "equalizer": device("equalizer", bell_1_hz=700, bell_1_db=3),
    "gate": device("gate", threshold_db=-30, ratio=4),
    "compressor": device("compressor", threshold_db=-30, ratio=4),
    "width": device("width", width=0.6),
    "delay": device("delay", delay_ms=50, mix=0.25),
    "reverb": device("reverb", wet_level=0.3, dry_level=1),
    "convolution": device("convolution", wet_level=0.3).model_copy(update={"impulse": "room.wav"}),
    "limiter": device("limiter", ceiling_db=-12),
}
HOW = {"exact": None, "own DSP": None, "nearly": "approximate", "printed": "printed", "lost": "dropped"}
every_format = pytest.mark.parametrize("name", FORMATS)


SET = {"polarity": {"polarity": "inverted"}, "mute": {"muted": True}}


def console(*inserts: Device, pan: float = 0, **more: object) -> Graph:
    """A track with a fader, a group, a return and a send. Where it is panned, it is mono."""
    sends, place = (Send(target="R", level_db=-6),), {"channels": 1, "pan": pan} if pan else more
    return graph_of(
        track("A", "mono" if pan else "stereo", "G", devices=inserts, fader_db=-3, sends=sends, **place),
        Strip(name="G", kind="group", output="Master"),
        Strip(name="R", kind="return", output="Master"),
        Strip(name="Master", kind="master"),
    )


def test_the_table_names_everything_and_nothing_else() -> None:
    assert set(matrix.FEATURES) == {*PROCESSORS, "polarity", "mute", "group", "send", "return"}
    assert set(PLAIN) == set(INSERTS)
    for found in map(exporter, FORMATS):
        assert found.holds | found.omits <= set(matrix.FEATURES)
        assert found.approximate | found.own <= found.holds
        assert not found.approximate & found.own
        assert not found.holds & found.omits


def test_the_readme_has_the_table() -> None:
    assert matrix.markdown() in README.read_text(encoding="utf-8"), "put in `mix2daw formats --markdown`"


def test_each_kind_of_carriage_is_told() -> None:
    kinds = [frozenset((feature,)) for feature in ("fader", "pan", "width", "delay")]
    made = Exporter("x", "", "", kinds[0] | kinds[1] | kinds[2], lambda *_: [], kinds[1], kinds[2], kinds[3])
    told = [made.carries(feature) for feature in ("fader", "pan", "width", "delay", "reverb")]
    assert told == ["exact", "nearly", "own DSP", "lost", "printed"]


@every_format
@pytest.mark.parametrize("feature", matrix.FEATURES)
def test_exports_agree_with_the_table(name: str, feature: str, tmp_path: Path) -> None:
    write_stems(tmp_path, {"mono": 1, "stereo": 2})
    impulse = np.geomspace(0.3, 1e-4, 2000)[:, None] * np.random.default_rng(4).standard_normal((2000, 2))
    soundfile.write(str(tmp_path / "room.wav"), impulse, RATE, subtype="FLOAT")
    (tmp_path / "out").mkdir()
    inserts = [PLAIN[feature]] if feature in PLAIN else []
    graph = console(*inserts, pan=0.3 if feature == "pan" else 0, **SET.get(feature, {}))
    lost = exporter(name).write(graph, tmp_path, tmp_path / "out")
    named = {
        "group": ("G", "group"),
        "return": ("R", "return"),
        "send": ("A", "send to R"),
    }
    told = [entry.how for entry in lost if (entry.strip, entry.device) == named.get(feature, ("A", feature))]
    wanted = HOW[exporter(name).carries(feature)]
    assert told == ([] if wanted is None else [wanted])
