"""The .rpp of a session: a tree of lists, written with the `rpp` package."""

from __future__ import annotations

import functools
import uuid
from dataclasses import dataclass, replace
from pathlib import Path

import rpp

from mix2daw.errors import OutputError
from mix2daw.exporters import Lost
from mix2daw.exporters.colors import colors
from mix2daw.exporters.layout import MASTER_NAME, lay_out
from mix2daw.exporters.plan import Channel, Plan
from mix2daw.exporters.reaper import effects, native
from mix2daw.exporters.reaper.effects import number_text
from mix2daw.exporters.reaper.impulses import MEMORY_ITEMS, memory_items, read_impulses
from mix2daw.exporters.renaming import session_names
from mix2daw.graph import Device, Graph, Strip

FILE_NAME = "mix2daw.rpp"
MEDIA_FOLDER = "media"
BALANCE = "3"
LINEAR_TAPER = "2"
POST_FADER, PRE_FADER_POST_FX = "0", "3"
_GUIDS = uuid.UUID("6d697832-6461-4777-8000-000000000000")
# A fade of length zero; without the line REAPER gives every item its own of 10 ms.
_NO_FADE = ["1", "0", "0", "1", "0", "0", "0"]


@dataclass(frozen=True)
class Rack:
    """What plays the devices of a project: our effects, or REAPER's own plug-ins where there is one."""

    impulses: effects.Impulses
    native: bool
    sample_rate: int

    def element(self, device: Device) -> rpp.Element:
        """The block of the project that plays a device."""
        made = native.element(device, self.sample_rate) if self.native else None
        if made is not None:
            return made
        name = effects.project_name(device, self.impulses)
        return rpp.Element("JS", [name, ""], [effects.values_line(device)])

    def is_ours(self, device: Device) -> bool:
        """Whether an effect of ours plays a device."""
        return not self.native or native.plugin(device, self.sample_rate) is None

    def notes(self, strip: Strip) -> list[str]:
        """What REAPER's plug-ins play nearly."""
        found = (native.note(device, self.sample_rate) for device in strip.devices if self.native)
        return [line for line in found if line]


def write(graph: Graph, graph_folder: Path, folder: Path, native_devices: bool = False) -> list[Lost]:
    """Write `mix2daw.rpp`, `media/` and the effects into `folder`.

    `native_devices`: REAPER's own plug-ins play what they can, nearly. `graph`: devices complete; its sources
    are relative to `graph_folder`. Raises InputError for a source that cannot be read, OutputError if a file
    cannot be written.
    """
    media = folder / MEDIA_FOLDER
    path = folder / FILE_NAME
    try:
        media.mkdir(exist_ok=True)
        rack = Rack(read_impulses(graph, graph_folder), native_devices, graph.sample_rate)
        refusal = functools.partial(refuse, impulses=rack.impulses)
        plan, losses = lay_out(
            graph, graph_folder, media, refusal, blends=True, fader_inserts=True, polarity=True
        )
        devices = [device for channel in plan.channels for device in channel.strip.devices]
        effects.install(folder, filter(rack.is_ours, devices), rack.impulses, graph.sample_rate)
        path.write_text(rpp.dumps(project(plan, rack)), encoding="utf-8", newline="\n")
    except OSError as error:
        raise OutputError(path, f"cannot be written ({error})", "check the folder and free space") from None
    if not native_devices:
        return losses
    given = {new: old for old, new in session_names(graph, reserved=(MASTER_NAME,)).items()}
    for channel in plan.channels:
        strip = given.get(channel.name, channel.name)
        entries = native.approximate(channel.strip, graph.sample_rate)
        losses += [replace(entry, strip=strip) for entry in entries]
    return losses


def refuse(strip: Strip, index: int, sample_rate: int, impulses: effects.Impulses) -> str | None:
    """Why no effect plays an insert exactly; None if one does."""
    device = strip.devices[index]
    if device.type not in effects.TYPES:
        return f"no effect here plays a {device.type}"
    if device.impulse is not None and memory_items(impulses[device.impulse], sample_rate) > MEMORY_ITEMS:
        return "its impulse response is longer than an effect of REAPER has memory for"
    return None


def project(plan: Plan, rack: Rack) -> rpp.Element:
    """The whole project. Folders are parents followed by their children; sends are kept by the receivers."""
    order = [channel for channel, _ in plan.tree()]
    closes = _folder_ends(plan)
    numbers = {channel.name: number for number, channel in enumerate(order)}
    known = colors(plan)
    master = plan.master.strip
    root = rpp.Element("REAPER_PROJECT", ["0.1", "7.0", "0"])
    root.extend(
        [
            rpp.Element("NOTES", ["0", "2"], [f"|{line}" for line in _notes(plan, rack)]),
            ["PANLAW", "1"],
            ["PANMODE", BALANCE],
            ["PANLAWFLAGS", LINEAR_TAPER],
            ["SAMPLERATE", str(plan.sample_rate), "1", "0"],
            ["TEMPO", "120", "4", "4"],
            ["MASTER_NCH", "2", "2"],
            ["MASTER_VOLUME", *_volume_pan(master)],
            ["MASTER_PANMODE", BALANCE],
            ["MASTER_PANLAWFLAGS", LINEAR_TAPER],
            ["MASTER_FX", "1"],
        ]
    )
    if chain := _effects("MASTERFXLIST", plan.master, rack):
        root.append(chain)
    tempo = [["ACT", "1", "-1"], ["VIS", "1", "0", "1"], ["LANEHEIGHT", "0", "0"], ["ARM", "0"]]
    root.append(rpp.Element("TEMPOENVEX", [], [*tempo, ["DEFSHAPE", "1", "-1", "-1"]]))
    for channel in order:
        receives = [
            _receive(numbers[sender.name], send.level_db, send.tap)
            for sender in order
            for send in sender.strip.sends
            if send.target == channel.name
        ]
        track = _track(channel, plan, rack, closes[channel.name], receives)
        if channel.name in known:
            track.insert(1, ["PEAKCOL", _color(known[channel.name])])
        root.append(track)
    return root


