"""Adam, with steps that are refused: one whose loss or gradient is no finite number changes nothing.

The arithmetic is that of `torch.optim.Adam`, bit for bit. What is refused is decided on the device, without
the host waiting for it; torch offers that for its fused kernels only.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

BETAS = (0.9, 0.98)
EPSILON = 1e-8


class Adam:
    """Moves `leaves`, each with its factor on `rate`, for at most `steps` steps.

    `rate`: the learning rate of the next step. All that a step changes it changes in place, so that a step
    on a GPU can be recorded and replayed.
    """

    def __init__(self, leaves: Sequence[tuple[Tensor, float]], steps: int) -> None:
        self._leaves = list(leaves)
        self._means = [torch.zeros_like(leaf, requires_grad=False) for leaf, _ in leaves]
        self._powers = [torch.zeros_like(leaf, requires_grad=False) for leaf, _ in leaves]
        device = leaves[0][0].device if leaves else torch.device("cpu")
        # By how many steps were taken, which only the device knows: what both averages lack of their weight.
        lack = [(1.0, 1.0), *((1 - BETAS[0] ** n, (1 - BETAS[1] ** n) ** 0.5) for n in range(1, steps + 1))]
        self._lack = torch.tensor(lack, dtype=torch.float64).to(device)
        self._taken = torch.zeros(1, dtype=torch.int64).to(device)
        self._rate = torch.zeros((), dtype=torch.float64).to(device)

    @property
    def rate(self) -> float:
        """The learning rate of the next step; reading it waits for the device."""
        return float(self._rate)

    @rate.setter
    def rate(self, rate: float) -> None:
        self._rate.fill_(rate)

    def step(self, loss: Tensor, gradients: Sequence[Tensor | None]) -> Tensor:
        """Take a step, if `loss` (a scalar) and all gradients, one for each leaf (None: nothing), are finite,
        and so are their squares. Returns whether it was taken, a scalar that is not yet read from the device.
        """
        with torch.no_grad():
            slopes = [
                torch.zeros_like(leaf) if slope is None else slope
                for (leaf, _), slope in zip(self._leaves, gradients, strict=True)
            ]
            good = torch.isfinite(loss.detach())
            if slopes:
                good = (
                    good & torch.isfinite(torch.cat([slope.reshape(-1) for slope in slopes]).square()).all()
                )
            self._taken += good
            first, second = self._lack.index_select(0, self._taken)[0].unbind()
            for index, ((leaf, factor), slope) in enumerate(zip(self._leaves, slopes, strict=True)):
                mean = self._means[index].lerp(slope, 1 - BETAS[0])
                power = self._powers[index].mul(BETAS[1]).addcmul_(slope, slope, value=1 - BETAS[1])
                size = torch.div(self._rate * factor, first).to(leaf.dtype)
                moved = leaf - size * mean / (power.sqrt() / second.to(leaf.dtype)).add_(EPSILON)
                for kept, value in ((leaf, moved), (self._means[index], mean), (self._powers[index], power)):
                    kept.copy_(torch.where(good, value, kept))
        return good
