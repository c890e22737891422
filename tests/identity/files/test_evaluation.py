from __future__ import annotations

from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suzani.identity.files.evaluation import (
    Evaluation,
    evaluate_partition,
    evaluate_tables,
    reliability_of_edges,
)
from suzani.kernel import InvalidInput

LABELS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=12)


def evaluated(found: list[int], truth: list[int]) -> Evaluation:
    return evaluate_partition(np.array(found, dtype=np.int64), np.array(truth, dtype=np.int64))


def test_an_example_worked_by_hand() -> None:
    # True persons {0,1,2} {3,4} {5}; found {0,1} {2,3,4} {5}. Pairs: true 4, found 4, both 2.
    result = evaluated([7, 7, 8, 8, 8, 9], [1, 1, 1, 2, 2, 3])
    assert (result.records, result.true_persons, result.found_persons) == (6, 3, 3)
    assert (result.pairwise.precision, result.pairwise.recall, result.pairwise.f1) == (0.5, 0.5, 0.5)
    # Records' precision 1 1 1/3 2/3 2/3 1, recall 2/3 2/3 1/3 1 1 1.
    assert result.b_cubed.precision == pytest.approx(14 / 18)
    assert result.b_cubed.recall == pytest.approx(14 / 18)
    assert result.exact == pytest.approx(1 / 3)
    assert (result.splits, result.over_merged) == (1, 1)


def test_the_truth_itself_is_perfect() -> None:
    result = evaluated([5, 5, 2, 2, 2, 9], [0, 0, 1, 1, 1, 2])
    assert result.pairwise.f1 == result.b_cubed.f1 == result.exact == 1.0
    assert (result.splits, result.over_merged) == (0, 0)


def test_everybody_alone_is_precise_and_finds_nothing() -> None:
    result = evaluated([0, 1, 2], [0, 0, 0])
    assert (result.pairwise.precision, result.pairwise.recall, result.pairwise.f1) == (1.0, 0.0, 0.0)


def test_no_records_are_evaluated_without_a_fault() -> None:
    assert evaluated([], []).records == 0


@given(LABELS)
def test_measures_agree_with_counting_by_brute_force(labels: list[tuple[int, int]]) -> None:
    found, truth = [f for f, _ in labels], [t for _, t in labels]
    result = evaluated(found, truth)
    pairs = list(combinations(range(len(labels)), 2))
    together = [(found[a] == found[b], truth[a] == truth[b]) for a, b in pairs]
    both, claimed, true = (
        together.count((True, True)),
        sum(f for f, _ in together),
        sum(t for _, t in together),
    )
    assert result.pairwise.precision == pytest.approx(both / claimed if claimed else 1)
    assert result.pairwise.recall == pytest.approx(both / true if true else 1)
    overlap = [sum((f, t) == other for other in labels) for f, t in labels]
    assert result.b_cubed.precision == pytest.approx(
        sum(n / found.count(f) for n, f in zip(overlap, found, strict=True)) / len(labels)
    )
    assert result.b_cubed.recall == pytest.approx(
        sum(n / truth.count(t) for n, t in zip(overlap, truth, strict=True)) / len(labels)
    )
    persons = {t: {f for f, other in labels if other == t} for t in truth}
    merged = {f: {t for other, t in labels if other == f} for f in found}
    whole = sum(len(fs) == 1 and len(merged[next(iter(fs))]) == 1 for fs in persons.values())
    assert result.exact == pytest.approx(whole / len(persons))
    assert result.splits == sum(len(fs) > 1 for fs in persons.values())
    assert result.over_merged == sum(len(ts) > 1 for ts in merged.values())


@given(LABELS)
def test_precision_and_recall_change_places_with_found_and_true(labels: list[tuple[int, int]]) -> None:
    found, truth = [f for f, _ in labels], [t for _, t in labels]
    one, other = evaluated(found, truth), evaluated(truth, found)
    assert one.pairwise.precision == other.pairwise.recall
    assert one.b_cubed.precision == pytest.approx(other.b_cubed.recall)
    assert one.splits == other.over_merged
    assert one.exact * one.true_persons == pytest.approx(other.exact * other.true_persons)


