"""Colours of channels, read back from the formats that have them."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import rpp
from exporter_helpers import graph_of, track, write_stems
from lxml import etree

from mix2daw.exporters import exporter
from mix2daw.graph import Strip


def of_reaper(out: Path) -> dict[str, str | None]:
    """The number of a colour is 0xBBGGRR, and counts if the bit above that is set."""
    found: dict[str, str | None] = {}
    for element in rpp.loads((out / "mix2daw.rpp").read_text(encoding="utf-8")).findall("TRACK"):
        color = element.find("PEAKCOL")
        found[element.find("NAME")[1]] = None
        if color is not None:
            number = int(color[1])
            assert number >> 24 == 1
            found[element.find("NAME")[1]] = (number & 0xFFFFFF).to_bytes(3, "little").hex()
    return found


def of_ardour(out: Path) -> dict[str, str | None]:
    """0xRRGGBBAA; 0 is for none."""
    root = etree.parse(str(out / "mix2daw" / "mix2daw.ardour")).getroot()
    found: dict[str, str | None] = {}
    for route in root.iterfind("Routes/Route"):
        number = int(route.find("PresentationInfo").get("color"))
        assert number == 0 or number & 0xFF == 0xFF
        found[route.get("name")] = f"{number >> 8:06x}" if number else None
    return found


def of_dawproject(out: Path) -> dict[str, str | None]:
    root = etree.fromstring(zipfile.ZipFile(out / "mix2daw.dawproject").read("project.xml"))
    colors = {element.get("name"): element.get("color") for element in root.iter("Track")}
    assert all(color is None or color.startswith("#") for color in colors.values())
    return {name: color and color[1:] for name, color in colors.items()}


@pytest.mark.parametrize(
    ("name", "read"), [("reaper", of_reaper), ("ardour", of_ardour), ("dawproject", of_dawproject)]
)
def test_groups_have_colours_and_what_is_in_them_the_same(
    name: str, read: Callable[[Path], dict[str, str | None]], tmp_path: Path
) -> None:
    write_stems(tmp_path, {"one": 2})
    graph = graph_of(
        track("Kick", "one", "Drums"),
        track("Pad", "one", "Soft"),
        track("Alone", "one"),
        Strip(name="Drums", kind="group", output="Master"),
        Strip(name="Keys", kind="group", output="Master"),
        Strip(name="Soft", kind="group", output="Keys"),
        Strip(name="Hall", kind="return", output="Keys"),
        Strip(name="Slap", kind="return", output="Master"),
        Strip(name="Master", kind="master"),
    )
    (tmp_path / "out").mkdir()
    exporter(name).write(graph, tmp_path, tmp_path / "out")
    colors = read(tmp_path / "out")
    assert colors["Kick"] == colors["Drums"]
    assert colors["Pad"] == colors["Soft"] == colors["Keys"]
    assert colors["Hall"] == colors["Slap"]
    assert colors["Alone"] is None
    assert colors.get("Master") is None
    assert len({colors[key] for key in ("Drums", "Keys", "Hall", "mix2daw render", "Alone")}) == 5
    assert colors["Drums"] == "c0504d"  # red, whatever the order of the format's bytes
