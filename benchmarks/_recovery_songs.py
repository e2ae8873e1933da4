"""The songs that `synth` made and `collect` recovered, read and compared."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from _recovery_counts import SongScore, song_score
from _truth_parts import audible_parts
from _truth_scores import score

from mix2daw.collection.collect import GRAPHS
from mix2daw.collection.manifest import read_manifest
from mix2daw.collection.record import GRAPH_FILE, Record, read_record
from mix2daw.collection.tables import instrument_of
from mix2daw.errors import InputError
from mix2daw.graph import Graph, Strip, read_graph
from mix2daw.processors import PROCESSORS, checked_graph
from mix2daw.result import Result, read_result
from mix2daw.synthetic.corpus import MANIFEST, TRUTH


@dataclass(frozen=True)
class Pair:
    """A mix and its recovery: its name with that of its folder, the stems, the consoles, the folders of
    those, and what was noted of the recovery. The truth is cut to what was heard (`as_heard`); `preview`:
    whether that is a part of the song."""

    song: str
    stems: Path
    truth: Graph
    truth_folder: Path
    recovered: Graph
    recovered_folder: Path
    record: Record
    result: Result
    preview: bool


def read_pairs(mixes: Path, corpus: Path) -> tuple[list[Pair], list[str]]:
    """What lies in a folder of `synth` and in the collection of its manifest, and the names of the songs that
    are not in the collection. Raises MixError for what cannot be read, InputError if no song is."""
    pairs, absent = [], []
    for song in read_manifest(mixes / MANIFEST).songs:
        folder, truth_folder = corpus / GRAPHS / song.name, song.mix.parent
        name = f"{mixes.name}/{song.name}"
        record = read_record(folder)
        if record is None:
            absent.append(name)
            continue
        truth = checked_graph(read_graph(truth_folder / TRUTH), PROCESSORS)
        recovered = checked_graph(read_graph(folder / GRAPH_FILE), PROCESSORS)
        result = read_result(folder / "result.json")
        heard, preview = as_heard(truth, recovered), recovered.length_samples < truth.length_samples
        pairs.append(Pair(name, song.stems, heard, truth_folder, recovered, folder, record, result, preview))
    if not pairs:
        what = f"holds none of the songs of {mixes / MANIFEST}"
        raise InputError(corpus, what, f"mix2daw collect {mixes / MANIFEST} --out {corpus}")
    return pairs, absent


def as_heard(truth: Graph, recovered: Graph) -> Graph:
    """Of a known console what a recovery heard: of a preview a stretch of the song, in which some tracks may
    be silent; these go, with groups and returns that nothing runs into any more."""
    offsets = {strip.name: strip.offset_samples for strip in recovered.of_kind("track")}
    kept = [strip for strip in truth.of_kind("track") if strip.name in offsets]
    length = recovered.length_samples
    if length == truth.length_samples and len(kept) == len(truth.of_kind("track")):
        return truth
    # Where the stretch begins is where most tracks say: the place of one may have been mistaken.
    moves = Counter(offsets[strip.name] - strip.offset_samples for strip in kept)
    move = moves.most_common(1)[0][0] if length != truth.length_samples else 0
    moved = {s.name: s.model_copy(update={"offset_samples": s.offset_samples + move}) for s in kept}

    def runs(strip: Strip) -> bool:
        """Whether a strip is, or has something to play."""
        if strip.kind == "track":
            return strip.name in moved
        fed = (other for other in truth.strips if other.output == strip.name)
        sent = (other for other in truth.strips if any(send.target == strip.name for send in other.sends))
        return strip.kind == "master" or any(runs(other) for other in (*fed, *sent))

    strips = tuple(moved.get(strip.name, strip) for strip in truth.strips if runs(strip))
    return truth.model_validate({**dict(truth), "length_samples": length, "strips": strips})


def compared(pair: Pair) -> SongScore:
    """One song's score. It plays the truth once per part, to know what is heard."""
    truth, recovered = pair.truth, pair.recovered
    audible = audible_parts(truth, pair.truth_folder)
    result = score(truth, pair.truth_folder, recovered, pair.recovered_folder, audible)
    instruments = {
        strip.name: instrument_of(pair.record, recovered, strip) or strip.name
        for strip in recovered.of_kind("track")
    }
    return song_score(pair.song, truth, audible, recovered, result, instruments)
