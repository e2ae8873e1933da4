"""What a processor declares, and the check of a graph's devices against the declarations."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from mix2daw.errors import FormatError, GraphError
from mix2daw.graph import Device, Graph, Strip
from mix2daw.params import Param


@dataclass(frozen=True)
class Processor:
    """One declaration. `process(signal, sample_rate, <one keyword per Param>) -> signal`.

    The docstring of the file says what it is and gives its formulas, in Markdown: docs/processors.md is made
    of it.

    `by_channel`: hears every channel alone, so that the channels of a strip may be played as strips.
    `stereo`: needs (and returns) two channels; a mono signal is doubled before it gets there.
    `impulse`: takes the impulse responses of its strips, `(strips, 2 or 4, taps)` float32, as the argument
    `impulse` after `sample_rate`; its devices name a file.
    `null_db`: the residual against the pedalboard chain that its test demands, at 44.1, 48 and 96 kHz.
    `rounding_db`: how far, relative to the loudest sample, samples may differ because other strips or later
    samples were computed along with them, as an FFT rounds all of them together; −inf: by no bit.
    """

    name: str
    params: tuple[Param, ...]
    process: Callable[..., Tensor]
    stereo: bool = False
    by_channel: bool = False
    impulse: bool = False
    null_db: float = -100.0
    rounding_db: float = -math.inf

    @property
    def about(self) -> str:
        """What it is, with its formulas, in Markdown: the docstring of the file that `process` is in."""
        return inspect.getdoc(inspect.getmodule(self.process)) or ""

    def param(self, name: str) -> Param:
        """The control called `name`; KeyError if there is none."""
        return {param.name: param for param in self.params}[name]

    def rest(self) -> dict[str, float]:
        """The settings at which it returns its input."""
        return {param.name: param.rest for param in self.params}


def complete_device(device: Device, register: Mapping[str, Processor], where: str = "device") -> Device:
    """The device with every control filled in (rest where it was omitted).

    Raises FormatError for an unknown type, GraphError for an unknown control, a value out of range, and an
    impulse response that is missing or that the type does not use.
    """
    processor = register.get(device.type)
    if processor is None:
        known = ", ".join(sorted(set(register) - {"fader", "pan"}))
        raise FormatError(where, f"there is no processor called {device.type!r}", f"use one of: {known}")
    if processor.impulse and device.impulse is None:
        remedy = "give the path of a WAV file, relative to graph.json"
        raise GraphError(f"{where}.impulse", f"{device.type} needs an impulse response", remedy)
    if device.impulse is not None and not processor.impulse:
        raise GraphError(f"{where}.impulse", f"{device.type} has no impulse response", "leave it out")
    values = processor.rest()
    for name, value in device.values.items():
        if name not in values:
            raise GraphError(f"{where}.values", f"{device.type} has no {name!r}", "see `mix2daw processors`")
        param = processor.param(name)
        if not param.allows(value):
            allowed = param.choices if param.choices else f"{param.low:g} to {param.high:g}"
            raise GraphError(f"{where}.values.{name}", f"{value:g} is outside {allowed}", "change the value")
        values[name] = value
    return device.model_copy(update={"values": values})


def checked_graph(graph: Graph, register: Mapping[str, Processor]) -> Graph:
    """The graph with every device complete; the first bad one raises an error that names strip and field."""

    def complete(strip: Strip, group: str, devices: tuple[Device, ...]) -> tuple[Device, ...]:
        return tuple(
            complete_device(device, register, f"strips.{strip.name}.{group}.{index}")
            for index, device in enumerate(devices)
        )

    return graph.replace(
        *(
            strip.model_copy(
                update={
                    "devices": complete(strip, "devices", strip.devices),
                    "post_devices": complete(strip, "post_devices", strip.post_devices),
                }
            )
            for strip in graph.strips
        )
    )
