"""A Ray cluster of several nodes: one of them is lost while it recovers a song, and nothing is."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from collection_helpers import WANTED, graphs, make_song

from mix2daw.collection.collect import Cluster, Collection, collect
from mix2daw.progress import Silence
from mix2daw.search import STATE_FILE

pytest.importorskip("ray")
from ray.cluster_utils import Cluster as Machines


def test_a_node_that_is_lost_costs_nothing(tmp_path: Path) -> None:
    """Two nodes with room for a song each; one goes, with all of its processes, when both have begun."""
    corpus, alone, other = (tmp_path / name for name in ("corpus", "alone", "other"))
    for number in range(2):
        make_song(corpus / f"song {number}", number)
    assert collect(Collection(corpus, alone, WANTED, workers=1, threads=1), Silence()).done == 2
    machines = Machines(initialize_head=True, head_node_args={"num_cpus": 0})
    try:
        node, _ = machines.add_node(num_cpus=1), machines.add_node(num_cpus=1)
        machines.wait_for_nodes()
        lost = threading.Event()

        def lose() -> None:
            deadline = time.monotonic() + 120
            while len(list((other / "graphs").glob(f".*.work/{STATE_FILE}"))) < 2:
                if time.monotonic() > deadline:
                    return
                time.sleep(0.005)
            machines.remove_node(node, allow_graceful=False)
            lost.set()

        threading.Thread(target=lose, daemon=True).start()
        task = Collection(corpus, other, WANTED, threads=1, cluster=Cluster(machines.address))
        summary = collect(task, Silence())
    finally:
        machines.shutdown()
    assert lost.is_set()
    assert (summary.done, summary.failed) == (2, 0)
    assert graphs(other) == graphs(alone)
