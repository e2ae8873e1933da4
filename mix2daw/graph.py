"""The mixing graph: strips with devices, faders, pans and sends. `graph.json` is its one lossless form.

A strip is a track, a group, a return or the master. The signal of a strip runs

    source (its polarity) or sum of its inputs
        → devices in order → fader → pan → post_devices → output (and post sends)

A pre send leaves after the devices, before the fader. Signals are stereo; a mono source is dual mono.
The pan law is a balance at 0 dB: left × min(1, 1 − pan), right × min(1, 1 + pan).
A device is heard as `wet · device(x) + (1 − wet) · x`.

Schema name: `mix2daw.graph/1`.
"""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from mix2daw import limits
from mix2daw.errors import GraphError

SCHEMA: Literal["mix2daw.graph/1"] = "mix2daw.graph/1"
FADER_LOW_DB, FADER_HIGH_DB = -96.0, 24.0
SEND_LOW_DB, SEND_HIGH_DB = -96.0, 24.0
MOST_STRETCH_PPM = 1000.0

Kind = Literal["track", "group", "return", "master"]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1, max_length=limits.NAME_LENGTH)]


def _is_path(path: str) -> str:
    """A path as it is; no system has one with a NUL in it."""
    if "\0" in path:
        raise ValueError("a path has no NUL in it")
    return path


