"""Commands that search: `recover`, `refine` and `demo`; and `report`, on what they wrote."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from mix2daw.cli.app import AsJson, Force, Quiet, app
from mix2daw.cli.values import names, seconds, selection
from mix2daw.errors import InputError
from mix2daw.terminal import lost_lines, print_lines, progress_bar, strips_table, verdict

if TYPE_CHECKING:
    from mix2daw.progress import Progress
    from mix2daw.recover import Recovery

DEFAULT_FORMATS = "dawproject,reaper,ardour,recall"

Strategy = Annotated[str, typer.Option(help="Of pruning: saliency, hybrid, brute-force or dry-wet.")]
Tolerance = Annotated[float, typer.Option(help="What La may lose by leaving devices out.")]
Seed = Annotated[int, typer.Option(help="Same seed, same graph.")]
Budget = Annotated[str | None, typer.Option(help="Time for the search: 90s, 10m, 1h.")]
Engine = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Only = Annotated[
    str | None, typer.Option(help="Only these devices, by comma: equalizer,compressor or vox.reverb.")
]
Without = Annotated[
    str | None, typer.Option(help="Not these, by comma: gate,delay or drums.compressor or pan.")
]
Formats = Annotated[str, typer.Option(help="Session formats, by comma.")]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on from where an earlier run of the same was cut off.")
]
NoReport = Annotated[bool, typer.Option("--no-report", help="Write no report.html.")]


@app.command()
def recover(
    stems: Annotated[Path, typer.Argument(metavar="STEMS", help="Folder with one audio file per track.")],
    mix: Annotated[Path, typer.Argument(metavar="MIX", help="The finished mix, one audio file.")],
    out: Annotated[Path, typer.Option(help="Folder to make.")],
    groups: Annotated[Path | None, typer.Option(help="groups.yaml: `group: [pattern, …]`.")] = None,
    preset: Annotated[str, typer.Option(help="The console: studio or paper.")] = "studio",
    strategy: Strategy = "saliency",
    tolerance: Tolerance = 0.01,
    seed: Seed = 0,
    budget: Budget = None,
    device: Engine = "auto",
    only: Only = None,
    without: Without = None,
    lock: Annotated[str | None, typer.Option(help="Devices that stay in any case, by comma.")] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="A first impression: the loudest 20 s, with fewer steps.")
    ] = False,
    to: Formats = DEFAULT_FORMATS,
    no_report: NoReport = False,
    resume: Resume = False,
    force: Force = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Find the mixing graph that turns STEMS into MIX; write it, its audio and its sessions."""
    from mix2daw.recover import Job
    from mix2daw.recover import recover as run
    from mix2daw.search.settings import Settings

    settings = Settings(
        preset=preset,
        strategy=strategy,
        tolerance=tolerance,
        seed=seed,
        budget_s=None if budget is None else seconds(budget),
        device=device,  # type: ignore[arg-type]  # Settings checks it
        only=selection("--only", only),
        without=selection("--without", without),
        lock=selection("--lock", lock),
    )
    job = Job(stems, mix, out, groups, names(to), settings, force, not no_report, preview, resume)
    _run(lambda progress: run(job, progress), as_json, quiet)


@app.command()
def refine(
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
        str | None, typer.Option(help="Devices that stay as they are, by comma: vox.equalizer, drums.*, pan.")
    ] = None,
    to: Formats = DEFAULT_FORMATS,
    no_report: NoReport = False,
    resume: Resume = False,
    force: Force = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Go on from GRAPH: fit the devices that it has closer to the mix, take out what is not heard."""
    from mix2daw.recover import Refinement
    from mix2daw.recover import refine as run
    from mix2daw.search.settings import Settings

    settings = Settings(
        strategy=strategy,
        tolerance=tolerance,
        seed=seed,
        budget_s=None if budget is None else seconds(budget),
        device=device,  # type: ignore[arg-type]  # Settings checks it
        only=selection("--only", only),
        without=selection("--without", without),
        lock=selection("--lock", lock),
    )
    job = Refinement(graph, out, mix, names(to), settings, force, not no_report, resume)
    _run(lambda progress: run(job, progress), as_json, quiet)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder to make.")] = Path("out/demo"),
    force: Force = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Recover the sample song that comes with the source."""
    from mix2daw.recover import Job
    from mix2daw.recover import recover as run

    song = Path(__file__).resolve().parents[2] / "samples" / "song"
    if not (song / "stems").is_dir():
        raise InputError("demo", "this installation has no sample song", "run it in a checkout of the source")
    groups = song / "groups.yaml"
    job = Job(song / "stems", song / "mix.flac", out, groups if groups.exists() else None, force=force)
    _run(lambda progress: run(job, progress), as_json, quiet)


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that `recover` wrote.")],
    out: Annotated[Path | None, typer.Option(help="File to write, instead of DIR/report.html.")] = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Write the report of DIR again: one page to look at and to listen to, in a browser."""
    from mix2daw.report.folder import write_report

    with progress_bar(quiet) as progress:
        page = write_report(folder, progress, out, force)
    print_lines(Console(), [f"written: {page}"])


def _run(work: Callable[[Progress], Recovery], as_json: bool, quiet: bool) -> None:
    with progress_bar(quiet) as progress:
        recovery = work(progress)
    if as_json:
        sys.stdout.write(recovery.result.to_json())
    elif not quiet:
        _report(recovery)


def _report(recovery: Recovery) -> None:
    from mix2daw.result import result_files

    console, result = Console(), recovery.result
    console.print(strips_table(recovery.graph))
    print_lines(console, lost_lines(result.lost))
    if result.silent:
        print_lines(console, [f"silent stems, set aside: {', '.join(result.silent)}"])
    print_lines(console, [verdict(result), "written:"])
    print_lines(console, [f"    {path}" for path in result_files(recovery.folder)])
