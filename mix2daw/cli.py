"""The command line: parse, call, print.

What a user can mend ends in one line on standard error and exit code 2; an interrupt in 130.
Modules that load torch or an exporter are imported by the commands that need them.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from typer.core import TyperGroup

from mix2daw.errors import FormatError, InputError, MixError
from mix2daw.terminal import (
    add_row,
    lost_lines,
    nulls_table,
    number,
    one_line,
    print_lines,
    progress_bar,
    strips_table,
    table_of,
    verdict,
    verification_lines,
)

if TYPE_CHECKING:
    from mix2daw.recover import Job, Recovery

DEFAULT_FORMATS = "dawproject,reaper,ardour,recall"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Group(TyperGroup):
    """Turns errors into one line and an exit code, for every command alike."""

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


@app.command()
def recover(
    stems: Annotated[Path, typer.Argument(metavar="STEMS", help="Folder with one audio file per track.")],
    mix: Annotated[Path, typer.Argument(metavar="MIX", help="The finished mix, one audio file.")],
    out: Annotated[Path, typer.Option(help="Folder to make.")],
    groups: Annotated[Path | None, typer.Option(help="groups.yaml: `group: [pattern, …]`.")] = None,
    preset: Annotated[str, typer.Option(help="The console: studio or paper.")] = "studio",
    strategy: Annotated[
        str, typer.Option(help="Of pruning: saliency, hybrid, brute-force or dry-wet.")
    ] = "saliency",
    tolerance: Annotated[float, typer.Option(help="What La may lose by leaving devices out.")] = 0.01,
    seed: Annotated[int, typer.Option(help="Same seed, same graph.")] = 0,
    budget: Annotated[str | None, typer.Option(help="Time for the search: 90s, 10m, 1h.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    processors: Annotated[str | None, typer.Option(help="Only these, by comma.")] = None,
    to: Annotated[str, typer.Option(help="Session formats, by comma.")] = DEFAULT_FORMATS,
    no_report: Annotated[bool, typer.Option("--no-report", help="Write no report.html.")] = False,
    force: Force = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Find the mixing graph that turns STEMS into MIX; write it, its audio and its sessions."""
    from mix2daw.recover import Job
    from mix2daw.search.settings import Settings

    settings = Settings(
        preset=preset,
        strategy=strategy,
        tolerance=tolerance,
        seed=seed,
        budget_s=None if budget is None else seconds(budget),
        device=device,  # type: ignore[arg-type]  # Settings checks it
        processors=None if processors is None else frozenset(names(processors)),
    )
    _recover(Job(stems, mix, out, groups, names(to), settings, force, not no_report), as_json, quiet)


@app.command()
def render(
    graph: Annotated[Path, typer.Argument(metavar="GRAPH", help="A graph.json.")],
    out: Annotated[Path, typer.Option(help="WAV file to write, 32-bit float.")],
    engine: Annotated[str, typer.Option(help="pedalboard or torch.")] = "pedalboard",
    force: Force = False,
) -> None:
    """Play GRAPH into a file."""
    from mix2daw.graph import read_graph
    from mix2daw.output import check_file
    from mix2daw.recover import render_graph
    from mix2daw.stems import write_wav

    loaded = read_graph(graph)
    check_file(out, force)
    write_wav(out, render_graph(loaded, graph.resolve().parent, engine), loaded.sample_rate)


@app.command()
def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="The one to judge.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="The one it should be (the target).")],
    as_json: AsJson = False,
) -> None:
    """How close is A to B? La and its parts, SDR, loudness, null. A is resampled to B's rate if need be."""
    from mix2daw.compare import compare as measure
    from mix2daw.output import json_text
    from mix2daw.stems import probe, read_audio

    sample_rate = probe(b).sample_rate
    metrics = measure(read_audio(a, sample_rate), read_audio(b), sample_rate)
    if as_json:
        sys.stdout.write(json_text(metrics))
        return
    table = table_of("Measure", "Value", right=(1,))
    for name, value in metrics.items():
        add_row(table, name, number(value, ".3f"))
    Console().print(table)


@app.command()
def explain(
    graph: Annotated[Path, typer.Argument(metavar="GRAPH", help="A graph.json.")],
    mix: Annotated[Path | None, typer.Option(help="The mix, if it is not where the graph says.")] = None,
    top: Annotated[int, typer.Option(min=1, help="How many lines.")] = 12,
    as_json: AsJson = False,
) -> None:
    """What is missing in GRAPH? By how much La would fall if a strip had a free filter, gain or reverb."""
    from mix2daw.graph import read_graph
    from mix2daw.output import json_text
    from mix2daw.recover import explain_graph

    found = explain_graph(read_graph(graph), graph.resolve().parent, mix)
    if as_json:
        sys.stdout.write(json_text(asdict(found)))
        return
    table = table_of("Strip", "Free device", "La would fall by", right=(2,))
    for missing in found.missing[:top]:
        add_row(table, missing.strip, missing.kind, f"{missing.la_fall:.3f}")
    console = Console()
    console.print(table)
    print_lines(console, [f"La now {found.la:.3f}; each fall is the most that one device could bring"])


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


