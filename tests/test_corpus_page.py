"""What a collection shows of its tables: spreads, shares, and a page that needs nothing but itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from lxml import html

from mix2daw.collection.figures import FADER, instruments, kept_types, measures, spread
from mix2daw.collection.page import corpus_html
from mix2daw.collection.tables import SONGS, STRIPS, TYPES, Rows, device_rows
from mix2daw.graph import Device, Send, Strip
from mix2daw.params import Param
from mix2daw.processors import PROCESSORS, complete_device


def song(name: str, la: float, before: dict[str, int], after: dict[str, int]) -> dict[str, Any]:
    counts = {f"{t}_{w}": n.get(t, 0) for t in TYPES for w, n in (("before", before), ("after", after))}
    whole = {"devices_before": sum(before.values()), "devices_after": sum(after.values())}
    shares = {"pruned_share": 1 - whole["devices_after"] / whole["devices_before"]}
    numbers = {"seconds": 90.0, "tracks": 4, "wall_s": 60 * la, "la_full": la, "la_sum_of_stems": 2.0}
    return {**dict.fromkeys(SONGS), **counts, **whole, **shares, **numbers, "song": name, "version": "1"}


def strip_row(name: str, track: str, instrument: str | None, fader_db: float) -> dict[str, Any]:
    told = {"song": name, "strip": track, "kind": "track", "instrument": instrument, "muted": False}
    return {**dict.fromkeys(STRIPS), **told, "fader_db": fader_db, "pan": 0.0}


def devices_of(name: str, track: str, instrument: str, bell_db: float) -> list[dict[str, Any]]:
    values = {"bell_1_db": bell_db, "bell_1_hz": 500.0, "bell_2_hz": 900.0}
    equalizer = complete_device(Device(type="equalizer", values=values), PROCESSORS)
    sends = (Send(target="reverb", level_db=-12),)
    strip = Strip(name=track, kind="track", source="x.wav", devices=(equalizer,), sends=sends, output="m")
    return list(device_rows(name, strip, instrument))


@pytest.fixture(scope="module")
def rows() -> Rows:
    names = [f"artist/{number} & <more>" for number in range(1, 6)]
    songs = [
        song(name, 0.1 * (number + 1), {"equalizer": 4, "gate": 2}, {"equalizer": number % 2})
        for number, name in enumerate(names)
    ]
    strips = [strip_row(name, "vox", "vocals", -2.0 * number) for number, name in enumerate(names)]
    strips += [strip_row(name, "thing", None, 0.0) for name in names[:2]]
    devices = [row for n, name in enumerate(names[:4]) for row in devices_of(name, "vox", "vocals", n - 4.0)]
    return Rows(songs, strips, devices)


def test_quantiles_and_where_they_lie_on_a_scale() -> None:
    found = spread(Param("bell_1_hz", 20.0, 20000.0, 200.0, "log"), [20.0, 200.0, None, 2000.0])
    assert found is not None
    assert (found.name, found.unit, found.count) == ("bell 1", "Hz", 3)
    assert found.quantiles[2] == 200.0
    assert found.places[2] == pytest.approx(100 / 3)
    assert spread(FADER, [0.0, None, -3.0]) is None


def test_what_is_left_of_each_type(rows: Rows) -> None:
    kept = {one.type: (one.before, one.after, one.pruned) for one in kept_types(rows.songs)}
    assert kept == {"equalizer": (20, 2, pytest.approx(0.9)), "gate": (10, 0, 1.0)}
    la = next(one for one in measures(rows.songs) if one.name == "La, full")
    assert (la.mean, la.median) == (pytest.approx(0.3), pytest.approx(0.3))
    assert la.high == pytest.approx(np.quantile([0.1, 0.2, 0.3, 0.4, 0.5], 0.9))


def test_instruments_and_their_controls(rows: Rows) -> None:
    vocals, other = instruments(rows.strips, rows.devices)
    assert (vocals.name, vocals.tracks, other.name, other.tracks) == ("vocals", 5, "other", 2)
    assert vocals.shares == {"equalizer": 0.8, "send": 0.8}
    assert vocals.level[0].quantiles[2] == -4.0
    knobs = {one.name: one for one in vocals.knobs["equalizer"]}
    # The second bell is flat: neither its frequency nor its gain says anything.
    assert set(knobs) == {"bell 1", "bell 1 q"}
    assert vocals.knobs["send"][0].quantiles == (-12.0,) * 5
    assert not other.knobs


def test_the_page_shows_every_song_and_needs_nothing_else(rows: Rows) -> None:
    page = corpus_html(rows, "graphs", 2)
    assert page == corpus_html(rows, "graphs", 2)
    tree = html.document_fromstring(page)
    assert "2 songs failed" in tree.findtext(".//h1")
    assert not tree.findall(".//script")
    assert not tree.findall(".//link")
    listed = tree.findall(".//section[@id='songs']//tbody/tr")
    assert [row.findtext("th/a") for row in listed] == [f"artist/{n} & <more>" for n in (5, 4, 3, 2, 1)]
    assert listed[0].find("th/a").get("href") == "graphs/artist/5%20%26%20%3Cmore%3E/"
    assert [row.findall("td")[3].text for row in listed] == ["0.500", "0.400", "0.300", "0.200", "0.100"]
    types = tree.findall(".//section[@id='types']//tbody/tr")
    assert [(row.findtext("th"), row.findall("td")[2].text) for row in types] == [
        ("equalizer", "0.90"),
        ("gate", "1.00"),
    ]


def test_a_collection_without_songs_has_a_page() -> None:
    tree = html.document_fromstring(corpus_html(Rows([], [], []), "graphs", 0))
    assert tree.findtext(".//main//p") == "No song is done yet."
