"""Names that a shell completes, and that a settings file may hold.

A shell waits at every Tab, and torch takes seconds to load: names that stand in modules which load it are
repeated here. `tests/test_completion.py` holds them against the tables that they come from.
"""

from __future__ import annotations

from collections.abc import Callable

from mix2daw.exporters import FORMATS
from mix2daw.exporters.options import CHOICES

Complete = Callable[[str], list[str]]

PRESETS = ("studio", "paper")
STRATEGIES = ("saliency", "hybrid", "brute-force", "dry-wet", "none")
EXPERIMENTS = ("paper",)
DEVICES = ("auto", "cpu", "cuda")
PROCESSORS = ("equalizer", "gate", "compressor", "width", "delay", "reverb", "convolution", "limiter")
ENGINES = ("pedalboard", "torch")
DAWS = ("ardour",)

# Of options by their names, where these do not mean something else in another command.
ONE_OF = {
    "preset": PRESETS,
    "strategy": STRATEGIES,
    "device": DEVICES,
    "experiment": EXPERIMENTS,
    "engine": ENGINES,
    "daw": DAWS,
    "devices": CHOICES["devices"],
    "media": CHOICES["media"],
}
SOME_OF = {
    "to": FORMATS,
    "only": PROCESSORS,
    "strategies": STRATEGIES,
    **dict.fromkeys(("without", "lock"), (*PROCESSORS, "fader", "pan", "send")),
}


def one_of(option: str) -> Complete:
    """What completes the value of an option that takes one name."""

    def complete(incomplete: str) -> list[str]:
        return [name for name in ONE_OF[option] if name.startswith(incomplete)]

    return complete


def some_of(option: str) -> Complete:
    """What completes the last of several names with commas between them; none is offered twice."""

    def complete(incomplete: str) -> list[str]:
        before, comma, last = incomplete.rpartition(",")
        given = {name.strip() for name in before.split(",")}
        names = (name for name in SOME_OF[option] if name not in given)
        return [f"{before}{comma}{name}" for name in names if name.startswith(last)]

    return complete
