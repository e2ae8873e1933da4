"""The numbers of one recovery: result.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from mix2daw.exporters import Lost
from mix2daw.output import json_text


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
    A number that does not exist (an infinite one, too) is null in the file.
    """

    la: dict[str, float]
    la_paper: dict[str, float]
    la_sum_of_stems: float
    la_console: float
    linear_ceiling: float
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

    def to_json(self) -> str:
        """The content of result.json."""
        return json_text(asdict(self))


def lost_json(lost: Mapping[str, list[Lost]]) -> str:
    """The content of lost.json: what each session of an export does not carry."""
    return json_text({name: [asdict(item) for item in items] for name, items in lost.items()})


def result_files(folder: Path) -> tuple[Path, ...]:
    """The files of a recovery, in the order a person opens them."""
    names = ("sessions", "render.wav", "difference.wav", "graph.json", "groups.yaml", "result.json")
    return tuple(folder / name for name in names)
