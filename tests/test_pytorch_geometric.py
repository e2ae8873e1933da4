"""docs/pytorch-geometric.md, followed to the letter: its module reads what a collection writes."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from exporter_helpers import native_graph
from worked_example import ROOT, code_blocks

from mix2daw.exporters.recall.nodelink import nodelink_json
from mix2daw.graph import Graph
from mix2daw.processors import PROCESSORS

pytest.importorskip("torch_geometric", reason="PyTorch Geometric is not installed")


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    text = (ROOT / "docs" / "pytorch-geometric.md").read_text(encoding="utf-8")
    (block,) = (block for block in code_blocks(text) if block.kind == "python")
    assert block.file == "mixing_graphs.py"
    path = tmp_path_factory.mktemp("docs") / block.file
    path.write_text(block.text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("mixing_graphs", path)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Graph:
    return native_graph(tmp_path_factory.mktemp("audio"))


@pytest.fixture(scope="module")
def corpus(graph: Graph, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `collect` lays it out: two graphs, one of which is only a track and the master."""
    folder = tmp_path_factory.mktemp("corpus")
    track = graph.of_kind("track")[0].model_copy(update={"output": graph.master.name, "sends": ()})
    small = Graph.model_validate({**dict(graph), "strips": (track, graph.master)})
    for name, one in (("artist/first", graph), ("second", small)):
        place = folder / "graphs" / name
        place.mkdir(parents=True)
        (place / "graph-nodelink.json").write_text(nodelink_json(one), encoding="utf-8")
    return folder


def test_every_strip_output_and_send_is_there(module: ModuleType, corpus: Path, graph: Graph) -> None:
    data: Any = module.read_graphs(corpus)[0]
    names = [strip.name for strip in graph.strips]
    assert data.strips == names
    assert data.x.shape == (len(names), len(module.KINDS) + 2 + len(module.TYPES))
    for row, strip in zip(data.x.tolist(), graph.strips, strict=True):
        assert module.KINDS[row.index(1.0)] == strip.kind
        assert row[4:6] == pytest.approx([strip.fader_db, strip.pan])
        marked = {type_ for type_, mark in zip(module.TYPES, row[6:], strict=True) if mark}
        assert marked == {device.type for device in strip.all_devices()}
    wanted = {(s.name, s.output, 0.0, 0.0) for s in graph.strips if s.output is not None}
    wanted |= {(s.name, send.target, 1.0, send.level_db) for s in graph.strips for send in s.sends}
    edges = zip(data.edge_index.T.tolist(), data.edge_attr.tolist(), strict=True)
    found = {(names[a], names[b], send): level_db for (a, b), (send, level_db) in edges}
    assert found == pytest.approx({(a, b, send): level_db for a, b, send, level_db in wanted}, abs=1e-5)


def test_all_types_of_device_are_known(module: ModuleType) -> None:
    assert set(module.TYPES) == set(PROCESSORS) - {"fader", "pan"}


def test_graphs_of_unlike_size_make_a_batch(module: ModuleType, corpus: Path, graph: Graph) -> None:
    from torch_geometric.loader import DataLoader

    (batch,) = DataLoader(module.read_graphs(corpus), batch_size=2)
    assert batch.num_graphs == 2
    assert batch.x.shape[0] == len(graph.strips) + 2
    assert int(batch.edge_index.max()) < batch.x.shape[0]
    # The second graph's only edge leads from its track to its master.
    assert batch.edge_index[:, -1].tolist() == [len(graph.strips), len(graph.strips) + 1]
