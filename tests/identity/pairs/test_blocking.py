from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suzani.identity.kernels import blocks
from suzani.identity.kernels.sampling import which_find
from suzani.identity.learning import sampling
from suzani.identity.learning.choosing import affordable
from suzani.identity.learning.estimates import Found
from suzani.identity.pairs import blocking, matching
from suzani.identity.pairs.blocking import Blocked, Plan
from suzani.identity.pairs.packing import Packed, pack
from suzani.identity.pairs.scoring import weights_of
from suzani.identity.standardising.fields import Field
from suzani.kernel import InvalidInput, Kind
from tests.identity.packs import all_pairs, fields_of_town, model_of_town, packed, packed_town

PLAN_RULES = (
    ("phone",),
    ("id:national_id",),
    ("date", "name"),
    ("given", "family", "year"),
    ("name", "city"),
)
ROW_MASK = (1 << 24) - 1


def tried(records: Packed) -> Blocked:
    """The blocks of all rules that so few records can afford."""
    return blocking.block(records, affordable(records, 1), 150)


def blocked_by(records: Packed, rules: Sequence[tuple[str, ...]]) -> Blocked:
    """The blocks of some rules, which refine only monstrous ones."""
    return blocking.block(records, rules, 5_000)


def found_in(records: Packed, blocked: Blocked) -> set[tuple[int, int]]:
    """All candidates: every pair looked at has odds above no bound at all."""
    weights = weights_of(model_of_town(), records)
    pairs = matching.candidates(records, blocked, weights, -1e6).pairs
    found = list(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True))
    assert len(found) == len(set(found))
    return set(found)


def brought_together(records: Packed, blocked: Blocked) -> set[tuple[int, int]]:
    """The pairs that one rule of a plan gives the same block."""
    left, right = all_pairs(records.rows)
    found = which_find(blocked.rules, records.keys, left, right).sum(axis=1) > 0
    return set(zip(left[found].tolist(), right[found].tolist(), strict=True))


def keys_of(records: Packed, row: int, rule: tuple[str, ...]) -> set[tuple[int, ...]]:
    """The keys of a row under a rule: one per combination of what it says."""
    sources = {source.name: source for source in records.sources}
    parts = [
        [int(key) for key in records.keys[row, source.first : source.first + source.count] if key]
        for source in (sources[part] for part in rule)
    ]
    return set(product(*parts))


def sharing_keys(records: Packed, rules: tuple[tuple[str, ...], ...]) -> set[tuple[int, int]]:
    held = [[keys_of(records, row, rule) for rule in rules] for row in range(records.rows)]
    return {
        (a, b)
        for a, b in combinations(range(records.rows), 2)
        if any(mine & yours for mine, yours in zip(held[a], held[b], strict=True))
    }


def test_records_keyed_by_the_rules_alone_have_the_same_blocks() -> None:
    records = packed_town(60, 4, 0.3)
    every, few = (
        blocking.block(one, PLAN_RULES, 3) for one in (records, blocking.keyed(records, PLAN_RULES))
    )
    assert [entries.tolist() for entries in few.entries] == [entries.tolist() for entries in every.entries]
    assert blocking.keyed(records, PLAN_RULES).keys.shape[1] < records.keys.shape[1]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_pair_is_a_candidate_if_it_shares_the_keys_of_one_rule(seed: int) -> None:
    records = packed_town(40, seed)
    blocked = blocked_by(records, PLAN_RULES)
    expected = sharing_keys(records, PLAN_RULES)
    assert expected
    assert brought_together(records, blocked) == expected
    assert found_in(records, blocked) == expected


def test_rules_that_are_chosen_give_what_they_say() -> None:
    records = packed_town(60, 4, 0.4)
    blocked = tried(records)
    assert blocked.plan.rules
    assert len(set(blocked.plan.rules)) == len(blocked.plan.rules)
    assert found_in(records, blocked) == brought_together(records, blocked)


@pytest.mark.parametrize("rule", PLAN_RULES, ids=" + ".join)
def test_the_pairs_of_a_rule_are_counted(rule: tuple[str, ...]) -> None:
    records = packed_town(40, 5)
    blocked = blocked_by(records, [rule])
    shared = [keys_of(records, row, rule) for row in range(records.rows)]
    assert blocked.pairs == (sum(len(a & b) for a, b in combinations(shared, 2)),)
    assert blocked.lost == 0


def test_what_an_earlier_rule_found_is_not_looked_at_again() -> None:
    records = packed_town(40, 6)
    weights = weights_of(model_of_town(), records)
    rules = (("phone",), ("phone",), ("id:national_id",))
    blocked = blocked_by(records, rules)
    left, right = all_pairs(records.rows)
    found = which_find(blocked.rules, records.keys, left, right).sum(axis=1)
    assert set(found.tolist()) == {0, 1, 2, 3}
    once = matching.candidates(records, blocked_by(records, rules[1:]), weights, -1e6)
    again = matching.candidates(records, blocked, weights, -1e6)
    assert np.array_equal(once.pairs.left, again.pairs.left)
    assert np.array_equal(once.pairs.right, again.pairs.right)
    assert once.by_rule == again.by_rule
    assert list(once.by_rule) == ["phone", "id:national_id"]


