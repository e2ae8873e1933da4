"""The search: warm start, fit, prune, simplify, final fit."""

from mix2daw.search.engine import engine
from mix2daw.search.found import Found
from mix2daw.search.run import Plan, plan, plan_on, search
from mix2daw.search.settings import Settings
from mix2daw.search.store import STATE_FILE, Store

__all__ = ["STATE_FILE", "Found", "Plan", "Settings", "Store", "engine", "plan", "plan_on", "search"]
