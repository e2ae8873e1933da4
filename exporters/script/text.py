"""A graph as the text of a Python script: imports, the functions that are used, one function a strip."""

from __future__ import annotations

import ast
import importlib.metadata
import inspect
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping

import pedalboard

from mix2daw.exporters import arithmetic
from mix2daw.exporters.names import clean_text
from mix2daw.exporters.plugins import calls, twin
from mix2daw.exporters.script import toolbox
from mix2daw.graph import Device, Graph, Send, Strip

_WIDTH = 110
_LONGEST_NAME = 40
_HEAD = '''"""Plays the mix: `python render.py [OUT.wav]` writes it, without a name to render.wav beside it.

Made by mix2daw and yours to change. It needs pedalboard, numpy and soundfile; with pedalboard {version} it
makes the very samples of mix2daw's own render. The signal of a strip runs: devices in order, fader and
pan, devices after the fader, sends, output.
"""

from __future__ import annotations
'''
_MAIN = """def main() -> None:
    \"\"\"Strips in the order of the signal.\"\"\"
{plays}
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "render.wav", {master}())


if __name__ == "__main__":
    main()
"""


def script(graph: Graph, stems: Mapping[str, str], impulses: Mapping[str, str]) -> str:
    """The text of the script. `stems`: track -> its file (none: silent); `impulses`: path in the graph ->
    file of the impulse response. Devices are complete; raises as `plugins.calls` does."""
    order = [strip for level in graph.levels() for strip in level]
    functions = _function_names(graph.strips)
    strips = [_strip(strip, graph, functions[strip.name], stems, impulses) for strip in order]
    plays = "\n".join(f"    {functions[strip.name]}()" for strip in order if strip.kind != "master")
    main = _MAIN.format(plays=plays or "    # no strip feeds the master", master=functions[graph.master.name])
    tools, used = _tools("\n".join((*strips, main)))
    plugins = sorted(name for name in used if isinstance(getattr(pedalboard, name, None), type))
    imports = "import struct\nimport sys\nfrom pathlib import Path\n\nimport numpy as np\n"
    imports += f"import numpy.typing as npt\nimport soundfile\n{_import_of(plugins)}"
    constants, helpers = tools
    settings = f"RATE = {graph.sample_rate}\nLENGTH = {graph.length_samples}  # samples\n{constants}\n"
    head = "\n".join((_HEAD.format(version=importlib.metadata.version("pedalboard")), imports, settings))
    return "\n\n".join((head, *(f"{part}\n" for part in (*helpers, *strips)), main))


def _import_of(names: list[str]) -> str:
    if not names:
        return ""
    line = f"from pedalboard import {', '.join(names)}\n"
    if len(line) <= _WIDTH:
        return line
    return f"from pedalboard import (\n{''.join(f'    {name},{chr(10)}' for name in names)})\n"


def _tools(code: str) -> tuple[tuple[str, list[str]], set[str]]:
    """The constants and functions of `arithmetic` and of the toolbox that `code` needs, and every name that
    is used in all."""
    constants: dict[str, str] = {}
    functions: dict[str, str] = {}
    for module in (arithmetic, toolbox):
        text = inspect.getsource(module)
        lines = text.splitlines()
        for node in ast.parse(text).body:
            block = "\n".join(lines[node.lineno - 1 : node.end_lineno])
            if isinstance(node, ast.FunctionDef):
                functions[node.name] = block
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                if isinstance(target, ast.Name):
                    constants[target.id] = block
    used = _names(code)
    blocks = {**functions, **constants}
    while more := {found for name in used & {*blocks} for found in _names(blocks[name])} - used:
        used |= more
    kept = "\n".join(block for name, block in constants.items() if name in used)
    return (kept, [block for name, block in functions.items() if name in used]), used


def _names(code: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}


def _function_names(strips: Iterable[Strip]) -> dict[str, str]:
    """Strip -> name of its function: its kind and what ASCII has of its name, no two alike."""
    names: dict[str, str] = {}
    for strip in strips:
        plain = unicodedata.normalize("NFKD", strip.name).encode("ascii", "ignore").decode().lower()
        word = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:_LONGEST_NAME].strip("_")
        # A kind alone may be a word of Python's: `return`.
        wanted = "master" if strip.kind == "master" else f"{strip.kind}_{word or 'strip'}"
        number, name = 1, wanted
        while name in names.values():
            number += 1
            name = f"{wanted}_{number}"
        names[strip.name] = name
    return names