def test_blocking_by_a_plan_gives_the_candidates_of_the_run_that_made_it() -> None:
    records = repeated_town()
    blocked = tried(records)
    assert any(len(hashes) for hashes in blocked.plan.oversized)
    again = blocking.block_as(records, blocked.plan)
    assert again.plan is blocked.plan
    assert again.pairs == blocked.pairs
    assert found_in(records, again) == found_in(records, blocked)
    assert found_in(records, blocked) == brought_together(records, blocked)


def test_a_plan_brings_two_records_together_whatever_the_others_are() -> None:
    records = repeated_town()
    plan = tried(records).plan
    rows = np.arange(records.rows)[::-2].copy()
    few = records.take(rows)
    there = brought_together(records, blocking.block_as(records, plan))
    here = {tuple(sorted((rows[a], rows[b]))) for a, b in found_in(few, blocking.block_as(few, plan))}
    chosen = set(rows.tolist())
    assert here == {pair for pair in there if chosen.issuperset(pair)}


def repeated_town() -> Packed:
    """A town whose 260 records or more all give one telephone number, beside their own."""
    fields, truth = fields_of_town(130, 7, 0.3, True)
    phone = next(field for field in fields if field.kind is Kind.PHONE)
    everyone = np.full((len(truth), 1), len(phone.values), dtype=np.int32)
    shared = Field(
        phone.name,
        phone.kind,
        [*phone.texts.to_pylist(), "712000000"],
        np.concatenate([phone.codes, everyone], axis=1),
    )
    return packed([shared if field is phone else field for field in fields], len(truth))


def single(kind: Kind, values: list[str], codes: list[int]) -> Field:
    return Field(kind.value, kind, values, np.array(codes, dtype=np.int32)[:, None])


