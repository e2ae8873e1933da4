"""What a person sees of a result: tables of a graph, what was lost, numbers and lengths of time.

Names come from users: they are printed as plain text, never as markup, and without control characters.
"""

from __future__ import annotations

import math
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mix2daw.eta import duration, rough
from mix2daw.exporters import Lost
from mix2daw.graph import Graph, Strip
from mix2daw.result import Result

if TYPE_CHECKING:
    from mix2daw.dry_run import Plan
    from mix2daw.exporters.ardour.verify import Null, Verification

HOW = ("dropped", "printed", "approximate")  # the worst first
NAMED_STRIPS = 3  # more are counted
DEVICE = "\0"
FILE_WIDTH = 250


def one_line(text: object) -> str:
    """Text without line breaks and control characters (a file name may hold both)."""
    return "".join(char if char.isprintable() else " " for char in str(text))


def complain(message: str) -> None:
    """One line on standard error."""
    sys.stderr.write(f"mix2daw: {one_line(message)}\n")


def strips_table(graph: Graph, residual_db: Mapping[str, float | None]) -> Table:
    """Every strip with its group, its devices and sends, fader and pan, the confidence of its devices in
    their order, and its residual (`report.residual`)."""
    table = table_of(
        *("Strip", "Group", "Devices", "Fader dB", "Pan", "Confidence", "Residual dB"), right=(3, 4, 6)
    )
    for strip in graph.strips:
        devices = strip.all_devices()
        kept = [device.type for device in devices] + _sends(strip)
        sure = [number(device.confidence, ".3f") for device in devices]
        add_row(
            table,
            strip.name if strip.kind == "track" else f"{strip.name} ({strip.kind})",
            "–" if strip.output in (None, graph.master.name) else strip.output,
            ", ".join(kept) or "–",
            f"{round(strip.fader_db, 1) + 0.0:+.1f}",  # no −0
            f"{round(strip.pan, 2) + 0.0:+.2f}",
            ", ".join(sure) or "–",
            number(residual_db.get(strip.name), ".1f"),
        )
    return table


def lost_lines(lost: Mapping[str, Sequence[Lost]], full: bool = False) -> Iterator[str]:
    """Per format one headline, then a line per reason, in short; `full`: with every strip and all of every
    reason."""
    for name, items in lost.items():
        counts = Counter[str](item.how for item in items)
        told = ", ".join(f"{counts[how]} {how}" for how in HOW if counts[how])
        yield f"{name}: {told or 'carries everything'}"
        by_reason: dict[tuple[str, str], list[Lost]] = {}
        for item in sorted(items, key=lambda item: HOW.index(item.how)):
            reason = item.reason if full else _short(item)
            by_reason.setdefault((item.how, reason), []).append(item)
        for (how, reason), befallen in by_reason.items():
            devices = list(dict.fromkeys(item.device for item in befallen))
            places = ", ".join(_places(device, befallen, full) for device in devices)
            named = devices[0] if len(devices) == 1 else f"{', '.join(devices[:-1])} or {devices[-1]}"
            yield f"    {how}: {places}: {reason.replace(DEVICE, named)}"


def _short(item: Lost) -> str:
    """A reason up to its first semicolon, with a mark for the name of the device, so that reasons that differ
    in it alone are one."""
    return re.sub(rf"\b{re.escape(item.device)}\b", DEVICE, item.reason.partition(";")[0])


def _places(device: str, items: Sequence[Lost], full: bool) -> str:
    """`compressor ×5`, `equalizer (guitar, lead)`; `delay` on a strip of that name."""
    strips = [item.strip for item in items if item.device == device]
    if len(strips) > NAMED_STRIPS and not full:
        return f"{device} ×{len(strips)}"
    return device if strips == [device] else f"{device} ({', '.join(strips)})"


