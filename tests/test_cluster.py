"""A Ray cluster: a node that is lost while it recovers a song, and songs that share a GPU."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from collection_helpers import WANTED, graphs, make_song, searching

from mix2daw.collection.collect import Cluster, Collection, collect
from mix2daw.progress import Silence

pytest.importorskip("ray")
from ray.cluster_utils import Cluster as Machines


def begun(out: Path) -> int:
    """Songs that are being worked at."""
    return len(list((out / "graphs").glob(".*.work")))


def test_a_node_that_is_lost_costs_nothing(tmp_path: Path) -> None:
    """Two nodes with room for a song each; one goes, with all of its processes, when both are at one."""
    corpus, alone, other = (tmp_path / name for name in ("corpus", "alone", "other"))
    for number in range(4):
        make_song(corpus / f"song {number}", number)
    assert collect(Collection(corpus, alone, WANTED, workers=1, threads=1), Silence()).done == 4
    machines = Machines(initialize_head=True, head_node_args={"num_cpus": 0})
    try:
        node, _ = machines.add_node(num_cpus=1), machines.add_node(num_cpus=1)
        machines.wait_for_nodes()
        lost = threading.Event()

        def lose() -> None:
            deadline = time.monotonic() + 120
            while begun(other) < 2 or not searching(other):
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
    assert (summary.done, summary.failed) == (4, 0)
    assert graphs(other) == graphs(alone)


def test_songs_share_a_gpu_if_each_is_said_to_need_a_part_of_one(tmp_path: Path) -> None:
    """Where songs are placed, that is: the node only says that it has one, and nothing runs there."""
    corpus, out = tmp_path / "corpus", tmp_path / "out"
    for number in range(4):
        make_song(corpus / f"song {number}", number)
    machines = Machines(initialize_head=True, head_node_args={"num_cpus": 2, "num_gpus": 1})
    most, ended = 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not ended.is_set():
            most = max(most, begun(out))
            time.sleep(0.005)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        task = Collection(corpus, out, WANTED, threads=1, cluster=Cluster(machines.address, gpus=0.5))
        summary = collect(task, Silence())
    finally:
        ended.set()
        watcher.join()
        machines.shutdown()
    assert (summary.done, summary.failed) == (4, 0)
    assert most == 2
