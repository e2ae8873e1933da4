"""Commands that search: `recover`, `refine` and `demo`; and `report`, on what they wrote."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mix2daw.cli.app import AsJson, Force, Quiet, app
from mix2daw.cli.command import Command, is_verbose
from mix2daw.cli.completing import one_of, some_of
from mix2daw.cli.loading import loading
from mix2daw.cli.settings_file import taken
from mix2daw.cli.values import NAMES, names, search_settings
from mix2daw.errors import InputError
from mix2daw.overview import progress_bar
from mix2daw.terminal import lost_lines, output, plan_lines, plan_table, print_lines, strips_table, verdict

if TYPE_CHECKING:
    from mix2daw.progress import Progress
    from mix2daw.recover import Job, Recovery

DEFAULT_FORMATS = "dawproject,reaper,ardour,recall"

Preset = Annotated[str, typer.Option(help="The console: studio or paper.", autocompletion=one_of("preset"))]
Strategy = Annotated[
    str,
    typer.Option(
        help="Of pruning: saliency, hybrid, brute-force, dry-wet; none.", autocompletion=one_of("strategy")
    ),
]
Tolerance = Annotated[float, typer.Option(help="What La may lose by leaving devices out.")]
Seed = Annotated[int, typer.Option(help="Same seed, same graph.")]
Budget = Annotated[str | None, typer.Option(help="Time for the search: 90s, 10m, 1h.")]
Engine = Annotated[str, typer.Option(help="auto, cpu or cuda.", autocompletion=one_of("device"))]
Only = Annotated[
    str | None,
    typer.Option(
        help="Only these devices, by comma: equalizer,compressor or vox.reverb.",
        metavar=NAMES,
        autocompletion=some_of("only"),
    ),
]
Without = Annotated[
    str | None,
    typer.Option(
        help="Not these, by comma: gate,delay or drums.compressor or pan.",
        metavar=NAMES,
        autocompletion=some_of("without"),
    ),
]
Formats = Annotated[
    str, typer.Option(help="Session formats, by comma.", metavar=NAMES, autocompletion=some_of("to"))
]
NoReport = Annotated[bool, typer.Option("--no-report", help="Write no report.html.")]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on from where an earlier run of the same was cut off.")
]


CorrectDrift = Annotated[
    bool, typer.Option("--correct-drift", help="Resample stems whose clock is not the mix's.")
]


@app.command(
    cls=Command,
    epilog="""
    mix2daw recover stems mix.wav --out song
    mix2daw recover stems mix.wav --out song --dry-run
    mix2daw recover stems mix.wav --out song --groups song/groups.yaml --to reaper,ardour --force
    mix2daw recover stems mix.wav --out song --without gate,master.limiter --lock vox.equalizer
    mix2daw recover stems mix.wav --out song --budget 10m --json > song.json
    mix2daw recover stems mix.wav --out song --correct-drift
    """,
)
def recover(
    ctx: typer.Context,
    stems: Annotated[Path, typer.Argument(metavar="STEMS", help="Folder with one audio file per track.")],
    mix: Annotated[Path, typer.Argument(metavar="MIX", help="The finished mix, one audio file.")],
    out: Annotated[Path, typer.Option(help="Folder to make.")],
    groups: Annotated[Path | None, typer.Option(help="groups.yaml: `group: [pattern, …]`.")] = None,
    preset: Preset = "studio",
    strategy: Strategy = "saliency",
    tolerance: Tolerance = 0.01,
    seed: Seed = 0,
    budget: Budget = None,
    device: Engine = "auto",
    only: Only = None,
    without: Without = None,
    lock: Annotated[
        str | None,
        typer.Option(
            help="Devices that stay in any case, by comma.", metavar=NAMES, autocompletion=some_of("lock")
        ),
    ] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="A first impression: the loudest 20 s, with fewer steps.")
    ] = False,
    correct_drift: CorrectDrift = False,
    to: Formats = DEFAULT_FORMATS,
    no_report: NoReport = False,
    resume: Resume = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would be done, and about how long it takes.")
    ] = False,
    force: Force = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Find the mixing graph that turns STEMS into MIX. Writes it, its audio and its sessions."""
    with loading():
        from mix2daw.recover import Job
        from mix2daw.recover import recover as run

    settings = search_settings(
        preset=preset,
        strategy=strategy,
        tolerance=tolerance,
        seed=seed,
        budget=budget,
        device=device,
        only=only,
        without=without,
        lock=lock,
    )
    report, kept = not no_report, (resume, taken(ctx), correct_drift)
    job = Job(stems, mix, out, groups, names(to), settings, force, report, preview, *kept)
    if dry_run:
        _plan(job, as_json, quiet, is_verbose(ctx))
    else:
        _run(lambda progress: run(job, progress), as_json, quiet, is_verbose(ctx))


