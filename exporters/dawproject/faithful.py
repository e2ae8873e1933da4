"""The plan of the faithful session: prints that add up to the render with every fader at 0 dB.

Every strip is printed in stereo after everything on it and after the faders and pans that it still runs
through. So groups are folders at rest, returns are tracks, and what the devices of a group or the master
change is a track `NAME (processing)` in that folder. It sounds the same in every host, whatever its pan law.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from mix2daw.exporters.layout import MASTER_NAME, player
from mix2daw.exporters.media import Media
from mix2daw.exporters.names import unique
from mix2daw.exporters.plan import Channel, Plan
from mix2daw.exporters.renaming import renamed, session_names
from mix2daw.exporters.telescope import active, parts
from mix2daw.exporters.words import describe, describe_strip
from mix2daw.graph import Graph, Strip

_AT_REST = {"devices": (), "post_devices": (), "sends": (), "fader_db": 0.0, "pan": 0.0}


def lay_out_faithful(
    graph: Graph, graph_folder: Path, media_folder: Path, editable: Plan, editable_media: Path
) -> Plan:
    """Write the prints into `media_folder` (which exists) and plan their tracks. `editable`: the plan of the
    editable session, whose references are taken over, and where its media lie. Raises as `parts` does."""
    graph = renamed(graph, session_names(graph, reserved=(MASTER_NAME,)))
    media = Media(media_folder, graph.sample_rate)
    references = [channel for channel in editable.channels if channel.is_reference]
    taken = [*(strip.name for strip in graph.strips), *(channel.name for channel in references)]
    channels = {strip.name: _bus(graph, strip) for strip in graph.strips}
    for part in parts(graph, graph_folder):
        is_bus = part.strip.kind in ("group", "master")
        name = unique(part.name, taken) if is_bus else part.name
        taken.append(name)
        signal = (part.signal * part.sides[:, None]).astype(np.float32)
        clip = media.add_print(name, signal)
        output = part.strip.name if is_bus else str(part.strip.output)
        comment = _processing(graph, part.strip) if is_bus else _printed(graph, part.strip)
        printed = Channel(player(name, clip.file, output), clip, part.strip.muted, comment)
        channels[part.strip.name] += (printed,)
    planned = [channel for pair in channels.values() for channel in pair]
    for channel in references:
        if channel.clip is not None and channel.clip.linked:
            planned.append(channel)
        elif channel.clip is not None:
            file = media.add_copy(channel.name, editable_media / channel.clip.file)
            strip = channel.strip.model_copy(update={"source": file})
            planned.append(replace(channel, strip=strip, clip=replace(channel.clip, file=file)))
    return Plan(graph.sample_rate, graph.length_samples, tuple(planned))


def _bus(graph: Graph, strip: Strip) -> tuple[Channel, ...]:
    """A group or the master at rest; of other strips nothing but their prints is left."""
    if strip.kind not in ("group", "master"):
        return ()
    comment = f"at rest: all of this is in the prints\n{describe_strip(strip, graph.sample_rate)}"
    return (Channel(strip.model_copy(update=_AT_REST), None, False, comment),)


def _printed(graph: Graph, strip: Strip) -> str:
    settings = describe_strip(strip, graph.sample_rate)
    return f"printed with all of this and with the faders and pans that it runs through\n{settings}"


def _processing(graph: Graph, strip: Strip) -> str:
    lines = [describe(device, graph.sample_rate) for device in active(graph, strip)]
    return "\n".join([f"what the devices of {strip.name} change; right until something is moved", *lines])
