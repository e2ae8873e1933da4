"""The full console that the search begins with: every device at rest, every send silent.

Presets:

- `studio`: what a mixing desk has. Tracks: equalizer, gate, compressor, width (stereo tracks), fader, pan,
  sends; groups of two tracks and more: compressor, fader (what is linear, and what a group of one could have,
  its tracks have); one reverb and one delay as returns; master: equalizer, compressor, limiter,
  fader.
- `paper`: the console of Lee et al. (arXiv 2509.15948): equalizer, compressor, gate, width, fader, pan,
  delay, reverb on every track and every group.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from mix2daw.errors import FormatError
from mix2daw.graph import SEND_LOW_DB, Device, Graph, Send, Strip, relative_source
from mix2daw.processors import PROCESSORS, checked_graph
from mix2daw.session import Session, Track

Allows = Callable[[str, str], bool]  # of a strip's name and a type of device

# A convolution may take the place of the algorithmic reverb, and the other way round.
STAND_INS: Mapping[str, str] = MappingProxyType({"reverb": "convolution"})

# As a device stands on a return: all wet, at unity (JUCE's wet level of 1/3); the sends set the level.
ALL_WET = {
    "reverb": {"wet_level": 1 / 3, "dry_level": 0.0},
    "convolution": {"wet_level": 1.0, "dry_level": 0.0},
    "delay": {"mix": 1.0},
}


@dataclass(frozen=True)
class Preset:
    """Inserts per kind of strip, in order, and the returns every track and group may send to."""

    track: tuple[str, ...]
    group: tuple[str, ...]
    master: tuple[str, ...]
    post: tuple[str, ...] = ()
    returns: tuple[str, ...] = ()
    lone_groups: bool = False  # whether a group of one track has devices of its own


PRESETS: dict[str, Preset] = {
    "studio": Preset(
        track=("equalizer", "gate", "compressor", "width"),
        group=("compressor",),
        master=("equalizer", "compressor", "limiter"),
        returns=("reverb", "delay"),
    ),
    "paper": Preset(
        track=("equalizer", "compressor", "gate", "width"),
        group=("equalizer", "compressor", "gate", "width"),
        master=(),
        post=("delay", "reverb"),
        lone_groups=True,
    ),
}


def preset(name: str) -> Preset:
    """A preset. FormatError for a name that does not exist."""
    if name not in PRESETS:
        raise FormatError(name, "is no preset", f"use one of: {', '.join(PRESETS)}")
    return PRESETS[name]


def unique(name: str, taken: set[str]) -> str:
    """`name`, or `name 2`, `name 3`, … if it is taken; the result is taken from then on."""
    candidate, number = name, 2
    while candidate in taken:
        candidate, number = f"{name} {number}", number + 1
    taken.add(candidate)
    return candidate


def return_device(
    type_: str, values: Mapping[str, float] | None = None, impulse: str | None = None
) -> Device:
    """A reverb, convolution or delay as it stands on a return, with some other settings."""
    return Device(type=type_, values={**(values or {}), **ALL_WET[type_]}, impulse=impulse)


def cut_down(graph: Graph, allows: Allows, instead: Mapping[str, str] = MappingProxyType({})) -> Graph:
    """The graph with what is allowed: other inserts and sends go, other faders and pans rest, and a return
    without inserts goes with what is sent to it. `instead`: types that stay on returns if another one, which
    may take their place, is allowed."""

    def some(strip: Strip, devices: tuple[Device, ...]) -> tuple[Device, ...]:
        def stays(type_: str) -> bool:
            other = instead.get(type_) if strip.kind == "return" else None
            return allows(strip.name, type_) or (other is not None and allows(strip.name, other))

        return tuple(device for device in devices if stays(device.type))

    strips = [
        strip.model_copy(
            update={
                "devices": some(strip, strip.devices),
                "post_devices": some(strip, strip.post_devices),
                "sends": strip.sends if allows(strip.name, "send") else (),
                "fader_db": strip.fader_db if allows(strip.name, "fader") else 0.0,
                "pan": strip.pan if allows(strip.name, "pan") else 0.0,
            }
        )
        for strip in graph.strips
    ]
    idle = {
        new.name
        for old, new in zip(graph.strips, strips, strict=True)
        if new.kind == "return" and old.all_devices() and not new.all_devices()
    }
    kept = [
        s.model_copy(update={"sends": tuple(send for send in s.sends if send.target not in idle)})
        for s in strips
        if s.name not in idle
    ]
    return Graph.model_validate({**dict(graph), "strips": tuple(kept)})


def build_console(session: Session, chosen: Preset, folder: Path) -> Graph:
    """The console of a session; sources are written relative to `folder`, where graph.json will be."""
    taken = {track.name for track in (*session.tracks, *session.muted)}
    master_name = unique("master", taken)
    groups = {name: unique(name, taken) for name in session.groups}
    returns = {type_: unique(type_, taken) for type_ in chosen.returns}
    sends = tuple(Send(target=name, level_db=SEND_LOW_DB) for name in returns.values())

    def devices(types: tuple[str, ...]) -> tuple[Device, ...]:
        return tuple(Device(type=type_) for type_ in types)

    def full(track: Track) -> Strip:
        wide = track.audio.channels == 2
        return track_strip(track, folder, groups.get(track.group or "", master_name)).model_copy(
            update={
                "devices": devices(tuple(t for t in chosen.track if wide or t != "width")),
                "post_devices": devices(chosen.post),
                "sends": sends,
            }
        )

    strips: list[Strip] = []
    for group, name in groups.items():
        members = [track for track in session.tracks if track.group == group]
        live = len(members) > 1 or chosen.lone_groups
        strips.append(
            Strip(
                name=name,
                kind="group",
                devices=devices(chosen.group) if live else (),
                post_devices=devices(chosen.post) if live else (),
                output=master_name,
            )
        )
        strips += [full(track) for track in members]
    strips += [full(track) for track in session.tracks if track.group not in groups]
    strips += [
        Strip(name=name, kind="return", devices=(return_device(type_),), output=master_name)
        for type_, name in returns.items()
    ]
    strips.append(Strip(name=master_name, kind="master", devices=devices(chosen.master)))
    graph = Graph(
        sample_rate=session.sample_rate,
        length_samples=session.mix.shape[1],
        mix=relative_source(session.mix_path, folder),
        strips=tuple(strips),
    )
    return checked_graph(graph, PROCESSORS)


def track_strip(track: Track, folder: Path, output: str) -> Strip:
    """A track at rest; its source is written relative to `folder`."""
    channels: Literal[1, 2] = 1 if track.audio.channels == 1 else 2
    return Strip(
        name=track.name,
        kind="track",
        source=relative_source(track.path, folder),
        source_sha256=track.sha256,
        channels=channels,
        offset_samples=track.offset_samples,
        polarity="inverted" if track.inverted else "normal",
        stretch_ppm=track.stretch_ppm,
        output=output,
    )


def muted_strips(session: Session, console: Graph, folder: Path) -> tuple[Strip, ...]:
    """The muted tracks of a session, beside the others of their groups on its console."""
    place = {track.group: console.strip(track.name).output for track in session.tracks}
    return tuple(
        track_strip(track, folder, place.get(track.group) or console.master.name).model_copy(
            update={"muted": True}
        )
        for track in session.muted
    )


def with_strips(graph: Graph, tracks: Sequence[Strip]) -> Graph:
    """The graph with some more tracks, behind those that feed the same strip. One whose output the graph does
    not have as a group feeds the master; a send to a return that is not there goes."""
    strips, kinds = list(graph.strips), {strip.name: strip.kind for strip in graph.strips}
    for track in tracks:
        output = track.output if kinds.get(str(track.output)) == "group" else graph.master.name
        sends = tuple(send for send in track.sends if kinds.get(send.target) == "return")
        beside = [
            index
            for index, strip in enumerate(strips)
            if (strip.kind == "track" and strip.output == output)
            or (strip.kind == "group" and strip.name == output)
        ]
        where = max(beside) + 1 if beside else 0
        strips.insert(where, track.model_copy(update={"output": output, "sends": sends}))
    return Graph.model_validate({**dict(graph), "strips": tuple(strips)})
