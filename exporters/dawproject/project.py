"""project.xml: a plan as tracks, channels and clips.

The order of elements is that of the official schema (Project.xsd).
"""

from __future__ import annotations

from lxml import etree

from mix2daw.exporters.colors import colors
from mix2daw.exporters.dawproject.generic import Ids, add_device, flag, real
from mix2daw.exporters.layout import MASTER_NAME
from mix2daw.exporters.plan import Channel, Plan

TEMPO_BPM = 120.0
VOLUME_MAX_LIN, SEND_MAX_LIN = 2.0, 1.0
_ROLES = {"track": "regular", "group": "submix", "return": "effect", "master": "master"}


def linear(level_db: float) -> float:
    """Amplitude of a level."""
    return float(10 ** (level_db / 20))


def project_xml(plan: Plan, beside: str | None = None) -> etree._Element:
    """project.xml. `beside`: the folder of the media next to the archive; None: they are in it. Ids are
    handed out in the order of the channels: the same plan, the same bytes."""
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
    for name, rgb in colors(plan).items():
        elements[name].set("color", f"#{rgb:06x}")
    arrangement = etree.SubElement(root, "Arrangement", {"id": ids.next()})
    lanes = etree.SubElement(arrangement, "Lanes", {"timeUnit": "seconds", "id": ids.next()})
    for channel, _ in plan.tree():
        _clips(lanes, channel, plan, ids, tracks, beside)
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
            level, ident = linear(send.level_db), ids.next()
            child = etree.SubElement(sends, "Send", attributes)
            real(child, "Volume", level, "linear", 0, max(SEND_MAX_LIN, level), "Send", ident)
    volume, ident = linear(strip.fader_db), ids.next()
    real(element, "Volume", volume, "linear", 0, max(VOLUME_MAX_LIN, volume), "Volume", ident)
    return track


def _clips(
    lanes: etree._Element, channel: Channel, plan: Plan, ids: Ids, tracks: dict[str, str], beside: str | None
) -> None:
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
    path = clip.file if clip.linked else f"{beside or 'audio'}/{clip.file}"
    external = clip.linked or beside is not None
    etree.SubElement(audio, "File", {"path": path, "external": str(external).lower()})
