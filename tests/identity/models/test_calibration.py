from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suzani.identity.models.calibration import Calibration, learn_calibration, reliability, wilson
from suzani.kernel import InvalidInput


def overconfident(pairs: int, slope: float, shift: float) -> tuple[np.ndarray, np.ndarray]:
    """Odds of pairs whose true odds are `shift + slope · odds`, and which of them are one person."""
    generator = np.random.default_rng(3)
    odds = generator.normal(-2, 8, pairs)
    chance = 1 / (1 + np.exp2(-(shift + slope * odds)))
    return odds, generator.random(pairs) < chance


def test_a_planted_overconfidence_is_found_and_taken_back() -> None:
    odds, same = overconfident(20_000, 0.6, -1.5)
    line = learn_calibration(odds, same)
    assert line is not None
    assert line.slope == pytest.approx(0.6, abs=0.05)
    assert line.intercept_bits == pytest.approx(-1.5, abs=0.2)
    assert 0 < line.error_bits < 0.3
    before = reliability(1 / (1 + np.exp2(-odds)), same)
    after = reliability(1 / (1 + np.exp2(-line.apply(odds))), same)
    assert after.uncertain_error < before.uncertain_error / 3
    assert after.log_loss < before.log_loss


def test_odds_that_hold_stay_as_they_are() -> None:
    odds, same = overconfident(20_000, 1.0, 0.0)
    line = learn_calibration(odds, same)
    assert line is not None
    assert line.slope == pytest.approx(1, abs=0.06)
    assert line.intercept_bits == pytest.approx(0, abs=0.2)


def test_too_few_anchors_teach_nothing() -> None:
    odds, same = overconfident(300, 0.6, -1.5)
    assert learn_calibration(odds, same) is None
    assert learn_calibration(np.empty(0), np.empty(0, dtype=bool)) is None


def test_anchors_of_which_none_is_uncertain_teach_nothing() -> None:
    odds = np.repeat([-40.0, 40.0], 1_000)
    assert learn_calibration(odds, odds > 0) is None


def test_perfectly_separated_anchors_do_not_run_away() -> None:
    odds = np.linspace(-14, 14, 2_000)
    line = learn_calibration(odds, odds > 0)
    assert line is not None
    assert line.slope <= 2


@given(
    st.lists(st.floats(-60, 60), min_size=2, max_size=50),
    st.lists(st.booleans(), min_size=2, max_size=50),
)
def test_calibration_never_changes_the_order_of_pairs(odds: list[float], told: list[bool]) -> None:
    size = min(len(odds), len(told))
    many = np.tile(np.array(odds[:size]), 400)
    line = learn_calibration(many, np.tile(np.array(told[:size]), 400))
    if line is not None:
        assert (np.diff(line.apply(np.sort(many))) >= 0).all()


@given(st.integers(0, 500), st.integers(0, 500))
def test_the_interval_of_a_share_holds_the_share(hits: int, misses: int) -> None:
    tries = hits + misses
    low, high = wilson(hits, tries)
    assert 0 <= low <= high <= 1
    if tries:
        assert low - 1e-12 <= hits / tries <= high + 1e-12


def test_reliability_counts_every_pair_once() -> None:
    chance = np.array([0.0, 0.05, 0.5, 0.51, 0.999, 1.0])
    same = np.array([False, False, True, False, True, True])
    curve = reliability(chance, same)
    assert sum(item.pairs for item in curve.bins) == curve.pairs == 6
    assert curve.uncertain == 3
    for item in curve.bins:
        assert item.low <= item.predicted <= item.high
        assert item.share_low <= item.share <= item.share_high
    assert curve.brier == pytest.approx((0.05**2 + 0.5**2 + 0.51**2 + 0.001**2) / 6)


def test_no_pairs_have_no_error() -> None:
    curve = reliability(np.empty(0), np.empty(0, dtype=bool))
    assert (curve.pairs, curve.bins, curve.error, curve.log_loss, curve.brier) == (0, (), 0, 0, 0)


@pytest.mark.parametrize(
    "line", [Calibration(0, 0, 1, 0), Calibration(-1, 0, 1, 0), Calibration(float("nan"), 0, 1, 0)], ids=str
)
def test_a_line_that_does_not_rise_is_refused(line: Calibration) -> None:
    with pytest.raises(InvalidInput, match=r"m\.json"):
        line.check("m.json")
