"""The search: warm start, fit, prune, simplify, final fit."""

from mix2daw.search.found import Found
from mix2daw.search.run import Plan, check_engine, plan, plan_on, search
from mix2daw.search.settings import Settings

__all__ = ["Found", "Plan", "Settings", "check_engine", "plan", "plan_on", "search"]
