"""What stands behind an option, read: lists of names, lengths of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from mix2daw.errors import FormatError

if TYPE_CHECKING:
    from mix2daw.search.settings import Settings
    from mix2daw.selection import Selection

Number = TypeVar("Number", int, float)
NAMES = "A,B,…"  # how `--help` shows an option that takes several names, which a settings file may list


def names(text: str) -> tuple[str, ...]:
    """ "a, b" as ("a", "b"), each once. FormatError if there is none."""
    found = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not found:
        raise FormatError(repr(text), "names nothing", "give names with commas between them")
    return found


def numbers(option: str, text: str, kind: type[Number]) -> tuple[Number, ...]:
    """ "0, 1" as (0, 1), each once. FormatError for what is no number of that kind."""
    try:
        return tuple(dict.fromkeys(kind(name) for name in names(text)))
    except ValueError:
        what = f"{text!r} is no list of {'whole numbers' if kind is int else 'numbers'}"
        raise FormatError(option, what, "give for example 0,1,2") from None


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


def selection(option: str, text: str | None) -> Selection | None:
    """ "gate, vox.equalizer" as a Selection; None if the option was not given."""
    from mix2daw.selection import Selection

    return None if text is None else Selection.of(option, names(text))


def search_settings(
    *,
    strategy: str,
    tolerance: float,
    seed: int,
    budget: str | None,
    device: str,
    only: str | None,
    without: str | None,
    lock: str | None = None,
    preset: str = "studio",
) -> Settings:
    """The settings that options of these names ask for. Raises FormatError."""
    from mix2daw.search.settings import Settings

    return Settings(
        preset=preset,
        strategy=strategy,
        tolerance=tolerance,
        seed=seed,
        budget_s=None if budget is None else seconds(budget),
        device=device,  # type: ignore[arg-type]  # Settings checks it
        only=selection("--only", only),
        without=selection("--without", without),
        lock=selection("--lock", lock),
    )
