from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suzani.identity.learning.estimates import Found, Scored, estimate, probability

Floats = npt.NDArray[np.float64]


def scored(left: list[int], right: list[int], odds: list[float]) -> Scored:
    return Scored(
        np.array(left, dtype=np.int64),
        np.array(right, dtype=np.int64),
        np.array(odds, dtype=np.float64),
    )


def drawn(pairs: int, seed: int) -> tuple[npt.NDArray[np.int64], Scored, Found, tuple[float, float]]:
    """Pairs of records, each pair apart from all others, joined where odds are even or better; with the
    true precision and recall. One true pair in twenty is found once, one in ten twice."""
    generator = np.random.default_rng(seed)
    odds = generator.normal(-1, 8, pairs)
    true = generator.random(pairs) < probability(odds)
    found_by = generator.choice([1, 2, 3, 4], pairs, p=[0.05, 0.10, 0.35, 0.5])
    left, right = 2 * np.arange(pairs), 2 * np.arange(pairs) + 1
    person = np.arange(2 * pairs)
    joined = odds > 0
    person[right[joined]] = left[joined]
    hit = float((true & joined).sum())
    found = Found.of(odds, found_by)
    total = true.sum() + found.missed
    return (
        person,
        Scored(left, right, odds),
        found,
        (hit / joined.sum(), hit / total),
    )


@pytest.mark.parametrize("seed", range(5))
def test_the_truth_lies_within_the_intervals(seed: int) -> None:
    person, pairs, found, (precision, recall) = drawn(5_000, seed)
    result = estimate(person, pairs, found, error_bits=0.3)
    assert result.precision.low <= precision <= result.precision.high
    assert result.recall.low <= recall <= result.recall.high
    assert result.precision.high - result.precision.low < 0.15


def test_estimating_twice_gives_the_same() -> None:
    person, pairs, found, _ = drawn(500, 1)
    assert estimate(person, pairs, found) == estimate(person, pairs, found)


def test_the_order_of_pairs_does_not_matter() -> None:
    person, pairs, found, _ = drawn(500, 1)
    turn = np.random.default_rng(9).permutation(500)
    other = Scored(pairs.left[turn], pairs.right[turn], pairs.odds_bits[turn])
    first, second = estimate(person, pairs, found), estimate(person, other, found)
    assert first.f1.value == pytest.approx(second.f1.value)
    assert first.recall.low == pytest.approx(second.recall.low)


def test_less_certain_odds_widen_the_intervals() -> None:
    person, pairs, found, _ = drawn(2_000, 2)
    sure, unsure = (
        estimate(person, pairs, found, error_bits=0.5),
        estimate(person, pairs, found, error_bits=3),
    )
    assert unsure.precision.low < sure.precision.low
    assert unsure.recall.low < sure.recall.low


def test_records_of_a_person_vouch_for_one_another() -> None:
    person = np.zeros(3, dtype=np.int64)
    result = estimate(person, scored([0, 1, 0], [1, 2, 2], [20, 20, -4]), Found.every_pair(2))
    assert result.true_pairs_inside == pytest.approx(3, abs=0.01)


def test_a_person_held_together_by_one_weak_link_is_doubted() -> None:
    person = np.zeros(4, dtype=np.int64)
    links = scored([0, 2, 1], [1, 3, 2], [20, 20, 0])
    assert estimate(person, links, Found.every_pair(2)).true_pairs_inside == pytest.approx(
        2 + 4 / 2, abs=0.01
    )


def test_nothing_at_all_is_perfect() -> None:
    result = estimate(np.arange(3), scored([], [], []), Found.every_pair(0))
    assert (result.precision.value, result.recall.value, result.f1.value) == (1, 1, 1)
    assert result.pairs_inside == 0


def test_pairs_that_no_rule_found_but_that_joined_are_not_missed() -> None:
    person = np.zeros(2, dtype=np.int64)
    found = Found(10, 2, 0)
    assert found.missed == 1
    assert estimate(person, scored([0], [1], [30]), found, beyond=1).recall.value == pytest.approx(1)


def test_recall_of_blocking_is_estimated_from_pairs_found_once_and_twice() -> None:
    found_by = np.array([1] * 40 + [2] * 40 + [3] * 120)
    # Chao, bias-corrected: 40 × 39 / (2 × 41) = 19.02 pairs unseen beside 200 seen.
    unseen = 40 * 39 / (2 * 41)
    sure = np.full(200, 99.0)
    assert Found.of(sure, found_by).recall == pytest.approx(200 / (200 + unseen))
    half = np.where(found_by == 1, 0.0, sure)
    assert Found.of(half, found_by).recall == pytest.approx(180 / (180 + 20 * 19 / 82))
    assert Found.of(-sure, found_by).recall is None


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_chao_misses_no_less_than_nothing(once: float, twice: float) -> None:
    found = Found(once + twice, once, twice)
    assert found.missed >= 0
    assert found.missed_error >= 0


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.floats(-50, 50)), max_size=30),
    st.lists(st.integers(0, 3), min_size=10, max_size=10),
)
def test_every_estimate_lies_in_its_interval(pairs: list[tuple[int, int, float]], person: list[int]) -> None:
    distinct = {(min(a, b), max(a, b)): odds for a, b, odds in pairs if a != b}
    left, right = [a for a, _ in distinct], [b for _, b in distinct]
    result = estimate(np.array(person), scored(left, right, list(distinct.values())), Found(5, 1, 2))
    for interval in (result.precision, result.recall, result.f1, result.blocking_recall):
        assert 0 <= interval.low <= interval.value <= interval.high <= 1
