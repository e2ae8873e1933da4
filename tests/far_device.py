"""A make-believe GPU: tensors that live elsewhere, with the rules of one, computed on the CPU.

It reports itself as "meta", so that code takes the path of a GPU. Once it is `strict`, whatever would make
the host wait for a real device is an error: reading a value, copying back, copying there without queueing,
selecting by a mask. Tensors of both places may not meet in one operation, unless one is a single number.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import torch
from torch import Tensor
from torch.utils._mode_utils import no_dispatch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

from mix2daw.dsp.gpu import ballistics, brickwall
from mix2daw.dsp.gpu.rows import Recursion, over_rows

FAR = torch.device("meta")
aten = torch.ops.aten
WAITING = {
    aten._local_scalar_dense.default,
    aten.nonzero.default,
    aten.masked_select.default,
    aten.equal.default,
    aten.is_nonzero.default,
}


class FarTensor(Tensor):
    """A tensor on the make-believe device; `near` has its values."""

    near: Tensor

    @staticmethod
    def __new__(cls, near: Tensor) -> FarTensor:
        far = Tensor._make_wrapper_subclass(
            cls, near.size(), strides=near.stride(), dtype=near.dtype, device=FAR
        )
        far.near = near
        return far

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise RuntimeError(f"{func} outside of the device's mode")

    def tolist(self) -> Any:
        return self.to("cpu").tolist()


def _plain(near: Tensor) -> Tensor:
    """Without marks of a pending conjugation or sign, which the outside would not know of."""
    return near.resolve_conj().resolve_neg()


class FarDevice(TorchDispatchMode):
    """While it is entered, `.to(FAR)` and `device=FAR` lead to the make-believe device."""

    strict = False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        tensors = [leaf for leaf in tree_flatten((args, kwargs))[0] if isinstance(leaf, Tensor)]
        near_ones = [t for t in tensors if not isinstance(t, FarTensor)]
        target = kwargs.get("device")
        if len(near_ones) == len(tensors) and target != FAR:
            return func(*args, **kwargs)
        if self.strict:
            self._refuse_waiting(func, args, kwargs, bool(tensors) and not near_ones)
        if func is not aten._to_copy.default:
            assert all(t.ndim == 0 for t in near_ones), f"{func}: tensors of two devices"
        if target is not None:
            kwargs["device"] = torch.device("cpu")
        args_near, kwargs_near = tree_map(
            lambda leaf: leaf.near if isinstance(leaf, FarTensor) else leaf, (args, kwargs)
        )
        out = func(*args_near, **kwargs_near)
        if func._schema.is_mutable and func._schema.name.endswith("_"):
            if torch.Tag.inplace_view in func.tags:  # a change of shape alone: the outside has to follow
                with no_dispatch():
                    func(*args, **kwargs)
            return args[0]
        if target is not None and target != FAR:
            return out
        return tree_map(lambda leaf: FarTensor(_plain(leaf)) if isinstance(leaf, Tensor) else leaf, out)

    @staticmethod
    def _refuse_waiting(func: Any, args: Any, kwargs: Any, from_far: bool) -> None:
        assert func not in WAITING, f"{func} waits for the device"
        if func is aten._to_copy.default and kwargs.get("device") is not None:
            assert not (from_far and kwargs["device"] != FAR), "copied back from the device"
            assert from_far or kwargs.get("non_blocking"), "copied to the device without queueing"
        if func in (aten.index.Tensor, aten.index_put_.default):
            assert all(i is None or i.dtype != torch.bool for i in args[1]), "selected by a mask"


@contextmanager
def far_device() -> Iterator[FarDevice]:
    """The device, with its recursions run by the CPU's compilation of the same code."""

    def rows(recursion: Recursion, *tensors: Tensor) -> None:
        a, b, c, d = (tensor.near if isinstance(tensor, FarTensor) else tensor for tensor in tensors)
        over_rows(recursion, a, b, c, d)

    with (
        mock.patch.object(ballistics, "over_rows", rows),
        mock.patch.object(brickwall, "over_rows", rows),
        FarDevice() as device,
    ):
        yield device
