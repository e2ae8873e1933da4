"""DAWproject 1.0: one ZIP with project.xml, metadata.xml and the audio.

Faders, balances, nested groups, sends and generic devices (Equalizer, Compressor, NoiseGate, Limiter) are
native; the rest is printed. The order of elements is that of the official schema (Project.xsd). The format
names no pan law, no shape of shelves and no detector of dynamics, so those are listed as approximate.
"""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

from lxml import etree

from mix2daw.errors import OutputError
from mix2daw.exporters import Exporter, Lost
from mix2daw.exporters.bands import BUTTERWORTH_Q, active_bands
from mix2daw.exporters.generic import Ids, add_device, flag, real
from mix2daw.exporters.layout import MASTER_NAME, lay_out
from mix2daw.exporters.plan import Channel, Plan
from mix2daw.graph import Graph, Strip

FILE_NAME = "mix2daw.dawproject"
TEMPO_BPM = 120.0
VOLUME_MAX_LIN, SEND_MAX_LIN = 2.0, 1.0
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_ROLES = {"track": "regular", "group": "submix", "return": "effect", "master": "master"}
_HELD = ("equalizer", "compressor", "gate", "limiter")
_DYNAMICS_REASON = (
    "the generic device has no detector or knee in its definition, and every host plays its own; times are "
    "written as time constants, the set times / 2 pi"
)


def write(graph: Graph, graph_folder: Path, folder: Path) -> list[Lost]:
    """Write `mix2daw.dawproject` into `folder`.

    `graph`: devices complete; its sources are relative to `graph_folder`. Raises InputError for a source that
    cannot be read, OutputError if the file cannot be written.
    """
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        media = Path(temporary)
        plan, losses = lay_out(graph, graph_folder, media, refuse)
        _write_zip(folder / FILE_NAME, _project(plan), media)
    return losses + [entry for channel in plan.channels for entry in _approximate(channel, plan.sample_rate)]


def refuse(strip: Strip, index: int, sample_rate: int) -> str | None:
    """Why the generic devices do not hold an insert; None if they do."""
    device = strip.devices[index]
    if device.type not in _HELD:
        return f"DAWproject has no {device.type}"
    if device.type == "equalizer":
        slopes = {band.slope_db for band in active_bands(device.values, sample_rate) if band.is_filter}
        if 6 in slopes:
            return "a DAWproject equalizer has no filters of 6 dB an octave"
    return None


def _approximate(channel: Channel, sample_rate: int) -> list[Lost]:
    """What a host will play nearly, but not exactly, as the graph."""
    strip = channel.strip
    found: list[Lost] = []
    for device in strip.devices:
        if device.type != "equalizer":
            found.append(Lost(strip.name, device.type, "approximate", _DYNAMICS_REASON))
        elif any(
            "shelf" in band.kind and abs(band.q - BUTTERWORTH_Q) > 1e-3
            for band in active_bands(device.values, sample_rate)
        ):
            reason = "DAWproject does not define the Q of a shelf; at 0.7071 all conventions agree"
            found.append(Lost(strip.name, device.type, "approximate", reason))
    if strip.pan != 0:
        reason = "DAWproject names no pan law; the host applies its own (the graph: balance, 0 dB)"
        found.append(Lost(strip.name, "pan", "approximate", reason))
    if _linear(strip.fader_db) > VOLUME_MAX_LIN:
        found.append(Lost(strip.name, "fader", "approximate", "above +6 dB, where a host may stop"))
    found += [
        Lost(strip.name, f"send to {send.target}", "approximate", "above 0 dB, where a host may stop")
        for send in strip.sends
        if _linear(send.level_db) > SEND_MAX_LIN
    ]
    return found


def _linear(level_db: float) -> float:
    return float(10 ** (level_db / 20))


def _project(plan: Plan) -> etree._Element:
    """project.xml. Ids are handed out in the order of the channels: the same plan, the same bytes."""
    ids = Ids()
    tracks = {channel.name: ids.next() for channel in plan.channels}
    channels = {channel.name: ids.next() for channel in plan.channels}
    root = etree.Element("Project", {"version": "1.0"})
    etree.SubElement(root, "Application", {"name": "mix2daw", "version": "0.1"})
    transport = etree.SubElement(root, "Transport")
    real(transport, "Tempo", TEMPO_BPM, "bpm", name="Tempo", ident=ids.next())
    etree.SubElement(transport, "TimeSignature", {"denominator": "4", "numerator": "4", "id": ids.next()})
    structure = etree.SubElement(root, "Structure")
    elements: dict[str, etree._Element] = {plan.master.name: structure}
    for channel, _ in plan.tree():
        parent = elements[str(channel.strip.output)]
        elements[channel.name] = _track(parent, channel, plan, ids, tracks, channels)
    _track(structure, plan.master, plan, ids, tracks, channels)
    arrangement = etree.SubElement(root, "Arrangement", {"id": ids.next()})
    lanes = etree.SubElement(arrangement, "Lanes", {"timeUnit": "seconds", "id": ids.next()})
    for channel, _ in plan.tree():
        _clips(lanes, channel, plan, ids, tracks)
    etree.SubElement(root, "Scenes")
    return root


