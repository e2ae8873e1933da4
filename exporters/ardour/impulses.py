"""The impulse responses that a session plays: those of convolutions, and those that reverbs amount to.

All have four channels (L to L, L to R, R to L, R to R), as other convolvers for true stereo read them, too.
A Freeverb at fixed settings is linear but for a floor of 7e-9, where it clears what is as good as silence.
Both ears hear the sum of both inputs; the response is taken with an impulse far above that floor.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mix2daw.exporters.chains import chain
from mix2daw.exporters.names import file_name, unique_file
from mix2daw.exporters.plan import Plan
from mix2daw.graph import Device
from mix2daw.stems import read_impulse, write_wav

FOLDER = "externals"
LONGEST_REVERB_S = 30.0
_PULSE_LIN = 1024.0
_TAIL_DB = -120.0  # energy of what is cut off, relative to all of it

Place = tuple[str, int]  # a strip, and an index into its `all_devices()`


def write_impulses(plan: Plan, graph_folder: Path, session_folder: Path) -> dict[Place, str]:
    """Write the response of every reverb and convolution of a plan, 32-bit float at the session's rate; the
    names of the files.

    No taps that would sound after the end of the session are written. Raises InputError for an impulse
    response that cannot be read, OutputError if a file cannot be written, OSError for the folder.
    """
    written: dict[Place, str] = {}
    folder = session_folder / FOLDER
    for channel in plan.channels:
        for index, device in enumerate(channel.strip.all_devices()):
            if device.type == "reverb":
                taps = reverb_impulse(device.values, plan.sample_rate, plan.length_samples)
            elif device.impulse is not None:
                taps = _convolution_impulse(device, graph_folder, plan.sample_rate)[:, : plan.length_samples]
            else:
                continue
            folder.mkdir(exist_ok=True)
            taken = [Path(file).stem for file in written.values()]
            name = f"{unique_file(file_name(f'{channel.name} {device.type}'), taken)}.wav"
            write_wav(folder / name, _true_stereo(taps), plan.sample_rate)
            written[channel.name, index] = name
    return written


def reverb_impulse(values: Mapping[str, float], sample_rate: int, length_samples: int) -> NDArray[np.float32]:
    """The ears (2, taps) of a reverb at full wet level and width, for the mean of both inputs."""
    full = {**values, "wet_level": 1.0, "dry_level": 0.0, "width": 1.0}
    (freeverb,) = chain("reverb", full, sample_rate)
    pulse = np.zeros((2, max(16, min(length_samples, round(LONGEST_REVERB_S * sample_rate)))), np.float32)
    pulse[:, 0] = _PULSE_LIN
    ears = freeverb.process(pulse, sample_rate, reset=True) / np.float32(_PULSE_LIN)
    energy = np.cumsum(np.square(ears, dtype=np.float64).sum(0)[::-1])[::-1]
    taps = int(np.count_nonzero(energy > energy[0] * 10 ** (_TAIL_DB / 10)))
    return np.ascontiguousarray(ears[:, : max(1, taps)])


def _true_stereo(taps: NDArray[np.float32]) -> NDArray[np.float32]:
    """(2, taps) for the mean of both inputs as (4, taps), each input with half of it; (4, taps) as it is."""
    return taps if len(taps) == 4 else np.tile(taps * np.float32(0.5), (2, 1))


def _convolution_impulse(device: Device, graph_folder: Path, sample_rate: int) -> NDArray[np.float32]:
    taps = read_impulse(graph_folder / str(device.impulse), sample_rate)
    lag_samples = round(device.values["pre_delay_ms"] * sample_rate / 1000)
    return np.pad(taps, ((0, 0), (lag_samples, 0)))
