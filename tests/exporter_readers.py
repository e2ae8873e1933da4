"""Readers of sessions, one a format, written from the formats' descriptions and not from our writers."""

from __future__ import annotations

import base64
import hashlib
import io
import math
import re
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import jsfx
import lua_host
import numpy as np
import rpp
import soundfile
from exporter_helpers import RATE, ReadBand, ReadDevice, ReadStrip, rbj
from lxml import etree
from numpy.typing import NDArray
from scipy.signal import sosfilt

Matrix = NDArray[np.float64]


def balance(level_lin: float, pan: float) -> Matrix:
    """Gains of a fader and a balance with a 0 dB law."""
    return level_lin * np.diag([min(1.0, 1 - pan), min(1.0, 1 + pan)])


def audio_of(file: str | io.BytesIO, sample_rate: int = RATE) -> NDArray[np.float32]:
    """`(channels, samples)` of a file at the rate of the session."""
    frames, rate = soundfile.read(file, dtype="float32", always_2d=True)
    assert rate == sample_rate
    return frames.T


def read_dawproject(folder: Path, sample_rate: int = RATE) -> dict[str, ReadStrip]:
    """Strips of the editable archive in `folder`, which is the one beside the faithful archive."""
    (path,) = folder.glob("*[!l].dawproject")
    assert {other.name for other in folder.glob("*")} == {path.name, f"{path.stem}-faithful.dawproject"}
    return read_archive(path, sample_rate)


def read_archive(path: Path, sample_rate: int = RATE) -> dict[str, ReadStrip]:
    """Strips of one archive; every reference in it has to lead somewhere."""
    archive = zipfile.ZipFile(path)
    assert archive.testzip() is None
    root = etree.fromstring(archive.read("project.xml"))
    ids = {element.get("id"): element for element in root.iter() if element.get("id")}
    names = {track.find("Channel").get("id"): track.get("name") for track in root.iter("Track")}
    clips = {lane.get("track"): lane.find("Clips/Clip") for lane in root.iter("Lanes") if lane.get("track")}
    strips: dict[str, ReadStrip] = {}
    for track in root.iter("Track"):
        channel = track.find("Channel")
        target = channel.get("destination")
        sends = {
            names[send.get("destination")]: (float(send.find("Volume").get("value")), send.get("type"))
            for send in channel.iterfind("Sends/Send")
        }
        pan = channel.find("Pan")
        assert pan.get("unit") == "normalized"
        assert channel.find("Volume").get("unit") == "linear"
        clip = clips.pop(track.get("id"), None)
        place: dict[str, object] = {}
        if clip is not None:
            file = clip.find("Audio/File")
            beside = path.parent / file.get("path")
            external = file.get("external") == "true"
            data = io.BytesIO(beside.read_bytes() if external else archive.read(file.get("path")))
            times = (float(clip.get(key)) for key in ("time", "playStart", "duration"))
            keys = ("position_samples", "start_samples", "length_samples")
            place = dict(zip(keys, (round(time * sample_rate) for time in times), strict=True))
            place["audio"] = audio_of(data, sample_rate)
        strips[track.get("name")] = ReadStrip(
            name=track.get("name"),
            output=None if target is None else names[target],
            muted=channel.find("Mute").get("value") == "true",
            matrix=balance(float(channel.find("Volume").get("value")), 2 * float(pan.get("value")) - 1),
            equalizers=tuple(_generic_bands(element) for element in channel.iterfind("Devices/Equalizer")),
            sends=sends,
            **place,
        )
    assert not clips, "a clip on a track that does not exist"
    assert all(element.get("destination", "") in {"", *ids} for element in root.iter())
    return strips


def _generic_bands(element: etree._Element) -> tuple[ReadBand, ...]:
    kinds = {
        "highPass": "high_pass",
        "lowPass": "low_pass",
        "lowShelf": "low_shelf",
        "highShelf": "high_shelf",
        "bell": "bell",
    }

    def value(band: etree._Element, tag: str, unit: str) -> float:
        child = band.find(tag)
        assert child is None or child.get("unit") == unit
        return 0.0 if child is None else float(child.get("value"))

    return tuple(
        ReadBand(
            kinds[band.get("type")], value(band, "Freq", "hertz"), value(band, "Gain", "decibel"),
            value(band, "Q", "linear"),
        )
        for band in element.iterfind("Band")
    )  # fmt: skip


