"""The recursions as CUDA kernels. Importing this loads numba.cuda; nothing else in mix2daw does."""

from __future__ import annotations

import functools
import warnings
from typing import Any

import numba
import numpy as np
import torch
from numba import cuda
from torch import Tensor

from mix2daw.dsp.gpu.rows import MOST_CHUNKS, Recursion

# A guess that moves by less, relative to itself or at all, is a float32 that was rounded another way.
SETTLED, NOTHING = 1e-5, 1e-25


@functools.cache
def kernel_of(recursion: Recursion) -> Any:
    """The kernel of `recursion`: a block for each row, a thread for each of its chunks."""
    chunk, count = recursion.chunk, recursion.count
    initial, backwards = recursion.initial, recursion.backwards

    @cuda.jit  # type: ignore[untyped-decorator]
    def kernel(a: Any, b: Any, c: Any, d: Any) -> None:
        starts = cuda.shared.array(MOST_CHUNKS, numba.float64)  # type: ignore[attr-defined]
        slopes = cuda.shared.array(MOST_CHUNKS, numba.float64)  # type: ignore[attr-defined]
        offsets = cuda.shared.array(MOST_CHUNKS, numba.float64)  # type: ignore[attr-defined]
        caps = cuda.shared.array(MOST_CHUNKS, numba.float64)  # type: ignore[attr-defined]
        moved = cuda.shared.array(1, numba.int32)  # type: ignore[attr-defined]
        i, k = cuda.blockIdx.x, cuda.threadIdx.x  # type: ignore[attr-defined]
        chunks = a.shape[2]
        starts[k] = initial
        counted = count(i, k, a, b)
        for _ in range(chunks):
            slopes[k], offsets[k], caps[k] = chunk(i, k, starts[k], counted, a, b, c, d)
            cuda.syncthreads()  # type: ignore[attr-defined]
            if k == 0:
                moved[0] = 0
                state = np.float64(initial)
                for m in range(chunks):
                    j = chunks - 1 - m if backwards else m
                    if abs(state - starts[j]) > SETTLED * abs(state) + NOTHING:
                        moved[0] = 1
                    starts[j] = state
                    state = min(slopes[j] * state + offsets[j], caps[j])
            cuda.syncthreads()  # type: ignore[attr-defined]
            if moved[0] == 0:
                break

    return kernel


def launch(recursion: Recursion, a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> None:
    """Run `recursion` over the rows of `a`, on torch's current stream; the host does not wait."""
    with torch.cuda.device(a.device), warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*Grid size")  # numba finds few blocks wasteful; there are no more
        handle = torch.cuda.current_stream().cuda_stream
        # Numba has an own name for the default stream, whose handle is 0.
        stream = cuda.external_stream(handle) if handle else cuda.default_stream()
        arrays = (
            cuda.as_cuda_array(tensor, sync=False)  # type: ignore[no-untyped-call]
            for tensor in (a, b, c, d)
        )
        kernel_of(recursion)[len(a), a.shape[2], stream](*arrays)
