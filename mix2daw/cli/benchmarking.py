"""`benchmark`: published experiments on one's own songs."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mix2daw.cli.app import AsJson, Quiet, app
from mix2daw.cli.collecting import CORPUS, Gpus, OfEach, Ray, Threads, Workers
from mix2daw.cli.command import MENDABLE, Command, is_verbose
from mix2daw.cli.completing import EXPERIMENTS, one_of, some_of
from mix2daw.cli.recovering import Engine, Preset
from mix2daw.cli.values import NAMES, names, numbers
from mix2daw.errors import FormatError
from mix2daw.overview import progress_bar
from mix2daw.terminal import output, print_lines


@app.command(
    cls=Command,
    epilog="""
    mix2daw benchmark paper songs --out tables
    mix2daw benchmark paper songs --out tables --strategies saliency,hybrid --tolerances 0.01,0.1 --seeds 0
    """,
)
def benchmark(
    ctx: typer.Context,
    experiment: Annotated[
        str,
        typer.Argument(
            metavar="EXPERIMENT",
            help="paper: those of Lee et al., 2025.",
            autocompletion=one_of("experiment"),
        ),
    ],
    corpus: Annotated[Path, typer.Argument(metavar="CORPUS", help=CORPUS)],
    out: Annotated[Path, typer.Option(help="Folder to make, or to go on with.")],
    strategies: Annotated[
        str,
        typer.Option(
            help="Of pruning, by comma; the first is tried with all seeds.",
            metavar=NAMES,
            autocompletion=some_of("strategies"),
        ),
    ] = "saliency,hybrid,brute-force,dry-wet",
    tolerances: Annotated[
        str,
        typer.Option(help="What La may lose, by comma; the first is tried with all seeds.", metavar=NAMES),
    ] = "0.01,0.001,0.1",
    seeds: Annotated[
        str, typer.Option(help="By comma; the first is that of all other tables.", metavar=NAMES)
    ] = "0,1,2",
    preset: Preset = "paper",
    preview: OfEach = False,
    workers: Workers = None,
    threads: Threads = None,
    ray: Ray = None,
    gpus: Gpus = 0.0,
    device: Engine = "auto",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Make the published tables of CORPUS. Goes on where it was left."""
    from mix2daw.collection.collect import Cluster
    from mix2daw.experiments.paper import PLOT_FILE, TABLE_FILE, Benchmark
    from mix2daw.experiments.paper import benchmark as run
    from mix2daw.experiments.plan import Experiments
    from mix2daw.output import json_text
    from mix2daw.search import Settings

    if experiment not in EXPERIMENTS:
        raise FormatError(experiment, "is no experiment", f"use one of: {', '.join(EXPERIMENTS)}")
    experiments = Experiments(
        names(strategies),
        numbers("--tolerances", tolerances, float),
        numbers("--seeds", seeds, int),
        Settings(preset=preset, device=device),  # type: ignore[arg-type]  # Settings checks it
    )
    with progress_bar(quiet, is_verbose(ctx)) as progress:
        cluster = None if ray is None else Cluster(ray, gpus)
        outcome = run(Benchmark(corpus, out, experiments, preview, workers, threads, cluster), progress)
    if as_json:
        sys.stdout.write(json_text(asdict(outcome)))
    elif not quiet:
        stopped = outcome.done < outcome.searches
        left = "; stopped: the same command goes on" if stopped else ""
        counted = f"{outcome.done} of {outcome.searches} searches of {len(outcome.songs)} songs{left}"
        written = [f"    {out / name}" for name in (TABLE_FILE, PLOT_FILE)] if outcome.done else []
        print_lines(output(), [counted, *(["written:", *written] if written else [])])
    if outcome.failed or outcome.done < outcome.searches:
        raise typer.Exit(MENDABLE)
