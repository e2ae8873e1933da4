"""What a person sees of a run while it goes on: one bar for all of it, the time left, and how it stands.

Everything goes to standard error. Without a terminal there is no bar, only what is said.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.text import Text

from mix2daw.errors import FormatError
from mix2daw.eta import Cost, Eta, duration
from mix2daw.terminal import one_line


class Overview:
    """A Progress that shows the run as a whole. `quiet`: say nothing; `verbose`: a line for every stage that
    is over, with its seconds, La and the devices that are left."""

    def __init__(self, console: Console, quiet: bool, verbose: bool) -> None:
        self._console, self._quiet, self._verbose = console, quiet, verbose
        self.eta = Eta()
        self.stage_name = self.note = ""
        self._steps = self._step = 0
        self._begun_s = 0.0
        self._la: float | None = None
        self._devices: int | None = None

    def expect(self, costs: Iterable[Cost]) -> None:
        """Stages to come, and their seconds."""
        self.eta.expect(costs)

    def stage(self, name: str, steps: int) -> None:
        """A new stage; the one before it is over, and told of."""
        self._tell()
        self.stage_name, self._steps, self._step, self.note = one_line(name), steps, 0, ""
        self._begun_s = monotonic()
        self.eta.begin(name, steps)

    def step(self, note: str = "") -> None:
        """One step further in the current stage."""
        self._step, self.note = self._step + 1, one_line(note)
        self.eta.step()

    def stands(self, la: float | None, devices: int | None) -> None:
        """La and the devices that are left."""
        self._la = self._la if la is None else la
        self._devices = self._devices if devices is None else devices

    def say(self, line: str) -> None:
        """One line above the bar."""
        if not self._quiet:
            self._console.print(Text(f"mix2daw: {one_line(line)}"), soft_wrap=True)

    def done(self) -> None:
        """The last stage is over."""
        self._tell()
        self.stage_name, self._steps = "", 0
        self.eta.end()

    def state(self) -> str:
        """The stage and its step, La, and the devices that are left, as far as they are known."""
        steps = f"step {min(self._step, self._steps)} of {self._steps}" if self._steps > 1 else ""
        return ", ".join(part for part in (self.stage_name, steps, self.note, *self._standing()) if part)

    def _standing(self) -> Iterator[str]:
        if self._la is not None and "La " not in self.note:
            yield f"La {self._la:.3f}"
        if self._devices is not None and "devices left" not in self.note:
            yield f"{self._devices} devices left"

    def _tell(self) -> None:
        if self._verbose and self.stage_name:
            self.note = ""
            seconds = f"{monotonic() - self._begun_s:.1f} s"
            self.say(f"{self.stage_name}: {', '.join((seconds, *self._standing()))}")


class _Left(ProgressColumn):
    """The time that is left, of the whole run."""

    max_refresh = 0.5

    def __init__(self, eta: Eta) -> None:
        self._eta = eta
        super().__init__()

    def render(self, task: Task) -> Text:  # noqa: ARG002
        """`1:04, about 0:40 left`."""
        remaining_s = self._eta.remaining_s()
        left = "" if remaining_s is None else f", about {duration(remaining_s)} left"
        return Text(f"{duration(self._eta.elapsed_s())}{left}")


class _View(Progress):
    """The bar of the whole run, and beneath it where the stage stands."""

    def __init__(self, overview: Overview, console: Console, hidden: bool) -> None:
        self._overview = overview
        columns = (
            SpinnerColumn(),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[percent]}", markup=False),
            _Left(overview.eta),
        )
        super().__init__(*columns, console=console, transient=True, disable=hidden)
        self.add_task("", total=None, percent="")

    def get_renderables(self) -> Iterable[RenderableType]:
        """One line with the bar, one with the state of the stage."""
        share = self._overview.eta.share()
        for task in self.tasks:
            self.update(
                task.id,
                total=None if share is None else 1.0,
                completed=share or 0.0,
                percent="" if share is None else f"{100 * share:3.0f} %",
            )
        yield self.make_tasks_table(self.tasks)
        yield Text(f"  {self._overview.state()}", style="dim", no_wrap=True, overflow="ellipsis")


@contextmanager
def progress_bar(quiet: bool, verbose: bool = False) -> Iterator[Overview]:
    """A Progress on standard error, whose bar is gone when the block ends. Raises FormatError for `quiet` and
    `verbose` together."""
    if quiet and verbose:
        raise FormatError("--quiet", "and --verbose contradict each other", "give one of them")
    console = Console(stderr=True, highlight=False)
    overview = Overview(console, quiet, verbose)
    seen = console.is_terminal and sys.stderr.isatty()  # the first may be forced, for colours
    with _View(overview, console, hidden=quiet or not seen):
        yield overview
        overview.done()