def test_what_stays_in_a_block_too_large_is_counted_as_lost() -> None:
    rows = 400
    records = pack([single(Kind.PHONE, ["901112233"], [0] * rows)], rows)
    blocked = tried(records)
    assert blocked.pairs == ()
    cap = 5_000
    records = pack([single(Kind.PHONE, ["901112233"], [0] * (cap + 1))], cap + 1)
    blocked = blocked_by(records, [("phone",)])
    assert (blocked.pairs, blocked.lost) == ((0,), cap * (cap + 1) // 2)


def test_an_oversized_block_is_refined_by_what_else_the_records_say() -> None:
    rows, years = 600, 100
    dates = [f"{1900 + year:04}0101" for year in range(years)]
    records = pack(
        [
            single(Kind.PHONE, ["901112233"], [0] * rows),
            single(Kind.BIRTH_DATE, dates, [row % years for row in range(rows)]),
        ],
        rows,
    )
    blocked = tried(records)
    assert ("phone",) in blocked.plan.rules
    found = brought_together(records, blocked)
    assert {(row, row + years) for row in range(rows - years)} <= found
    assert all((a - b) % years == 0 for a, b in found)
    assert blocked.lost == 0


def test_what_lacks_the_refining_key_stays_together_and_may_be_lost() -> None:
    rows = 600
    dates = [f"{1900 + row % 50:04}0101" if row < 300 else "" for row in range(rows)]
    values = sorted(set(dates) - {""})
    codes = [values.index(date) if date else -1 for date in dates]
    records = pack(
        [single(Kind.PHONE, ["901112233"], [0] * rows), single(Kind.BIRTH_DATE, values, codes)], rows
    )
    blocked = tried(records)
    assert all(b < 300 for _, b in brought_together(records, blocked))
    assert blocked.lost >= 300 * 299 // 2


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 2)), max_size=40),
    st.integers(1, 6),
)
def test_entries_part_into_blocks_up_to_the_cap_and_larger_ones(
    rows: list[tuple[int, int, int]], cap: int
) -> None:
    keys = np.array(rows, dtype=np.uint32).reshape(-1, 3)
    rules = blocks.Rules(
        np.array([[0, 2, 0, 0, 0, 0]]), np.empty(0, np.uint64), np.zeros(2, np.int64), np.array([2])
    )
    entries = np.sort(blocks.entries(rules, 0, 1, keys)[0][: (keys[:, :2] != 0).sum()])
    expected = defaultdict(set)
    for row, (first, second, _) in enumerate(rows):
        for key in {first, second} - {0}:
            expected[key].add(row)
    small, large, over, pairs = blocks.part(entries, cap)
    sizes = [len(block) for block in expected.values()]
    assert blocked_rows(small) == sorted(sorted(b) for b in expected.values() if 1 < len(b) <= cap)
    assert blocked_rows(large) == sorted(sorted(b) for b in expected.values() if len(b) > cap)
    assert len(over) == sum(size > cap for size in sizes)
    assert pairs == blocks.pairs_in(small) == sum(n * (n - 1) // 2 for n in sizes if n <= cap)
    refined = np.sort(blocks.refine_entries(large, keys, 2))
    finer = defaultdict(set)
    for key, block in expected.items():
        for row in block if len(block) > cap else ():
            finer[key, rows[row][2]].add(row)
    assert blocked_rows(refined) == sorted(map(sorted, finer.values()))


def blocked_rows(entries: np.ndarray[tuple[int], np.dtype[np.uint64]]) -> list[list[int]]:
    """The rows of each block of sorted entries."""
    members = defaultdict(list)
    for entry in entries.tolist():
        members[entry >> 24].append(entry & ROW_MASK)
    return sorted(members.values())


def test_blocking_reaches_nearly_all_true_pairs_and_few_others() -> None:
    fields, truth = fields_of_town(600, 5, 0.4, False)
    records = pack(fields, len(truth))
    blocked = tried(records)
    left, right = all_pairs(records.rows)
    found_by = which_find(blocked.rules, records.keys, left, right).sum(axis=1)
    same = (truth[left] == truth[right]) & (found_by > 0)
    recall = same.sum() / (truth[left] == truth[right]).sum()
    assert recall > 0.95
    assert (found_by > 0).mean() < 0.5
    odds = np.where(truth[left] == truth[right], 50.0, -50.0)
    estimated = Found.of(odds[found_by > 0], found_by[found_by > 0]).recall
    assert estimated == pytest.approx(recall, abs=0.03)


def test_records_that_share_nothing_are_not_compared() -> None:
    phones = [f"9{number:08}" for number in range(60)]
    records = pack([single(Kind.PHONE, phones, list(range(60)))], 60)
    assert tried(records).plan.rules == ()


@pytest.mark.parametrize("rows", [0, 1, 100])
def test_records_without_evidence_are_not_compared(rows: int) -> None:
    records = pack([], rows)
    blocked = tried(records)
    assert (blocked.plan.rules, blocked.entries, blocked.lost) == ((), (), 0)
    sample = sampling.draw(records, None)
    assert len(sample.left) == len(sample.found_by) == 0
    empty = pack([single(Kind.PHONE, ["901112233"], [-1] * rows)], rows)
    assert tried(empty).plan.rules == ()
    assert blocked_by(empty, [("phone",)]).pairs == (0,)


def test_records_meet_under_any_of_their_alternatives() -> None:
    rows = 60
    phones = [f"9{number:08}" for number in range(rows)]
    codes = np.stack([np.arange(rows), np.full(rows, -1)], axis=1).astype(np.int32)
    codes[7, 1] = rows - 1
    records = pack([Field("phone", Kind.PHONE, phones, codes)], rows)
    blocked = tried(records)
    assert brought_together(records, blocked) == {(7, rows - 1)}
    assert blocked.pairs == (1,)


def test_a_record_that_says_a_value_twice_is_no_pair_with_itself() -> None:
    codes = np.zeros((3, 2), dtype=np.int32)
    records = pack([Field("phone", Kind.PHONE, ["901112233"], codes)], 3)
    for blocked in (
        blocked_by(records, [("phone",)]),
        blocking.block_as(records, blocked_by(records, [("phone",)]).plan),
    ):
        assert blocked.pairs == (3,)
        assert brought_together(records, blocked) == {(0, 1), (0, 2), (1, 2)}
    sample = sampling.draw(records, [("phone",)])
    assert list(zip(sample.left, sample.right, strict=True)) == [(0, 1), (0, 2), (1, 2)]


def test_records_that_share_two_values_are_one_pair() -> None:
    codes = np.array([[0, 1], [0, 1], [1, 0]], dtype=np.int32)
    records = pack([Field("phone", Kind.PHONE, ["901112233", "935554433"], codes)], 3)
    sample = sampling.draw(records, [("phone",)])
    assert list(zip(sample.left, sample.right, strict=True)) == [(0, 1), (0, 2), (1, 2)]


@pytest.mark.parametrize("rule", [("shoe size",), ("given", "shoe size")])
def test_a_rule_of_an_unknown_source_is_refused_with_those_there_are(rule: tuple[str, ...]) -> None:
    records = packed_town(10, 8)
    with pytest.raises(InvalidInput, match="shoe size") as refused:
        blocked_by(records, [("phone",), rule])
    assert refused.value.hint
    for known in ("phone", "given", "family", "date", "id:national_id", "address words"):
        assert known in refused.value.hint


def test_a_plan_of_sources_that_these_records_lack_is_refused() -> None:
    plan = Plan((("email",),), (np.empty(0, np.uint64),))
    with pytest.raises(InvalidInput, match="email"):
        blocking.block_as(packed_town(10, 8), plan)
