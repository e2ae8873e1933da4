"""The numbers of one recovery: result.json, written and read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from mix2daw import limits
from mix2daw.errors import InputError
from mix2daw.exporters import Lost
from mix2daw.graph import Graph, Kind
from mix2daw.output import json_text

SEARCH_SCHEMA: Literal["mix2daw.search/1"] = "mix2daw.search/1"


@dataclass(frozen=True)
class Devices:
    """How many devices a console has, in all and per type. Sends count, and a strip's fader with its pan
    counts as one unless both are at rest."""

    total: int
    per_type: dict[str, int]

    @classmethod
    def counted(cls, per_type: Mapping[str, int]) -> Devices:
        """From counts per type; types in alphabetical order."""
        return cls(sum(per_type.values()), dict(sorted(per_type.items())))


@dataclass(frozen=True)
class Offered:
    """A strip of the console before the search: types of its inserts in order, returns it may send to."""

    name: str
    kind: Kind
    output: str | None
    inserts: list[str]
    sends: list[str]


@dataclass(frozen=True)
class Step:
    """One step of the search. `la`: of the excerpts that the step heard, which differ between stages;
    `devices`: how many were left, None where the step took none away."""

    stage: str
    la: float | None
    devices: int | None


@dataclass(frozen=True)
class SearchRecord:
    """Where the search began and how it went."""

    offered: list[Offered]
    steps: list[Step]
    schema: Literal["mix2daw.search/1"] = SEARCH_SCHEMA

    @classmethod
    def of(cls, console: Graph, trace: Iterable[tuple[str, float, int | None]]) -> SearchRecord:
        """From the console that a search began with, and the steps that it took."""
        offered = [
            Offered(
                strip.name,
                strip.kind,
                strip.output,
                [device.type for device in strip.all_devices()],
                [send.target for send in strip.sends],
            )
            for strip in console.strips
        ]
        return cls(offered, [Step(stage, round(la, 5), devices) for stage, la, devices in trace])


@dataclass(frozen=True)
class Defaults:
    """What was taken from a settings file: `values` of options by their long names."""

    file: str
    values: dict[str, bool | int | float | str | list[str]]


@dataclass(frozen=True)
class Result:
    """What result.json holds.

    `la`: the published loss of render.wav against the mix as the published code calls it, with its parts
    full, left_right, mid and side; `la_paper`: with the divisor that the paper prints. `la_sum_of_stems`:
    `la.full` of the plain sum of the stems; `la_console`: of the full console before anything was pruned.
    `linear_ceiling`: the share (0 to 1) of the mix's whitened energy that a linear console can explain.
    `sdr_db`: signal to distortion ratio; `loudness_difference_lu`: integrated loudness, render − mix.
    `null_db`: the difference of two engines' renders, relative to the second's (−300: bit for bit the same).
    `seconds`: wall time per stage; `peak_rss_mib`: the most memory held. `lost`: per format, what its session
    does not carry as an editable, exact device. `silent`: stems set aside; `findings`: what was noticed in
    the input. `interrupted`: stopped by the user; `out_of_time`: cut short by the budget.
    `versions`: of the libraries that made it; `mix_sha256`: of the mix's file; `search`: its record;
    `strip_residual_db`: what is left where a strip is what is heard, against it (`report.residual`; None: it
    is covered everywhere); `defaults`: what came from a settings file, None without one; `refused_steps`: of
    the fits, that moved nothing since their loss or gradient was no finite number; `muted`: tracks that are
    not in the mix, or made of others. These seven are not in results of older versions. A number that does
    not exist (an infinite one, too) is null in the file.
    """

    la: dict[str, float]
    la_paper: dict[str, float]
    la_sum_of_stems: float
    la_console: float | None
    linear_ceiling: float | None
    devices_before: Devices
    devices_after: Devices
    sdr_db: float | None
    loudness_difference_lu: float | None
    null_db: dict[str, float | None]
    seconds: dict[str, float]
    peak_rss_mib: float | None
    lost: dict[str, list[Lost]]
    silent: list[str]
    findings: list[str]
    interrupted: bool
    out_of_time: bool
    preset: str
    strategy: str
    tolerance: float
    seed: int
    version: str
    versions: dict[str, str] = field(default_factory=dict)
    mix_sha256: str | None = None
    search: SearchRecord | None = None
    strip_residual_db: dict[str, float | None] = field(default_factory=dict)
    defaults: Defaults | None = None
    refused_steps: int = 0
    muted: list[str] = field(default_factory=list)

    def to_json(self) -> str:
        """The content of result.json."""
        return json_text(asdict(self))


def read_result(path: Path) -> Result:
    """Read and validate result.json. Raises InputError that names the file and the field."""
    remedy = "give the folder that `mix2daw recover` wrote"
    text = limits.read_text(path, limits.RESULT_BYTES, InputError, remedy)
    limits.check_json(path, text, limits.RESULT_ITEMS, InputError)
    try:
        return TypeAdapter(Result).validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "result"
        raise InputError(f"{path}: {where}", str(first["msg"]), remedy) from None


def lost_json(lost: Mapping[str, list[Lost]]) -> str:
    """The content of lost.json: what each session of an export does not carry."""
    return json_text({name: [asdict(item) for item in items] for name, items in lost.items()})


def result_files(folder: Path) -> tuple[Path, ...]:
    """The files of a recovery, in the order a person opens them."""
    names = (
        "report.html",
        "sessions",
        "render.wav",
        "difference.wav",
        "graph.json",
        "groups.yaml",
        "result.json",
    )
    return tuple(folder / name for name in names if name != "report.html" or (folder / name).exists())
