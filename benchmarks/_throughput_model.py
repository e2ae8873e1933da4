"""What a collection takes on how many processors: measured constants, and straight lines through them."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mix2daw.experiments.markdown import table

CORES = (2, 16, 100, 1000, 10_000)
CORPORA = (100, 1000, 10_000, 100_000, 1_000_000)
FLAC_SHARE = 0.55  # of 16-bit samples, what FLAC leaves of music, about
GB = 1e9
NOTES = """\
A song is recovered on one thread; songs have nothing to do with one another, so that songs an hour are the
cores, times 3600, times the efficiency of two processes against one, over the CPU seconds of a song. What
does not spread is the leader's: it reads every result once more, for the tables. Storage: what `collect`
keeps of a song (graph, result, node-link file, impulse responses) with its share of the tables; stems and
mix as 16-bit FLAC, at {flac:.0%} of their samples. CPU seconds of larger songs were measured beside other
work, which makes them more by up to a half.
"""


@dataclass(frozen=True)
class Measured:
    """Of `songs` songs of `seconds` and `stems`: wall seconds of each crew, of a run that finds all of them
    done, and of the tables alone; bytes of all graphs and of all tables."""

    songs: int
    seconds: float
    stems: int
    options: str
    walls: Mapping[str, float]
    again_s: float
    tables_s: float
    graph_bytes: int
    table_bytes: int

    @property
    def speedup(self) -> float:
        """Of two processes against one."""
        one, two, *_ = self.walls.values()
        return one / two

    @property
    def kept_bytes(self) -> float:
        """Of one song, with its share of the tables."""
        return (self.graph_bytes + self.table_bytes) / self.songs


@dataclass(frozen=True)
class SongKind:
    """CPU seconds of a recovery of stereo stems of some minutes, and where that is from."""

    stems: int
    minutes: float
    cpu_s: float
    source: str

    @property
    def name(self) -> str:
        """As the tables call it."""
        return f"{self.stems} × {self.minutes:g} min"

    @property
    def audio_bytes(self) -> float:
        """Of its stems and its mix."""
        return (self.stems + 1) * self.minutes * 60 * 44100 * 4 * FLAC_SHARE


@dataclass(frozen=True)
class Prices:
    """Of an hour of a core and of a GPU, and of a gigabyte for a month."""

    core_hour: float
    gpu_hour: float
    gigabyte_month: float


@dataclass(frozen=True)
class Costs:
    """What the model is made of. `larger`: songs that were measured elsewhere; `gpu_search_s`: of the one
    that was searched for on a GPU."""

    measured: Measured
    larger: Sequence[SongKind]
    prices: Prices
    gpu_search_s: float

    @property
    def kinds(self) -> tuple[SongKind, ...]:
        """The songs that were measured here, and the larger ones."""
        measured = self.measured
        cpu_s = next(iter(measured.walls.values())) / measured.songs
        return SongKind(measured.stems, round(measured.seconds / 60, 2), cpu_s, "here"), *self.larger

    @property
    def efficiency(self) -> float:
        """Share of a core's time that a second one adds."""
        return min(1.0, self.measured.speedup / 2)

    def core_hours(self, kind: SongKind, songs: int) -> float:
        """Of all searches together."""
        return songs * kind.cpu_s / self.efficiency / 3600

    def songs_an_hour(self, kind: SongKind, cores: int) -> float:
        """Before the leader has its say."""
        return cores / self.core_hours(kind, 1)

    def leader_s(self, songs: int) -> float:
        """What only one process does: the tables."""
        return songs * self.measured.tables_s / self.measured.songs

    def hours(self, kind: SongKind, songs: int, cores: int) -> float:
        """Until the tables of so many songs are written."""
        return songs / self.songs_an_hour(kind, cores) + self.leader_s(songs) / 3600