def read_reaper(folder: Path, sample_rate: int = RATE) -> dict[str, ReadStrip]:
    """Strips of the one project in `folder`: folders from ISBUS, sends from the receivers."""
    (path,) = folder.glob("*.rpp")
    root = rpp.loads(path.read_text(encoding="utf-8"))
    assert root.find("SAMPLERATE")[1:3] == [str(sample_rate), "1"]
    assert (root.find("PANLAW")[1], root.find("PANLAWFLAGS")[1]) == ("1", "2")
    tracks = root.findall("TRACK")
    names = [track.find("NAME")[1] for track in tracks]
    sends: dict[str, dict[str, tuple[float, str]]] = {name: {} for name in names}
    for name, track in zip(names, tracks, strict=True):
        for line in track.findall("AUXRECV"):
            tap = {"0": "post", "3": "pre"}[line[2]]
            sends[names[int(line[1])]][name] = (float(line[3]), tap)
    strips: dict[str, ReadStrip] = {}
    parents = ["Master"]
    for name, track in zip(names, tracks, strict=True):
        item, place = track.find("ITEM"), {}
        assert track.find("MAINSEND")[1] == "1"
        if item is not None:
            keys = {"POSITION": "position_samples", "SOFFS": "start_samples", "LENGTH": "length_samples"}
            place = {keys[key]: round(float(item.find(key)[1]) * sample_rate) for key in keys}
            file = str(folder / item.find("SOURCE").find("FILE")[1])
            # Volume of the item, pan and volume of the take, which is turned over where that is below 0.
            volumes = [float(item.find("VOLPAN")[at]) for at in (1, 3)]
            assert volumes[0] * abs(volumes[1]) == 1
            place["audio"] = np.float32(volumes[1]) * audio_of(file, sample_rate)
        strips[name] = ReadStrip(
            name=name,
            output=parents[-1],
            muted=track.find("MUTESOLO")[1] == "1",
            matrix=_reaper_matrix(track.find("VOLPAN")[1:], track.find("PANMODE")[1]),
            devices=_reaper_devices(track.find("FXCHAIN"), folder, sample_rate),
            sends=sends[name],
            **place,
        )
        state, levels = track.find("ISBUS")[1:]
        if state == "1":
            parents.append(name)
        elif state == "2":
            del parents[int(levels) :]
    assert parents == ["Master"], "a folder that does not end"
    matrix = _reaper_matrix(root.find("MASTER_VOLUME")[1:], root.find("MASTER_PANMODE")[1])
    devices = _reaper_devices(root.find("MASTERFXLIST"), folder, sample_rate)
    strips["Master"] = ReadStrip("Master", None, False, matrix, devices=devices)
    return strips


def _reaper_matrix(volume_pan: list[str], mode: str) -> Matrix:
    volume, pan, law, *_ = (float(text) for text in volume_pan)
    assert law == -1
    assert mode == "3"
    return balance(volume, pan)


@dataclass(frozen=True)
class JsfxDevice:
    """An effect of a project, played by the file that lies beside it, not by the processor it stands for."""

    type: str
    values: dict[str, float]
    file: Path
    sample_rate: int

    def play(self, signal: Matrix) -> Matrix:
        """`(2, samples)` through the effect."""
        return jsfx.effect(self.file).play(signal, self.sample_rate, self.values)


def _reaper_devices(chain: rpp.Element | None, folder: Path, sample_rate: int) -> tuple[JsfxDevice, ...]:
    """The effects of a chain: each a path below `Effects`, and 64 values of which `-` is none."""
    devices: list[JsfxDevice] = []
    for block in () if chain is None else chain.findall("JS"):
        name, comment = block.attrib
        assert comment == ""
        file = folder / "Effects" / name
        (line,) = list(block)
        assert len(line) == 64
        sliders = {slider.number: slider.name for slider in jsfx.effect(file).sliders}
        values = {sliders[at]: float(text) for at, text in enumerate(line, start=1) if text != "-"}
        assert len(values) == len(sliders)
        devices.append(JsfxDevice(file.stem.split("_")[1], values, file, sample_rate))
    return tuple(devices)


