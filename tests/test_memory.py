"""A search keeps freed memory at hand, and yet a whole song takes little more than a few of its strips."""

from __future__ import annotations

import subprocess
import sys

import pytest

STRIPS, SECONDS, RATE = 30, 60, 48000
CODE = f"""
import resource
from pathlib import Path
import numpy as np
from mix2daw.console import build_console, preset
from mix2daw.dsp.memory import freed_memory_kept
from mix2daw.progress import Silence
from mix2daw.search import Settings
from mix2daw.search.state import State
from mix2daw.session import Session, Track
from mix2daw.spool import Kept

class Made:
    shape, channels = (2, {SECONDS * RATE}), 2
    def read(self):
        return signal.copy()

signal = np.random.default_rng(0).standard_normal(Made.shape, np.float32) * 0.05
tracks = tuple(Track(f"t{{n}}", Path(f"t{{n}}.wav"), Made(), None, "") for n in range({STRIPS}))
session = Session({RATE}, signal, Path("mix.wav"), tracks, (), {{}}, ())
with freed_memory_kept():
    console = build_console(session, preset("studio"), Path())
    state = State(session, console, Settings(), Silence())
    loud = [
        strip.model_copy(update={{"devices": tuple(
            device.model_copy(update={{"values": {{**device.values, "bell_1_db": 3.0}}}})
            if device.type == "equalizer" else device for device in strip.devices)}})
        for strip in console.strips
    ]
    state.adopt(console.replace(*loud))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    state.checkpoint()
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="of glibc's way to keep memory")
def test_a_whole_song_is_played_in_the_memory_of_a_few_strips() -> None:
    strip_mib = 2 * 4 * SECONDS * RATE / 2**20
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    # Five strips are played together; what they freed used to pile up to 80 times a strip.
    assert int(done.stdout) < 45 * strip_mib
