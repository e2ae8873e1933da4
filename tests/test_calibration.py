"""What a confidence is worth as a probability: bins count, maps rise, and chances that are known come out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from _calibration import Case, binned, calibrated, calibration_error, fitted_map, held_out, rank_share

MANY = 4000


def known_chances() -> list[Case]:
    """Confidences of 0.01..1 in 20 songs; the chance to be true rises from 0.2 to 1 with their logarithm."""
    rng = np.random.default_rng(7)
    confidence = 10 ** rng.uniform(-2, 0, MANY)
    true = rng.random(MANY) < chance(confidence)
    both = enumerate(zip(confidence.tolist(), true.tolist(), strict=True))
    return [Case(f"song-{number % 20}", sure, hit) for number, (sure, hit) in both]


def chance(confidence: np.ndarray | float) -> np.ndarray:
    return np.asarray(1 + 0.4 * np.log10(confidence))


def test_every_bin_has_the_share_of_its_devices() -> None:
    """Against the mean chance inside a bin, within four standard deviations of a count."""
    cases = known_chances()
    bins = binned(cases)
    assert sum(one.count for one in bins) == MANY
    for one in bins:
        inside = [case.confidence for case in cases if one.low <= case.confidence < one.high]
        expected = float(chance(np.array(inside)).mean())
        assert one.count == len(inside)
        assert one.confidence == pytest.approx(np.mean(inside))
        assert abs(one.share - expected) < 4 * math.sqrt(0.25 / one.count)
        assert one.share_low < one.share < one.share_high


def test_a_confidence_on_an_edge_is_in_the_bin_above_it() -> None:
    bins = binned([Case("a", 0.02, True), Case("a", 0.0, False), Case("a", 3.0, True)])
    assert [(one.low, one.high, one.count, one.share) for one in bins] == [
        (-math.inf, 0.001, 1, 0),
        (0.02, 0.05, 1, 1),
        (0.2, math.inf, 1, 1),
    ]


def test_the_map_rises_and_finds_the_known_chances() -> None:
    found = fitted_map(known_chances())
    assert (np.diff(found.share) >= 0).all()
    assert (np.diff(found.confidence) > 0).all()
    for confidence in (0.03, 0.1, 0.3):
        assert found.at(confidence) == pytest.approx(float(chance(confidence)), abs=0.08)
    assert found.at(-1) == found.share[0]
    assert found.at(99) == found.share[-1]


def test_the_map_is_level_where_more_confidence_is_less_often_true() -> None:
    found = fitted_map([Case("a", x, true) for x, true in ((1, False), (2, True), (3, False), (4, True))])
    assert found.share == (0, 0.5, 0.5, 1)


def test_devices_of_one_confidence_are_one_point() -> None:
    found = fitted_map([Case("a", 0.1, True), Case("a", 0.1, True), Case("a", 0.1, False)])
    assert (found.confidence, found.share) == ((0.1,), (pytest.approx(2 / 3),))


def test_what_is_held_out_is_not_fitted_to() -> None:
    """Two songs say the opposite: each is told what the other one holds."""
    cases = [Case("a", 0.1, True), Case("a", 0.2, True), Case("b", 0.1, False), Case("b", 0.2, False)]
    mapped, base = held_out(cases)
    assert mapped.tolist() == base.tolist() == [0, 0, 1, 1]
    with pytest.raises(ValueError, match="two songs"):
        held_out(cases[:2])


def test_the_calibration_error_is_by_how_much_too_sure_one_is() -> None:
    true = np.array([1.0, 0, 0, 0, 1, 1, 1, 0])
    assert calibration_error(np.full(8, 0.5), true) == 0
    assert calibration_error(np.full(8, 0.8), true) == pytest.approx(0.3)
    assert calibration_error(true, true) == 0


def test_ranks_tell_how_often_the_true_one_is_surer() -> None:
    confidence = np.array([0.1, 0.2, 0.3, 0.4])
    assert rank_share(confidence, np.array([0, 0, 1, 1])) == 1
    assert rank_share(confidence, np.array([1, 1, 0, 0])) == 0
    assert rank_share(np.ones(4), np.array([1, 0, 1, 0])) == 0.5
    assert math.isnan(rank_share(confidence, np.ones(4)))


def test_the_map_is_better_than_the_bare_confidence_and_than_one_share() -> None:
    found = calibrated(known_chances())
    assert found.ece_mapped < 0.03 < found.ece_bare
    assert found.brier_mapped < found.brier_base < found.brier_bare
    assert 0.5 < found.ranks < 1


def test_one_song_has_no_others_to_be_judged_by() -> None:
    found = calibrated([Case("a", 0.1, True), Case("a", 0.2, False)])
    assert math.isnan(found.ece_mapped)
    assert math.isnan(found.brier_base)
    assert found.brier_bare == pytest.approx((0.9**2 + 0.2**2) / 2)