def _strip(
    strip: Strip, graph: Graph, function: str, stems: Mapping[str, str], impulses: Mapping[str, str]
) -> str:
    result = "Audio" if strip.kind == "master" else "None"
    title = "The master."
    if strip.output is not None:
        title = f"{strip.kind.capitalize()} {clean_text(strip.name)}, to {clean_text(strip.output)}."
    lines = [f"def {function}() -> {result}:", f"    {_docstring(title)}", f"    x = {_input(strip, stems)}"]
    for device in strip.devices:
        lines += _device(device, graph.sample_rate, impulses)
    pre_sends = any(send.tap == "pre" for send in strip.sends)
    lines += ["    before_fader = stereo(x)"] if pre_sends else []
    lines.append(f"    x = level(x, fader_db={_number(strip.fader_db)}, pan={_number(strip.pan)})")
    for device in strip.post_devices:
        lines += _device(device, graph.sample_rate, impulses)
    if strip.muted:
        return "\n".join([*lines, "    # muted: it feeds nothing"])
    lines += [_send(send) for send in strip.sends]
    lines.append("    return x" if strip.output is None else f"    feed({_literal(strip.output)}, x)")
    return "\n".join(lines)


def _input(strip: Strip, stems: Mapping[str, str]) -> str:
    if strip.kind != "track":
        return f"bus({_literal(strip.name)})"
    if strip.name not in stems:
        return f"np.zeros(({strip.channels}, LENGTH), np.float32)  # its stem lies outside the song"
    start = f", start={strip.offset_samples}" if strip.offset_samples else ""
    sign = "-" if strip.polarity == "inverted" else ""
    return f"{sign}source({_literal(stems[strip.name])}{start})"


def _send(send: Send) -> str:
    signal = "before_fader" if send.tap == "pre" else "x"
    return f"    feed({_literal(send.target)}, {signal} * lin({_number(send.level_db)}))"


_ROOM = ("wet_level", "dry_level", "width", "pre_delay_ms")


def _device(device: Device, sample_rate: int, impulses: Mapping[str, str]) -> list[str]:
    """The lines of one device; none if it leaves the signal as it is, to the bit."""
    values, played_as = device.values, twin(device.type)
    plugins = [_call(c.name, c.settings) for c in calls(device.type, values, sample_rate)]
    heard = "stereo(x)" if played_as.stereo else "x"
    if played_as.function is not None:
        name = played_as.function.__name__
        arguments = [heard, *(f"{key}={_number(value)}" for key, value in values.items())]
    elif device.type == "convolution":
        controls = [f"{key}={_number(values[key])}" for key in _ROOM]
        name, arguments = "room", ["x", _literal(impulses[str(device.impulse)]), *controls]
    elif device.type in ("fader", "pan"):
        return _level_device(device)
    elif plugins:
        name = "play_linked" if values.get("link") == 1 else "play"
        arguments = [heard, *plugins]
    elif device.wet == 1:
        return []
    else:
        return [f"    x = blend({_number(device.wet)}, x, x)"]
    if device.wet == 1:
        return _statement(name, arguments)
    return [*_statement(name, arguments, "wet"), f"    x = blend({_number(device.wet)}, wet, x)"]


def _level_device(device: Device) -> list[str]:
    values = device.values
    if device.type == "fader":
        wet = f"x * lin({_number(values['fader_db'])})"
    else:
        wet = f"stereo(x) * balance({_number(values['pan'])})"
    return [f"    x = {wet}" if device.wet == 1 else f"    x = blend({_number(device.wet)}, {wet}, x)"]


def _statement(name: str, arguments: list[str], target: str = "x") -> list[str]:
    """A call on one line, or with an argument a line if that is too long."""
    line = f"    {target} = {name}({', '.join(arguments)})"
    if len(line) <= _WIDTH:
        return [line]
    return [f"    {target} = {name}(", *(f"        {argument}," for argument in arguments), "    )"]


def _call(name: str, settings: Mapping[str, float]) -> str:
    return f"{name}({', '.join(f'{key}={_number(value)}' for key, value in settings.items())})"


def _number(value: float) -> str:
    """The shortest literal of a number that is read back as the same double."""
    if isinstance(value, bool):
        return str(value)
    if value == 0:
        return "0" if math.copysign(1, value) > 0 else "-0.0"
    short = f"{value:g}"
    return short if float(short) == value and "e" not in short else repr(float(value))


def _literal(text: str) -> str:
    """A string literal, in double quotes where it needs no escapes."""
    return f'"{text}"' if _is_plain(text) else repr(text)


def _docstring(text: str) -> str:
    return f'"""{text}"""' if _is_plain(text) else repr(text)


def _is_plain(text: str) -> bool:
    return text.isprintable() and '"' not in text and "\\" not in text
