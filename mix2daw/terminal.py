"""What a person sees of the work: a progress bar with an ETA, tables of a graph and of what was lost.

Names come from users: they are printed as plain text, never as markup, and without control characters.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from mix2daw.exporters import Lost
from mix2daw.graph import Device, Graph, Strip
from mix2daw.result import Result

if TYPE_CHECKING:
    from mix2daw.exporters.ardour.verify import Null, Verification


class Bar:
    """Progress on a terminal; without one, only what is said."""

    def __init__(self, bar: Progress, console: Console, quiet: bool) -> None:
        self._bar, self._console, self._quiet = bar, console, quiet
        self._task: TaskID | None = None

    def stage(self, name: str, steps: int) -> None:
        """A new line with a bar of its own; the one before it is complete."""
        if self._task is not None:
            self._bar.update(self._task, total=1, completed=1, note="")
        self._task = self._bar.add_task(one_line(name), total=max(steps, 1), note="")

    def step(self, note: str = "") -> None:
        """One step further in the current stage."""
        if self._task is not None:
            self._bar.update(self._task, advance=1, note=one_line(note))

    def say(self, line: str) -> None:
        """One line above the bars."""
        if not self._quiet:
            self._console.print(Text(f"mix2daw: {one_line(line)}"), soft_wrap=True)


@contextmanager
def progress_bar(quiet: bool) -> Iterator[Bar]:
    """A Progress on standard error, gone when the block ends. `quiet`: say nothing at all."""
    console = Console(stderr=True, highlight=False)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        TextColumn("{task.fields[note]}", markup=False),
    )
    hidden = quiet or not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as bar:
        yield Bar(bar, console, quiet)


def one_line(text: object) -> str:
    """Text without line breaks and control characters (a file name may hold both)."""
    return "".join(char if char.isprintable() else " " for char in str(text))


def strips_table(graph: Graph) -> Table:
    """Every strip with where it goes, its devices, fader and pan."""
    table = table_of("Strip", "Into", "Devices", "Fader dB", "Pan", right=(3, 4))
    for strip in graph.strips:
        devices = ", ".join([device_line(device) for device in strip.all_devices()] + _sends(strip))
        into = strip.output or "–"
        fader, pan = f"{strip.fader_db:+.1f}", f"{strip.pan:+.2f}"
        add_row(table, f"{strip.name} ({strip.kind})", into, devices or "–", fader, pan)
    return table


def device_line(device: Device) -> str:
    """A device in a word or two: its type, and what it costs to do without it."""
    return device.type if device.confidence is None else f"{device.type} {device.confidence:.3f}"


def lost_lines(lost: Mapping[str, Sequence[Lost]]) -> Iterator[str]:
    """Per format one headline, then one line per reason with the strips and devices it befell."""
    for name, items in lost.items():
        if not items:
            yield f"{name}: carries everything"
            continue
        yield f"{name}: {len(items)} not carried as editable, exact devices"
        by_reason: dict[tuple[str, str], list[str]] = {}
        for item in items:
            by_reason.setdefault((item.how, item.reason), []).append(f"{item.strip}/{item.device}")
        for (how, reason), places in by_reason.items():
            yield f"    {how}: {', '.join(places)}: {reason}"


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


def print_lines(console: Console, lines: Iterable[str]) -> None:
    """Lines of plain text, not wrapped."""
    for line in lines:
        console.print(Text(one_line(line)), soft_wrap=True)