PERSONS = pa.table(
    {"source": ["a", "a", "b", "b"], "record_id": ["1", "2", "1", "3"], "person_id": pa.array([1, 1, 2, 1])}
)


def test_records_meet_by_source_and_id_where_the_truth_has_a_source() -> None:
    truth = pa.table({"source": ["b", "a", "a"], "no": ["1 ", "1", "2"], "who": ["y", "x", "x"]})
    compared = evaluate_tables(PERSONS, truth, "no", "who")
    assert compared.evaluation.pairwise.f1 == 1.0
    assert (compared.evaluation.records, compared.without_truth, compared.without_person) == (3, 1, 0)


def test_records_meet_by_id_alone_otherwise() -> None:
    truth = pa.table({"no": ["1", "2", "9"], "who": ["x", "x", "z"]})
    compared = evaluate_tables(PERSONS.slice(0, 2), truth, "no", "who")
    assert (compared.evaluation.records, compared.without_truth, compared.without_person) == (2, 0, 1)


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_records_of_unknown_truth_are_left_out(nothing: str | None) -> None:
    truth = pa.table({"no": ["1", "2"], "who": pa.array(["x", nothing], pa.string())})
    compared = evaluate_tables(PERSONS.slice(0, 2), truth, "no", "who")
    assert (compared.evaluation.records, compared.without_truth) == (1, 1)


@pytest.mark.parametrize(
    ("truth", "message"),
    [
        ({"no": ["1"], "other": ["x"]}, "no column 'who'"),
        ({"id": ["1"], "who": ["x"]}, "no column 'no'"),
        ({"no": ["1", "1"], "who": ["x", "x"]}, "more than once"),
        ({"no": ["77"], "who": ["x"]}, "no record in common"),
        ({"no": [], "who": []}, "no record in common"),
    ],
)
def test_a_truth_that_does_not_fit_is_refused(truth: dict[str, list[str]], message: str) -> None:
    table = pa.table({name: pa.array(values, pa.string()) for name, values in truth.items()})
    with pytest.raises(InvalidInput, match=message):
        evaluate_tables(PERSONS.slice(0, 2), table, "no", "who")


def test_ids_that_repeat_across_files_need_a_source_in_the_truth() -> None:
    truth = pa.table({"no": ["1"], "who": ["x"]})
    with pytest.raises(InvalidInput, match="more than once") as refused:
        evaluate_tables(PERSONS, truth, "no", "who")
    assert "source" in refused.value.hint


def test_an_evaluation_becomes_plain_nested_numbers() -> None:
    data = evaluated([1, 1], [1, 1]).as_dict()
    assert data["pairwise"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0}


def edges_of(pairs: list[tuple[str, str, float]]) -> pa.Table:
    return pa.table(
        {
            "source_a": ["x"] * len(pairs),
            "record_id_a": [a for a, _, _ in pairs],
            "source_b": ["x"] * len(pairs),
            "record_id_b": [b for _, b, _ in pairs],
            "probability": [str(p) for _, _, p in pairs],
        }
    )


def test_the_probabilities_of_edges_are_held_against_the_truth() -> None:
    pairs = [("1", "2", 0.995), ("1", "3", 0.75), ("2", "3", 0.75), ("1", "unknown", 0.9), ("2", "1", 0.49)]
    edges = edges_of(pairs)
    truth = pa.table({"id": ["1", "2", "3"], "who": ["a", "a", "b"]})
    curve = reliability_of_edges(edges, truth, "id", "who")
    assert [(item.pairs, item.predicted, item.share) for item in curve.bins] == [(2, 0.75, 0), (1, 0.995, 1)]
    assert curve.error == pytest.approx((2 * 0.75 + 0.005) / 3)


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([("1", "8", 0.5)], "no pair of records in common"),
        ([("1", "2", 1.5)], "row 1: 1.5 is no probability"),
        ([("1", "2", float("nan"))], "no probability"),
    ],
)
def test_edges_that_do_not_fit_the_truth_are_refused(
    pairs: list[tuple[str, str, float]], message: str
) -> None:
    truth = pa.table({"id": ["1", "2"], "who": ["a", "a"]})
    with pytest.raises(InvalidInput, match=message):
        reliability_of_edges(edges_of(pairs), truth, "id", "who")
