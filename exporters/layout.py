"""From a graph to the plan of a session: prints rendered, media written, losses listed."""

from __future__ import annotations

import math
import os
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mix2daw.exporters import Lost
from mix2daw.exporters.bands import is_idle
from mix2daw.exporters.media import Clip, Media
from mix2daw.exporters.names import unique
from mix2daw.exporters.pedalboard import kept_taps, render
from mix2daw.exporters.plan import Channel, Plan
from mix2daw.exporters.printing import Cut, Decision, Refuse, decide, lost, sources_lost
from mix2daw.exporters.renaming import renamed, session_names
from mix2daw.exporters.words import describe_strip
from mix2daw.graph import Device, Graph, Strip
from mix2daw.spool import Kept

Signal = NDArray[np.float32]
MASTER_NAME = "Master"
REFERENCES = ("target mix", "mix2daw render")


def lay_out(
    graph: Graph,
    graph_folder: Path,
    media_folder: Path,
    refuse: Refuse,
    blends: bool = False,
    fader_inserts: bool = False,
    post_inserts: bool = False,
    polarity: bool = False,
    link_from: Path | None = None,
) -> tuple[Plan, list[Lost]]:
    """Write the media of a session into `media_folder` (which exists) and plan its channels.

    `blends`, `fader_inserts`, `post_inserts`: as for `decide`; `polarity`: whether the format can turn a
    track over; if not, its audio is; `link_from`: as for `Media`.

    The plan has, after the strips of the graph, the target mix (if the graph names one that exists) and our
    own render as muted tracks. Impulse responses of what is lost lie beside the media for the user's own
    convolver. Raises InputError for a source or an impulse response that cannot be read.
    """
    names = session_names(graph, reserved=(MASTER_NAME,))
    graph = _without_idle_inserts(renamed(graph, names))
    decision = decide(graph, refuse, blends, fader_inserts, post_inserts)
    taps = {(name, cut.inserts) for name, cut in decision.cuts.items()}
    prints = kept_taps(graph, graph_folder, sorted({*taps, (graph.master.name, -1)}))
    media = Media(media_folder, graph.sample_rate, link_from)
    builder = _Builder(graph, graph_folder, media, decision, prints, polarity)
    channels = [channel for strip in graph.strips for channel in builder.channels(strip)]
    channels += builder.references([channel.name for channel in channels])
    losses = [*sources_lost(graph, decision, polarity), *lost(graph, decision)]
    losses += _dropped(graph, graph_folder, decision, prints[graph.master.name, -1].read())
    given = {new: old for old, new in names.items()}
    losses = _with_impulses(losses, graph, graph_folder, decision, media)
    losses = [replace(entry, strip=given[entry.strip]) for entry in losses]
    return Plan(graph.sample_rate, graph.length_samples, tuple(channels)), losses


def player(name: str, file: str, output: str) -> Strip:
    """A track at rest that plays a file. Its name may be longer than those of a graph."""
    return Strip(name="print", kind="track", source=file, output=output).model_copy(update={"name": name})


class _Builder:
    """Makes the channels of each strip; the media are written on the way, in the order of the strips."""

    def __init__(
        self,
        graph: Graph,
        graph_folder: Path,
        media: Media,
        decision: Decision,
        prints: dict[tuple[str, int], Kept],
        polarity: bool,
    ) -> None:
        self.graph, self.graph_folder, self.media = graph, graph_folder, media
        self.decision, self.prints, self.polarity = decision, prints, polarity
        self.names = [strip.name for strip in graph.strips]
        self.gone = {name for name in decision.cuts if graph.strip(name).kind == "return"}

    def channels(self, strip: Strip) -> list[Channel]:
        """The channels that stand for one strip: itself, and for a printed group its print as well."""
        cut = self.decision.cuts.get(strip.name)
        native = self._native(strip, cut)
        if strip.kind == "track":
            held = native if self.polarity and not cut else native.model_copy(update={"polarity": "normal"})
            clip = self._print(strip.name, strip, cut) if cut else self._source(strip)
            return [self._channel(held.model_copy(update={"stretch_ppm": 0.0}), clip, strip)]
        if cut is None:
            return [self._channel(native, None, strip)]
        name = unique(f"{strip.name} (print)", self.names)
        self.names.append(name)
        clip = self._print(name, strip, cut)
        if strip.kind == "return":
            update = {"name": name, "kind": "track", "source": clip.file}
            return [self._channel(native.model_copy(update=update), clip, strip)]
        print_strip = player(name, clip.file, strip.name)
        note = f"{strip.name} printed; unmute the strips beneath and mute this to work on them"
        return [
            self._channel(native, None, strip),
            Channel(print_strip, clip, strip.name in self.decision.silent, note),
        ]

    def references(self, names: list[str]) -> list[Channel]:
        """The target mix and our render, muted."""
        clips: list[tuple[str, Clip | None]] = []
        mix = self.graph_folder / self.graph.mix if self.graph.mix else None
        if mix is not None and os.path.isfile(mix):
            clip = self.media.add_source(REFERENCES[0], mix, 0, self.graph.length_samples)
            clips.append((REFERENCES[0], clip))
        rendered = self.prints[self.graph.master.name, -1].read()
        clips.append((REFERENCES[1], self.media.add_print(REFERENCES[1], rendered)))
        channels: list[Channel] = []
        for wanted, clip in clips:
            if clip is None:
                continue
            name = unique(wanted, [*names, *(channel.name for channel in channels)])
            strip = player(name, clip.file, self.graph.master.name)
            channels.append(Channel(strip, clip, True, "reference, muted; it runs through the master", True))
        return channels

    def _native(self, strip: Strip, cut: Cut | None) -> Strip:
        """What is left of a strip for the format to play."""
        flat = self.decision.strips[strip.name]
        sends = tuple(send for send in strip.sends if send.target not in self.gone)
        if cut is not None and cut.whole:
            rest = {"devices": (), "post_devices": (), "fader_db": 0.0, "pan": 0.0, "sends": sends}
            return flat.model_copy(update=rest)
        if strip.kind == "master":
            flat = _without(flat, self.decision.dropped)
        kept = flat.devices[cut.inserts :] if cut else flat.devices
        return flat.model_copy(update={"devices": kept, "sends": sends})

    def _source(self, strip: Strip) -> Clip | None:
        played = strip.model_copy(update={"polarity": "normal"}) if self.polarity else strip
        return self.media.add_track(played, self.graph_folder, self.graph.length_samples)

    def _print(self, name: str, strip: Strip, cut: Cut) -> Clip:
        return self.media.add_print(name, self.prints[strip.name, cut.inserts].read())

    def _channel(self, native: Strip, clip: Clip | None, strip: Strip) -> Channel:
        muted = strip.muted or (strip.name in self.decision.silent and strip.kind != "group")
        comment = describe_strip(strip, self.graph.sample_rate)
        return Channel(native, clip, muted, "\n".join([comment, *self._apart(strip)]))

    def _apart(self, strip: Strip) -> list[str]:
        """Which of the settings in the comment are in the audio, and which are nowhere."""
        cut = self.decision.cuts.get(strip.name)
        printed = [device.type for device in _lost_inserts(strip, self.decision)]
        if strip.kind == "master":
            return [f"not in this session: {', '.join(printed)}"] if printed else []
        if cut is None:
            return []
        place = "the print beside this" if strip.kind == "group" else "the audio"
        all_of_it = ["fader", "pan"] if cut.whole else []
        return [f"already in {place}: {', '.join([*printed, *all_of_it] or ['the input'])}"]


