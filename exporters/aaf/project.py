"""The file: a composition of mono tracks, each a clip of embedded 24-bit audio with a gain and a pan.

pyaaf2 fills in dates and random identifiers; all of them are set here, to a fixed date and to digests of
what they name, so that the same graph gives the same bytes.
"""

from __future__ import annotations

import datetime
import hashlib
import importlib.metadata
import math
import uuid
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import aaf2
import numpy as np
from aaf2.auid import AUID
from aaf2.mobid import MobID
from aaf2.rational import AAFRational

from mix2daw.errors import OutputError
from mix2daw.exporters import Lost
from mix2daw.exporters.aaf.losses import lost
from mix2daw.exporters.aaf.prints import Print, Samples, prints
from mix2daw.graph import Graph

FILE_NAME = "mix2daw.aaf"
TIMECODE_FPS = 25
SAMPLE_BYTES = 3
_DATE = datetime.datetime(1980, 1, 1)
_PRODUCT = AUID("6d697832-6461-5700-8000-61616665787a")
_GAIN, _PAN = AUID("9d2ea894-0968-11d3-8a38-0050040ef7d2"), AUID("9d2ea893-0968-11d3-8a38-0050040ef7d2")
_AMPLITUDE, _PLACE = (
    AUID("e4962321-2267-11d3-8a4c-0050040ef7d2"),
    AUID("e4962322-2267-11d3-8a4c-0050040ef7d2"),
)
_EFFECTS = (("Mono Audio Gain", _GAIN, "Amplitude", _AMPLITUDE), ("Mono Audio Pan", _PAN, "Pan", _PLACE))
_LARGEST = 2**31 - 1  # an AAF rational is two 32-bit integers
_BLOCK_SAMPLES = 1 << 20


def write(graph: Graph, graph_folder: Path, folder: Path) -> list[Lost]:
    """Write `mix2daw.aaf` into `folder`.

    `graph`: devices complete; its sources are relative to `graph_folder`. Raises InputError for a source that
    cannot be read, OutputError if the file cannot be written.
    """
    path = folder / FILE_NAME
    try:
        with aaf2.open(str(path), "w") as file:
            tracks = _write(file, prints(graph, graph_folder), graph)
    except OSError as error:
        path.unlink(missing_ok=True)
        reason = f"cannot be written ({error.strerror})"
        raise OutputError(path, reason, "check the folder and free space") from None
    except BaseException:
        path.unlink(missing_ok=True)  # a part of an AAF file is none
        raise
    strips = [track.strip for track in tracks]
    return lost(graph, {name for name in strips if strips.count(name) == 1})


def _write(file: Any, tracks: Iterable[Print], graph: Graph) -> list[Print]:
    """Fill the file; returns the tracks without their samples, of which one at a time is held."""
    _identify(file)
    for name, effect, control, parameter in _EFFECTS:
        _define(file, name, effect, control, parameter)
    composition = file.create.CompositionMob("mix2daw")
    digest = hashlib.sha256(f"{graph.sample_rate} {graph.length_samples}".encode())
    slots: list[tuple[Print, Any]] = []
    for number, track in enumerate(tracks, 1):
        master = _add_audio(file, track, number, graph.sample_rate)
        digest.update(repr((bytes(master.mob_id.bytes_le), track.gain_lin, track.pan)).encode())
        slots.append((replace(track, samples=np.zeros(0, np.int32)), master))
    _settle(composition, "composition", digest.digest())
    composition.usage = "Usage_TopLevel"
    file.content.mobs.append(composition)
    _add_timecode(file, composition, graph)
    for number, (track, master) in enumerate(slots, 1):
        _add_slot(file, composition, track, master, number, graph)
    return [track for track, _ in slots]


def _identify(file: Any) -> None:
    """Who wrote the file, with versions, and when: always at the same time."""
    version = _version(importlib.metadata.version("mix2daw"))
    text = ".".join(str(version[part]) for part in ("major", "minor", "tertiary"))
    values = {
        "CompanyName": "mix2daw",
        "ProductName": "mix2daw",
        "ProductVersion": version,
        "ProductVersionString": text,
        "ProductID": _PRODUCT,
        "Date": _DATE,
        "ToolkitVersion": _version(importlib.metadata.version("pyaaf2")),
        "Platform": "any",
        "GenerationAUID": AUID(str(uuid.uuid5(uuid.NAMESPACE_URL, f"mix2daw {text}"))),
    }
    for name, value in values.items():
        file.header["IdentificationList"].value[0][name].value = value
    file.header["LastModified"].value = _DATE


def _version(text: str) -> dict[str, object]:
    numbers = [int(part) if part.isdigit() else 0 for part in (*text.split("."), "0", "0")]
    parts = dict(zip(("major", "minor", "tertiary"), numbers, strict=False))
    return {**parts, "patchLevel": 0, "type": "VersionReleased"}