def model_table(costs: Costs) -> str:
    """All of it as Markdown."""
    measured = costs.measured
    one_s = next(iter(measured.walls.values()))
    crews = [
        (name, f"{wall_s:.0f}", f"{3600 * measured.songs / wall_s:.0f}", f"{one_s / wall_s:.2f}")
        for name, wall_s in measured.walls.items()
    ]
    again = ("all done already, two processes", f"{measured.again_s:.1f}", "", "")
    tables = ("of that, the tables", f"{measured.tables_s:.2f}", "", "")
    how = f"`collect {measured.options}`".replace(" `", "`")
    spread = [
        (
            kind.name,
            f"{kind.cpu_s:.0f} ({kind.source})",
            *(f"{costs.songs_an_hour(kind, cores):,.0f}" for cores in CORES),
        )
        for kind in costs.kinds
    ]
    large = [
        (
            f"{songs:,}",
            kind.name,
            f"{costs.core_hours(kind, songs):,.0f}",
            f"{costs.core_hours(kind, songs) * costs.prices.core_hour:,.0f}",
            *(f"{costs.hours(kind, songs, cores):,.1f}" for cores in CORES[2:]),
            f"{costs.leader_s(songs) / 3600:,.2f}",
            f"{songs * kind.audio_bytes / GB:,.0f}",
            f"{songs * measured.kept_bytes / GB:,.2f}",
            f"{songs * (kind.audio_bytes + measured.kept_bytes) / GB * costs.prices.gigabyte_month:,.0f}",
        )
        for kind in costs.kinds
        for songs in CORPORA
    ]
    limits = [
        (
            kind.name,
            f"{kind.cpu_s / costs.efficiency / costs.leader_s(1):,.0f}",
            f"{kind.audio_bytes * costs.songs_an_hour(kind, 1000) / 3600 / 1e6:,.0f}",
        )
        for kind in costs.kinds
    ]
    cores = [f"on {count:,} cores" for count in CORES]
    return "\n\n".join(
        (
            f"{os.cpu_count()} cores; {measured.songs} songs of {measured.stems} stems and "
            f"{measured.seconds:g} s; {how}; every crew gave the same graphs, byte for byte",
            table(("crew", "seconds", "songs an hour", "times one process"), [*crews, again, tables]),
            f"Kept of a song: {measured.kept_bytes / 1000:.0f} kB, of it "
            f"{measured.table_bytes / measured.songs / 1000:.1f} kB in tables.",
            "## Songs an hour",
            table(("song", "CPU seconds of one", *cores), spread),
            f"## Large corpora\n\nAt {costs.prices.core_hour:g} an hour of a core and "
            f"{costs.prices.gigabyte_month:g} a gigabyte and month, in any currency.",
            table(
                (
                    "songs", "of", "core hours", "price", *(f"hours {name}" for name in cores[2:]),
                    "of it the leader's", "audio, GB", "kept, GB", "price a month",
                ),
                large,
            ),
            "## Bottlenecks",
            table(
                ("song", "cores that the leader keeps up with", "MB/s of audio on 1,000 cores"),
                limits,
            ),
            NOTES.format(flac=FLAC_SHARE).rstrip(),
            _gpus(costs),
        )
    ) + "\n"  # fmt: skip


def _gpus(costs: Costs) -> str:
    """What one GPU takes, as far as that was measured."""
    an_hour, hours = 3600 / costs.gpu_search_s, 1e6 * costs.gpu_search_s / 3600
    price = f"{hours * costs.prices.gpu_hour:,.0f} at {costs.prices.gpu_hour:g} an hour"
    return textwrap.fill(
        f"A GPU took {costs.gpu_search_s:g} s for the search of 10 stems of 32 s, one at a time "
        f"([gpu.md](gpu.md)): at most {an_hour:.0f} such songs an hour and GPU, and for a million "
        f"{hours:,.0f} hours of one, {price}. Reading and playing go on beside it, on cores. "
        "How many songs share a GPU well was not measured.",
        108,
    )


def plot(costs: Costs, path: Path) -> None:
    """Hours over songs, for each number of cores; the leader's share dotted."""
    from matplotlib.figure import Figure  # an optional library, and slow to load

    figure = Figure(figsize=(4.6 * len(costs.kinds), 4), layout="constrained")
    for axes, kind in zip(figure.subplots(1, len(costs.kinds), squeeze=False)[0], costs.kinds, strict=True):
        for cores in CORES:
            hours = [costs.hours(kind, songs, cores) for songs in CORPORA]
            axes.plot(CORPORA, hours, "o-", label=f"{cores:,} cores")
        axes.plot(CORPORA, [costs.leader_s(songs) / 3600 for songs in CORPORA], ":k", label="the leader's")
        axes.set(xscale="log", yscale="log", xlabel="songs", ylabel="hours", title=f"songs of {kind.name}")
        axes.grid(alpha=0.3, which="both")
        axes.legend(fontsize=8)
    figure.savefig(path, dpi=110, metadata={"Software": None})
