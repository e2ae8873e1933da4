"""`synth`: mixes whose console is known."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from mix2daw.cli.app import AsJson, Force, Quiet, app
from mix2daw.cli.command import Command, is_verbose
from mix2daw.overview import progress_bar
from mix2daw.terminal import output, print_lines


@app.command(
    cls=Command,
    epilog="""
    mix2daw synth stems --out corpus --songs 100 --seed 0
    mix2daw synth song/stems --groups song/groups.yaml --out mixes --songs 5 --seed 7 --force
    """,
)
def synth(
    ctx: typer.Context,
    stems: Annotated[Path, typer.Argument(metavar="STEMS", help="Folder with one audio file per track.")],
    out: Annotated[Path, typer.Option(help="Folder to make.")],
    songs: Annotated[int, typer.Option(min=1, max=9999, help="How many mixes.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same mixes.")] = 0,
    groups: Annotated[Path | None, typer.Option(help="groups.yaml: `group: [pattern, …]`.")] = None,
    force: Force = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Make random mixes of STEMS. The console of each is kept: songs to try a recovery on."""
    from mix2daw.output import json_text
    from mix2daw.synthetic.corpus import MANIFEST, Synthesis, synthesize

    with progress_bar(quiet, is_verbose(ctx)) as progress:
        names = synthesize(Synthesis(stems, out, songs, seed, groups, force), progress)
    manifest = out / MANIFEST
    if as_json:
        sys.stdout.write(json_text({"manifest": str(manifest), "songs": len(names)}))
    elif not quiet:
        lines = [f"{len(names)} mixes; `mix2daw collect {manifest} --out DIR` recovers them", "written:"]
        print_lines(output(), [*lines, f"    {manifest}"])
