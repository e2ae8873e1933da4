"""docs/processors.md: what every processor does, made from what it declares, so that the two cannot part."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Sequence

from mix2daw.controls import SEND_LEVEL
from mix2daw.exporters import matrix
from mix2daw.exporters.plugins import calls
from mix2daw.exporters.words import unit_of
from mix2daw.graph import Send
from mix2daw.params import Param
from mix2daw.processors import PROCESSORS, Processor

SAMPLE_RATE = 48000  # at which plugins are asked for; their names are the same at any
_SCALES = {"linear": "linear", "log": "logarithmic", "ratio": "linear in 1 − 1/ratio", "choice": "choice"}
_INTRODUCTION = """\
# Processors

Made by `mix2daw processors --markdown` from the files in [mix2daw/processors](../mix2daw/processors): edit
those. The tests compute the formulas below, as they are written here, and compare with what is played.

- x is the input and y the output, x_L and x_R the channels of a stereo one; f_s is the sample rate in Hz.
  What has an `[n]` is computed for every sample, in the order of the lines; before the first one everything
  is 0. A formula in x is that of every channel alone. A mono signal is doubled where a formula has two.
- Controls are named as in `graph.json`; the end of a name is its unit. *At rest* is the value at which a
  device changes nothing, or from which a control starts; a control that is left out rests.
- A device is heard as `wet · y + (1 − wet) · x`, with the `wet` of `graph.json`.
- Every processor exists twice: in torch, where the search learns its controls by their gradients, and as
  plugins of [pedalboard](https://spotify.github.io/pedalboard/) or numpy, which render. Both round to 32 bits
  as the plugin does. How far they may be apart is said for each, relative to the signal; tests demand it at
  44.1, 48 and 96 kHz.
- What becomes of a device in each session format, and how far the effects that come with
  [REAPER](formats.md#sessions-reaper) and [Ardour](formats.md#sessions-ardour) sessions are from it:
  [formats.md](formats.md).
"""


def markdown() -> str:
    """The whole document."""
    sections = [_processor(processor) for processor in PROCESSORS.values()]
    return "\n".join([_INTRODUCTION, *sections, _send()])


def _processor(processor: Processor) -> str:
    controls = table(_HEADS, [_row(param) for param in processor.params])
    return f"## {processor.name}\n\n{processor.about}\n\n{controls}\n{_lines(_facts(processor))}"


def _send() -> str:
    tap = ("`tap`", "–", "pre, post", "post", _SCALES["choice"], "no")
    controls = table(_HEADS, [_row(SEND_LEVEL), tap])
    return f"## send\n\n{inspect.getdoc(Send)}\n\n{controls}"


_HEADS = ("control", "unit", "range", "at rest", "scale", "learnt")


def _row(param: Param) -> tuple[str, ...]:
    choices = ", ".join(f"{choice:g}" for choice in param.choices)
    return (
        f"`{param.name}`",
        unit_of(param.name) or "–",
        choices or f"{_number(param.low)} to {_number(param.high)}",
        _number(param.rest),
        _SCALES[param.scale],
        "yes" if param.continuous else "no",
    )


def _facts(processor: Processor) -> Iterator[str]:
    null_db = _number(processor.null_db)
    yield f"Rendered by {_players(processor)}; torch's twin differs from it by less than {null_db} dB."
    if processor.name in matrix.FEATURES:
        carried = next(row for row in matrix.rows() if row[0] == processor.name)
        by_way: dict[str, list[str]] = {}
        for name, way in zip(matrix.header()[1:], carried[1:], strict=True):
            by_way.setdefault(way, []).append(name)
        ways = [f"{way} in {', '.join(names)}" for way, names in by_way.items()]
        yield f"In sessions: {'; '.join(ways)}."


def _players(processor: Processor) -> str:
    """What pedalboard plays it with: the plugins that every control at its end asks for."""
    values = {param.name: param.choices[-1] if param.choices else param.high for param in processor.params}
    names = dict.fromkeys(call.name for call in calls(processor.name, values, SAMPLE_RATE))
    if processor.impulse:  # whose plugin is made with the response, by `chains`
        names = {"Convolution": None}
    quoted = [f"`{name}`" for name in names]
    return f"pedalboard's {', '.join(quoted)}" if quoted else "numpy"


def _number(value: float) -> str:
    return f"{value:g}".replace("-", "−")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown, with a line feed at its end."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _lines(items: Iterable[str]) -> str:
    return "".join(f"- {item}\n" for item in items)
