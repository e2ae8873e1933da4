"""On which device a search runs."""

from __future__ import annotations

from importlib.util import find_spec

import torch

from mix2daw.errors import FormatError

CPU = torch.device("cpu")


def engine(device: str) -> torch.device:
    """The device of `Settings.device`: auto is a GPU where one can be used. FormatError if there is none."""
    if device == "cpu" or (device == "auto" and not _gpu_is_ready()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise FormatError("--device cuda", "this machine has no CUDA device", "use cpu or auto")
    if not _gpu_is_ready():
        raise FormatError("--device cuda", "numba-cuda is not installed", "pip install 'mix2daw[cuda]'")
    return torch.device("cuda")


def _gpu_is_ready() -> bool:
    """A CUDA device, and the compiler of our kernels for it."""
    return torch.cuda.is_available() and find_spec("numba_cuda") is not None