def read_ardour(folder: Path, sample_rate: int = RATE) -> dict[str, ReadStrip]:
    """Strips of the one session in `folder`, its connections followed port by port."""
    (path,) = folder.glob("*/*.ardour")
    root = etree.parse(str(path)).getroot()
    routes = root.find("Routes")
    names = {route.get("id"): route.get("name") for route in routes}
    playlists = {playlist.get("orig-track-id"): playlist for playlist in root.find("Playlists")}
    sources = {source.get("id"): source for source in root.find("Sources")}
    ticks = 282240000 // sample_rate
    strips: dict[str, ReadStrip] = {}
    for route in routes:
        sends: dict[str, tuple[float, str]] = {}
        tap = "pre"
        read: dict[str, list[ReadDevice]] = {"pre": [], "post": []}
        for processor in route.iterfind("Processor"):
            value = processor.find("Controllable")
            if processor.get("type") == "amp":
                tap, fader_lin = "post", float(value.get("value"))
            elif processor.get("type") == "luaproc":
                read[tap].append(_lua_device(processor, path.parent))
            elif processor.get("type") == "intsend":
                level = float(value.get("value"))
                shell = processor.find("PannerShell")
                own_panner = shell.get("linked-to-route") == "0"
                assert (shell.get("bypassed") == "1" or own_panner) == (tap == "pre")
                if own_panner:
                    assert float(shell.find("Pannable/Controllable[@name='pan-azimuth']").get("value")) == 0.5
                    level *= ardour_law(0.5)
                sends[names[processor.get("target")]] = (level, tap)
            elif processor.get("unique-id") == "urn:ardour:a-eq":
                ports = {p.get("symbol"): float(p.get("value")) for p in processor.iterfind("lv2/Port")}
                read[tap].append(AceDevice("equalizer", {}, _ace_bands(ports, sample_rate)))
        inputs = len(route.findall("IO[@direction='Input']/Port"))
        targets = {
            connection.get("other").rsplit("/", 1)[0]
            for connection in route.iterfind("IO[@direction='Output']/Port/Connection")
        }
        (target,) = targets if "MasterOut" not in route.find("PresentationInfo").get("flags") else {None}
        place: dict[str, object] = {}
        playlist = playlists.get(route.get("id"))
        assert (playlist is not None) == ("AudioTrack" in route.find("PresentationInfo").get("flags"))
        if playlist is not None and (region := playlist.find("Region")) is not None:
            length, position = region.get("length").split("@")
            place = {
                key: int(text.removeprefix("a")) // ticks
                for key, text in (
                    ("position_samples", position),
                    ("start_samples", region.get("start")),
                    ("length_samples", length),
                )
            }
            file = sources[region.get("source-0")].get("name")
            place["audio"] = audio_of(
                str(path.parent / "interchange" / path.stem / "audiofiles" / file), sample_rate
            )
            assert place["audio"].shape[0] == inputs
            if (switch := route.find("Controllable[@name='phase']")) is not None:
                bits = switch.get("phase-invert")  # the last one is that of the first channel
                assert len(bits) == inputs
                sides = np.array([1 - 2 * int(bit) for bit in reversed(bits)], np.float32)
                place["audio"] = place["audio"] * sides[:, None]
        mute = route.find("MuteMaster")
        panned = _ardour_matrix(route, 2 if _has_two(read["pre"] + read["post"]) else inputs)
        if read["post"]:  # a panner stands behind everything, so it has to be in the middle
            assert np.allclose(panned, np.eye(2))
            if read["post"][0].type == "pan":
                panned = balance(1.0, read["post"].pop(0).values["pan"])
        only_ace = all(isinstance(found, AceDevice) for found in read["pre"])
        strips[route.get("name")] = ReadStrip(
            name=route.get("name"),
            output=target,
            muted=mute is not None and mute.get("muted") == "1",
            matrix=fader_lin * panned,
            equalizers=tuple(found.bands for found in read["pre"]) if only_ace else (),
            devices=() if only_ace else tuple(read["pre"]),
            behind=tuple(read["post"]),
            sends=sends,
            **place,
        )
    return strips


@dataclass(frozen=True)
class AceDevice:
    """An ACE EQ, by the bands that it comes to rest on."""

    type: str
    values: dict[str, float]
    bands: tuple[ReadBand, ...]

    def play(self, signal: Matrix) -> Matrix:
        """`(2, samples)` through the bands."""
        for band in self.bands:
            signal = sosfilt(rbj(band), signal)
        return signal


