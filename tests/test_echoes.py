"""An echo is found to the sample, also where what comes back is blurred."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mix2daw.search.deconvolution import Deconvolution, Stretch
from mix2daw.search.echoes import find_echo

RATE, SECONDS, DELAY_SAMPLES, FEEDBACK = 16000, 6, 3200, 0.5


def echoed(feed: Tensor, first: dict[int, float]) -> Tensor:
    """What a delay makes of a feed (samples,), both ears alike (2, samples). `first`: levels of what comes
    back the first time, by samples beside the delay; later repeats are sharp."""
    repeats = {n * DELAY_SAMPLES: 0.4 * FEEDBACK ** (n - 1) for n in range(2, 8)}
    repeats |= {DELAY_SAMPLES + beside: level for beside, level in first.items()}
    back = torch.zeros_like(feed)
    for lag, level in repeats.items():
        back[lag:] += level * feed[:-lag]
    return back.expand(2, -1)


@pytest.mark.parametrize("first", [{0: 0.4}, {-1: 0.42, 0: 0.4}, {0: 0.4, 1: 0.42}, {2: 0.42, 0: 0.4}])
def test_an_echo_is_found_to_the_sample(first: dict[int, float]) -> None:
    feeds = 0.2 * torch.randn(2, SECONDS * RATE, generator=torch.Generator().manual_seed(1))
    rest = echoed(feeds[0], first)
    problem = Deconvolution([Stretch(feeds, rest, feeds.sum(0) + rest)], RATE, RATE)
    echo = find_echo(problem, RATE)
    assert echo is not None
    assert echo.delay_samples == DELAY_SAMPLES
    assert echo.sends_lin[0] > 10 * echo.sends_lin[1]


def test_noise_has_no_echo() -> None:
    generator = torch.Generator().manual_seed(2)
    feeds, rest = (0.2 * torch.randn(2, SECONDS * RATE, generator=generator) for _ in range(2))
    assert find_echo(Deconvolution([Stretch(feeds, rest, feeds + rest)], RATE, RATE), RATE) is None
