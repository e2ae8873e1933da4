"""Reads an AAF file back with pyaaf2 and nothing of the exporters, and adds up what it says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import aaf2
import numpy as np
from numpy.typing import NDArray

STEP = 2.0**-23  # of 24 bits


@dataclass(frozen=True)
class ReadTrack:
    """A track as it was found: `signal` (samples,), full scale 1; `sides`: gains of left and right, by a
    balance at 0 dB."""

    name: str
    gain_lin: float
    pan: float
    signal: NDArray[np.float64]

    @property
    def sides(self) -> NDArray[np.float64]:
        return self.gain_lin * np.array([min(1.0, 1 - self.pan), min(1.0, 1 + self.pan)])


def read(folder: Path) -> dict[str, ReadTrack]:
    """The sound tracks of the one composition in the one file of the folder, by name."""
    (path,) = folder.iterdir()
    tracks: dict[str, ReadTrack] = {}
    with aaf2.open(str(path)) as file:
        (composition,) = file.content.toplevel()
        for slot in composition.slots:
            if slot.media_kind != "Sound":
                continue
            assert slot.name not in tracks
            tracks[slot.name] = _track(slot)
    return tracks


def _track(slot: object) -> ReadTrack:
    pan = slot.segment  # type: ignore[attr-defined]
    (sequence,) = pan.segments
    (gain,) = sequence.components
    (clip,) = gain.segments
    assert (pan.operation.name, gain.operation.name) == ("Mono Audio Pan", "Mono Audio Gain")
    (source_clip,) = (each.segment for each in clip.mob.slots)
    source = source_clip.mob
    descriptor = {prop.name: prop.value for prop in source.descriptor.properties()}
    assert (descriptor["Channels"], descriptor["QuantizationBits"], descriptor["BlockAlign"]) == (1, 24, 3)
    raw = np.frombuffer(source.essence.open("r").read(), np.uint8).reshape(-1, 3).astype(np.int64)
    value = raw[:, 0] | raw[:, 1] << 8 | raw[:, 2] << 16
    lengths = {int(descriptor["Length"]), clip.length, sequence.length, pan.length, len(value)}
    assert len(lengths) == 1
    assert int(slot.edit_rate) == int(descriptor["AudioSamplingRate"])  # type: ignore[attr-defined]
    (amplitude,), (place,) = gain.parameters.value, pan.parameters.value
    signal = (value - ((value >> 23) << 24)) * STEP
    return ReadTrack(str(slot.name), float(amplitude.value), float(place.value) * 2 - 1, signal)  # type: ignore[attr-defined]


def total(tracks: dict[str, ReadTrack]) -> NDArray[np.float64]:
    """What the file says it sounds like, (2, samples)."""
    return sum((track.sides[:, None] * track.signal for track in tracks.values()), np.zeros((2, 1)))
