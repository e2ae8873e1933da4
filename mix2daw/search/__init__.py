"""The search: warm start, fit, prune, simplify, final fit."""

from mix2daw.search.found import Found
from mix2daw.search.run import search
from mix2daw.search.settings import Settings

__all__ = ["Found", "Settings", "search"]