def _define(file: Any, name: str, effect: AUID, control: str, parameter: AUID) -> None:
    """An effect with one input and one parameter, a rational number."""
    control_def = file.create.ParameterDef(parameter, control, "", "Rational")
    file.dictionary.register_def(control_def)
    effect_def = file.create.OperationDef(effect, name, "")
    file.dictionary.register_def(effect_def)
    effect_def.media_kind = "sound"
    effect_def["IsTimeWarp"].value = False
    effect_def["Bypass"].value = 1
    effect_def["NumberInputs"].value = 1
    effect_def["OperationCategory"].value = "OperationCategory_Effect"
    effect_def["ParametersDefined"].append(control_def)


def _add_audio(file: Any, track: Print, number: int, sample_rate: int) -> Any:
    """Embed the samples of a track; returns the master mob that a clip refers to."""
    source, master = file.create.SourceMob(track.name), file.create.MasterMob(track.name)
    content = hashlib.sha256(f"{number} {sample_rate} {track.name}".encode())
    content.update(track.samples.tobytes())
    _settle(source, "source", content.digest())
    _settle(master, "master", content.digest())
    file.content.mobs.append(source)
    file.content.mobs.append(master)
    essence, slot = source.create_essence(sample_rate, "sound")
    stream = essence.open("w")
    for start in range(0, len(track.samples), _BLOCK_SAMPLES):
        stream.write(_packed(track.samples[start : start + _BLOCK_SAMPLES]))
    descriptor = file.create.PCMDescriptor()
    values = {
        "ContainerFormat": file.dictionary.lookup_containerdef("AAF"),
        "Channels": 1,
        "BlockAlign": SAMPLE_BYTES,
        "SampleRate": sample_rate,
        "AverageBPS": sample_rate * SAMPLE_BYTES,
        "QuantizationBits": 8 * SAMPLE_BYTES,
        "AudioSamplingRate": sample_rate,
        "Length": len(track.samples),
    }
    for name, value in values.items():
        descriptor[name].value = value
    source.descriptor = descriptor
    slot.segment.length = len(track.samples)
    slot = master.create_timeline_slot(sample_rate, 1)
    slot.name = track.name
    slot["PhysicalTrackNumber"].value = 1
    slot.segment = source.create_source_clip(1, length=len(track.samples), media_kind="sound")
    return master


def _packed(samples: Samples) -> bytes:
    """24-bit little-endian."""
    return np.ascontiguousarray(samples, "<i4").view(np.uint8).reshape(-1, 4)[:, :SAMPLE_BYTES].tobytes()


def _settle(mob: Any, kind: str, content: bytes) -> None:
    """Give a mob the identifier that its content stands for, and the fixed date."""
    mob_id = MobID.new()
    mob_id.material = uuid.UUID(bytes=hashlib.sha256(kind.encode() + content).digest()[:16], version=4)
    mob.mob_id = mob_id
    mob["CreationTime"].value = mob["LastModified"].value = _DATE


def _add_timecode(file: Any, composition: Any, graph: Graph) -> None:
    length = math.ceil(graph.length_samples * TIMECODE_FPS / graph.sample_rate)
    slot = composition.create_timeline_slot(TIMECODE_FPS)
    slot.name = "TC1"
    slot.segment = file.create.Timecode(TIMECODE_FPS, drop=False, length=length)


def _add_slot(file: Any, composition: Any, track: Print, master: Any, number: int, graph: Graph) -> None:
    """A track: the pan around a sequence of one clip, the gain around the clip."""
    clip = master.create_source_clip(1, length=graph.length_samples, media_kind="sound")
    sequence = file.create.Sequence("sound", graph.length_samples)
    sequence.components.append(_effect(file, _GAIN, _AMPLITUDE, track.gain_lin, clip))
    slot = composition.create_timeline_slot(graph.sample_rate)
    slot.name = track.name
    slot["PhysicalTrackNumber"].value = number
    slot.segment = _effect(file, _PAN, _PLACE, (track.pan + 1) / 2, sequence)


def _effect(file: Any, effect: AUID, parameter: AUID, value: float, inside: Any) -> Any:
    group = file.create.OperationGroup(effect, inside.length, "sound")
    group.parameters.append(file.create.ConstantValue(parameter, _rational(value)))
    group.segments.append(inside)
    return group


def _rational(value: float) -> AAFRational:
    """The nearest fraction of two 32-bit integers, for a value of 0 or more."""
    fraction = Fraction(value).limit_denominator(int(_LARGEST / max(1.0, value + 1)))
    return AAFRational(fraction.numerator, fraction.denominator)
