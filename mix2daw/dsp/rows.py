"""Between torch and the kernels: signals as rows, one row for each channel of each strip.

A signal is (strips, channels, samples) float32; its rows are (strips · channels, samples). A control is
(strips,) float64; every channel of a strip has the same.
"""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Answer = TypeVar("Answer")


def signal_rows(signal: Tensor) -> Floats:
    """(strips, channels, samples) or any (..., samples) to contiguous float32 rows in main memory."""
    rows: Floats = signal.detach().to("cpu", torch.float32).contiguous().numpy()
    return rows.reshape(-1, signal.shape[-1])


def rows_signal(rows: Floats, like: Tensor) -> Tensor:
    """Rows back to the shape and device of `like`."""
    return torch.from_numpy(rows).reshape(like.shape).to(like.device)


def control_rows(control: Tensor, channels: int) -> Doubles:
    """(strips, ...) to (strips · channels, ...) float64: each strip's value once for each channel."""
    values: Doubles = control.detach().to("cpu", torch.float64).repeat_interleave(channels, 0).numpy()
    return values


def control_gradient(rows: Doubles, channels: int, like: Tensor) -> Tensor:
    """Gradients of rows summed over each strip's channels: (strips · channels, ...) to (strips, ...)."""
    strips = rows.reshape(-1, channels, *rows.shape[1:]).sum(1)
    return torch.from_numpy(strips).to(like.device, like.dtype)


def wants_gradient(*tensors: Tensor) -> bool:
    """Whether autograd would follow an operation on these."""
    return torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)


def may_hold(condition: Tensor) -> bool:
    """Whether a condition may hold anywhere, for work that could be left out. On the CPU that is looked up;
    elsewhere a look would make the host wait for the device, so the answer is yes."""
    return condition.device.type != "cpu" or bool(condition.any())


def beside(control: Tensor, signal: Tensor) -> Tensor:
    """A control on the signal's device. Those that are not learnt live on the host, and few values of them
    are ever seen: each is copied once."""
    return (
        control if control.device == signal.device else there(control.tolist(), control.dtype, signal.device)
    )


def there(values: Sequence[Any], dtype: torch.dtype, device: torch.device) -> Tensor:
    """A tensor of these values on a device, not to be changed; made once, since a copy to a GPU would stop
    every step."""
    frozen = tuple(tuple(row) if isinstance(row, list | tuple) else row for row in values)
    return _there(frozen, dtype, device)


@functools.lru_cache(maxsize=4096)
def _there(values: tuple[Any, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    return torch.tensor(values, dtype=dtype).to(device)


class Remembered(Generic[Answer]):
    """A function of tensors and a number that remembers its last answers as long as no gradient is wanted:
    a strip is played a hundred times with the same settings. Tensors count as the same if they are the very
    same ones, and unchanged."""

    def __init__(self, function: Callable[..., Answer], answers: int = 256) -> None:
        self._function, self._answers = function, answers
        self._kept: OrderedDict[tuple[int, ...], tuple[tuple[Tensor, ...], Answer]] = OrderedDict()

    def __call__(self, number: int, *tensors: Tensor) -> Answer:
        """What the function says."""
        if wants_gradient(*tensors):
            return self._function(number, *tensors)
        key = (number, *(part for tensor in tensors for part in (id(tensor), tensor._version)))
        known = self._kept.get(key)
        if known is None:
            known = tensors, self._function(number, *tensors)  # tensors that are kept keep their ids
            self._kept[key] = known
            if len(self._kept) > self._answers:
                self._kept.popitem(last=False)
        return known[1]


def as_stereo(signal: Tensor) -> Tensor:
    """The signal with two channels; a mono one is doubled."""
    return signal if signal.shape[1] == 2 else signal.expand(-1, 2, -1)


def per_sample(control: Tensor) -> Tensor:
    """A control (strips,) as float32 that multiplies a signal (strips, channels, samples)."""
    return control.float()[:, None, None]


def decibels_to_lin(level_db: Tensor) -> Tensor:
    """Amplitude 10^(dB/20), elementwise, in the given precision; exactly 1 at 0 dB."""
    return torch.pow(10.0, level_db / 20)


def stored_in_float32(control: Tensor) -> Tensor:
    """A float64 control rounded as a plugin stores it; the gradient passes as if it were not."""
    return control + (control.detach().float().double() - control.detach())
