"""The picture of a recall sheet: nothing lies on anything else, and everything is in it."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from exporter_helpers import device, graph_of, track
from lxml import etree
from test_recall import COMPRESSOR, EQUALIZER, SVG, odd_graph, sample, write

from mix2daw.graph import Graph, Send, Strip

Rect = tuple[float, float, float, float]
Segment = tuple[float, float, float, float]


def large_graph() -> Graph:
    """40 tracks in 7 groups, two of them nested, and without a group; three returns that feed each other."""
    groups = ("drums", "perc", "bass", "guitars", "keys", "vocals", "")
    chains = ((EQUALIZER, COMPRESSOR), (device("gate", threshold_db=-42, ratio=2), EQUALIZER), ())
    tracks = [
        track(
            f"track {number}", "one", groups[number % 7] or "Master", devices=chains[number % 3],
            fader_db=-number / 4, pan=(number % 9 - 4) / 10,
            sends=tuple(
                Send(target=target, level_db=-9 - number / 7, tap="post" if number % 5 else "pre")
                for index, target in enumerate(("room", "plate", "slap"))
                if (number + index) % 3 == 0
            ),
        )
        for number in range(40)
    ]  # fmt: skip
    many = [track(f"choir {number}", "one", "choir") for number in range(23)]
    inner = [
        Strip(name=name, kind="group", output="band" if name in ("drums", "bass") else "Master")
        for name in (*groups[:6], "choir")
    ]
    return graph_of(
        *tracks, *many, *inner,
        Strip(name="band", kind="group", output="Master", sends=(Send(target="room", level_db=-20),)),
        Strip(name="room", kind="return", output="Master"),
        Strip(name="plate", kind="return", output="band", sends=(Send(target="slap", level_db=-15),)),
        Strip(name="slap", kind="return", output="Master"),
        Strip(name="Master", kind="master", devices=(EQUALIZER, COMPRESSOR)),
    )  # fmt: skip


def boxes_of(root: etree._Element) -> list[Rect]:
    """Left, top, right and bottom of every strip."""
    numbers = [
        tuple(float(box.get(key)) for key in ("x", "y", "width", "height"))
        for box in root.findall(f"{SVG}svg")
    ]
    return [(x, y, x + width, y + height) for x, y, width, height in numbers]


def segments_of(group: etree._Element) -> list[Segment]:
    """The straight pieces of all paths of one net, each from its lower to its higher coordinates."""
    found: list[Segment] = []
    for path in group.findall(f"{SVG}path"):
        x = y = 0.0
        for command, numbers in re.findall(r"([MHV])([\d. -]+)", path.get("d")):
            values = [float(number) for number in numbers.split()]
            new_x = values[0] if command in "MH" else x
            new_y = values[-1] if command in "MV" else y
            if command != "M":
                found.append((min(x, new_x), min(y, new_y), max(x, new_x), max(y, new_y)))
            x, y = new_x, new_y
    return found


def overlap(a: Segment, b: Segment) -> bool:
    """Whether two pieces lie on each other (a crossing is none)."""
    upright = a[0] == a[2] and b[0] == b[2] and abs(a[0] - b[0]) < 2
    level = a[1] == a[3] and b[1] == b[3] and abs(a[1] - b[1]) < 2
    along_y, along_x = min(a[3], b[3]) - max(a[1], b[1]), min(a[2], b[2]) - max(a[0], b[0])
    return (upright and along_y > 0.1) or (level and along_x > 0.1)


def crossed_graph(groups: int, returns: int) -> Graph:
    """Every group sends to every return, and every return comes back to the first group: lines of both rows
    meet between the rails."""
    names = [f"return {number}" for number in range(returns)]
    to_all = tuple(Send(target=name, level_db=-6) for name in names)
    return graph_of(
        *(track(f"track {number}", "one", f"group {number}") for number in range(groups)),
        Strip(name="group 0", kind="group", output="Master"),
        *(
            Strip(name=f"group {number}", kind="group", output="Master", sends=to_all)
            for number in range(1, groups)
        ),
        *(Strip(name=name, kind="return", output="group 0") for name in names),
        Strip(name="Master", kind="master"),
    )


CROSSED = [crossed_graph(groups, returns) for groups in range(2, 7) for returns in range(1, 5)]


@pytest.mark.parametrize(
    "graph",
    [large_graph(), odd_graph(), sample(Path()), *CROSSED],
    ids=lambda graph: f"{len(graph.strips)} strips",
)
def test_picture_has_room_for_everything(graph: Graph, tmp_path: Path) -> None:
    write(graph, tmp_path / "out")
    root = etree.parse(str(tmp_path / "out" / "graph.svg")).getroot()
    boxes = boxes_of(root)
    assert len(boxes) == len(graph.strips)
    for a, b in itertools.combinations(boxes, 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
    width, height = (float(root.get(key)) for key in ("width", "height"))
    assert all(x >= 0 and y >= 0 and right <= width and bottom <= height for x, y, right, bottom in boxes)
    nets = [segments_of(group) for group in root.findall(f"{SVG}g") if group.find(f"{SVG}title") is not None]
    for x1, y1, x2, y2 in itertools.chain(*nets):
        assert x1 >= 0 and x2 <= width and y2 <= height  # noqa: PT018
        for left, top, right, bottom in boxes:
            assert x2 <= left or x1 >= right or y2 <= top or y1 >= bottom, "a line crosses a box"
    for one, other in itertools.combinations(nets, 2):
        assert not [(a, b) for a in one for b in other if overlap(a, b)], "a line lies on another"
    for box in root.findall(f"{SVG}svg"):
        box_height = float(box.get("height"))
        assert all(float(text.get("y")) < box_height for text in box.findall(f"{SVG}text"))


def test_picture_shows_devices_routing_and_words(tmp_path: Path) -> None:
    graph = large_graph()
    write(graph, tmp_path / "out")
    root = etree.parse(str(tmp_path / "out" / "graph.svg")).getroot()
    for strip, box in (
        (graph.strip(b.find(f"{SVG}title").text.split("\n")[0]), b) for b in root.findall(f"{SVG}svg")
    ):
        assert box.get("class") == strip.kind
        lines = [(text.get("class"), text.text) for text in box.findall(f"{SVG}text")]
        assert lines[0] == ("name", strip.name)
        devices = [text.split()[0] for style, text in lines if style == "device"]
        assert devices == [insert.type for insert in strip.all_devices()]
        assert sum(style == "send" for style, _ in lines) == len(strip.sends)
    nets = {
        g.find(f"{SVG}title").text: g for g in root.findall(f"{SVG}g") if g.find(f"{SVG}title") is not None
    }
    for strip in graph.strips:
        inputs = graph.inputs(strip.name)
        senders = [s.name for s in graph.strips if any(send.target == strip.name for send in s.sends)]
        for sources, verb, style in ((inputs, "to", "output"), (senders, "sends to", "send")):
            if sources:
                net = nets.pop(f"{', '.join(sources)} {verb} {strip.name}")
                assert net.get("class").split()[0] == style
                assert len(net.findall(f"{SVG}circle")) == len(sources)
                assert sum("marker-end" in path.attrib for path in net.findall(f"{SVG}path")) == 1
    assert not nets
    assert root.get("aria-labelledby") == "title desc"
    assert root.find(f"{SVG}title").text
    assert "room gets sends from" in root.find(f"{SVG}desc").text
    assert "prefers-color-scheme:dark" in root.find(f"{SVG}style").text
