"""A small result folder as `recover` leaves it, with a fader ride that the console does not have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
from exporter_helpers import device
from numpy.typing import NDArray

from mix2daw.exporters import exporter
from mix2daw.exporters.pedalboard import render
from mix2daw.exporters.pedalboard import render_taps as taps
from mix2daw.graph import Graph, Send, Strip
from mix2daw.result import Devices, Result, SearchRecord
from mix2daw.stems import write_wav

RATE = 44100
SECONDS = 12.0
RIDE_S, RIDE_DB = (7.0, 10.0), 4.0
NAMES = ("kick", "pad", "vocal", "band", "hall", "master")
HOSTILE = (
    "<script>alert(1)</script>",
    "\"quotes' & </style>",
    "漢字 🎚 ñ",
    "{{ 7 * 7 }}",
    "--><img src=x onerror=alert(2)>",
    "a\u2028b ]]>",
)


def stems() -> dict[str, NDArray[np.float64]]:
    """A kick, a pad and a voice, (channels, samples), with some noise, so that no two beats are alike."""
    rng = np.random.default_rng(3)
    time = np.arange(round(SECONDS * RATE)) / RATE
    beat = time % 0.5
    kick = 0.5 * np.exp(-14 * beat) * np.sin(2 * np.pi * (50 * beat + 3 * (1 - np.exp(-30 * beat))))
    pad = 0.03 * np.cumsum(rng.standard_normal((2, len(time))), axis=1)
    pad -= np.stack([np.convolve(row, np.ones(441) / 441, mode="same") for row in pad])
    vibrato = 700 * time + 4 * np.sin(2 * np.pi * 5 * time)
    voice = sum(np.sin(2 * np.pi * n * vibrato) / n for n in range(1, 9))
    voice = 0.05 * voice * (0.6 + 0.4 * np.sin(2 * np.pi * 1.3 * time))
    kick += 0.1 * np.exp(-14 * beat) * rng.standard_normal(len(time))
    voice += 0.02 * rng.standard_normal(len(time))
    return {"kick": kick[None], "pad": pad, "vocal": voice[None]}


def console(names: tuple[str, ...] = NAMES) -> Graph:
    """Three tracks, a group, a return and the master; `names` of these, in that order."""
    kick, pad, vocal, band, hall, master = names
    bell = device("equalizer", bell_1_hz=1000, bell_1_db=6, bell_1_q=1.0)
    squash = device("compressor", threshold_db=-24, ratio=4, attack_ms=5, release_ms=80)
    squash = squash.model_copy(update={"confidence": 0.05})
    room = device("reverb", room_size=0.6, wet_level=1 / 3, dry_level=0)
    return Graph(
        sample_rate=RATE,
        length_samples=round(SECONDS * RATE),
        mix="mix.wav",
        strips=(
            Strip(name=band, kind="group", output=master),
            Strip(
                name=kick,
                kind="track",
                source="stems/kick.wav",
                channels=1,
                devices=(squash,),
                fader_db=-3,
                output=band,
            ),
            Strip(name=pad, kind="track", source="stems/pad.wav", devices=(bell,), pan=-0.3, output=band),
            Strip(
                name=vocal,
                kind="track",
                source="stems/vocal.wav",
                channels=1,
                fader_db=2,
                sends=(Send(target=hall, level_db=-14),),
                output=master,
            ),
            Strip(name=hall, kind="return", devices=(room,), output=master),
            Strip(name=master, kind="master", devices=(device("limiter", ceiling_db=-0.5),)),
        ),
    )


def result_of(graph: Graph, folder: Path, recorded: bool) -> Result:
    """The numbers of the folder; those that the page only shows are of no song."""
    lost = {}
    for name in ("dawproject", "ardour"):
        place = folder / "sessions" / name
        place.mkdir(parents=True)
        lost[name] = exporter(name).write(graph, folder, place)
    offered = [
        s if s.kind == "return" else s.model_copy(update={"devices": (*s.devices, device("gate"))})
        for s in graph.strips
    ]
    trace = [("first fit", 0.9 - n / 50, None) for n in range(30)]
    trace += [("prune", 0.3 + n / 500, 20 - n) for n in range(12)]
    parts = dict.fromkeys(("full", "left_right", "mid", "side"), 0.312)
    return Result(
        la=parts,
        la_paper=parts,
        la_sum_of_stems=1.25,
        la_console=None,
        linear_ceiling=0.9,
        devices_before=Devices(20, {"equalizer": 20}),
        devices_after=Devices(8, {"equalizer": 8}),
        sdr_db=12.3,
        loudness_difference_lu=-0.4,
        null_db={"torch_pedalboard": -300.0},
        seconds={"read": 0.5, "first fit": 8.25, "prune": 2.0, "total": 11.0},
        peak_rss_mib=512.0,
        lost=lost,
        silent=["spare"],
        findings=["vocal: moved by 12 samples"],
        interrupted=False,
        out_of_time=False,
        preset="studio",
        strategy="saliency",
        tolerance=0.01,
        seed=7,
        version="0.1.0",
        versions={"numpy": "2.0"},
        mix_sha256="ab" * 32,
        search=SearchRecord.of(graph.model_copy(update={"strips": tuple(offered)}), trace)
        if recorded
        else None,
    )


def make_result(folder: Path, names: tuple[str, ...] = NAMES, recorded: bool = True) -> Graph:
    """Write a result into `folder`; the mix has the vocal `RIDE_DB` louder between `RIDE_S`."""
    (folder / "stems").mkdir(parents=True)
    for name, signal in stems().items():
        soundfile.write(folder / f"stems/{name}.wav", signal.T, RATE, subtype="FLOAT")
    graph = console(names)
    ours = render(graph, folder)
    time = np.arange(ours.shape[1]) / RATE
    inside = np.clip(np.minimum(time - RIDE_S[0], RIDE_S[1] - time) / 0.2, 0, 1)
    change = (10 ** (RIDE_DB * inside / 20) - 1).astype(np.float32)
    vocal = taps(graph, folder, [(names[2], -1)])[names[2], -1]
    write_wav(folder / "render.wav", ours, RATE)
    write_wav(folder / "difference.wav", vocal * change, RATE)
    write_wav(folder / "mix.wav", ours + vocal * change, RATE)
    (folder / "graph.json").write_text(graph.to_json(), encoding="utf-8")
    result = result_of(graph, folder, recorded)
    (folder / "result.json").write_text(result.to_json(), encoding="utf-8")
    return graph
