"""The search: warm start, fit, prune, simplify, final fit."""

from mix2daw.search.found import Found
from mix2daw.search.run import search
from mix2daw.search.settings import PRESETS, Settings

__all__ = ["PRESETS", "Found", "Settings", "search"]