AudioPath = Annotated[str, Field(min_length=1, max_length=limits.PATH_LENGTH), AfterValidator(_is_path)]
Samples = Annotated[int, Field(ge=-limits.LONGEST_SAMPLES, le=limits.LONGEST_SAMPLES)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Device(_Model):
    """One processor with its settings in human units.

    `impulse`: path of the impulse response, relative to the graph's file, with forward slashes; a
    `convolution` has one, no other device may (`processors.complete_device` checks that).
    `confidence`: how much the loss rises when this device alone is removed (La units), if it was measured.
    """

    type: Name
    values: Annotated[dict[str, Finite], Field(max_length=limits.CONTROLS)] = Field(default_factory=dict)
    wet: Annotated[float, Field(ge=0, le=1)] = 1.0
    impulse: AudioPath | None = None
    confidence: Finite | None = None


class Send(_Model):
    """A copy of a strip's signal, added to what a return hears.

        y[n] = 10^(level_db/20) · x[n]

    With `tap` "post", x is what the strip puts out, after fader, pan and the devices behind them; with "pre"
    it is what reaches the fader.
    """

    target: Name
    level_db: Annotated[float, Field(ge=SEND_LOW_DB, le=SEND_HIGH_DB)]
    tap: Literal["post", "pre"] = "post"


Inserts = Annotated[tuple[Device, ...], Field(max_length=limits.INSERTS)]


class Strip(_Model):
    """A channel of the console. `source`: path of the audio, relative to the graph's file (tracks only);
    `offset_samples`: where on the time line the source starts; `channels`: of the source, 1 or 2;
    `polarity`: "inverted" plays the source times −1; `stretch_ppm`: the source is resampled to be longer by
    so many millionths, before it is placed; `muted`: the track is there, but feeds nothing (tracks only, all
    three); `output`: the strip that it feeds (all but the master)."""

    name: Name
    kind: Kind
    source: AudioPath | None = None
    source_sha256: Annotated[str, Field(max_length=64)] | None = None
    channels: Literal[1, 2] = 2
    offset_samples: Samples = 0
    polarity: Literal["normal", "inverted"] = "normal"
    stretch_ppm: Annotated[float, Field(ge=-MOST_STRETCH_PPM, le=MOST_STRETCH_PPM)] = 0.0
    muted: Annotated[bool, Field(strict=True)] = False
    devices: Inserts = ()
    fader_db: Annotated[float, Field(ge=FADER_LOW_DB, le=FADER_HIGH_DB)] = 0.0
    pan: Annotated[float, Field(ge=-1, le=1)] = 0.0
    post_devices: Inserts = ()
    sends: Annotated[tuple[Send, ...], Field(max_length=limits.SENDS)] = ()
    output: str | None = None

    @model_validator(mode="after")
    def _check(self) -> Strip:
        if self.kind == "track" and not self.source:
            raise ValueError(f"track {self.name!r} has no source")
        if self.kind != "track" and self.source:
            raise ValueError(f"{self.kind} {self.name!r} has a source; only tracks do")
        if self.kind != "track" and (self.polarity != "normal" or self.stretch_ppm or self.muted):
            raise ValueError(f"{self.kind} {self.name!r} has polarity, stretch_ppm or muted; only tracks do")
        if self.kind == "master" and (self.output is not None or self.sends):
            raise ValueError("the master has no output and no sends")
        if self.kind != "master" and self.output is None:
            raise ValueError(f"{self.kind} {self.name!r} has no output")
        return self

    def all_devices(self) -> tuple[Device, ...]:
        """Inserts before and after the fader, in the order of the signal."""
        return self.devices + self.post_devices


class Graph(_Model):
    """A whole console. Strips are in the order a person reads them; `levels()` is the order of the signal."""

    schema_name: Literal["mix2daw.graph/1"] = Field(default=SCHEMA, alias="schema")
    sample_rate: Annotated[int, Field(ge=limits.RATE_LOW_HZ, le=limits.RATE_HIGH_HZ)]
    length_samples: Annotated[int, Field(ge=1, le=limits.LONGEST_SAMPLES)]
    pan_law: Literal["balance_0db"] = "balance_0db"
    mix: AudioPath | None = None
    strips: Annotated[tuple[Strip, ...], Field(max_length=limits.STRIPS)]

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @model_validator(mode="after")
    def _check(self) -> Graph:
        if self.length_samples > limits.LONGEST_S * self.sample_rate:
            raise ValueError(f"a song lasts {limits.LONGEST_S // 3600} h at most")
        names = [strip.name for strip in self.strips]
        doubled = sorted(name for name, count in Counter(names).items() if count > 1)
        if doubled:
            raise ValueError(f"two strips are called {doubled[0]!r}")
        if [strip.kind for strip in self.strips].count("master") != 1:
            raise ValueError("a graph has exactly one master")
        kinds = {strip.name: strip.kind for strip in self.strips}
        for strip in self.strips:
            if strip.output is not None and kinds.get(strip.output) not in ("group", "master"):
                raise ValueError(f"{strip.name!r} feeds {strip.output!r}, no group and not the master")
            for send in strip.sends:
                if kinds.get(send.target) != "return":
                    raise ValueError(f"{strip.name!r} sends to {send.target!r}, which is no return")
            targets = [send.target for send in strip.sends]
            if len(set(targets)) != len(targets):
                raise ValueError(f"{strip.name!r} sends twice to one return")
        self.levels()
        return self

    def strip(self, name: str) -> Strip:
        """The strip called `name`; KeyError if there is none."""
        return self._by_name()[name]

    def _by_name(self) -> dict[str, Strip]:
        return {strip.name: strip for strip in self.strips}

    @property
    def master(self) -> Strip:
        """The strip that everything ends in."""
        return next(strip for strip in self.strips if strip.kind == "master")

    def of_kind(self, kind: Kind) -> tuple[Strip, ...]:
        """Strips of one kind, in order."""
        return tuple(strip for strip in self.strips if strip.kind == kind)

    def inputs(self, name: str) -> tuple[str, ...]:
        """Strips whose output is `name` (sends not counted)."""
        return tuple(strip.name for strip in self.strips if strip.output == name)

    def levels(self) -> tuple[tuple[Strip, ...], ...]:
        """Strips in layers: each feeds (or sends to) later layers only. Raises ValueError on a loop."""
        feeds: dict[str, set[str]] = {strip.name: set() for strip in self.strips}
        for strip in self.strips:
            for target in (strip.output, *(send.target for send in strip.sends)):
                if target is not None:
                    feeds[target].add(strip.name)
        layers: list[tuple[Strip, ...]] = []
        done: set[str] = set()
        while len(done) < len(self.strips):
            layer = tuple(s for s in self.strips if s.name not in done and feeds[s.name] <= done)
            if not layer:
                loop = sorted(set(feeds) - done)
                raise ValueError(f"the routing runs in a loop through {', '.join(loop)}")
            layers.append(layer)
            if len(layers) > limits.LAYERS:
                raise ValueError(f"a signal passes more than {limits.LAYERS} strips")
            done |= {strip.name for strip in layer}
        return tuple(layers)

    def devices(self) -> Iterator[tuple[Strip, Device]]:
        """Every device with its strip."""
        for strip in self.strips:
            for device in strip.all_devices():
                yield strip, device

    @property
    def is_finite(self) -> bool:
        """Whether every setting is a finite number: what is read is, what is computed may not be."""
        faders = (number for strip in self.strips for number in (strip.fader_db, strip.pan))
        sends = (send.level_db for strip in self.strips for send in strip.sends)
        devices = (
            number for _, d in self.devices() for number in (d.wet, d.confidence or 0.0, *d.values.values())
        )
        return all(map(math.isfinite, (*faders, *sends, *devices)))

    def impulses(self) -> tuple[str, ...]:
        """Paths of the impulse responses, each once, in the order of the devices that use them."""
        return tuple(dict.fromkeys(device.impulse for _, device in self.devices() if device.impulse))

    def replace(self, *strips: Strip) -> Graph:
        """The same graph with the given strips in place of those of the same name."""
        new = {strip.name: strip for strip in strips}
        return Graph.model_validate(
            {**dict(self), "strips": tuple(new.get(strip.name, strip) for strip in self.strips)}
        )

    def to_json(self) -> str:
        """`graph.json`: two-space indent, field order as declared, one newline at the end."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), indent=2, ensure_ascii=False) + "\n"


def read_graph(path: Path) -> Graph:
    """Read and validate `graph.json`. Raises GraphError that names the file and the field."""
    remedy = "compare it with `mix2daw schema`"
    text = limits.read_text(path, limits.GRAPH_BYTES, GraphError, "give the path of a graph.json")
    limits.check_json(path, text, limits.GRAPH_ITEMS, GraphError)
    try:
        return Graph.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "graph"
        raise GraphError(f"{path}: {field}", str(first["msg"]), remedy) from None


def check_fits(graph: Graph) -> None:
    """Raise GraphError if the song of a graph, as float32 in stereo, could never fit into this machine's
    memory."""
    seconds, bytes_ = graph.length_samples / graph.sample_rate, 8 * graph.length_samples
    limits.check_memory("graph: length_samples", seconds, bytes_, GraphError, "the song")


def relative_source(source: Path, folder: Path) -> str:
    """`source` as seen from the folder of the graph, with forward slashes."""
    try:
        return Path(os.path.relpath(source.resolve(), folder.resolve())).as_posix()
    except ValueError:  # another drive on Windows
        return source.resolve().as_posix()