@app.command(
    cls=Command,
    epilog="""
    mix2daw refine song/graph.json --out closer
    mix2daw refine song/graph.json --out closer --lock vox,master.limiter,pan
    """,
)
def refine(
    ctx: typer.Context,
    graph: Annotated[Path, typer.Argument(metavar="GRAPH", help="A graph.json, edited or not.")],
    out: Annotated[Path, typer.Option(help="Folder to make.")],
    mix: Annotated[Path | None, typer.Option(help="The mix, if it is not where the graph says.")] = None,
    strategy: Strategy = "saliency",
    tolerance: Tolerance = 0.01,
    seed: Seed = 0,
    budget: Budget = None,
    device: Engine = "auto",
    only: Only = None,
    without: Without = None,
    lock: Annotated[
        str | None,
        typer.Option(
            help="Devices that stay as they are, by comma: vox.equalizer, drums.*, pan.",
            metavar=NAMES,
            autocompletion=some_of("lock"),
        ),
    ] = None,
    to: Formats = DEFAULT_FORMATS,
    no_report: NoReport = False,
    resume: Resume = False,
    force: Force = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Go on from GRAPH. Fits the devices that it has closer to the mix, takes out what is not heard."""
    with loading():
        from mix2daw.recover import Refinement
        from mix2daw.recover import refine as run

    settings = search_settings(
        strategy=strategy,
        tolerance=tolerance,
        seed=seed,
        budget=budget,
        device=device,
        only=only,
        without=without,
        lock=lock,
    )
    job = Refinement(graph, out, mix, names(to), settings, force, not no_report, resume, taken(ctx))
    _run(lambda progress: run(job, progress), as_json, quiet, is_verbose(ctx))


@app.command(cls=Command, epilog="mix2daw demo --out out/demo")
def demo(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(help="Folder to make.")] = Path("out/demo"),
    force: Force = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Recover the sample song that comes with the source."""
    with loading():
        from mix2daw.recover import Job
        from mix2daw.recover import recover as run

    song = Path(__file__).resolve().parents[2] / "samples" / "song"
    if not (song / "stems").is_dir():
        raise InputError("demo", "this installation has no sample song", "run it in a checkout of the source")
    groups = song / "groups.yaml"
    known = groups if groups.exists() else None
    job = Job(song / "stems", song / "mix.flac", out, known, force=force, defaults=taken(ctx))
    _run(lambda progress: run(job, progress), as_json, quiet, is_verbose(ctx))


@app.command(cls=Command, epilog="mix2daw report song\nmix2daw report song --out elsewhere.html")
def report(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that `recover` wrote.")],
    out: Annotated[Path | None, typer.Option(help="File to write, instead of DIR/report.html.")] = None,
    force: Force = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write the report of DIR again. One page to look at and to listen to, in a browser."""
    from mix2daw.output import json_text
    from mix2daw.report.folder import write_report

    with progress_bar(quiet, is_verbose(ctx)) as progress:
        page = write_report(folder, progress, out, force)
    if as_json:
        sys.stdout.write(json_text({"report": str(page)}))
    elif not quiet:
        print_lines(output(), [f"written: {page}"])


def _plan(job: Job, as_json: bool, quiet: bool, verbose: bool) -> None:
    from mix2daw.dry_run import plan

    with progress_bar(quiet, verbose) as progress:
        found = plan(job, progress)
    if as_json:
        sys.stdout.write(found.to_json())
    elif not quiet:
        console = output()
        console.print(plan_table(found))
        print_lines(console, plan_lines(found))


def _run(work: Callable[[Progress], Recovery], as_json: bool, quiet: bool, verbose: bool) -> None:
    with progress_bar(quiet, verbose) as progress:
        recovery = work(progress)
    if as_json:
        sys.stdout.write(recovery.result.to_json())
    elif not quiet:
        _report(recovery, verbose)


def _report(recovery: Recovery, verbose: bool) -> None:
    """The outcome: a table, a line of numbers, the files, and what the sessions do not carry."""
    from mix2daw.result import result_files

    console, result = output(), recovery.result
    console.print(strips_table(recovery.graph, result.strip_residual_db))
    if result.silent:
        print_lines(console, [f"silent stems, set aside: {', '.join(result.silent)}"])
    if result.muted:
        print_lines(console, [f"muted tracks: {', '.join(result.muted)}"])
    print_lines(console, [verdict(result), "written:"])
    print_lines(console, [f"    {path}" for path in result_files(recovery.folder)])
    print_lines(console, ["not carried by a session as an editable, exact device:"])
    print_lines(console, (f"    {line}" for line in lost_lines(result.lost, full=verbose)))
