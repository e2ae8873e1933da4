"""How far the settings of a recovered console are from those of the known one.

Faders, pans and equalizers are taken over the whole way of a track to the master, so that it does not
matter on which of its strips a control stands. A level that an equalizer or a compressor changes evenly
belongs to the fader: curves and gain reductions are compared about their mean difference. Graphs are
complete (`processors.checked_graph`), signals (channels, samples) float32.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from _truth_parts import Parts, PartsScore, place, score_parts
from _truth_returns import decay_error_percent, delay_samples, returned_power, send_taps
from _truth_ways import equalizers, gain_and_pan, own_way, sides_of, way

from mix2daw.exporters.chains import apply_device
from mix2daw.exporters.pedalboard import OUTPUT, Tap, render_taps
from mix2daw.graph import Device, Graph
from mix2daw.synthetic.levels import (
    RESPONSE_SAMPLES,
    TINY_POWER,
    Array,
    frame_levels_db,
    heard_power,
    reduction_db,
    working_frames,
)


@dataclass(frozen=True)
class TrackScore:
    """Errors of one track, recovered − truth. `fader_db`, `pan`: of all its faders and pans to the master;
    `level_db`: of its output, with the faders and pans that follow; `equalizer_db`: RMS of the curve, ≥ 0."""

    fader_db: float
    level_db: float
    pan: float
    equalizer_db: float


@dataclass(frozen=True)
class Score:
    """A recovery against its truth. `reduction_db`: RMS error of the gain reduction, per place where either
    has a compressor; `delay_exact`, `decay_percent` (≥ 0; 100 for no reverb at all): None without a delay or
    reverb in the truth that is heard. `send_db`: per send that both have, how much louder comes back what is
    sent: by what is sent, the send, the effect, and the faders from there to the master."""

    parts: PartsScore
    tracks: dict[str, TrackScore]
    reduction_db: dict[str, float]
    delay_exact: bool | None
    decay_percent: float | None
    send_db: dict[str, float] = field(default_factory=dict)


def spread_db(difference_db: Array, weight: Array) -> float:
    """Weighted RMS of a difference about its weighted mean, dB; 0 where nothing has weight."""
    total = float(weight.sum())
    if total <= 0:
        return 0.0
    mean_db = float((weight * difference_db).sum()) / total
    return math.sqrt(float((weight * (difference_db - mean_db) ** 2).sum()) / total)


def response_db(chain: Iterable[Device], sample_rate: int) -> Array:
    """Response of equalizers in a row, dB, (RESPONSE_SAMPLES / 2 + 1,) from 0 Hz to half the rate."""
    impulse = np.zeros((1, RESPONSE_SAMPLES), np.float32)
    impulse[0, 0] = 1
    total_db = np.zeros(RESPONSE_SAMPLES // 2 + 1)
    for device in chain:
        spectrum = np.fft.rfft(apply_device(impulse, device, sample_rate)[0].astype(float))
        total_db += 10 * np.log10(np.abs(spectrum) ** 2 + TINY_POWER)
    return total_db


class _Played:
    """A console with what the scores need of its inside: sources and outputs of its tracks, and the signals
    around its compressors."""

    def __init__(self, graph: Graph, folder: Path) -> None:
        self.graph, self.folder = graph, folder
        self.compressors: dict[str, list[Tap]] = {}
        for strip in graph.strips:
            for index, device in enumerate(strip.devices):
                if device.type == "compressor":
                    self.compressors.setdefault(place(graph, strip), []).append((strip.name, index))
        tracks = [strip.name for strip in graph.of_kind("track")]
        wanted = {(name, 0) for name in tracks} | {(own_way(graph, name)[-1].name, OUTPUT) for name in tracks}
        wanted |= {tap for tap, _, _ in send_taps(graph)}
        for taps in self.compressors.values():
            wanted |= {(name, index + after) for name, index in taps for after in (0, 1)}
        self.taps = render_taps(graph, folder, wanted)

    def level_db(self, name: str) -> float:
        """RMS of a track where it meets others, by the faders and pans that follow."""
        own = own_way(self.graph, name)
        sides = sides_of(way(self.graph, name)[len(own) :])
        output = self.taps[own[-1].name, OUTPUT] * sides[:, None]
        return 10 * math.log10(float(np.mean(np.square(output))) + TINY_POWER)

    def returned_db(self) -> dict[str, float]:
        """How loud what every send feeds comes back."""
        power = returned_power(self.graph, self.folder, self.taps)
        return {part: 10 * math.log10(value + TINY_POWER) for part, value in power.items()}

    def equalizers_db(self, name: str) -> Array:
        """The curve of all equalizers on a track's way."""
        return response_db(equalizers(self.graph, name), self.graph.sample_rate)

    def reduction_db(self, taps: Sequence[Tap]) -> Array | float:
        """What compressors in a row do together; 0 for none."""
        rate = self.graph.sample_rate
        return sum((reduction_db(self.taps[n, k], self.taps[n, k + 1], rate) for n, k in taps), start=0.0)


def _track(truth: _Played, recovered: _Played, name: str) -> TrackScore:
    fader_db, pan = gain_and_pan(way(truth.graph, name))
    found_db, found_pan = gain_and_pan(way(recovered.graph, name))
    curve_db = recovered.equalizers_db(name) - truth.equalizers_db(name)
    return TrackScore(
        fader_db=found_db - fader_db,
        level_db=recovered.level_db(name) - truth.level_db(name),
        pan=found_pan - pan,
        equalizer_db=spread_db(curve_db, heard_power(truth.taps[name, 0], truth.graph.sample_rate)),
    )


def _reduction_error_db(truth: _Played, recovered: _Played, where: str) -> float:
    """In the frames in which the truth's compressor has an input (the recovery's, if only that has one)."""
    wanted, found = (played.compressors.get(where, []) for played in (truth, recovered))
    first = truth.taps[wanted[0]] if wanted else recovered.taps[found[0]]
    working = working_frames(frame_levels_db(first, truth.graph.sample_rate))
    error_db = recovered.reduction_db(found) - truth.reduction_db(wanted)
    return spread_db(np.asarray(error_db), working.astype(float))


def score(
    truth: Graph, truth_folder: Path, recovered: Graph, recovered_folder: Path, audible: Parts
) -> Score:
    """Everything about one recovery. Both graphs have the same tracks; sources lie relative to the folders;
    `audible`: the parts of the truth that are heard (`audible_parts`)."""
    known, found = _Played(truth, truth_folder), _Played(recovered, recovered_folder)
    heard_returns = {part.place for part in audible if part.type == "return"}
    sent_db, found_db = known.returned_db(), found.returned_db()
    places = sorted({*known.compressors, *found.compressors})
    return Score(
        parts=score_parts(truth, audible, recovered),
        tracks={strip.name: _track(known, found, strip.name) for strip in truth.of_kind("track")},
        reduction_db={where: _reduction_error_db(known, found, where) for where in places},
        delay_exact=delay_samples(truth) <= delay_samples(recovered) if "delay" in heard_returns else None,
        decay_percent=decay_error_percent(truth, recovered, recovered_folder)
        if "reverb" in heard_returns
        else None,
        send_db={part: found_db[part] - sent_db[part] for part in sorted(sent_db.keys() & found_db.keys())},
    )
