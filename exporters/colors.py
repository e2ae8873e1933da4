"""Colours of the channels of a session, the same in every format that has them."""

from __future__ import annotations

import itertools

from mix2daw.exporters.plan import Plan

# 0xRRGGBB.
_GROUPS = (0xC0504D, 0x4F81BD, 0x9BBB59, 0xF79646, 0x8064A2, 0x4BACC6, 0xBFA100, 0xB05A8A)
_RETURNS = 0x808080
_REFERENCES = 0x4D4D4D


def colors(plan: Plan) -> dict[str, int]:
    """0xRRGGBB by the names of the channels: one for each group that feeds the master, with all that is in
    it; one for all returns; one for the references. A channel that is not in it has no colour of its own."""
    found: dict[str, int] = {}
    hues = itertools.cycle(_GROUPS)
    color: int | None = None
    for channel, depth in plan.tree():
        if depth == 0:
            color = next(hues) if channel.strip.kind == "group" else None
        own = _RETURNS if channel.strip.kind == "return" else _REFERENCES if channel.is_reference else color
        if own is not None:
            found[channel.name] = own
    return found
