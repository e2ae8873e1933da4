"""What every command has: `--settings`, `--no-settings`, `--verbose`, and a help that ends with examples and
the exit codes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand
from typer.main import get_command

from mix2daw.cli.settings_file import SETTINGS_FILE, apply_settings, defaults_line, taken
from mix2daw.errors import FormatError, MixError
from mix2daw.result import Defaults
from mix2daw.terminal import complain

BUG, MENDABLE, STOPPED = 1, 2, 130
EXIT_CODES = (
    ("0", "done"),
    (str(BUG), "a bug of mix2daw: please report it"),
    (str(MENDABLE), "something you can mend: one line on standard error says what, and how"),
    (str(STOPPED), "stopped by Ctrl-C or a polite kill: nothing was written"),
)
# Where a context keeps what all of a command line's parts may ask for.
VERBOSE, WITHOUT_FILE = "mix2daw.verbose", "mix2daw.no-settings"
FILE, USED = "mix2daw.settings", "mix2daw.used"


class Command(TyperCommand):
    """A command with the options that all have. Its `epilog` holds examples, one a line."""

    def get_params(self, ctx: typer.Context) -> list[Any]:  # type: ignore[override]
        """The command's own options and arguments, then the common ones."""
        *own, help_option = super().get_params(ctx)
        return [*own, *_COMMON, help_option]

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]
        """Run it; `--verbose` tells what came from a settings file."""
        defaults = ctx.meta[USED] = taken(ctx)
        if defaults is not None and is_verbose(ctx):
            complain(defaults_line(defaults))
        return super().invoke(ctx)

    def format_epilog(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]  # noqa: ARG002
        """Examples and exit codes."""
        with formatter.section("Examples"):
            for line in (self.epilog or "").strip().splitlines():
                formatter.write(f"{'':>{formatter.current_indent}}{line.strip()}\n")
        write_exit_codes(formatter)


def is_verbose(ctx: typer.Context) -> bool:
    """Whether `--verbose` was given."""
    return bool(ctx.meta.get(VERBOSE))


def origin(ctx: typer.Context, error: MixError) -> str:
    """Where the option that an error is about was set, if that was in a settings file."""
    used: Defaults | None = ctx.meta.get(USED)
    key = error.where.removeprefix("--")
    return f" ({key} is set in {used.file})" if used is not None and key in used.values else ""


def write_exit_codes(formatter: Any) -> None:
    """The exit codes, as a section of a help page."""
    with formatter.section("Exit codes"):
        formatter.write_dl(EXIT_CODES)


def _note_verbose(ctx: typer.Context, value: bool) -> None:
    ctx.meta[VERBOSE] = value


def _no_file(ctx: typer.Context, value: bool) -> None:
    if value and FILE in ctx.meta:
        raise _contradiction()
    ctx.meta[WITHOUT_FILE] = value


def _settings(ctx: typer.Context, file: Path | None) -> None:
    """Called before the other options get their values."""
    if ctx.resilient_parsing:  # a shell completes
        return
    if ctx.meta.get(WITHOUT_FILE):
        if file is not None:
            raise _contradiction()
        return
    if file is not None:
        ctx.meta[FILE] = True
        apply_settings(ctx, file)
    elif SETTINGS_FILE.is_file():
        apply_settings(ctx, SETTINGS_FILE)


def _contradiction() -> FormatError:
    return FormatError("--settings", "and --no-settings contradict each other", "give one of them")


def _common(
    no_settings: Annotated[
        bool,
        typer.Option(
            "--no-settings",
            help=f"Take nothing from {SETTINGS_FILE}.",
            is_eager=True,
            expose_value=False,
            callback=_no_file,
        ),
    ] = False,
    settings: Annotated[
        Path | None,
        typer.Option(
            "--settings",
            help=f"Defaults of options, instead of {SETTINGS_FILE} in the current folder.",
            is_eager=True,
            expose_value=False,
            callback=_settings,
        ),
    ] = None,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose",
            "-v",
            help="A line for every stage; what came from a settings file; the traceback of a bug.",
            is_eager=True,
            expose_value=False,
            callback=_note_verbose,
        ),
    ] = False,
) -> None:
    """Only its options are of use: those that every command has."""


_alone = typer.Typer(add_completion=False)
_alone.command()(_common)
_COMMON = get_command(_alone).params
