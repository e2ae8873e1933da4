"""Searches that stand where something is to be measured."""

from __future__ import annotations

from pathlib import Path

from _songs import Song

from mix2daw.console import build_console, preset
from mix2daw.progress import Silence
from mix2daw.search import Settings
from mix2daw.search.course import first_fit, start
from mix2daw.search.returns import find_returns
from mix2daw.search.state import State
from mix2daw.session import open_session


def started(song: Song, settings: Settings, fitted: bool = False, folder: Path | None = None) -> State:
    """The search of a song after the warm start, with the returns that the residual shows; `fitted`: after
    the first fit, as the search has it. Sources in the graph are relative to `folder`."""
    session = open_session(song.stems, song.mix, song.groups)
    console = build_console(session, preset(settings.preset), folder or song.stems)
    state = State(session, console, settings, Silence())
    start(state)
    if fitted:
        first_fit(state)
    find_returns(state)
    return state
