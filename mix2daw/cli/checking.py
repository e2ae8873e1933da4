"""The command `check`: is a song ready for `recover`, and what would spoil it?"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from mix2daw.cli.app import AsJson, Quiet, app
from mix2daw.cli.command import Command, is_verbose
from mix2daw.overview import progress_bar
from mix2daw.terminal import add_row, print_lines, table_of

if TYPE_CHECKING:
    from mix2daw.check.preflight import Report

NAMED_FILES = 4
TITLES = {"stop": "Stops recover", "warning": "Warning", "note": "Note"}


@app.command(
    cls=Command,
    epilog="""
    mix2daw check stems mix.wav
    mix2daw check stems mix.wav --json > findings.json
    """,
)
def check(
    ctx: typer.Context,
    stems: Annotated[Path, typer.Argument(metavar="STEMS", help="Folder with one audio file per track.")],
    mix: Annotated[Path, typer.Argument(metavar="MIX", help="The finished mix, one audio file.")],
    groups: Annotated[Path | None, typer.Option(help="groups.yaml: `group: [pattern, …]`.")] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Look for what would stop or spoil `recover`. Measures STEMS and MIX, and says what to do.

    Exit code 0 if nothing stops it, else 2.
    """
    from mix2daw.check.preflight import check as look
    from mix2daw.output import json_text

    with progress_bar(quiet, is_verbose(ctx)) as progress:
        report = look(stems, mix, groups, progress)
    command = _command(stems, mix, groups)
    if as_json:
        sys.stdout.write(json_text({**report.to_json(), "command": command if report.ready else None}))
    else:
        _print(report, command, quiet)
    if not report.ready:
        raise typer.Exit(2)


def _command(stems: Path, mix: Path, groups: Path | None) -> str:
    option = () if groups is None else ("--groups", str(groups))
    return shlex.join(["mix2daw", "recover", str(stems), str(mix), *option, "--out", "DIR"])


def _print(report: Report, command: str, quiet: bool) -> None:
    console = Console()
    if report.findings and not quiet:
        table = table_of("", "Code", "File", "Found", "To do")
        before = None
        for found in report.findings:
            severity = found.code.severity
            if severity != before and before is not None:
                table.add_section()
            files = [path.name or str(path) for path in found.files]
            more = [f"and {len(files) - NAMED_FILES} more"] if len(files) > NAMED_FILES else []
            shown = ", ".join([*files[:NAMED_FILES], *more])
            title = TITLES[severity] if severity != before else ""
            add_row(table, title, found.code.name, shown, found.said, found.remedy)
            before = severity
        console.print(table)
    print_lines(console, _closing(report, command))


def _closing(report: Report, command: str) -> Iterator[str]:
    stops = [found for found in report.findings if found.code.severity == "stop"]
    if stops:
        what = "; ".join(f"{found.files[0].name} {found.said} ({found.code.name})" for found in stops)
        yield f"not ready: {what}"
        return
    warnings = sum(found.code.severity == "warning" for found in report.findings)
    told = f", with {warnings} warning{'s' * (warnings > 1)}" if warnings else ""
    yield f"ready{told}: {command}"
