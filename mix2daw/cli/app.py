"""The command line's frame: errors become one line and an exit code, for every command alike."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from importlib.metadata import version
from types import FrameType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from mix2daw.cli.command import BUG, MENDABLE, STOPPED, is_verbose, origin, write_exit_codes
from mix2daw.errors import MixError
from mix2daw.terminal import complain

# As `--help` lists them: on the way of a song, then what there is.
ORDER = (
    "check",
    "recover",
    "refine",
    "report",
    "explain",
    "render",
    "compare",
    "export",
    "verify",
    "collect",
    "synth",
    "benchmark",
    "processors",
    "formats",
    "schema",
    "demo",
)
TRACEBACK = "MIX2DAW_TRACEBACK"


class _Group(TyperGroup):
    """Turns errors into one line and an exit code, for every command alike."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """Names of the commands, in the order that a song takes them."""
        return sorted(super().list_commands(ctx), key=ORDER.index)

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Read what stands before the command."""
        is_help = not args
        try:
            return super().parse_args(ctx, args)
        except typer.TyperException as error:
            if is_help:
                raise
            complain(_usage(error, "mix2daw"))
            raise typer.Exit(MENDABLE) from None

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, BrokenPipeError):
            raise
        except MixError as error:
            complain(f"{error}{origin(ctx, error)}")
        except typer.TyperException as error:
            complain(_usage(error, f"mix2daw {ctx.invoked_subcommand or ''}".strip()))
        except OSError as error:
            complain(_refused(error))
        except MemoryError:
            complain(
                "memory: there is not enough of it; close other programs, or give fewer or shorter stems"
            )
        except KeyboardInterrupt:
            complain("stopped: nothing was written")
            raise typer.Exit(STOPPED) from None
        except Exception as error:
            if is_verbose(ctx) or os.environ.get(TRACEBACK):
                traceback.print_exc()
            complain(_bug(error))
            raise typer.Exit(BUG) from None
        raise typer.Exit(MENDABLE)

    def format_epilog(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]  # noqa: ARG002
        """The exit codes."""
        write_exit_codes(formatter)


app = typer.Typer(
    name="mix2daw",
    cls=_Group,
    help="Recover the mixing graph of a song from its stems and its mix, and open it in a DAW.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"max_content_width": 100},
)

Force = Annotated[bool, typer.Option("--force", help="Replace an earlier result.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Nothing but errors.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


def main() -> None:
    """The console script. A polite kill is an interrupt: what was half-written goes away."""
    signal.signal(signal.SIGTERM, _interrupt)
    # Threads that wait in a loop for their next task starve each other on a busy machine (ten times slower).
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        app(prog_name="mix2daw")
    except SystemExit as ended:
        code = ended.code
    except OSError as error:  # of a page of help
        complain(_refused(error))
        code = MENDABLE
    else:
        code = 0
    raise SystemExit(_handed_over(code))


def _tell_version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"mix2daw {version('mix2daw')}\n")
        raise typer.Exit


@app.callback()
def _frame(
    _version: Annotated[
        bool,
        typer.Option("--version", help="The version.", is_eager=True, callback=_tell_version),
    ] = False,
) -> None:
    pass


def _usage(error: typer.TyperException, command: str) -> str:
    return f"{error.format_message().rstrip('.')}; see `{command} --help`"


def _bug(error: Exception) -> str:
    """One line that names the innermost place in our own code."""
    walked = [
        (frame.f_globals.get("__name__", ""), line) for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    module, line = next((place for place in reversed(walked) if place[0].startswith("mix2daw.")), walked[-1])
    what = f"{type(error).__name__}: {error} ({module}, line {line})"
    return f"this is a bug: {what}; please report it, with the command and what it prints with --verbose"


def _refused(error: OSError) -> str:
    return f"{error.filename or 'system'}: {error.strerror or error}; check it and try again"


def _handed_over(code: str | int | None) -> str | int | None:
    """The exit code, once what was printed has reached its file. The interpreter would see to that after us,
    and end in a traceback if a disk is full."""
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # takes what is left
        if code or isinstance(error, BrokenPipeError):  # it is told; nobody wants to read it any more
            return code
        complain(f"standard output: cannot be written ({error.strerror or error}); free some space")
        return MENDABLE
    return code


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