def _folder_ends(plan: Plan) -> dict[str, int]:
    """For every channel, how many folders end with it; -1 for a channel that opens a folder."""
    flat = list(plan.tree())
    ends: dict[str, int] = {}
    for at, (channel, depth) in enumerate(flat):
        following = flat[at + 1][1] if at + 1 < len(flat) else 0
        ends[channel.name] = -1 if following > depth else depth - following
    return ends


def _track(channel: Channel, plan: Plan, rack: Rack, closes: int, receives: list[list[str]]) -> rpp.Element:
    strip = channel.strip
    folder = ["1", "1"] if closes < 0 else ["2", str(-closes)] if closes else ["0", "0"]
    track = rpp.Element("TRACK", [_guid("track", channel.name)])
    track.extend(
        [
            ["NAME", channel.name],
            ["PANLAWFLAGS", LINEAR_TAPER],
            ["VOLPAN", *_volume_pan(strip)],
            ["MUTESOLO", "1" if channel.muted else "0", "0", "0"],
            ["ISBUS", *folder],
            ["PANMODE", BALANCE],
            ["NCHAN", "2"],
            ["FX", "1"],
            ["TRACKID", _guid("track", channel.name)],
            ["MAINSEND", "1", "0"],
            *receives,
        ]
    )
    if chain := _effects("FXCHAIN", channel, rack):
        track.append(chain)
    if channel.clip:
        track.append(_item(channel, plan))
    return track


def _item(channel: Channel, plan: Plan) -> rpp.Element:
    clip = channel.clip
    assert clip is not None
    file = f"{MEDIA_FOLDER}/{clip.file}"
    take_lin = "-1" if channel.strip.polarity == "inverted" else "1"  # below 0: the take is turned over
    return rpp.Element(
        "ITEM",
        [],
        [
            ["POSITION", number_text(plan.seconds(clip.position_samples))],
            ["LENGTH", number_text(plan.seconds(clip.length_samples))],
            ["LOOP", "0"],
            ["FADEIN", *_NO_FADE],
            ["FADEOUT", *_NO_FADE],
            ["IGUID", _guid("item", channel.name)],
            ["NAME", channel.name],
            ["VOLPAN", "1", "0", take_lin, "-1"],
            ["SOFFS", number_text(plan.seconds(clip.start_samples))],
            ["PLAYRATE", "1", "1", "0", "-1", "0", "0.0025"],
            rpp.Element("SOURCE", ["WAVE"], [["FILE", file]]),
        ],
    )


def _receive(source: int, level_db: float, tap: str) -> list[str]:
    mode = POST_FADER if tap == "post" else PRE_FADER_POST_FX
    level = number_text(10 ** (level_db / 20))
    return ["AUXRECV", str(source), mode, level, "0", "0", "0", "0", "0", "0", "-1", "0", "-1"]


def _effects(tag: str, channel: Channel, rack: Rack) -> rpp.Element | None:
    """The effects of a channel, None if it has none."""
    if not channel.strip.devices:
        return None
    chain = rpp.Element(tag, [], [["SHOW", "0"], ["LASTSEL", "0"], ["DOCKED", "0"]])
    for index, device in enumerate(channel.strip.devices):
        chain.extend(
            [
                ["BYPASS", "0", "0", "0"],
                rack.element(device),
                ["FLOATPOS", "0", "0", "0", "0"],
                ["FXID", _guid(f"effect {index}", channel.name)],
                ["WAK", "0", "0"],
            ]
        )
    return chain


def _volume_pan(strip: Strip) -> list[str]:
    """Volume (linear), pan, pan law (-1: the project's), and the fields of width, which is not used."""
    level = 10 ** (strip.fader_db / 20)
    return [number_text(level), number_text(strip.pan), "-1", "-1", "1"]


def _color(rgb: int) -> str:
    """0xRRGGBB as a project has it: 0xBBGGRR, with the bit that says that it counts."""
    red, green, blue = rgb.to_bytes(3, "big")
    return str(1 << 24 | blue << 16 | green << 8 | red)


def _notes(plan: Plan, rack: Rack) -> list[str]:
    """Settings of every channel in words, for the notes of the project."""
    lines: list[str] = []
    for channel in plan.channels:
        told = [*channel.comment.splitlines(), *rack.notes(channel.strip)]
        lines += [channel.name, *(f"  {line}" for line in told)]
    return lines


def _guid(kind: str, name: str) -> str:
    return "{" + str(uuid.uuid5(_GUIDS, f"{kind} {name}")).upper() + "}"
