"""Least squares of many columns: as exact as double precision says, also where columns are nearly alike."""

from __future__ import annotations

import pytest
import torch

from mix2daw.search.least_squares import Products, products, solved

SIZE, SECONDS_SAMPLES = 2048, 4 * 44100


def measured(columns: int, alike: float) -> Products:
    """Noise; the second column is the first with a share `alike` of another, the third is very soft."""
    generator = torch.Generator().manual_seed(columns)
    signals = torch.randn(columns, SECONDS_SAMPLES, generator=generator)
    signals[1] = 0.9 * signals[0] + alike * signals[1]
    signals[2] *= 1e-4
    levels = torch.rand(2, columns, 1, generator=generator)
    target = (levels * signals).sum(1) + 0.1 * torch.randn(2, SECONDS_SAMPLES, generator=generator)
    return products(list(signals), target, SIZE)


@pytest.mark.parametrize("columns", [3, 40])
def test_single_precision_solves_as_double(columns: int) -> None:
    found = measured(columns, 1e-3)
    power, fourth_power = found.power, found.fourth_power
    double = Products(found.gram.cdouble(), found.cross.cdouble(), power, fourth_power, found.frames)
    owner = tuple(range(columns))
    ours, exact = solved(found, owner), solved(double, owner)
    assert (ours.response - exact.response).abs().max() < 1e-3 * exact.response.abs().max()
    torch.testing.assert_close(ours.left, exact.left, rtol=2e-2, atol=0)
    torch.testing.assert_close(ours.variance.double(), exact.variance.double(), rtol=2e-2, atol=1e-9)


def test_a_bin_that_cannot_be_solved_costs_no_other() -> None:
    found = measured(4, 1.0)
    spoilt = Products(found.gram.clone(), found.cross, found.power, found.fourth_power, found.frames)
    spoilt.gram[7] = torch.nan
    whole, rest = solved(found, (0, 1, 2, 3)), solved(spoilt, (0, 1, 2, 3))
    others = torch.arange(SIZE // 2 + 1) != 7
    assert torch.equal(whole.response[others], rest.response[others])
    assert not rest.response[7].isfinite().any()


def test_products_of_two_stretches_add_up() -> None:
    whole = measured(3, 1.0)
    both = whole + whole
    assert torch.equal(both.gram, 2 * whole.gram)
    assert both.frames == 2 * whole.frames
