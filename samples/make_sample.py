"""Writes the sample song: stems, the graph that mixes them, and the mix. `python samples/make_sample.py`

Everything is synthesised here from one seed; no recording or sample of others is in it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
from _drums import hats, kick, snare
from _keys import pad, piano
from _score import LENGTH_S
from _strings import bass, guitar
from _synth import RATE, Signal, fade, high_pass, samples
from _truth import GROUPS_YAML, truth
from _voice import lead

from mix2daw.exporters.pedalboard import render
from mix2daw.processors import PROCESSORS, checked_graph

SEED = 20240229
# name, instrument, peak of the recording in dBFS
STEMS: tuple[tuple[str, Callable[[int, np.random.Generator], Signal], float], ...] = (
    ("kick", kick, -5.0),
    ("snare", snare, -4.0),
    ("hats", hats, -11.0),
    ("bass", bass, -6.0),
    ("guitar", guitar, -8.0),
    ("piano", piano, -7.0),
    ("pad", pad, -11.0),
    ("lead", lead, -6.0),
)


def record(instrument: Callable[[int, np.random.Generator], Signal], peak_db: float, seed: int) -> Signal:
    """One stem, (channels, samples): no direct current, a faded end, its peak at `peak_db`."""
    count = samples(LENGTH_S)
    sound = high_pass(instrument(count, np.random.default_rng([SEED, seed])), 22) * fade(count, 0.0, 0.6)
    return np.asarray(sound * 10 ** (peak_db / 20) / np.max(np.abs(sound)))


def write_song(folder: Path) -> None:
    """Stems (16 bit), `truth.json`, `groups.yaml` and `mix.flac` (24 bit) into `folder`."""
    (folder / "stems").mkdir(parents=True, exist_ok=True)
    for seed, (name, instrument, peak_db) in enumerate(STEMS):
        stem = record(instrument, peak_db, seed)
        soundfile.write(
            folder / "stems" / f"{name}.flac", stem.T, RATE, subtype="PCM_16", compression_level=1.0
        )
    graph = truth(samples(LENGTH_S))
    (folder / "truth.json").write_text(graph.to_json(), encoding="utf-8")
    (folder / "groups.yaml").write_text(GROUPS_YAML, encoding="utf-8")
    mix = render(checked_graph(graph, PROCESSORS), folder)
    soundfile.write(folder / "mix.flac", mix.T, RATE, subtype="PCM_24", compression_level=1.0)


if __name__ == "__main__":
    write_song(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "song")
