"""Commands on a graph that there is: `render`, `compare`, `explain`, `export`, `verify`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mix2daw.cli.app import AsJson, Force, Quiet, app
from mix2daw.cli.command import Command, is_verbose
from mix2daw.cli.completing import one_of, some_of
from mix2daw.cli.values import NAMES, names
from mix2daw.overview import progress_bar
from mix2daw.terminal import (
    add_row,
    complain,
    lost_lines,
    nulls_table,
    number,
    output,
    print_lines,
    table_of,
    verification_lines,
)


@app.command(cls=Command, epilog="mix2daw render song/graph.json --out mine.wav")
def render(
    graph: Annotated[Path, typer.Argument(metavar="GRAPH", help="A graph.json.")],
    out: Annotated[Path, typer.Option(help="WAV file to write, 32-bit float.")],
    engine: Annotated[
        str, typer.Option(help="pedalboard or torch.", autocompletion=one_of("engine"))
    ] = "pedalboard",
    force: Force = False,
) -> None:
    """Play GRAPH into a file."""
    from mix2daw.changes import changed_sources
    from mix2daw.graph import read_graph
    from mix2daw.output import check_file
    from mix2daw.render import render_graph
    from mix2daw.stems import write_wav

    loaded = read_graph(graph)
    check_file(out, force)
    for line in changed_sources(loaded, graph.resolve().parent):
        complain(line)
    write_wav(out, render_graph(loaded, graph.resolve().parent, engine), loaded.sample_rate)


@app.command(
    cls=Command, epilog="mix2daw compare song/render.wav mix.wav\nmix2daw compare mine.wav mix.wav --json"
)
def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="The one to judge.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="The one it should be (the target).")],
    as_json: AsJson = False,
) -> None:
    """Measure how close A is to B. La and its parts, SDR, loudness, null; A is resampled to B's rate."""
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
    output().print(table)


@app.command(
    cls=Command,
    epilog="mix2daw explain song/graph.json\nmix2daw explain song/graph.json --mix mix.wav --top 5",
)
def explain(
    graph: Annotated[Path, typer.Argument(metavar="GRAPH", help="A graph.json.")],
    mix: Annotated[Path | None, typer.Option(help="The mix, if it is not where the graph says.")] = None,
    top: Annotated[int, typer.Option(min=1, help="How many lines.")] = 12,
    as_json: AsJson = False,
) -> None:
    """Tell what is missing in GRAPH. How far La would fall if a strip had a free filter, gain or reverb."""
    from mix2daw.explain import explain_graph
    from mix2daw.graph import read_graph
    from mix2daw.output import json_text

    found = explain_graph(read_graph(graph), graph.resolve().parent, mix)
    if as_json:
        sys.stdout.write(json_text(asdict(found)))
        return
    table = table_of("Strip", "Free device", "La would fall by", right=(2,))
    for missing in found.missing[:top]:
        add_row(table, missing.strip, missing.kind, f"{missing.la_fall:.3f}")
    console = output()
    console.print(table)
    print_lines(console, [f"La now {found.la:.3f}; each fall is the most that one device could bring"])


@app.command(
    cls=Command,
    epilog="""
    mix2daw export song/graph.json --to reaper,ardour --out sessions
    mix2daw export song/graph.json --to reaper --devices native --out sessions
    mix2daw export song/graph.json --to dawproject --amount Vox=30 --out softer
    """,
)
def export(
    ctx: typer.Context,
    graph: Annotated[Path, typer.Argument(metavar="GRAPH", help="A graph.json.")],
    to: Annotated[
        str, typer.Option(help="Session formats, by comma.", metavar=NAMES, autocompletion=some_of("to"))
    ],
    out: Annotated[Path, typer.Option(help="Folder to make: one folder per format.")],
    amount: Annotated[
        list[str] | None, typer.Option(help="Percent of the processing, or STRIP=PERCENT; may be repeated.")
    ] = None,
    devices: Annotated[
        str,
        typer.Option(
            help="own (effects of ours, exact) or native (the DAW's).", autocompletion=one_of("devices")
        ),
    ] = "own",
    media: Annotated[
        str,
        typer.Option(
            help="embed (in the session) or link (stems where they lie).", autocompletion=one_of("media")
        ),
    ] = "embed",
    force: Force = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write GRAPH as DAW sessions. Says what each could not carry."""
    from mix2daw.amount import scaled, shares
    from mix2daw.export import export_folder
    from mix2daw.exporters.options import Options
    from mix2daw.graph import read_graph
    from mix2daw.result import lost_json

    options = Options(devices, media)
    loaded = read_graph(graph)
    if amount:
        loaded = scaled(loaded, shares(amount, loaded))
    with progress_bar(quiet, is_verbose(ctx)) as progress:
        folder = graph.resolve().parent
        lost = export_folder(loaded, folder, names(to), out, force, progress, options)
    if as_json:
        sys.stdout.write(lost_json(lost))
    elif not quiet:
        print_lines(output(), (f"written: {out}", *lost_lines(lost, full=is_verbose(ctx))))


@app.command(
    cls=Command, epilog="mix2daw verify song/graph.json\nmix2daw verify song/graph.json --out verify.json"
)
def verify(
    ctx: typer.Context,
    graph: Annotated[Path, typer.Argument(metavar="GRAPH", help="A graph.json.")],
    daw: Annotated[
        str, typer.Option(help="The DAW, which has to be installed: ardour.", autocompletion=one_of("daw"))
    ] = "ardour",
    out: Annotated[Path | None, typer.Option(help="JSON file to write, such as verify.json.")] = None,
    force: Force = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Have a DAW play the session of GRAPH. Compares every strip with the render."""
    from mix2daw.graph import read_graph
    from mix2daw.output import check_file, new_file, write_text
    from mix2daw.verify import check_daw, verification_json
    from mix2daw.verify import verify as compare_daw

    check_daw(daw)
    loaded = read_graph(graph)
    if out is not None:
        check_file(out, force)
    with progress_bar(quiet, is_verbose(ctx)) as progress:
        progress.stage(f"Playing in {daw}", 1)
        found = compare_daw(loaded, graph.resolve().parent, daw)
    if out is not None:
        with new_file(out) as partial:
            write_text(partial, verification_json(found))
    if as_json:
        sys.stdout.write(verification_json(found))
    elif not quiet:
        console = output()
        console.print(nulls_table(found.strips))
        print_lines(console, verification_lines(found))
