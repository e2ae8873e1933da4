"""A whole search with its tensors on a GPU, a make-believe one where there is none."""

from __future__ import annotations

import pytest
from far_device import FAR, far_device
from search_helpers import session_of
from test_gpu_step import console, sources

from mix2daw.progress import Silence
from mix2daw.search import Settings, plan, search, state


def test_a_search_is_the_same_elsewhere(monkeypatch, tmp_path) -> None:
    session = session_of(console(), sources())
    settings = Settings(quick=True)
    near = search(session, tmp_path, settings, Silence())
    monkeypatch.setattr(state, "engine", lambda device: FAR)
    with far_device():
        far = plan(session, tmp_path, settings).run(Silence())
    assert far.la_console == pytest.approx(near.la_console, abs=0.005)