@dataclass(frozen=True)
class LuaProcessor:
    """A script of a session with the values of its ports, played by Lua and not by the processor it stands
    for. `session`: the folder whose files it reads."""

    type: str
    values: dict[str, float]
    script: str
    ports: tuple[float, ...]
    session: Path

    def play(self, signal: Matrix) -> Matrix:
        """`(2, samples)` through the script, its latency taken back."""
        device = lua_host.LuaDevice(self.script, self.session)
        longer = np.pad(signal.astype(np.float32), ((0, 0), (0, RATE // 20)))
        played, latency = device.play(longer, RATE, self.ports)
        return played[:, latency : latency + signal.shape[1]].astype(np.float64)


def _lua_device(processor: etree._Element, session: Path) -> LuaProcessor:
    """Its parameters are named as people read them, `Bell 1 (Hz)`, in the order of the ports."""
    script = base64.b64decode(processor.findtext("luaproc/script"), validate=True)
    assert processor.get("unique-id") == hashlib.sha1(script).hexdigest()
    assert processor.get("count") == "1"
    text = script.decode("utf-8")
    ports = processor.findall("luaproc/Port")
    assert [port.get("id") for port in ports] == [str(number) for number in range(len(ports))]
    numbers = tuple(float(port.get("value")) for port in ports)
    values: dict[str, float] = {}
    for parameter, value in zip(lua_host.LuaDevice(text).parameters(), numbers, strict=True):
        assert parameter.low <= value <= parameter.high
        control = parameter.name.lower().replace(" ", "_").replace("_(db/oct)", "_db")
        values[re.sub(r"_\((\w+)\)$", r"_\1", control)] = value
    kind = re.search(r'name = "mix2daw (\w+)"', text)[1]
    if kind == "convolution" and "FULL_DRY = 2" in text:
        kind = "reverb"
    return LuaProcessor(kind, values, text, numbers, session)


def _has_two(devices: list[ReadDevice]) -> bool:
    """Whether a mono signal has two channels behind them."""
    return any(found.type in ("pan", "reverb", "convolution") for found in devices)


def ardour_is_installed() -> bool:
    """Whether there is the command-line tool of an Ardour here."""
    return any(shutil.which(f"ardour{version}-lua") for version in range(7, 12))


def ardour_law(position: float) -> float:
    """Ardour's pan law, from its source: a quadratic through (0, 0), (1, 1), -3 dB at the centre."""
    scale = 2.0 - 4.0 * 10 ** (-3 / 20)
    return scale * position**2 + (1 - scale) * position


def _ardour_matrix(route: etree._Element, inputs: int) -> Matrix:
    """Gains of the panner: one channel (taken as two alike), balance, or equal-power stereo."""
    controls = {c.get("name"): float(c.get("value")) for c in route.iterfind("Pannable/Controllable")}
    azimuth, width = controls["pan-azimuth"], controls["pan-width"]
    (output,) = (p for p in route.iterfind("Processor") if p.get("type") == "main-outs")
    if inputs == 1:
        return np.diag([ardour_law(1 - azimuth), ardour_law(azimuth)])
    if output.find("PannerShell").get("user-panner"):
        assert azimuth == 0.5
        own, cross = ardour_law(0.5 + width / 2), ardour_law(0.5 - width / 2)
        return np.array([[own, cross], [cross, own]])
    return np.diag([min(1.0, 2 - 2 * azimuth), min(1.0, 2 * azimuth)])


def _ace_bands(ports: dict[str, float], sample_rate: int) -> tuple[ReadBand, ...]:
    """What ACE EQ plays: where its smoothers stop, its shelves moved back to the cookbook's frequency."""
    tau = 1 - math.exp(-2 * math.pi * 64 * 25 / sample_rate)

    def rest(target: float, stop: float) -> float:
        value = 0.0
        while abs(target - value) >= stop:
            value += tau * (target - value)
        return value

    bands: list[ReadBand] = []
    for slot in ("l", "1", "2", "3", "4", "h"):
        if not ports[f"filtog{slot}"]:
            continue
        freq_hz, gain_db = rest(ports[f"freq{slot}"], 0.1), rest(ports[f"g{slot}"], 0.05)
        a = 10 ** (gain_db / 40)
        shift = {"l": math.sqrt(a), "h": 1 / math.sqrt(a)}.get(slot, 1.0)
        freq_hz = math.atan(math.tan(math.pi * freq_hz / sample_rate) * shift) * sample_rate / math.pi
        q = math.sqrt(0.5)
        if slot.isdigit():
            q = 1 / (2 * math.sinh(math.log(2) / 2 * rest(ports[f"bw{slot}"], 0.001)))
        bands.append(ReadBand({"l": "low_shelf", "h": "high_shelf"}.get(slot, "bell"), freq_hz, gain_db, q))
    return tuple(bands)


READERS: dict[str, Callable[..., dict[str, ReadStrip]]] = {
    "dawproject": read_dawproject,
    "reaper": read_reaper,
    "ardour": read_ardour,
}
