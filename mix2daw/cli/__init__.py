"""The command line: parse, call, print.

Modules that load torch or an exporter are imported by the commands that need them.
"""

# Each adds its commands to `app`.
from mix2daw.cli import benchmarking, checking, collecting, graphs, listings, recovering, synthesizing
from mix2daw.cli.app import app, main

__all__ = [
    "app",
    "benchmarking",
    "checking",
    "collecting",
    "graphs",
    "listings",
    "main",
    "recovering",
    "synthesizing",
]
