"""Signals that are kept in memory or in a file are the same when they are read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from mix2daw.console import build_console, preset
from mix2daw.progress import Silence
from mix2daw.search import Settings
from mix2daw.search.state import State
from mix2daw.session import Session, Track
from mix2daw.spool import Kept, Shelf, Spool

RATE = 22050


def signals(count: int, samples: int = 5000) -> list[np.ndarray]:
    generator = np.random.default_rng(1)
    return [generator.standard_normal((1 + i % 2, samples), dtype=np.float32) for i in range(count)]


@pytest.mark.parametrize("room_bytes", [0, 50_000, 2**20])
def test_what_is_read_is_what_was_kept(room_bytes: int) -> None:
    spool, wanted = Spool(room_bytes), signals(6)
    kept = [spool.keep(signal) for signal in wanted]
    for _ in range(2):
        for one, signal in reversed(list(zip(kept, wanted, strict=True))):
            assert (one.channels, one.shape) == (signal.shape[0], signal.shape)
            assert one.read().dtype == np.float32
            assert np.array_equal(one.read(), signal)


@pytest.mark.parametrize("room_bytes", [0, 2**20])
def test_a_part_is_that_part(room_bytes: int) -> None:
    spool, wanted = Spool(room_bytes), signals(4)
    kept = [spool.keep(signal) for signal in wanted]
    for one, signal in zip(kept, wanted, strict=True):
        for first, last in ((0, 10), (1234, 4321), (4990, 6000), (5000, 5001), (7000, 8000)):
            assert np.array_equal(one.part(first, last), signal[:, first:last])


def test_a_view_is_kept_by_its_values() -> None:
    signal = signals(2)[1]
    kept = Spool(0).keep(signal[:, ::-1])
    assert np.array_equal(kept.read(), signal[:, ::-1])


def test_beyond_the_room_nothing_stays_in_memory() -> None:
    code = """
import resource, numpy as np
from mix2daw.spool import Spool
spool = Spool(2**20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
kept = [spool.keep(np.full((2, 2_000_000), i, np.float32)) for i in range(40)]
assert all(one.read()[1, -1] == i for i, one in enumerate(kept))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 100  # MiB of 610


def test_a_full_disk_is_one_clear_line() -> None:
    code = """
import resource, signal, numpy as np
from mix2daw.errors import OutputError
from mix2daw.spool import Spool
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
spool = Spool(0)
spool.keep(np.ones((1, 100_000), np.float32))
try:
    spool.keep(np.ones((2, 1_000_000), np.float32))
except OutputError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "has no room for the stems" in done.stdout
    assert done.stdout.count("\n") == 1


def test_a_shelf_reads_one_after_the_other() -> None:
    spool, wanted = Spool(30_000), signals(4)
    shelf = Shelf([spool.keep(signal) for signal in wanted])
    assert len(shelf) == 4
    for read, signal in zip(shelf, wanted, strict=True):
        assert np.array_equal(read, signal)
    assert np.array_equal(shelf[2], wanted[2])
    assert [len(one) for one in shelf[1:3]] == [2, 1]


def test_a_search_hears_the_same_from_a_file(tmp_path: Path) -> None:
    mix, stems = signals(2, 12 * RATE)[1], signals(3, 12 * RATE)

    def state(spool: Spool) -> State:
        kept: list[Kept] = [spool.keep(signal) for signal in stems]
        tracks = tuple(Track(f"t{i}", tmp_path / f"t{i}.wav", one, None, "") for i, one in enumerate(kept))
        session = Session(RATE, mix, tmp_path / "mix.wav", tracks, (), {}, ())
        return State(session, build_console(session, preset("studio"), tmp_path), Settings(), Silence())

    here, there = state(Spool()), state(Spool(0))
    for one, other in ((here.training, there.training), (here.tried, there.tried)):
        for excerpt, again in zip(one, other, strict=True):
            assert excerpt.sources.keys() == again.sources.keys()
            assert all(torch.equal(x, again.sources[name]) for name, x in excerpt.sources.items())
    assert here.checkpoint() == there.checkpoint()