def _without(strip: Strip, dropped: Collection[int]) -> Strip:
    """The strip without some of its inserts, numbered through fader and pan."""
    kept = [device for index, device in enumerate(strip.all_devices()) if index not in dropped]
    before = sum(index not in dropped for index in range(len(strip.devices)))
    return strip.model_copy(update={"devices": tuple(kept[:before]), "post_devices": tuple(kept[before:])})


def _without_idle_inserts(graph: Graph) -> Graph:
    """The graph without inserts that are set to do nothing, which no format has to hold."""
    strips = [
        strip.model_copy(
            update={
                "devices": tuple(d for d in strip.devices if not is_idle(d, graph.sample_rate)),
                "post_devices": tuple(d for d in strip.post_devices if not is_idle(d, graph.sample_rate)),
            }
        )
        for strip in graph.strips
    ]
    return graph.model_copy(update={"strips": tuple(strips)})


def _lost_inserts(strip: Strip, decision: Decision) -> tuple[Device, ...]:
    """The inserts of a strip that are printed, or dropped from the master, in the order of the signal."""
    inserts, cut = decision.strips[strip.name].all_devices(), decision.cuts.get(strip.name)
    if strip.kind == "master":
        return tuple(inserts[index] for index in sorted(decision.dropped))
    if cut is None:
        return ()
    return inserts if cut.whole else inserts[: cut.inserts]


def _with_impulses(
    losses: list[Lost], graph: Graph, graph_folder: Path, decision: Decision, media: Media
) -> list[Lost]:
    """Copy the impulse response of every insert that is lost into the media; its entry says which file it is.

    The inserts of a strip that are lost are listed in the order of the signal, so the files are, too.
    """
    files: dict[tuple[str, str], list[str]] = {}
    for strip in graph.strips:
        for device in _lost_inserts(strip, decision):
            if device.impulse is not None:
                file = media.add_copy(f"impulse of {strip.name}", graph_folder / device.impulse)
                files.setdefault((strip.name, device.type), []).append(file)
    told: list[Lost] = []
    for entry in losses:
        copied = files.get((entry.strip, entry.device))
        if copied:
            where = f"its impulse response lies beside the session's audio as {copied.pop(0)!r}"
            entry = replace(entry, reason=f"{entry.reason}; {where}")
        told.append(entry)
    return told


def _dropped(graph: Graph, graph_folder: Path, decision: Decision, rendered: Signal) -> list[Lost]:
    """One entry for each insert that the master loses, with the residual that all of them cause together."""
    if not decision.dropped:
        return []
    master = decision.strips[graph.master.name]
    inserts = master.all_devices()
    without = render(graph.replace(_without(master, decision.dropped)), graph_folder)
    residual_db = _residual_db(without, rendered)
    together = "" if len(decision.dropped) == 1 else "; the residual is of all inserts dropped together"
    why = f"on the master a print would freeze the mix{together}"
    return [
        Lost(master.name, inserts[index].type, "dropped", f"{reason}; {why}", residual_db)
        for index, reason in sorted(decision.dropped.items())
    ]


def _residual_db(signal: Signal, reference: Signal) -> float | None:
    """RMS of the difference over RMS of the reference, in dB; None where either is zero."""
    difference = float(np.sqrt(np.mean(np.square(signal.astype(np.float64) - reference))))
    level = float(np.sqrt(np.mean(np.square(reference.astype(np.float64)))))
    return 20 * math.log10(difference / level) if difference > 0 and level > 0 else None
