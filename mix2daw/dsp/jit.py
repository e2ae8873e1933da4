"""Compilation of the kernels by numba: machine code, kept on disk, in strict IEEE order.

No fast-math and no fused multiply-add: the kernels must round as the plugins do, bit for bit. Only gradients,
of which plugins know nothing, may fuse.
Rows are independent and each is summed in its own order, so results do not depend on the number of threads.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import numba
import torch

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

# Lets LLVM join eight equal scalar operations into one vector instruction (see lanes.py). It must be set
# before the first kernel is compiled, and changes no result.
numba.config.SLP_VECTORIZE = 1  # type: ignore[attr-defined]


def compiled(function: Kernel) -> Kernel:
    """The function as machine code."""
    return cast(Kernel, numba.njit(cache=True, error_model="numpy", nogil=True)(function))


def compiled_fused(function: Kernel) -> Kernel:
    """The function as machine code that may round a product and a sum at once."""
    options = numba.njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract"})
    return cast(Kernel, options(function))


def compiled_parallel(function: Kernel) -> Kernel:
    """The function as machine code, its `prange` loops spread over threads.

    numba and torch may share one OpenMP, whose number of threads a launch sets: torch gets its own back.
    """
    kernel = numba.njit(cache=True, error_model="numpy", nogil=True, parallel=True)(function)

    @functools.wraps(function)
    def launch(*arguments: object) -> object:
        with torch_threads_kept():
            return kernel(*arguments)

    return cast(Kernel, launch)


@contextmanager
def torch_threads_kept() -> Iterator[None]:
    """Afterwards torch has as many threads as before."""
    threads = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(threads)
