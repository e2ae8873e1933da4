"""Steps on a GPU that are recorded once and replayed: the host starts one graph, not thousands of kernels.

What is recorded must do all its work on the device, without the host waiting for it, must find what it works
on at the same place every time, and change it in place.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Step = Callable[[int], Tensor]  # by a number of which there are few, what comes of it on the device


def replayed(step: Step, device: torch.device) -> Step:
    """The same step, recorded for each number where that pays; on other devices the step itself."""
    return _Replayed(step) if device.type == "cuda" else step


class _Replayed:
    """The first call of all runs as it is, which makes what is made once (tables, plans of transforms);
    every later number is recorded when it comes for the first time."""

    def __init__(self, step: Step) -> None:
        self._step = step
        # Everything on one stream, which must not be the default one.
        self._stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        self._pool = torch.cuda.graph_pool_handle()  # recordings never run at once: they share their memory
        self._recorded: dict[int, tuple[torch.cuda.CUDAGraph, Tensor]] = {}
        self._warm = False

    def __call__(self, which: int) -> Tensor:
        here = torch.cuda.current_stream()
        self._stream.wait_stream(here)
        with torch.cuda.stream(self._stream):
            result = self._replay(which) if self._warm else self._step(which)
            self._warm = True
        here.wait_stream(self._stream)
        result.record_stream(here)
        return result

    def _replay(self, which: int) -> Tensor:
        if which not in self._recorded:
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, pool=self._pool, stream=self._stream):
                result = self._step(which)
            self._recorded[which] = graph, result
        graph, result = self._recorded[which]
        graph.replay()
        return result.clone()  # the next replay overwrites it
