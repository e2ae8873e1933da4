"""The session that a graph belongs to, opened again."""

from __future__ import annotations

from pathlib import Path

import torch

from mix2daw.errors import InputError
from mix2daw.graph import Graph, relative_source
from mix2daw.mixdown import place
from mix2daw.session import Session, Track, with_muted
from mix2daw.source import read_source
from mix2daw.spool import Spool
from mix2daw.stems import Signal, file_sha256, read_audio, stereo


def reopen(graph: Graph, folder: Path, mix: Path | None = None) -> Session:
    """Tracks where and as long as the graph has them; `folder`: what its paths are relative to; `mix`: if it
    is not where the graph says.

    Raises InputError for a graph without tracks, a mix that is not given or not as long as the graph, and a
    source that cannot be read.
    """
    target = read_mix(graph, folder, mix)
    kinds = {strip.name: strip.kind for strip in graph.strips}
    spool, tracks, findings = Spool(), [], []
    for strip in graph.of_kind("track"):
        source = folder / str(strip.source)
        audio = torch.from_numpy(read_source(strip, folder, graph.sample_rate))[: strip.channels]
        sha256 = file_sha256(source)
        if strip.source_sha256 not in (None, sha256):
            findings.append(f"{strip.name}: its file has changed since")
        group = strip.output if kinds.get(str(strip.output)) == "group" else None
        placed = place(audio, strip.offset_samples, graph.length_samples)
        kept = spool.keep(placed.numpy())
        head = (strip.offset_samples, strip.polarity == "inverted", strip.stretch_ppm)
        tracks.append(Track(strip.name, source, kept, group, sha256, *head))
    if all(strip.muted for strip in graph.of_kind("track")):
        raise InputError("graph", "has no tracks that sound", "give a graph that plays stems")
    groups = {
        strip.name: tuple(track.name for track in tracks if track.group == strip.name)
        for strip in graph.of_kind("group")
    }
    session = Session(
        sample_rate=graph.sample_rate,
        mix=target,
        mix_path=mix_of(graph, folder, mix),
        tracks=tuple(tracks),
        silent=(),
        groups={name: members for name, members in groups.items() if members},
        findings=tuple(findings),
    )
    return with_muted(session, {strip.name for strip in graph.of_kind("track") if strip.muted})


def moved_graph(graph: Graph, session: Session, folder: Path) -> Graph:
    """The graph as it is written in another folder: paths of its audio relative to that."""
    tracks = {track.name: track for track in (*session.tracks, *session.muted)}
    strips = (
        strip.model_copy(
            update={
                "source": relative_source(tracks[strip.name].path, folder),
                "source_sha256": tracks[strip.name].sha256,
            }
        )
        for strip in graph.of_kind("track")
    )
    moved = graph.replace(*strips)
    return moved.model_copy(update={"mix": relative_source(session.mix_path, folder)})


def read_mix(graph: Graph, folder: Path, mix: Path | None = None) -> Signal:
    """The mix of a graph, `(2, samples)`, as long as the graph; else as `reopen`."""
    path = mix_of(graph, folder, mix)
    target = stereo(read_audio(path, graph.sample_rate))
    if target.shape[1] != graph.length_samples:
        lengths = f"has {target.shape[1]} samples, the graph {graph.length_samples}"
        raise InputError(path, lengths, "give the mix that the graph was recovered from")
    return target


def mix_of(graph: Graph, folder: Path, mix: Path | None = None) -> Path:
    """Where the mix of a graph lies. InputError if nobody says."""
    if mix is None and graph.mix is None:
        raise InputError("--mix", "is needed: the graph names no mix", "give the path of the mix")
    return mix or folder / str(graph.mix)
