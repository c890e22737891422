from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from suzani.identity.learning.choosing import Bools, affordable, choose, most_pairs
from tests.identity.packs import packed_town


def test_a_rule_that_finds_nothing_new_is_not_chosen() -> None:
    finders = np.array([[1, 1, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]], dtype=bool)
    true = np.array([1.0, 1.0, 1.0, 0.0, 0.0])
    assert choose(finders, np.ones(5), true, 10) == [1]


def test_of_two_rules_that_find_as_many_the_one_with_fewer_pairs_comes_first() -> None:
    finders = np.array([[1, 0], [0, 1], [0, 1]], dtype=bool)
    assert choose(finders, np.ones(3), np.array([1.0, 1.0, 0.0]), 10) == [0, 1]


def finders_of(*rules: int) -> Bools:
    """Pairs of which each is found by one rule: so many by the first, so many by the second, and so on."""
    return np.repeat(np.eye(len(rules), dtype=bool), rules, axis=0)


def test_many_pairs_must_bring_more_true_ones() -> None:
    rows = 1_000_000
    assert most_pairs(rows) == rows
    finders = np.concatenate([finders_of(10_000, 5, 5), [[False, True, False]]])
    true = np.append(np.ones(10_010), 0.0)
    # Five of 10,010 true pairs are worth a few comparisons, but not 900,000.
    assert choose(finders, np.append(np.ones(10_010), 900_000.0), true, rows) == [0, 2]
    assert choose(finders, np.append(np.ones(10_010), 1.0), true, rows) == [0, 2, 1]


def test_one_pair_that_stands_for_many_is_not_taken_at_its_word() -> None:
    pairs = np.append(np.ones(10_000), 50.0)
    assert choose(finders_of(10_000, 1), pairs, pairs, 100) == [0]
    assert choose(finders_of(10_000, 50), np.ones(10_050), np.ones(10_050), 100) == [0, 1]


@given(st.integers(1, 80), st.integers(0, 40), st.integers(0, 2**32 - 1))
def test_all_true_pairs_are_found_where_nothing_is_dear(rules: int, pairs: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    finders = generator.random((pairs, rules)) < 0.1
    true = (generator.random(pairs) < 0.5).astype(np.float64)
    chosen = choose(finders, np.ones(pairs), true, 1_000)
    assert len(set(chosen)) == len(chosen)
    assert np.array_equal(finders[true > 0][:, chosen].any(axis=1), finders[true > 0].any(axis=1))


def test_affordable_rules_come_from_the_most_to_the_least_selective() -> None:
    records = packed_town(60, 4, 0.4)
    rules = affordable(records, 1)
    assert len(set(rules)) == len(rules) > 10
    assert rules.index(("given", "family", "year")) < rules.index(("given",))
