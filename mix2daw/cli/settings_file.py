"""`mix2daw.toml`: defaults for the options of commands, a table for each.

    [recover]
    preset = "studio"
    to = ["reaper", "ardour"]

Keys are the long names of options. The file is looked for in the current folder only, so that no folder of
stems that somebody else made decides what a command does. Paths in it are relative to it. Arguments and what
should be asked for every time (`force`, `dry-run`) cannot stand in it. The command line wins.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path

import typer
from typer.core import TyperGroup, TyperOption

from mix2daw import limits
from mix2daw.cli.completing import ONE_OF, SOME_OF
from mix2daw.cli.values import NAMES, names
from mix2daw.errors import InputError
from mix2daw.result import Defaults

SETTINGS_FILE = Path("mix2daw.toml")
BY_HAND = ("force", "dry-run", "help", "settings", "no-settings")
TAKEN = "mix2daw.defaults"  # where a context keeps what the file says of its command
WORDS: dict[object, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text in quotes",
    Path: "a path in quotes",
}


def apply_settings(ctx: typer.Context, file: Path) -> None:
    """Make the values of a settings file the defaults of the command of `ctx`.

    Raises InputError for a file that cannot be read, and for any key of any table that does not belong there.
    """
    group = ctx.find_root().command
    assert isinstance(group, TyperGroup)
    for name, table in read_tables(file).items():
        command = group.commands.get(name)
        if command is None:
            raise InputError(f"{file}: [{name}]", "is no command", f"use one of: {', '.join(group.commands)}")
        options = {
            param.opts[0].removeprefix("--"): param
            for param in command.get_params(ctx)
            if isinstance(param, TyperOption)
        }
        values = {}
        for key, value in table.items():
            where = f"{file}: {name}.{key}"
            _check_key(where, key, options)
            values[options[key].name] = _checked(where, options[key], value, file.parent)
        if command is ctx.command:
            ctx.default_map = values
            ctx.meta[TAKEN] = Defaults(str(file), {key: _plain(value) for key, value in table.items()})


def taken(ctx: typer.Context) -> Defaults | None:
    """What the command of `ctx` has from a settings file, and not from the command line; None if that is
    nothing."""
    found: Defaults | None = ctx.meta.get(TAKEN)
    if found is None:
        return None
    sources = {
        param.opts[0].removeprefix("--"): ctx.get_parameter_source(param.name)
        for param in ctx.command.get_params(ctx)
    }
    used = {key for key, source in sources.items() if source is not None and source.name == "DEFAULT_MAP"}
    values = {key: value for key, value in found.values.items() if key in used}
    return Defaults(found.file, values) if values else None


def defaults_line(defaults: Defaults) -> str:
    """What was taken from a file, in one line."""
    values = "; ".join(f"{key} = {_text(value)}" for key, value in defaults.values.items())
    return f"from {defaults.file}: {values}"


def read_tables(file: Path) -> dict[str, dict[str, object]]:
    """The tables of a settings file. Raises InputError for anything else in it."""
    remedy = 'write it as `[recover]` and beneath it `preset = "studio"`'
    text = limits.read_text(file, limits.SETTINGS_BYTES, InputError, "give the path of a mix2daw.toml")
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a ValueError, too, for a number of 5000 digits
        raise InputError(file, f"is no valid TOML ({error})", remedy) from None
    tables: dict[str, dict[str, object]] = {}
    for name, table in content.items():
        if not isinstance(table, dict):
            raise InputError(f"{file}: {name}", "stands in no table", f"put it beneath a command: {remedy}")
        tables[name] = table
    return tables


def _check_key(where: str, key: str, options: Collection[str]) -> None:
    if key in BY_HAND:
        raise InputError(where, "is for the command line alone", "take it out of the file")
    if key not in options:
        allowed = [name for name in options if name not in BY_HAND]
        near = get_close_matches(key, allowed, n=1)
        remedy = f"did you mean {near[0]}?" if near else f"use one of: {', '.join(allowed)}"
        raise InputError(where, "is no option that a settings file may have", remedy)


def _checked(where: str, option: TyperOption, value: object, folder: Path) -> object:
    """A value as the option takes it from its default map."""
    kind = option.type_descriptor.annotation
    several = option.multiple or option.metavar == NAMES
    if several:
        listed = value if isinstance(value, list) else [value]
        texts = [item for item in listed if isinstance(item, str)]
        if not texts or len(texts) < len(listed):
            raise InputError(where, f"is {_text(value)}, not a list of texts", 'write it as ["one", "two"]')
        if option.multiple:
            return texts
        value = ",".join(texts)
    elif kind is float and type(value) is int:
        value = float(value)
    elif type(value) is not (str if kind is Path else kind):
        raise InputError(where, f"is {_text(value)}, not {WORDS[kind]}", "write it that way")
    if isinstance(value, int) and value.bit_length() > 63:
        raise InputError(where, "has more than 63 bits", "give a smaller number")
    for name in names(str(value)) if option.metavar == NAMES else (value,):
        known = SOME_OF.get(option.name) if several else ONE_OF.get(option.name)
        if known is not None and name not in known:
            raise InputError(where, f"{name!r} does not exist", f"use one of: {', '.join(known)}")
    return str(folder / str(value)) if kind is Path else value


def _plain(value: object) -> bool | int | float | str | list[str]:
    """A value that was checked, as JSON can hold it."""
    if isinstance(value, list):
        return [str(item) for item in value]
    assert isinstance(value, bool | int | float | str)
    return value


def _text(value: object) -> str:
    """A value as a person would write it, in short."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    return ", ".join(map(_text, value)) if isinstance(value, list) else f"{value!s:.60}"
