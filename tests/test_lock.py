"""What a person says of the search holds: what is left out is not there, what is locked stays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from search_helpers import session_of
from torch import Tensor

from mix2daw.errors import InputError
from mix2daw.graph import Device, Graph, Strip
from mix2daw.processors import PROCESSORS, checked_graph
from mix2daw.progress import Silence
from mix2daw.search import Found, Settings, plan, plan_on
from mix2daw.selection import Selection
from mix2daw.session import Session

RATE, SECONDS = 22050, 5
PRESS = Device(type="compressor", values={"threshold_db": -30, "ratio": 6, "attack_ms": 3})
TINT = Device(type="equalizer", values={"bell_3_hz": 2000, "bell_3_db": 6})
GLUE = Device(type="compressor", values={"threshold_db": -24, "ratio": 2})


def console(bass_db: float = -2.0, band_db: float = 0.0, keys: tuple[Device, ...] = ()) -> Graph:
    strips = (
        Strip(name="drum", kind="track", source="drum.wav", channels=1, output="band", pan=0.25, fader_db=-3,
              devices=(PRESS,)),
        Strip(name="bass", kind="track", source="bass.wav", channels=1, output="band", fader_db=bass_db,
              devices=(TINT,)),
        Strip(name="band", kind="group", output="master", fader_db=band_db, devices=(GLUE,)),
        Strip(name="keys", kind="track", source="keys.wav", output="master", pan=-0.4, fader_db=-6,
              devices=keys),
        Strip(name="master", kind="master"),
    )  # fmt: skip
    return checked_graph(Graph(sample_rate=RATE, length_samples=SECONDS * RATE, strips=strips), PROCESSORS)


def sources() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(5)
    t = torch.arange(SECONDS * RATE) / RATE
    noise = 0.3 * torch.randn(4, len(t), generator=generator)
    return {
        "drum": (noise[0] * torch.exp(-12 * (t % 0.5)))[None],
        "bass": (noise[1] * torch.exp(-3 * (t % 0.73)))[None],
        "keys": noise[2:] * torch.exp(-2 * (t % 1.1)),
    }


@pytest.fixture(scope="module")
def session() -> Session:
    return session_of(console(band_db=-1.5), sources())


def settings(
    only: str = "equalizer,compressor", without: str = "", lock: str = "", quick: bool = True
) -> Settings:
    return Settings(
        only=Selection.of("--only", only.split(",")),
        without=Selection.of("--without", without.split(",")) if without else None,
        lock=Selection.of("--lock", lock.split(",")) if lock else None,
        quick=quick,
    )


def types(graph: Graph) -> set[tuple[str, str]]:
    return {(strip.name, device.type) for strip, device in graph.devices()}


@pytest.fixture(scope="module")
def constrained(session: Session) -> Found:
    asked = settings(without="pan,drum.equalizer,master", lock="keys.compressor")
    return plan(session, Path(), asked).run(Silence())


def test_what_is_left_out_is_not_there(constrained: Found) -> None:
    found = types(constrained.graph)
    assert ("drum", "equalizer") not in found
    assert not [type_ for strip, type_ in found if strip == "master"]
    assert {type_ for _, type_ in found} <= {"equalizer", "compressor"}
    assert [strip.pan for strip in constrained.graph.strips] == [0.0] * 5
    assert constrained.graph.master.fader_db == 0


def test_what_is_locked_is_not_pruned(constrained: Found) -> None:
    """Not even a compressor that the mix does not have."""
    assert ("keys", "compressor") in types(constrained.graph)


@pytest.fixture(scope="module")
def refined(session: Session) -> Found:
    """From a graph with a fader that is wrong, a device that does nothing, and two that are locked."""
    idle = Device(type="equalizer", values={"bell_1_db": 0.2})
    given = console(bass_db=3.0, band_db=-1.5, keys=(idle,))
    return plan_on(session, given, {}, settings(lock="drum,band.compressor", quick=False)).run(Silence())


def test_refining_leaves_what_is_locked(refined: Found) -> None:
    given = console()
    assert refined.graph.strip("drum").model_copy(update={"devices": ()}) == given.strip("drum").model_copy(
        update={"devices": ()}
    )
    for strip in ("drum", "band"):
        kept, locked = refined.graph.strip(strip).devices, given.strip(strip).devices
        assert [(d.type, d.values) for d in kept] == [(d.type, d.values) for d in locked]


def test_refining_mends_the_rest(refined: Found) -> None:
    assert refined.graph.strip("bass").fader_db == pytest.approx(-2, abs=0.3)
    assert ("keys", "equalizer") not in types(refined.graph)
    assert refined.la_console < refined.la_start / 3


def test_refining_leaves_the_fader_of_a_group(refined: Found) -> None:
    """Where a person has set it; a search from the stems has it at rest."""
    assert refined.graph.strip("band").fader_db == -1.5


def test_refining_what_is_right_changes_little(session: Session) -> None:
    truth = console(band_db=-1.5)
    found = plan_on(session, truth, {}, replace(settings(), tolerance=0.001)).run(Silence())
    assert found.la_console <= found.la_start + 1e-6
    assert types(found.graph) == types(truth)
    for strip in truth.of_kind("track"):
        again = found.graph.strip(strip.name)
        assert again.fader_db == pytest.approx(strip.fader_db, abs=0.1)
        assert again.pan == pytest.approx(strip.pan, abs=0.01)


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        (settings(without="flute"), "--without flute"),
        (settings(without="drum.width"), "--without drum.width"),
        (settings(only="equaliser"), "--only equaliser"),
        (settings(without="compressor", lock="drum.compressor"), "--lock drum.compressor"),
    ],
)
def test_a_name_that_means_nothing_is_refused(session: Session, asked: Settings, word: str) -> None:
    with pytest.raises(InputError, match=word):
        plan(session, Path(), asked)


def test_names_of_devices() -> None:
    selection = Selection.of("--only", ["gate", "vox.equalizer", "dr*.compressor", "lead vox 1.2", "a.b.pan"])
    held = {
        ("any", "gate"): True,
        ("vox", "equalizer"): True,
        ("vox", "compressor"): False,
        ("drums", "compressor"): True,
        ("lead vox 1.2", "width"): True,
        ("a.b", "pan"): True,
        ("a", "pan"): False,
    }
    assert {place: selection.holds(*place) for place in held} == held