def plan_table(plan: Plan) -> Table:
    """The stems as they would be taken."""
    table = table_of("Stem", "Group", "Rate Hz", "Channels", "Length", "Starts at", right=(2, 4, 5))
    kinds = {0: "silent: set aside", 1: "mono", 2: "stereo"}
    for stem in plan.stems:
        channels = kinds[stem.taken_channels]
        if stem.taken_channels == 1 and stem.channels == 2:
            channels = "mono (both the same)"
        starts = f"{stem.offset_samples:+d}" if stem.offset_samples else "–"
        length = duration(stem.seconds)
        add_row(table, stem.name, stem.group or "–", stem.sample_rate, channels, length, starts)
    return table


def plan_lines(plan: Plan) -> Iterator[str]:
    """What else a dry run tells."""
    yield f"the mix: {plan.mix}, {plan.sample_rate} Hz, {duration(plan.seconds)}"
    yield from plan.findings
    types = ", ".join(f"{count} {type_}" for type_, count in plan.devices.per_type.items())
    yield f"the console ({plan.preset}): {plan.devices.total} devices: {types}"
    yield f"pruned by {plan.strategy}; sessions for {', '.join(plan.formats)}; into {plan.out}"
    memory = f"{plan.about_mib / 1024:.1f} GiB of memory"
    yield f"about {rough(plan.about_seconds)} on two cores, about {memory}; nothing was written"


def verdict(result: Result) -> str:
    """The outcome in one line of numbers."""
    parts = [
        f"{result.devices_after.total} of {result.devices_before.total} devices kept",
        f"La {result.la['full']:.3f} (plain sum of the stems {result.la_sum_of_stems:.3f}, "
        f"full console {number(result.la_console, '.3f')})",
        f"SDR {number(result.sdr_db, '.1f')} dB",
        f"loudness {number(result.loudness_difference_lu, '+.1f')} LU",
        f"torch against pedalboard {number(result.null_db['torch_pedalboard'], '.0f')} dB",
    ]
    if result.interrupted:
        parts.append("stopped early: the best so far")
    if result.out_of_time:
        parts.append("cut short by the budget")
    return "; ".join(parts)


def nulls_table(nulls: Sequence[Null]) -> Table:
    """How far every strip of a session is from the render; a dash for one that is not heard."""
    table = table_of("Strip", "Null dB", "Late by", right=(1, 2))
    for null in nulls:
        late = f"{null.lag_samples} samples" if null.lag_samples else "–"
        add_row(table, f"{null.strip} ({null.kind})", number(null.null_db, ".1f"), late)
    return table


def verification_lines(found: Verification) -> Iterator[str]:
    """The outcome of playing a session in a DAW: what it complains of, how near it is, how long it took."""
    yield from found.complaints
    many = len(found.complaints)
    said = "loads without a complaint" if not many else f"has {many} complaints at loading"
    heard = f"plays the render to {number(found.mix.null_db, '.1f')} dB"
    yield f"{found.host} {said}; {heard}; {found.duration_s:.1f} s exported in {found.export_s:.1f} s"


def number(value: float | None, form: str) -> str:
    """A number in a form, a dash where it is not defined."""
    return "–" if value is None or math.isnan(value) else f"{value:{form}}"


def table_of(*columns: str, right: Sequence[int] = ()) -> Table:
    """An empty table with one line under its head; `right`: columns aligned to the right."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index in right else "left", overflow="fold")
    return table


def add_row(table: Table, *cells: object) -> None:
    """One row of plain text."""
    table.add_row(*(Text(one_line(cell)) for cell in cells))


def _sends(strip: Strip) -> list[str]:
    return [f"→ {send.target} {send.level_db:+.1f} dB" for send in strip.sends]


def output() -> Console:
    """Standard output; what is no terminal gets lines as long as they are."""
    return Console(width=None if sys.stdout.isatty() else FILE_WIDTH)


def print_lines(console: Console, lines: Iterable[str]) -> None:
    """Lines of plain text, not wrapped."""
    for line in lines:
        console.print(Text(one_line(line)), soft_wrap=True)
