"""The command line's frame: errors become one line and an exit code, for every command alike.

What a user can mend ends in one line on standard error and exit code 2; an interrupt in 130.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import Annotated

import typer
from typer.core import TyperGroup

from mix2daw.errors import MixError
from mix2daw.terminal import one_line

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
    "processors",
    "formats",
    "schema",
    "demo",
)


class _Group(TyperGroup):
    """Turns errors into one line and an exit code, for every command alike."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """Names of the commands, in the order that a song takes them."""
        return sorted(super().list_commands(ctx), key=ORDER.index)

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except MixError as error:
            _complain(str(error))
        except BrokenPipeError:
            raise
        except OSError as error:
            _complain(f"{error.filename or 'system'}: {error.strerror or error}; check it and try again")
        except KeyboardInterrupt:
            _complain("stopped: nothing was written")
            raise typer.Exit(130) from None
        raise typer.Exit(2)


app = typer.Typer(
    name="mix2daw",
    cls=_Group,
    help="Recover the mixing graph of a song from its stems and its mix, and open it in a DAW.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Force = Annotated[bool, typer.Option("--force", help="Replace an earlier result.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no findings.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


def main() -> None:
    """The console script. A polite kill is an interrupt: what was half-written goes away."""
    signal.signal(signal.SIGTERM, _interrupt)
    # Threads that wait in a loop for their next task starve each other on a busy machine (ten times slower).
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    app()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _complain(message: str) -> None:
    sys.stderr.write(f"mix2daw: {one_line(message)}\n")
