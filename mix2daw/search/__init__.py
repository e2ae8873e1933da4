"""The search: warm start, fit, prune, simplify, final fit."""

from mix2daw.search.found import Found
from mix2daw.search.run import Plan, check_engine, plan, plan_on, search
from mix2daw.search.settings import Settings
from mix2daw.search.store import STATE_FILE, Store

__all__ = ["STATE_FILE", "Found", "Plan", "Settings", "Store", "check_engine", "plan", "plan_on", "search"]
