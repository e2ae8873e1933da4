"""The feedback delay line as a product of few factors.

z^−D / (1 − f·z^−D) = z^−D · (1 + f·z^−D)(1 + f²·z^−2D)(1 + f⁴·z^−4D)…, exact once the next shift is longer
than the signal: a dozen shifted sums, with no FFT and so nothing folded.
"""

from __future__ import annotations

import torch
from torch import Tensor


def _later(signal: Tensor, samples: int) -> Tensor:
    return torch.nn.functional.pad(signal, (samples, 0))[..., : signal.shape[-1]]


def echo(signal: Tensor, lag_samples: Tensor, feedback: Tensor) -> Tensor:
    """The echoes alone; arguments as those of mix2daw.dsp.echo.echo. The lags are best on the host, which
    must know them: they decide how many factors there are."""
    echoes = []
    for x, lag, share in zip(signal.unbind(0), lag_samples.tolist(), feedback.unbind(0), strict=True):
        shift = int(lag)
        echoed = _later(x, shift)
        while shift < x.shape[-1]:
            echoed = echoed + share.float() * _later(echoed, shift)
            share, shift = share * share, 2 * shift
        echoes.append(echoed)
    return torch.stack(echoes)