@app.command()
def export(
    graph: Annotated[Path, typer.Argument(metavar="GRAPH", help="A graph.json.")],
    to: Annotated[str, typer.Option(help="Session formats, by comma.")],
    out: Annotated[Path, typer.Option(help="Folder to make: one folder per format.")],
    amount: Annotated[
        list[str] | None, typer.Option(help="Percent of the processing, or STRIP=PERCENT; may be repeated.")
    ] = None,
    devices: Annotated[str, typer.Option(help="own (effects of ours, exact) or native (the DAW's).")] = "own",
    media: Annotated[
        str, typer.Option(help="embed (in the session) or link (stems where they lie).")
    ] = "embed",
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Write GRAPH as DAW sessions, and say what each could not carry."""
    from mix2daw.amount import scaled, shares
    from mix2daw.exporters.options import Options
    from mix2daw.graph import read_graph
    from mix2daw.recover import export_folder

    options = Options(devices, media)
    loaded = read_graph(graph)
    if amount:
        loaded = scaled(loaded, shares(amount, loaded))
    with progress_bar(quiet) as progress:
        folder = graph.resolve().parent
        lost = export_folder(loaded, folder, names(to), out, force, progress, options)
    print_lines(Console(), (*lost_lines(lost), f"written: {out}"))


@app.command()
def verify(
    graph: Annotated[Path, typer.Argument(metavar="GRAPH", help="A graph.json.")],
    daw: Annotated[str, typer.Option(help="The DAW, which has to be installed: ardour.")] = "ardour",
    out: Annotated[Path | None, typer.Option(help="JSON file to write, such as verify.json.")] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Write GRAPH as a session, have the DAW play it, and compare every strip with the render."""
    from mix2daw.graph import read_graph
    from mix2daw.output import check_file, write_text
    from mix2daw.verify import check_daw, verification_json
    from mix2daw.verify import verify as compare_daw

    check_daw(daw)
    loaded = read_graph(graph)
    if out is not None:
        check_file(out, force)
    found = compare_daw(loaded, graph.resolve().parent, daw)
    if out is not None:
        write_text(out, verification_json(found))
    if as_json:
        sys.stdout.write(verification_json(found))
        return
    console = Console()
    console.print(nulls_table(found.strips))
    print_lines(console, verification_lines(found))


@app.command()
def processors() -> None:
    """The processors and their controls."""
    from mix2daw.processors import PROCESSORS

    table = table_of("Processor", "Control", "From", "To", "At rest", right=(2, 3, 4))
    for processor in PROCESSORS.values():
        if processor.impulse:
            add_row(table, processor.name, "impulse", "a file", "of 2 or 4 channels", "")
        for param in processor.params:
            low, high = (f"{param.low:g}", f"{param.high:g}")
            if param.choices:
                low, high = "one of", ", ".join(f"{choice:g}" for choice in param.choices)
            add_row(table, processor.name, param.name, low, high, f"{param.rest:g}")
    Console().print(table)


@app.command()
def formats(
    markdown: Annotated[
        bool, typer.Option("--markdown", help="The second table alone, in Markdown.")
    ] = False,
) -> None:
    """The session formats, and how each carries faders, pans, routing and every device."""
    from mix2daw.exporters import FORMATS, exporter, matrix
    from mix2daw.exporters.options import CHOICES

    if markdown:
        sys.stdout.write(matrix.markdown())
        return
    table = table_of("Format", "File", "What", "Options of export")
    for name in FORMATS:
        found = exporter(name)
        options = [f"--{option} {'|'.join(CHOICES[option])}" for option in sorted(found.options)]
        add_row(table, found.name, found.suffix, found.summary, ", ".join(options))
    carried = table_of(*matrix.header())
    for row in matrix.rows():
        add_row(carried, *row)
    console = Console()
    console.print(table, carried)
    print_lines(console, matrix.LEGEND)


@app.command()
def schema() -> None:
    """The JSON Schema of graph.json."""
    from mix2daw.graph import Graph
    from mix2daw.output import json_text

    sys.stdout.write(json_text({"$schema": DIALECT, **Graph.model_json_schema(by_alias=True)}))


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder to make.")] = Path("out/demo"),
    force: Force = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Recover the sample song that comes with the source."""
    from mix2daw.recover import Job

    song = Path(__file__).resolve().parent.parent / "samples" / "song"
    if not (song / "stems").is_dir():
        raise InputError("demo", "this installation has no sample song", "run it in a checkout of the source")
    groups = song / "groups.yaml"
    job = Job(song / "stems", song / "mix.flac", out, groups if groups.exists() else None, force=force)
    _recover(job, as_json, quiet)


def names(text: str) -> tuple[str, ...]:
    """ "a, b" as ("a", "b"), each once. FormatError if there is none."""
    found = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not found:
        raise FormatError(repr(text), "names nothing", "give names with commas between them")
    return found


def seconds(text: str) -> float:
    """ "90s", "10m", "1h" or plain seconds as seconds. FormatError if it is none of these."""
    units = {"s": 1.0, "m": 60.0, "h": 3600.0}
    number, unit = (text[:-1], units[text[-1]]) if text[-1:] in units else (text, 1.0)
    try:
        value = float(number) * unit
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise FormatError("--budget", f"{text!r} is no length of time", "use for example 90s, 10m or 1h")
    return value


def main() -> None:
    """The console script. A polite kill is an interrupt: what was half-written goes away."""
    signal.signal(signal.SIGTERM, _interrupt)
    # Threads that wait in a loop for their next task starve each other on a busy machine (ten times slower).
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    app()


def _recover(job: Job, as_json: bool, quiet: bool) -> None:
    from mix2daw.recover import recover as run

    with progress_bar(quiet) as progress:
        recovery = run(job, progress)
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


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _complain(message: str) -> None:
    sys.stderr.write(f"mix2daw: {one_line(message)}\n")
