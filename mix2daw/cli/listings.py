"""Commands that tell what there is: `processors`, `formats`, `schema`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from mix2daw.cli.app import app
from mix2daw.cli.command import Command
from mix2daw.terminal import add_row, output, print_lines, table_of

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@app.command(cls=Command, epilog="mix2daw processors\nmix2daw processors --markdown")
def processors(
    markdown: Annotated[
        bool, typer.Option("--markdown", help="With formulas, in Markdown: docs/processors.md.")
    ] = False,
) -> None:
    """The processors and their controls."""
    if markdown:
        from mix2daw import reference

        sys.stdout.write(reference.markdown())
        return
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
    output().print(table)


@app.command(cls=Command, epilog="mix2daw formats\nmix2daw formats --markdown")
def formats(
    markdown: Annotated[
        bool, typer.Option("--markdown", help="The second table alone, in Markdown.")
    ] = False,
) -> None:
    """The session formats. How each carries faders, pans, routing and every device."""
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
    console = output()
    console.print(table, carried)
    print_lines(console, matrix.LEGEND)


@app.command(cls=Command, epilog="mix2daw schema > graph.schema.json")
def schema() -> None:
    """The JSON Schema of graph.json."""
    from mix2daw.graph import Graph
    from mix2daw.output import json_text

    sys.stdout.write(json_text({"$schema": DIALECT, **Graph.model_json_schema(by_alias=True)}))
