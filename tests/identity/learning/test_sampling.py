from __future__ import annotations

import numpy as np
import pytest

from suzani.identity.kernels.sampling import which_find
from suzani.identity.learning import sampling
from suzani.identity.learning.sampling import Sample, draw
from suzani.identity.pairs import blocking
from suzani.identity.pairs.packing import Packed, pack
from tests.identity.packs import Ints, all_pairs, fields_of_town, packed_town

RULES = (("phone",), ("id:national_id",), ("date", "name"), ("given", "family", "year"), ("name", "city"))


def found_by_rules(records: Packed) -> tuple[Ints, Ints, Ints]:
    """The pairs that the rules give, and how many rules find each."""
    blocked = blocking.block(records, RULES, 5_000)
    left, right = all_pairs(records.rows)
    found = which_find(blocked.rules, records.keys, left, right).sum(axis=1)
    return left[found > 0], right[found > 0], found[found > 0]


def test_of_few_records_every_candidate_is_drawn_with_the_rules_that_find_it() -> None:
    records = packed_town(40, 7)
    sample = draw(records, RULES)
    left, right, found = found_by_rules(records)
    assert np.array_equal(sample.left, left)
    assert np.array_equal(sample.right, right)
    assert np.array_equal(sample.found_by, found)
    assert sample.rules == RULES
    assert set(sample.pairs.tolist()) == {1.0}


@pytest.mark.parametrize(("rows", "by_rule"), [(60, 8_000), (1_000, 40), (60, 40)])
def test_drawn_pairs_stand_for_all(monkeypatch: pytest.MonkeyPatch, rows: int, by_rule: int) -> None:
    monkeypatch.setattr(sampling, "_ROWS", rows)
    monkeypatch.setattr(sampling, "_PAIRS_BY_RULE", by_rule)
    monkeypatch.setattr(sampling, "_FEWER_BY_RULE", by_rule)
    records = packed_town(150, 9, 0.3)
    sample = draw(records, RULES)
    left, right, found = found_by_rules(records)
    exact = dict(zip(zip(left.tolist(), right.tolist(), strict=True), found.tolist(), strict=True))
    drawn = list(zip(sample.left.tolist(), sample.right.tolist(), strict=True))
    assert len(drawn) == len(set(drawn)) < len(exact)
    assert [exact[pair] for pair in drawn] == sample.found_by.tolist()
    assert sample.pairs.sum() == pytest.approx(len(exact), rel=0.35)


@pytest.mark.parametrize("rules", [RULES, None])
def test_a_sample_follows_what_the_records_say_and_not_their_order(
    monkeypatch: pytest.MonkeyPatch, rules: tuple[tuple[str, ...], ...] | None
) -> None:
    monkeypatch.setattr(sampling, "_ROWS", 100)
    fields, truth = fields_of_town(150, 9, 0.3, True)
    rows = np.random.default_rng(3).permutation(len(truth))
    here, there = pack(fields, len(truth)), pack([field.reordered(rows) for field in fields], len(truth))

    def pairs(sample: Sample, name: Ints) -> set[tuple[frozenset[int], float, bytes]]:
        drawn = zip(
            name[sample.left].tolist(), name[sample.right].tolist(), sample.pairs.tolist(), sample.finders,
            strict=True,
        )  # fmt: skip
        return {(frozenset((a, b)), pairs, finders.tobytes()) for a, b, pairs, finders in drawn}

    first, second = draw(here, rules), draw(there, rules)
    assert first.rules == second.rules
    assert pairs(first, np.arange(len(truth))) == pairs(second, rows)


def test_all_pairs_of_records_are_a_sample_that_no_rule_had_to_find() -> None:
    sample = Sample.every_pair(packed_town(5, 1))
    assert len(sample.left) == len(sample.levels) == len(sample.found_by)
    assert set(sample.found_by.tolist()) == {2}
    assert sample.pairs.sum() == len(sample.left)
