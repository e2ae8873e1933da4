"""Commands on a graph that there is: `render`, `compare`, `explain`, `export`, `verify`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from mix2daw.cli.app import AsJson, Force, Quiet, app
from mix2daw.cli.values import names
from mix2daw.terminal import (
    add_row,
    lost_lines,
    nulls_table,
    number,
    print_lines,
    progress_bar,
    table_of,
    verification_lines,
)


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
    from mix2daw.render import render_graph
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
    console = Console()
    console.print(table)
    print_lines(console, [f"La now {found.la:.3f}; each fall is the most that one device could bring"])


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
    from mix2daw.export import export_folder
    from mix2daw.exporters.options import Options
    from mix2daw.graph import read_graph

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
