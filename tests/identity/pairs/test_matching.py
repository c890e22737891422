from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suzani.identity.kernels.sampling import which_find
from suzani.identity.learning.choosing import affordable
from suzani.identity.models.calibration import Calibration
from suzani.identity.models.interactions import Interaction
from suzani.identity.pairs import blocking, matching
from suzani.identity.pairs.matching import Pairs
from suzani.identity.pairs.packing import pack
from suzani.identity.pairs.scoring import weights_of
from suzani.identity.standardising.fields import Field
from tests.identity.packs import INTERACTIONS, all_pairs, fields_of_town, model_of_town, packed_town

LARGEST = 5_000
RULES = (("given",), ("family",), ("date",), ("phone",), ("city", "sex"), ("address words",))


def pairs_of(pairs: Pairs) -> list[tuple[int, int]]:
    return list(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True))


@settings(max_examples=30)
@given(
    seed=st.integers(1, 6),
    noise=st.sampled_from([0.1, 0.3, 0.6]),
    bound=st.floats(-60, 60),
    interactions=st.sampled_from([(), INTERACTIONS]),
    calibration=st.sampled_from([None, Calibration(0.7, 1.5, 9, 0.1), Calibration(1.4, -6.0, 9, 0.1)]),
    household=st.sampled_from([0.0, 1e-4, 0.05]),
)
def test_giving_up_early_neither_loses_nor_changes_a_candidate(
    seed: int,
    noise: float,
    bound: float,
    interactions: tuple[Interaction, ...],
    calibration: Calibration | None,
    household: float,
) -> None:
    records = packed_town(30, seed, noise)
    model = replace(model_of_town(), interactions=interactions, calibration=calibration, household=household)
    weights = weights_of(model, records)
    blocked = blocking.block(records, RULES, LARGEST)
    left, right = all_pairs(records.rows)
    found_by = which_find(blocked.rules, records.keys, left, right).sum(axis=1)
    found = found_by > 0
    every = matching.score(records, weights, left[found], right[found])
    above = every.odds_bits > bound
    expected = every.where(above)
    candidates = matching.candidates(records, blocked, weights, bound)
    assert pairs_of(candidates.pairs) == pairs_of(expected)
    assert np.array_equal(candidates.pairs.levels, expected.levels)
    assert np.allclose(candidates.pairs.odds_bits, expected.odds_bits, atol=1e-9)
    assert np.array_equal(candidates.found_by, found_by[found][above])
    assert list(candidates.by_rule) == [" + ".join(rule) for rule in RULES]
    assert sum(candidates.by_rule.values()) >= found.sum()


def test_names_in_each_others_place_are_not_given_up() -> None:
    fields, truth = fields_of_town(60, 3, 0.9, False)
    records = pack(fields, len(truth))
    weights = weights_of(model_of_town(ids=False), records)
    blocked = blocking.block(records, [("name",)], LARGEST)
    pairs = matching.score(records, weights, *all_pairs(records.rows))
    names = pairs.levels[:, [records.layout.given, records.layout.family]]
    found = which_find(blocked.rules, records.keys, pairs.left, pairs.right).any(axis=1)
    swapped = found & (names == 4).all(axis=1)
    assert swapped.sum() > 5
    for pair in np.flatnonzero(swapped).tolist():
        bound = float(pairs.odds_bits[pair]) - 1e-6
        candidates = matching.candidates(records, blocked, weights, bound)
        assert pairs_of(pairs)[pair] in pairs_of(candidates.pairs)


@pytest.mark.parametrize("stretches", [1, 2, 7, 1000])
def test_candidates_are_the_same_however_the_work_is_cut(
    stretches: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = packed_town(50, 4)
    weights = weights_of(model_of_town(), records)
    blocked = blocking.block(records, RULES, LARGEST)
    whole = matching.candidates(records, blocked, weights, -10.0)
    monkeypatch.setattr(matching, "_STRETCHES", stretches)
    parts = matching.candidates(records, blocked, weights, -10.0)
    assert whole.by_rule == parts.by_rule
    assert np.array_equal(whole.found_by, parts.found_by)
    assert pairs_of(whole.pairs) == pairs_of(parts.pairs)
    assert np.array_equal(whole.pairs.odds_bits, parts.pairs.odds_bits)


def test_candidates_come_in_order_and_once() -> None:
    records = packed_town(60, 5)
    blocked = blocking.block(records, affordable(records, 1), 150)
    pairs = matching.candidates(records, blocked, weights_of(model_of_town(), records), -10.0).pairs
    assert len(pairs) > 100
    assert pairs_of(pairs) == sorted(set(pairs_of(pairs)))
    assert np.all(pairs.left < pairs.right)


def test_many_candidates_find_room() -> None:
    rows = 120
    fields, _ = fields_of_town(150, 6, 0.0, True)
    records = pack(
        [Field(f.name, f.kind, f.values, np.repeat(f.codes[:1], rows, axis=0), f.scheme) for f in fields],
        rows,
    )
    weights = weights_of(model_of_town(), records)
    found = matching.candidates(records, blocking.block(records, RULES, LARGEST), weights, 0.0)
    assert len(found.pairs) == rows * (rows - 1) // 2


def test_pairs_keep_their_left_below_their_right_when_rows_are_renamed() -> None:
    pairs = Pairs(np.array([0, 1]), np.array([1, 2]), np.array([1.0, -2.0]), np.array([[1], [2]], np.uint8))
    renamed = pairs.on(np.array([9, 4, 6]))
    assert pairs_of(renamed) == [(4, 9), (4, 6)]
    assert renamed.probability == pytest.approx([2 / 3, 0.2])
    assert renamed.levels.tolist() == [[1], [2]]


def test_sets_of_pairs_join_in_their_order() -> None:
    pairs = Pairs(np.array([0, 1]), np.array([1, 2]), np.array([1.0, -2.0]), np.array([[1], [2]], np.uint8))
    joined = Pairs.joined([pairs.where(np.array([False, True])), pairs], 1)
    assert pairs_of(joined) == [(1, 2), (0, 1), (1, 2)]
    assert Pairs.joined([], 4).levels.shape == (0, 4)


def test_no_blocks_give_no_candidates() -> None:
    records = pack([], 100)
    model = replace(model_of_town(), fields=(), interactions=())
    blocked = blocking.block(records, affordable(records, 1), 150)
    found = matching.candidates(records, blocked, weights_of(model, records), -2.0)
    assert (len(found.pairs), len(found.found_by), found.by_rule) == (0, 0, {})
