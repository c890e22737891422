from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from suzani.identity.candidates import ALL_PAIRS_BELOW, Candidates, find_candidates
from suzani.identity.fields import Field, build_fields
from suzani.kernel import Kind
from tests.identity.people import KINDS, NO_ID, town

Ints = npt.NDArray[np.int64]
Town = tuple[list[Field], Ints]


def packed(found: Candidates, rows: int) -> list[int]:
    keys: list[int] = (found.left * rows + found.right).tolist()
    return keys


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 50, ALL_PAIRS_BELOW])
def test_few_records_are_all_compared(rows: int) -> None:
    found = find_candidates([], rows)
    assert len(found.left) == rows * (rows - 1) // 2
    assert np.all(found.left < found.right)
    assert found.estimated_recall(np.ones(len(found.left), np.float32)) is None


@pytest.fixture(scope="module")
def big_town() -> Town:
    table, truth = town(1_200, seed=5, noise=0.5)
    return build_fields(table, NO_ID), truth


def test_every_pair_is_found_once_and_in_order(
    big_town: Town,
) -> None:
    fields, truth = big_town
    rows = len(truth)
    assert rows > ALL_PAIRS_BELOW
    found = find_candidates(fields, rows)
    assert np.all(found.left < found.right)
    assert found.left.min() >= 0
    assert found.right.max() < rows
    keys = packed(found, rows)
    assert len(set(keys)) == len(keys)
    assert found.found_by.min() >= 1
    assert found.found_by.max() <= len(found.rules)


def test_blocking_reaches_nearly_all_true_pairs_and_few_others(
    big_town: Town,
) -> None:
    fields, truth = big_town
    found = find_candidates(fields, len(truth))
    same = truth[found.left] == truth[found.right]
    sizes = np.bincount(truth)
    recall = same.sum() / (sizes * (sizes - 1) // 2).sum()
    assert recall > 0.95
    estimated = found.estimated_recall(same.astype(np.float32))
    assert estimated == pytest.approx(recall, abs=0.03)


def repeated(*columns: tuple[str, Kind, list[str], list[int]]) -> list[Field]:
    return [Field(n, k, values, np.array(codes, dtype=np.int32)[:, None]) for n, k, values, codes in columns]


def test_a_huge_block_of_equal_values_is_windowed_and_not_dropped() -> None:
    rows = ALL_PAIRS_BELOW + 500
    fields = repeated(("phone", Kind.PHONE, ["901112233"], [0] * rows))
    found = find_candidates(fields, rows)
    assert len(found.left) >= rows - 1
    assert len(found.left) + found.windowed == rows * (rows - 1) // 2
    # Every record is compared with some other one, so the block still hangs together.
    assert len(np.union1d(found.left, found.right)) == rows


def test_a_huge_block_is_refined_by_what_else_the_records_say() -> None:
    rows = ALL_PAIRS_BELOW + 500
    years = [f"{1900 + number:04}0101" for number in range(100)]
    fields = repeated(
        ("phone", Kind.PHONE, ["901112233"], [0] * rows),
        ("birth_date", Kind.BIRTH_DATE, years, [number % 100 for number in range(rows)]),
    )
    found = find_candidates(fields, rows)
    pairs = set(packed(found, rows))
    assert all(a * rows + a + 100 in pairs for a in range(rows - 100))


def test_records_that_share_nothing_are_not_compared() -> None:
    rows = ALL_PAIRS_BELOW + 1
    phones = [f"9{number:08}" for number in range(rows)]
    found = find_candidates(repeated(("phone", Kind.PHONE, phones, list(range(rows)))), rows)
    assert len(found.left) == 0


def test_many_records_without_evidence_are_not_compared() -> None:
    assert len(find_candidates([], ALL_PAIRS_BELOW + 1).left) == 0


def test_records_meet_under_any_of_their_alternatives() -> None:
    rows = ALL_PAIRS_BELOW + 2
    phones = [f"9{number:08}" for number in range(rows)]
    codes = np.stack([np.arange(rows), np.full(rows, -1)], axis=1).astype(np.int32)
    codes[7, 1] = rows - 1
    found = find_candidates([Field("phone", Kind.PHONE, phones, codes)], rows)
    assert list(zip(found.left, found.right, strict=True)) == [(7, rows - 1)]


def test_a_record_that_says_a_value_twice_is_no_pair_with_itself() -> None:
    rows = ALL_PAIRS_BELOW + 500
    codes = np.zeros((rows, 2), dtype=np.int32)
    found = find_candidates([Field("phone", Kind.PHONE, ["901112233"], codes)], rows)
    assert np.all(found.left < found.right)


def test_recall_is_estimated_from_pairs_found_once_and_twice() -> None:
    found_by = np.array([1] * 40 + [2] * 40 + [3] * 120)
    many = np.arange(200)
    found = Candidates(many, many + 1, found_by, {"a": 1, "b": 1, "c": 1}, 0)
    # Chao, bias-corrected: 40 × 39 / (2 × 41) = 19.02 pairs unseen beside 200 seen.
    unseen = 40 * 39 / (2 * 41)
    assert found.estimated_recall(np.ones(200, np.float32)) == pytest.approx(200 / (200 + unseen))
    half = np.where(found_by == 1, 0.5, 1.0).astype(np.float32)
    assert found.estimated_recall(half) == pytest.approx(180 / (180 + 20 * 19 / 82))
    assert found.estimated_recall(np.zeros(200, np.float32)) is None


def test_a_valid_id_alone_brings_records_together() -> None:
    table, truth = town(1_000, seed=6, noise=0.0)
    found = find_candidates(build_fields(table, KINDS), len(truth))
    assert any(name.startswith("id:") for name in found.rules)
