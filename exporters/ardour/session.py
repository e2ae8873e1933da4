"""The session file of Ardour and the folder around it.

Positions are in superclock ticks, 282240000 a second: `a<ticks>` is a position, `a<length>@a<position>` a
length. The XML is the smallest that Ardour 7.3 loads without a complaint; newer versions read it as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from mix2daw.errors import FormatError, OutputError
from mix2daw.exporters import Lost
from mix2daw.exporters.ardour import devices
from mix2daw.exporters.ardour.impulses import Place, write_impulses
from mix2daw.exporters.ardour.route import SESSION_VERSION, Ids, Route, route_element
from mix2daw.exporters.colors import colors
from mix2daw.exporters.layout import MASTER_NAME, lay_out
from mix2daw.exporters.media import Clip
from mix2daw.exporters.names import cut, unique
from mix2daw.exporters.plan import Channel, Plan
from mix2daw.graph import Graph, Strip

NAME = "mix2daw"
SUPERCLOCK_HZ = 282240000
# Names that Ardour keeps for itself. A colon would split the name of a port.
_TAKEN = (MASTER_NAME, "Monitor", "auditioner", "Click", "LTC-Out", "LTC-In", "MTC", "MIDI Clock")
# JACK has 256 bytes for a port with the names of its route and of the program.
_LONGEST_ROUTE_NAME_BYTES = 200
_NOT_IN_ROUTE_NAMES = str.maketrans({":": "-", "/": "-", "\\": "-"})


@dataclass(frozen=True)
class Written:
    """A session that was written. `folder`: of the session itself; `root`: its XML; `routes`: by the names of
    the plan."""

    folder: Path
    root: etree._Element
    routes: Mapping[str, Route]
    lost: list[Lost]


def write(graph: Graph, graph_folder: Path, folder: Path) -> list[Lost]:
    """Write `mix2daw/mix2daw.ardour`, its media and impulse responses into `folder`; as `write_session`."""
    return write_session(graph, graph_folder, folder).lost


def write_session(graph: Graph, graph_folder: Path, folder: Path) -> Written:
    """Write a session into `folder` and return what was written.

    `graph`: devices complete; its sources are relative to `graph_folder`. Raises FormatError for a sample
    rate that does not divide Ardour's clock, InputError for a source that cannot be read, OutputError if a
    file cannot be written.
    """
    if SUPERCLOCK_HZ % graph.sample_rate:
        raise FormatError(
            "ardour",
            f"cannot hold a sample rate of {graph.sample_rate} Hz",
            "convert the stems to 44100 or 48000",
        )
    path = folder / NAME / f"{NAME}.ardour"
    media = folder / NAME / "interchange" / NAME / "audiofiles"
    try:
        media.mkdir(parents=True, exist_ok=True)
        plan, losses = lay_out(
            graph, graph_folder, media, refuse, blends=True, post_inserts=True, polarity=True
        )
        impulses = write_impulses(plan, graph_folder, path.parent)
        ids = Ids()
        routes = _routes(plan, impulses, ids)
        root = _session(plan, routes, ids)
        write_xml(root, path)
    except OSError as error:
        raise OutputError(path, f"cannot be written ({error})", "check the folder and free space") from None
    return Written(path.parent, root, routes, losses)


def write_xml(root: etree._Element, path: Path) -> None:
    """Write the XML of a session. Raises OSError."""
    path.write_bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def refuse(strip: Strip, index: int, sample_rate: int) -> str | None:
    """Why a session plays an insert not exactly; None if it does."""
    del sample_rate
    device = strip.all_devices()[index]
    return None if device.type in devices.TYPES else f"no device here plays a {device.type}"


def _session(plan: Plan, routes: Mapping[str, Route], ids: Ids) -> etree._Element:
    """The whole session. Ids are handed out in the order of the channels: the same plan, the same bytes."""
    root = etree.Element(
        "Session", {"version": SESSION_VERSION, "name": NAME, "sample-rate": str(plan.sample_rate)}
    )
    etree.SubElement(root, "ProgramVersion", {"created-with": "mix2daw", "modified-with": "mix2daw"})
    config = etree.SubElement(root, "Config")
    etree.SubElement(config, "Option", {"name": "native-file-data-format", "value": "FormatFloat"})
    etree.SubElement(root, "Metadata")
    sections = {tag: etree.SubElement(root, tag) for tag in ("Sources", "Regions")}
    locations = etree.SubElement(root, "Locations")
    end = _ticks(plan.length_samples, plan.sample_rate)
    etree.SubElement(
        locations,
        "Location",
        {
            "id": ids.next(),
            "name": "session",
            "start": "a0",
            "end": end,
            "flags": "IsSessionRange",
            "locked": "0",
        },
    )
    etree.SubElement(root, "Bundles")
    sections |= {tag: etree.SubElement(root, tag) for tag in ("Routes", "Playlists")}
    etree.SubElement(root, "UnusedPlaylists")
    etree.SubElement(root, "RouteGroups")
    for route in routes.values():
        sections["Routes"].append(route_element(route, routes, ids))
        if route.channel.strip.kind == "track":
            _playlist(sections, route, ids)
    _tempo_map(root)
    _click(root, ids)
    for key, value in {
        "id-counter": ids.last + 1,
        "name-counter": 1,
        "event-counter": 0,
        "vca-counter": 1,
    }.items():
        root.set(key, str(value))
    return root


def _routes(plan: Plan, impulses: Mapping[Place, str], ids: Ids) -> dict[str, Route]:
    """Routes by the names of the plan: the master first, then parents before their inputs."""
    known = colors(plan)
    order = [plan.master, *(channel for channel, _ in plan.tree())]
    routes: dict[str, Route] = {}
    for number, channel in enumerate(order):
        name = _route_name(channel, (route.name for route in routes.values()))
        own = {index: impulse for (strip, index), impulse in impulses.items() if strip == channel.name}
        color = known[channel.name] << 8 | 0xFF if channel.name in known else 0
        routes[channel.name] = Route(
            channel, name, ids.next(), ids.next(), number, plan.sample_rate, color, own
        )
    return routes


def _route_name(channel: Channel, taken: Iterable[str]) -> str:
    if channel.strip.kind == "master":
        return MASTER_NAME
    short = cut(channel.name.translate(_NOT_IN_ROUTE_NAMES), _LONGEST_ROUTE_NAME_BYTES).rstrip()
    return unique(short, (*_TAKEN, *taken))


def _playlist(sections: dict[str, etree._Element], route: Route, ids: Ids) -> None:
    """The playlist of a track: empty where no sample of its source lies inside the session."""
    attributes = {
        "id": route.playlist,
        "name": route.name,
        "type": "audio",
        "orig-track-id": route.ident,
    }
    playlist = etree.SubElement(sections["Playlists"], "Playlist", attributes)
    if route.channel.clip is not None:
        _region(sections, playlist, route, route.channel.clip, ids)


def _region(
    sections: dict[str, etree._Element], playlist: etree._Element, route: Route, clip: Clip, ids: Ids
) -> None:
    """Sources (one a channel), the whole file as a region, and the clip as a region of the playlist."""
    rate = route.sample_rate
    sources: dict[str, str] = {}
    for number in range(clip.channels):
        ident = ids.next()
        attributes = {
            "name": clip.file,
            "type": "audio",
            "flags": "",
            "id": ident,
            "channel": str(number),
            "origin": "",
        }
        etree.SubElement(sections["Sources"], "Source", attributes)
        sources |= {f"source-{number}": ident, f"master-source-{number}": ident}
    shared = {
        "type": "audio",
        "channels": str(clip.channels),
        **sources,
        "opaque": "1",
        "fade-in-active": "0",
        "fade-out-active": "0",
        "envelope-active": "0",
        "scale-amplitude": "1",
    }
    whole = {
        "name": route.name,
        "id": ids.next(),
        "whole-file": "1",
        "automatic": "1",
        "start": "a0",
        "length": f"{_ticks(clip.samples, rate)}@a0",
    }
    etree.SubElement(sections["Regions"], "Region", whole | shared)
    position = _ticks(clip.position_samples, rate)
    placed = {
        "name": f"{route.name}.1",
        "id": ids.next(),
        "whole-file": "0",
        "start": _ticks(clip.start_samples, rate),
        "length": f"{_ticks(clip.length_samples, rate)}@{position}",
    }
    etree.SubElement(playlist, "Region", placed | shared)


def _tempo_map(root: etree._Element) -> None:
    attributes = {"superclocks-per-second": str(SUPERCLOCK_HZ)}
    tempo_map = etree.SubElement(root, "TempoMap", attributes)
    at_start = {"sclock": "0", "quarters": "0:0", "bbt": "1|1|0"}
    tempo = {"npm": "120", "enpm": "120", "note-type": "4", "type": "Constant", "active": "1"}
    more = {"locked-to-meter": "0", "continuing": "0", "omega": "0"}
    etree.SubElement(etree.SubElement(tempo_map, "Tempos"), "Tempo", tempo | more | at_start)
    meter = {"note-value": "4", "divisions-per-bar": "4"}
    etree.SubElement(etree.SubElement(tempo_map, "Meters"), "Meter", meter | at_start)
    etree.SubElement(tempo_map, "MusicTimes")


def _click(root: etree._Element, ids: Ids) -> None:
    """The metronome's output, off; without it Ardour warns."""
    click = etree.SubElement(root, "Click")
    attributes = {"name": "Click", "id": ids.next(), "direction": "Output", "default-type": "audio"}
    output = etree.SubElement(click, "IO", attributes)
    for number in (1, 2):
        port = etree.SubElement(output, "Port", {"type": "audio", "name": f"Click/audio_out {number}"})
        etree.SubElement(port, "Connection", {"other": f"system:playback_{number}"})
    amp = {"id": ids.next(), "name": "Amp", "active": "1", "type": "amp"}
    control = {"name": "gaincontrol", "id": ids.next(), "flags": "GainLike", "value": "1"}
    etree.SubElement(etree.SubElement(click, "Processor", amp), "Controllable", control)


def _ticks(samples: int, sample_rate: int) -> str:
    return f"a{samples * (SUPERCLOCK_HZ // sample_rate)}"
