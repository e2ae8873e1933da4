"""The .rpp of a session: a tree of lists, written with the `rpp` package."""

from __future__ import annotations

import uuid
from pathlib import Path

import rpp

from mix2daw.errors import OutputError
from mix2daw.exporters import Lost
from mix2daw.exporters.layout import lay_out
from mix2daw.exporters.plan import Channel, Plan
from mix2daw.exporters.reaper import effects
from mix2daw.exporters.reaper.effects import number_text
from mix2daw.graph import Graph, Strip

FILE_NAME = "mix2daw.rpp"
MEDIA_FOLDER = "media"
BALANCE = "3"
LINEAR_TAPER = "2"
POST_FADER, PRE_FADER_POST_FX = "0", "3"
_GUIDS = uuid.UUID("6d697832-6461-4777-8000-000000000000")
# A fade of length zero; without the line REAPER gives every item its own of 10 ms.
_NO_FADE = ["1", "0", "0", "1", "0", "0", "0"]


def write(graph: Graph, graph_folder: Path, folder: Path) -> list[Lost]:
    """Write `mix2daw.rpp`, `media/` and the effects into `folder`.

    `graph`: devices complete; its sources are relative to `graph_folder`. Raises InputError for a source that
    cannot be read, OutputError if a file cannot be written.
    """
    media = folder / MEDIA_FOLDER
    path = folder / FILE_NAME
    try:
        media.mkdir(exist_ok=True)
        plan, losses = lay_out(graph, graph_folder, media, refuse, blends=True, fader_inserts=True)
        effects.install(folder, (d.type for channel in plan.channels for d in channel.strip.devices))
        path.write_text(rpp.dumps(project(plan)), encoding="utf-8", newline="\n")
    except OSError as error:
        raise OutputError(path, f"cannot be written ({error})", "check the folder and free space") from None
    return losses


def refuse(strip: Strip, index: int, sample_rate: int) -> str | None:
    """Why no effect plays an insert exactly; None if one does."""
    del sample_rate
    device = strip.devices[index]
    return None if device.type in effects.TYPES else f"no effect here plays a {device.type}"


def project(plan: Plan) -> rpp.Element:
    """The whole project. Folders are parents followed by their children; sends are kept by the receivers."""
    order = [channel for channel, _ in plan.tree()]
    closes = _folder_ends(plan)
    numbers = {channel.name: number for number, channel in enumerate(order)}
    master = plan.master.strip
    root = rpp.Element("REAPER_PROJECT", ["0.1", "7.0", "0"])
    root.extend(
        [
            rpp.Element("NOTES", ["0", "2"], [f"|{line}" for line in _notes(plan)]),
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
    if chain := _effects("MASTERFXLIST", plan.master):
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
        root.append(_track(channel, plan, closes[channel.name], receives))
    return root


def _folder_ends(plan: Plan) -> dict[str, int]:
    """For every channel, how many folders end with it; -1 for a channel that opens a folder."""
    flat = list(plan.tree())
    ends: dict[str, int] = {}
    for at, (channel, depth) in enumerate(flat):
        following = flat[at + 1][1] if at + 1 < len(flat) else 0
        ends[channel.name] = -1 if following > depth else depth - following
    return ends


def _track(channel: Channel, plan: Plan, closes: int, receives: list[list[str]]) -> rpp.Element:
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
    if chain := _effects("FXCHAIN", channel):
        track.append(chain)
    if channel.clip:
        track.append(_item(channel, plan))
    return track


def _item(channel: Channel, plan: Plan) -> rpp.Element:
    clip = channel.clip
    assert clip is not None
    file = f"{MEDIA_FOLDER}/{clip.file}"
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
            ["VOLPAN", "1", "0", "1", "-1"],
            ["SOFFS", number_text(plan.seconds(clip.start_samples))],
            ["PLAYRATE", "1", "1", "0", "-1", "0", "0.0025"],
            rpp.Element("SOURCE", ["WAVE"], [["FILE", file]]),
        ],
    )


def _receive(source: int, level_db: float, tap: str) -> list[str]:
    mode = POST_FADER if tap == "post" else PRE_FADER_POST_FX
    level = number_text(10 ** (level_db / 20))
    return ["AUXRECV", str(source), mode, level, "0", "0", "0", "0", "0", "0", "-1", "0", "-1"]


def _effects(tag: str, channel: Channel) -> rpp.Element | None:
    """The effects of a channel, None if it has none."""
    if not channel.strip.devices:
        return None
    chain = rpp.Element(tag, [], [["SHOW", "0"], ["LASTSEL", "0"], ["DOCKED", "0"]])
    for index, device in enumerate(channel.strip.devices):
        chain.extend(
            [
                ["BYPASS", "0", "0", "0"],
                rpp.Element("JS", [effects.project_name(device.type), ""], [effects.values_line(device)]),
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


def _notes(plan: Plan) -> list[str]:
    """Settings of every channel in words, for the notes of the project."""
    lines: list[str] = []
    for channel in plan.channels:
        lines += [channel.name, *(f"  {line}" for line in channel.comment.splitlines())]
    return lines


def _guid(kind: str, name: str) -> str:
    return "{" + str(uuid.uuid5(_GUIDS, f"{kind} {name}")).upper() + "}"
