"""`collect`: many songs at once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from mix2daw.cli.app import AsJson, Quiet, app
from mix2daw.cli.command import MENDABLE, Command, is_verbose
from mix2daw.cli.completing import some_of
from mix2daw.cli.recovering import (
    Budget,
    CorrectDrift,
    Engine,
    Only,
    Preset,
    Seed,
    Strategy,
    Tolerance,
    Without,
)
from mix2daw.cli.values import NAMES, names, search_settings
from mix2daw.overview import progress_bar
from mix2daw.terminal import output, print_lines

CORPUS = "Folder of songs, or a manifest (CSV, JSON lines)."
Workers = Annotated[int | None, typer.Option(min=1, help="Processes on this machine.")]
Threads = Annotated[int | None, typer.Option(min=1, help="Of each process.")]
Ray = Annotated[
    str | None, typer.Option(help="Work on a Ray cluster: auto, its address, or local.", metavar="ADDRESS")
]
Gpus = Annotated[float, typer.Option(min=0, help="Of each song on a cluster: 1, or a part as 0.25.")]
OfEach = Annotated[bool, typer.Option("--preview", help="The loudest 20 s of each song.")]


@app.command(
    cls=Command,
    epilog="""
    mix2daw collect songs --out corpus
    mix2daw collect songs.csv --out corpus --workers 8 --threads 2
    mix2daw collect MedleyDB --out corpus --ray auto --preset paper --seed 1
    mix2daw collect songs --out corpus --to reaper --report --keep-audio
    """,
)
def collect(
    ctx: typer.Context,
    corpus: Annotated[Path, typer.Argument(help=CORPUS)],
    out: Annotated[Path, typer.Option(help="Folder to make, or to go on with.")],
    workers: Workers = None,
    threads: Threads = None,
    ray: Ray = None,
    gpus: Gpus = 0.0,
    preset: Preset = "studio",
    strategy: Strategy = "saliency",
    tolerance: Tolerance = 0.01,
    seed: Seed = 0,
    budget: Budget = None,
    device: Engine = "auto",
    only: Only = None,
    without: Without = None,
    preview: OfEach = False,
    correct_drift: CorrectDrift = False,
    to: Annotated[
        str,
        typer.Option(
            help="Session formats to write, by comma; none.", metavar=NAMES, autocompletion=some_of("to")
        ),
    ] = "",
    report: Annotated[bool, typer.Option("--report", help="Write a report.html of every song.")] = False,
    keep_audio: Annotated[
        bool, typer.Option("--keep-audio", help="Keep every song's render and difference.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Recover all songs of CORPUS. Goes on where it was left, and gathers the graphs in tables."""
    from mix2daw.collection.collect import WRITTEN, Cluster, Collection
    from mix2daw.collection.collect import collect as run
    from mix2daw.collection.job import Wanted

    settings = search_settings(
        preset=preset,
        strategy=strategy,
        tolerance=tolerance,
        seed=seed,
        budget=budget,
        device=device,
        only=only,
        without=without,
    )
    formats = names(to) if to else ()
    wanted = Wanted(settings, formats, report, preview, correct_drift, keep_audio)
    cluster = None if ray is None else Cluster(ray, gpus)
    with progress_bar(quiet, is_verbose(ctx)) as progress:
        summary = run(Collection(corpus, out, wanted, workers, threads, cluster), progress)
    if as_json:
        sys.stdout.write(summary.to_json())
    elif not quiet:
        left = f"; stopped: {summary.left} are left, the same command goes on" if summary.left else ""
        counted = f"{summary.done} songs recovered, {summary.kept} kept, {summary.failed} failed{left}"
        print_lines(output(), [counted, "written:", *(f"    {out / name}" for name in WRITTEN)])
    if summary.failed or summary.left:
        raise typer.Exit(MENDABLE)
