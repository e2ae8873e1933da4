"""Songs and graphs that the tests of the exporters share, and an independent mixer of what a reader found.

The mixer plays a session from the values that were read back from its files, with scipy's filters and
nothing of the exporters, so that a session can be compared with the render of its graph.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import sosfilt

from mix2daw.graph import Device, Graph, Send, Strip
from mix2daw.processors import PROCESSORS, checked_graph

RATE = 48000
SAMPLES = 2 * RATE
ODD_NAMES = (
    "Lead Vox",
    "Größe 漢字 🎹",
    'a<b>&"c" \'d',
    "kick/in\\out: *?",
    "con",
    "...hidden",
    "Kick",
    "kick",
    "kick_in_out_ __",
    "tab\tand\nline",
    "|pipe `tick`",
    "Master",
    "n" * 200,
)


def device(type_: str, wet: float = 1.0, **values: float) -> Device:
    """An insert with every control that is not named at rest."""
    return Device(type=type_, values={**PROCESSORS[type_].rest(), **values}, wet=wet)


def write_stems(folder: Path, names: dict[str, int], subtype: str = "PCM_24") -> None:
    """Noise bursts with different envelopes, one file a name with that many channels."""
    rng = np.random.default_rng(7)
    for number, (name, channels) in enumerate(names.items()):
        envelope = np.exp(-((np.arange(SAMPLES) % (RATE // (2 + number % 3))) / (0.06 * RATE)))
        signal = 0.2 * envelope[:, None] * rng.standard_normal((SAMPLES, channels))
        soundfile.write(str(folder / f"{name}.wav"), signal.clip(-1, 1), RATE, subtype=subtype)


def room(folder: Path, **values: float) -> Device:
    """A convolution with a short impulse response, which is written into `folder`."""
    return _convolution(folder / "room.wav", decay(2000, 2), **values)


def vast_room(folder: Path, **values: float) -> Device:
    """A convolution that no format plays itself: its impulse response is longer than any of them holds."""
    impulse = np.zeros((540000, 4))
    impulse[:2000] = decay(2000, 4)
    return _convolution(folder / "vast.wav", impulse, **values)


def decay(taps: int, channels: int) -> NDArray[np.float64]:
    """An impulse response (taps, channels): noise that decays by 66 dB."""
    noise = np.random.default_rng(9).standard_normal((taps, channels))
    return noise * np.geomspace(0.2, 1e-4, taps)[:, None]


def _convolution(path: Path, impulse: NDArray[np.float64], **values: float) -> Device:
    soundfile.write(str(path), impulse, RATE, subtype="FLOAT")
    made = device("convolution", **{"wet_level": 0.5, **values})
    return made.model_copy(update={"impulse": path.name})


def track(name: str, source: str, output: str = "Master", **more: object) -> Strip:
    """A stereo track that plays `source`.wav."""
    fields = {"name": name, "kind": "track", "source": f"{source}.wav", "output": output, **more}
    return Strip.model_validate(fields)


def graph_of(*strips: Strip, mix: str | None = None) -> Graph:
    """A checked graph of the strips."""
    return checked_graph(Graph(sample_rate=RATE, length_samples=SAMPLES, strips=strips, mix=mix), PROCESSORS)


def native_graph(folder: Path) -> Graph:
    """A graph that most formats hold whole: equalizers, width, balance, nested groups, sends.

    Its low shelf is not very low, where the 32-bit coefficients of the render leave the formula: three
    shelves at 120 Hz in a row cost -74 dB against scipy's 64-bit ones, whatever the format.
    """
    write_stems(folder, {"one": 2, "two": 1, "three": 2, "four": 1})
    bells = device(
        "equalizer",
        low_shelf_hz=500, low_shelf_db=4, low_shelf_q=0.5**0.5,
        bell_1_hz=900, bell_1_db=-6, bell_1_q=2,
        bell_3_hz=3000, bell_3_db=3, bell_3_q=0.9,
        high_shelf_hz=8000, high_shelf_db=-3, high_shelf_q=0.5**0.5,
    )  # fmt: skip
    cut = device("equalizer", bell_2_hz=400, bell_2_db=-4.5, bell_2_q=1.4)
    return graph_of(
        track(
            "Drums", "one", "Band", devices=(bells,), fader_db=-3.1, pan=-0.3,
            sends=(Send(target="Room", level_db=-9.0),),
        ),
        track("Vox", "two", channels=1, devices=(bells, cut), fader_db=1.5, pan=0.45, offset_samples=1200,
              sends=(Send(target="Room", level_db=-6.5), Send(target="Slap", level_db=-12.0, tap="pre"))),
        track("Pads", "three", "Inner", devices=(device("width", width=0.6),), fader_db=-7.25),
        track("Bass", "four", "Inner", channels=1, fader_db=-4.0, offset_samples=-700),
        Strip(name="Inner", kind="group", output="Band", fader_db=-1.0, pan=0.1, devices=(cut,)),
        Strip(name="Band", kind="group", output="Master", fader_db=0.75, devices=(bells,),
              sends=(Send(target="Wide", level_db=-20.0),)),
        Strip(name="Wide", kind="return", output="Master", fader_db=-3.0),
        Strip(name="Room", kind="return", output="Master", fader_db=-2.0, devices=(cut,), pan=-0.2,
              sends=(Send(target="Slap", level_db=-15.0),)),
        Strip(name="Slap", kind="return", output="Inner", fader_db=-5.0),
        Strip(name="Master", kind="master", fader_db=-1.25, devices=(cut,)),
    )  # fmt: skip


def printed_graph(folder: Path) -> Graph:
    """A graph of which most formats have to print something at every kind of strip, and all a track."""
    write_stems(folder, {"one": 2, "two": 1, "three": 2, "four": 1, "five": 2})
    cut = device("equalizer", bell_2_hz=400, bell_2_db=-4.5, bell_2_q=1.4)
    gentle = device("equalizer", high_pass_hz=90, high_pass_slope_db=6)
    delay = device("delay", delay_ms=120, feedback=0.3, mix=0.4)
    reverb = device("reverb", wet_level=0.5, dry_level=0)
    return graph_of(
        track("Drums", "one", "Band", devices=(cut, delay, cut), fader_db=-3.1, pan=-0.3,
              sends=(Send(target="Hall", level_db=-9.0), Send(target="Dry", level_db=-11.0))),
        track("Vox", "two", channels=1, devices=(gentle, cut), fader_db=1.5, pan=0.45,
              sends=(Send(target="Hall", level_db=-6.5), Send(target="Slap", level_db=-12.0, tap="pre"))),
        track("Pads", "three", devices=(cut,), post_devices=(delay,), fader_db=-7.25, pan=0.2,
              sends=(Send(target="Pre", level_db=-8.0, tap="pre"), Send(target="Slap", level_db=-10.0))),
        track("Bass", "four", "Inner", channels=1, fader_db=-4.0,
              sends=(Send(target="Slap", level_db=-14.0),)),
        track("Keys", "five", devices=(cut.model_copy(update={"wet": 0.5}),), post_devices=(cut,), pan=-0.5),
        Strip(name="Inner", kind="group", output="Band", fader_db=-1.0, devices=(delay, cut), pan=0.1),
        Strip(name="Band", kind="group", output="Master", fader_db=0.75, devices=(cut, delay, cut),
              sends=(Send(target="Slap", level_db=-20.0),)),
        Strip(name="Hall", kind="return", output="Master", fader_db=-2.0, devices=(cut, reverb, cut),
              sends=(Send(target="Slap", level_db=-15.0),)),
        Strip(name="Dry", kind="return", output="Master", fader_db=-6.0, devices=(cut,)),
        Strip(name="Pre", kind="return", output="Master", fader_db=-6.0),
        Strip(name="Slap", kind="return", output="Master", fader_db=-5.0, pan=0.6, devices=(cut,)),
        Strip(name="Master", kind="master", fader_db=-1.25, devices=(cut,)),
    )  # fmt: skip


@dataclass(frozen=True)
class ReadBand:
    """A band of an equalizer as a reader found it; `q`: of the RBJ cookbook."""

    kind: str
    freq_hz: float
    gain_db: float
    q: float


class ReadDevice(Protocol):
    """A device as a reader found it: its type, its controls by name (with `wet`), and how it sounds."""

    type: str
    values: dict[str, float]

    def play(self, signal: NDArray[np.float64]) -> NDArray[np.float64]: ...


@dataclass(frozen=True)
class ReadStrip:
    """A strip as a reader found it. `matrix`: gains of fader and panner, `out = matrix @ in` for stereo;
    `devices`: of formats that have more than equalizers, all of them in order; `behind`: those behind fader
    and panner; `sends`: target -> (linear
    level, tap); `audio`: `(channels, samples)` of its file."""

    name: str
    output: str | None
    muted: bool
    matrix: NDArray[np.float64]
    equalizers: tuple[tuple[ReadBand, ...], ...] = ()
    devices: tuple[ReadDevice, ...] = ()
    behind: tuple[ReadDevice, ...] = ()
    sends: dict[str, tuple[float, str]] = field(default_factory=dict)
    audio: NDArray[np.float32] | None = None
    position_samples: int = 0
    start_samples: int = 0
    length_samples: int = 0

    @property
    def fader_db(self) -> float:
        """The gain of the louder side, or of the middle of a narrowed signal."""
        return float(20 * np.log10(np.abs(self.matrix).sum(axis=1).max()))

    @property
    def pan(self) -> float:
        """The balance that the gains amount to."""
        left, right = np.abs(self.matrix).sum(axis=1)
        return float(right / left - 1 if right < left else 1 - left / right)


def play(
    strips: dict[str, ReadStrip], sample_rate: int = RATE, samples: int = SAMPLES
) -> NDArray[np.float64]:
    """The sum that the session plays, `(2, samples)`: whatever has no output is the master."""
    before: dict[str, NDArray[np.float64]] = {}
    after: dict[str, NDArray[np.float64]] = {}

    def run(name: str) -> None:
        if name in after:
            return
        strip = strips[name]
        signal = _clip(strip, samples)
        for other in strips.values():
            if other.output == name or name in other.sends:
                run(other.name)
            if other.output == name:
                signal = signal + after[other.name]
            if name in other.sends:
                level, tap = other.sends[name]
                signal = signal + level * (after if tap == "post" else before)[other.name]
        for bands in strip.equalizers:
            for band in bands:
                signal = sosfilt(rbj(band, sample_rate), signal)
        for read in strip.devices:
            signal = read.play(signal)
        before[name] = signal * (not strip.muted)
        signal = strip.matrix @ before[name]
        for read in strip.behind:
            signal = read.play(signal)
        after[name] = signal

    master = next(strip.name for strip in strips.values() if strip.output is None)
    run(master)
    return after[master]


def _clip(strip: ReadStrip, samples: int) -> NDArray[np.float64]:
    line = np.zeros((2, samples))
    if strip.audio is not None:
        part = strip.audio[:, strip.start_samples : strip.start_samples + strip.length_samples]
        line[:, strip.position_samples : strip.position_samples + part.shape[1]] = part
    return line


def rbj(band: ReadBand, sample_rate: int = RATE) -> NDArray[np.float64]:
    """The band as one second-order section, straight from the RBJ cookbook."""
    angle = 2 * np.pi * band.freq_hz / sample_rate
    cos, alpha, a = np.cos(angle), np.sin(angle) / (2 * band.q), 10 ** (band.gain_db / 40)
    root = 2 * np.sqrt(a) * alpha
    if band.kind == "bell":
        section = [1 + alpha * a, -2 * cos, 1 - alpha * a, 1 + alpha / a, -2 * cos, 1 - alpha / a]
    elif band.kind == "high_pass":
        section = [(1 + cos) / 2, -1 - cos, (1 + cos) / 2, 1 + alpha, -2 * cos, 1 - alpha]
    elif band.kind == "low_pass":
        section = [(1 - cos) / 2, 1 - cos, (1 - cos) / 2, 1 + alpha, -2 * cos, 1 - alpha]
    else:
        s = 1 if band.kind == "low_shelf" else -1
        p, m = a + 1, a - 1
        section = [
            a * (p - s * m * cos + root), 2 * a * s * (m - s * p * cos), a * (p - s * m * cos - root),
            p + s * m * cos + root, -2 * s * (m + s * p * cos), p + s * m * cos - root,
        ]  # fmt: skip
    return np.array([section]) / section[3]


def residual_db(signal: NDArray[np.float64], reference: NDArray[np.float64]) -> float:
    """RMS of the difference over RMS of the reference, in dB."""
    difference = np.sqrt(np.mean((signal - reference) ** 2)) / np.sqrt(np.mean(reference**2))
    return float(20 * np.log10(max(difference, 1e-15)))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file under `folder` with its bytes; what is inside an archive counts too."""
    found = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    for path in folder.rglob("*.dawproject"):
        with zipfile.ZipFile(path) as archive:
            found |= {f"{path.stem}.zip:{name}": archive.read(name) for name in archive.namelist()}
    return found