def _track(
    parent: etree._Element,
    channel: Channel,
    plan: Plan,
    ids: Ids,
    tracks: dict[str, str],
    channels: dict[str, str],
) -> etree._Element:
    strip = channel.strip
    is_master = strip.kind == "master"
    attributes = {
        "contentType": "tracks" if strip.kind == "group" else "audio",
        "loaded": "true",
        "id": tracks[channel.name],
        "name": MASTER_NAME if is_master else channel.name,
        "comment": channel.comment,
    }
    track = etree.SubElement(parent, "Track", attributes)
    attributes = {
        "audioChannels": "2",
        "role": _ROLES[strip.kind],
        "solo": "false",
        "id": channels[channel.name],
    }
    if strip.output is not None:
        attributes["destination"] = channels[strip.output]
    element = etree.SubElement(track, "Channel", attributes)
    if strip.devices:
        devices = etree.SubElement(element, "Devices")
        for device in strip.devices:
            add_device(devices, device, plan.sample_rate, ids)
    flag(element, "Mute", channel.muted, name="Mute", ident=ids.next())
    pan = (strip.pan + 1) / 2
    real(element, "Pan", pan, "normalized", low=0, high=1, name="Pan", ident=ids.next())
    if strip.sends:
        sends = etree.SubElement(element, "Sends")
        for send in strip.sends:
            attributes = {"destination": channels[send.target], "type": send.tap, "id": ids.next()}
            level, ident = _linear(send.level_db), ids.next()
            child = etree.SubElement(sends, "Send", attributes)
            real(child, "Volume", level, "linear", 0, max(SEND_MAX_LIN, level), "Send", ident)
    volume, ident = _linear(strip.fader_db), ids.next()
    real(element, "Volume", volume, "linear", 0, max(VOLUME_MAX_LIN, volume), "Volume", ident)
    return track


def _clips(lanes: etree._Element, channel: Channel, plan: Plan, ids: Ids, tracks: dict[str, str]) -> None:
    """The clip of a track: unwarped audio in seconds, so that no tempo moves it."""
    clip = channel.clip
    if clip is None:
        return
    attributes = {"timeUnit": "seconds", "track": tracks[channel.name], "id": ids.next()}
    lane = etree.SubElement(lanes, "Lanes", attributes)
    clips = etree.SubElement(lane, "Clips", {"id": ids.next()})
    attributes = {
        "time": repr(plan.seconds(clip.position_samples)),
        "duration": repr(plan.seconds(clip.length_samples)),
        "contentTimeUnit": "seconds",
        "playStart": repr(plan.seconds(clip.start_samples)),
        "fadeTimeUnit": "seconds",
        "fadeInTime": "0.0",
        "fadeOutTime": "0.0",
        "name": channel.name,
    }
    element = etree.SubElement(clips, "Clip", attributes)
    attributes = {
        "algorithm": "raw",
        "channels": str(clip.channels),
        "sampleRate": str(plan.sample_rate),
        "duration": repr(plan.seconds(clip.samples)),
        "id": ids.next(),
    }
    audio = etree.SubElement(element, "Audio", attributes)
    etree.SubElement(audio, "File", {"path": f"audio/{clip.file}", "external": "false"})


def _write_zip(path: Path, project: etree._Element, media: Path) -> None:
    """The archive: fixed order, times and attributes. Written to a seekable file, so that the CRC of each
    entry is in its local header, which some readers need."""
    metadata = etree.Element("MetaData")
    etree.SubElement(metadata, "Title").text = "mix2daw"
    etree.SubElement(metadata, "Comment").text = "Reconstructed mix. Settings are in the track comments."
    try:
        with zipfile.ZipFile(path, "w") as archive:
            for name, root in (("project.xml", project), ("metadata.xml", metadata)):
                xml = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
                archive.writestr(_entry(name, zipfile.ZIP_DEFLATED), xml)
            for file in sorted(media.iterdir()):
                entry = _entry(f"audio/{file.name}", zipfile.ZIP_STORED)
                entry.file_size = file.stat().st_size
                with file.open("rb") as source, archive.open(entry, "w") as target:
                    while block := source.read(1 << 20):
                        target.write(block)
    except OSError as error:
        raise OutputError(
            path, f"cannot be written ({error.strerror})", "check the folder and free space"
        ) from None


def _entry(name: str, method: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _ZIP_TIME)
    entry.compress_type = method
    entry.create_system = 3
    entry.external_attr = 0o644 << 16
    return entry


EXPORTER = Exporter(
    name="dawproject",
    suffix=".dawproject",
    summary="DAWproject 1.0 (Bitwig, Studio One, Cubase 14): faders, groups, sends, generic devices",
    holds=frozenset(("fader", "pan", "group", "send", "return", *_HELD)),
    write=write,
)
