"""The recursions as CUDA kernels. Importing this loads numba.cuda; nothing else in mix2daw does."""

from __future__ import annotations

import functools
import warnings
from typing import Any

import torch
from numba import cuda
from torch import Tensor

from mix2daw.dsp.gpu.rows import Row

# Rows are few and long. Small blocks spread them over the multiprocessors, each with a cache of its own.
THREADS = 8


@functools.cache
def kernel_of(row: Row) -> Any:
    """The kernel that runs `row` with one thread for each row of its first array."""

    @cuda.jit  # type: ignore[untyped-decorator]
    def kernel(a: Any, b: Any, c: Any, d: Any) -> None:
        i = cuda.grid(1)  # type: ignore[attr-defined]
        if i < a.shape[0]:
            row(i, a, b, c, d)

    return kernel


def launch(row: Row, a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> None:
    """Run `row` over the rows of `a`, on torch's current stream; the host does not wait."""
    with torch.cuda.device(a.device), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Grid size")  # numba finds few threads wasteful; there are no more
        handle = torch.cuda.current_stream().cuda_stream
        # Numba has an own name for the default stream, whose handle is 0.
        stream = cuda.external_stream(handle) if handle else cuda.default_stream()
        arrays = (
            cuda.as_cuda_array(tensor, sync=False)  # type: ignore[no-untyped-call]
            for tensor in (a, b, c, d)
        )
        kernel_of(row)[-(-len(a) // THREADS), THREADS, stream](*arrays)
