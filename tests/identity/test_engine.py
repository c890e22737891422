from __future__ import annotations

from collections.abc import Mapping
from random import Random

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suzani.identity.comparisons import Comparator
from suzani.identity.engine import Edges, Resolution, canonical_order, conflicts, resolve_fields
from suzani.identity.evaluation import evaluate_partition
from suzani.identity.fields import build_fields
from suzani.identity.model import Model
from suzani.kernel import InvalidInput, Kind
from tests.identity.people import KINDS, NO_ID, household, table_of, town, twin, typed

Ints = npt.NDArray[np.int64]


def resolved(table: pa.Table, kinds: Mapping[str, Kind] = KINDS, model: Model | None = None) -> Resolution:
    return resolve_fields(build_fields(table, dict(kinds)), table.num_rows, model=model)


def groups(person: Ints) -> set[frozenset[int]]:
    """A partition as sets of rows."""
    members: dict[int, list[int]] = {}
    for row, label in enumerate(person.tolist()):
        members.setdefault(label, []).append(row)
    return {frozenset(rows) for rows in members.values()}


@pytest.mark.parametrize("kinds", [KINDS, {}], ids=["fields", "no fields"])
def test_no_records_are_no_persons(kinds: Mapping[str, Kind]) -> None:
    result = resolved(town(5)[0].slice(0, 0), kinds)
    assert (result.persons, result.candidates, len(result.edges.left)) == (0, 0, 0)


def test_one_record_is_one_person() -> None:
    result = resolved(table_of(household(Random(1))[0]))
    assert result.person.tolist() == [0]


@pytest.mark.parametrize("rows", [2, 20, 2_000])
def test_records_that_are_all_equal_are_treated_alike(rows: int) -> None:
    # Where all records say the same, agreement is no evidence; but nobody may be treated unlike the others.
    result = resolved(table_of(*household(Random(1))[:1] * rows))
    assert result.persons in (1, rows)


def test_equal_records_among_others_are_one_person_each() -> None:
    table, truth = town(60, seed=4, noise=0.0, copies=(3,))
    assert groups(resolved(table).person) == groups(truth)


@pytest.mark.parametrize("rows", [1, 7, 1_600])
def test_records_without_any_evidence_are_persons_of_their_own(rows: int) -> None:
    table = pa.table({name: pa.nulls(rows, pa.string()) for name in KINDS})
    assert resolved(table).persons == rows
    assert resolve_fields([], rows).person.tolist() == list(range(rows))


@pytest.mark.parametrize("rows", [12, 1_700])
def test_one_value_for_everybody_makes_nobody_the_same(rows: int) -> None:
    table = pa.table({"city": pa.array(["Toshkent"] * rows)})
    assert resolved(table, {"city": Kind.CITY}).persons == rows


@pytest.mark.parametrize("kinds", [KINDS, NO_ID], ids=["national id", "no national id"])
def test_a_town_full_of_duplicates_and_families_comes_out_right(kinds: Mapping[str, Kind]) -> None:
    table, truth = town(300, seed=2)
    quality = evaluate_partition(resolved(table, kinds).person, truth)
    assert quality.pairwise.f1 > 0.98
    assert quality.b_cubed.f1 > 0.98


def test_a_town_too_large_for_all_pairs_comes_out_right() -> None:
    table, truth = town(1_000, seed=11)
    result = resolved(table, NO_ID)
    quality = evaluate_partition(result.person, truth)
    assert quality.pairwise.f1 > 0.95
    assert 0 < result.candidates < len(truth) * (len(truth) - 1) // 20
    assert result.rules


def test_families_without_duplicates_stay_apart() -> None:
    table, truth = town(400, seed=3, noise=0.05, copies=(1,))
    assert resolved(table, NO_ID).persons > 0.98 * len(truth)


@settings(max_examples=3, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 1_000), order=st.randoms())
def test_the_order_of_the_rows_does_not_change_the_persons(seed: int, order: Random) -> None:
    table, _ = town(40, seed=seed, noise=0.3)
    rows = list(range(table.num_rows))
    order.shuffle(rows)
    moved = groups(resolved(table.take(pa.array(rows, pa.int64())), NO_ID).person)
    assert {frozenset(rows[row] for row in group) for group in moved} == groups(resolved(table, NO_ID).person)


def test_the_order_of_many_rows_does_not_change_the_persons() -> None:
    table, _ = town(900, seed=8, noise=0.3)
    rows = np.random.default_rng(1).permutation(table.num_rows)
    moved = groups(resolved(table.take(pa.array(rows)), NO_ID).person)
    assert {frozenset(int(rows[row]) for row in group) for group in moved} == groups(
        resolved(table, NO_ID).person
    )


def test_resolving_twice_gives_the_same_persons_and_model() -> None:
    table, _ = town(80, seed=9)
    one, other = resolved(table), resolved(table)
    assert np.array_equal(one.person, other.person)
    assert one.model == other.model


def numbers_held(table: pa.Table, person: Ints) -> dict[int, set[str]]:
    """The national ids of every person."""
    held: dict[int, set[str]] = {}
    for label, number in zip(person.tolist(), table.column("national_id").to_pylist(), strict=True):
        if number:
            held.setdefault(label, set()).add(number)
    return held


def test_two_valid_national_ids_are_never_one_person() -> None:
    source = Random(5)
    people = [person for _ in range(60) for person in household(source)]
    table = table_of(*people, *map(twin, people), *people)
    result = resolved(table)
    assert any(field.scheme is not None for field in result.fields)
    assert result.persons == 2 * len(people)
    assert all(len(numbers) == 1 for numbers in numbers_held(table, result.person).values())


def test_a_record_without_an_id_never_joins_two_valid_ids() -> None:
    source = Random(6)
    rows = []
    for _ in range(80):
        person = household(source)[0]
        rows += [typed(source, someone, 0) for someone in (person, twin(person), person)]
        rows[-1]["national_id"] = None
    table = pa.table({name: pa.array([row[name] for row in rows], pa.string()) for name in KINDS})
    held = numbers_held(table, resolved(table).person)
    assert all(len(numbers) == 1 for numbers in held.values())


def test_only_valid_ids_that_are_no_slip_apart_conflict() -> None:
    people = [person for seed in range(30) for person in household(Random(seed))][:10]
    numbers = [person.national_id for person in people]
    wrong = numbers[1][:-1] + str((int(numbers[1][-1]) + 1) % 10)
    table = pa.table({"national_id": pa.array([*numbers, wrong, None], pa.string())})
    fields = [field for field in build_fields(table, dict(KINDS)) if field.name == "national_id"]
    left, right = np.array([0, 0, 0, 0]), np.array([1, 0, 10, 11])
    none = np.zeros(4, dtype=np.float32)
    edges = Edges(left, right, Comparator(fields).compare(left, right), none, none)
    assert conflicts(fields, edges).tolist() == [True, False, False, False]


def test_a_label_is_the_smallest_row_of_its_person() -> None:
    label = resolved(town(100, seed=12)[0]).person
    assert all(label[row] <= row and label[label[row]] == label[row] for row in range(len(label)))


def test_edges_join_each_pair_once_and_cover_every_decision() -> None:
    result = resolved(town(100, seed=13)[0])
    edges = result.edges
    assert np.all(edges.left < edges.right)
    pairs = list(zip(edges.left.tolist(), edges.right.tolist(), strict=True))
    assert len(set(pairs)) == len(pairs)
    assert edges.levels.shape == (len(result.fields), len(pairs))
    assert np.all((edges.probability >= 0) & (edges.probability <= 1))
    joined = {row for pair in pairs for row in pair}
    for group in groups(result.person):
        assert len(group) == 1 or group <= joined


def test_a_model_learned_on_one_town_serves_another() -> None:
    model = resolved(town(300, seed=1)[0], NO_ID).model
    table, truth = town(30, seed=2)
    assert evaluate_partition(resolved(table, NO_ID, model).person, truth).pairwise.f1 > 0.95


def test_a_model_of_other_fields_is_refused_with_both_lists() -> None:
    model = resolved(town(30)[0], NO_ID).model
    with pytest.raises(InvalidInput, match="national_id") as refused:
        resolved(town(30)[0], KINDS, model)
    assert "birth_date" in refused.value.message


def test_every_phase_is_announced_in_order() -> None:
    heard: list[str] = []
    table, _ = town(20)
    resolve_fields(build_fields(table, dict(KINDS)), table.num_rows, progress=heard.append)
    assert list(dict.fromkeys(heard)) == ["order", "candidates", "compare", "train", "score", "partition"]


@settings(max_examples=10)
@given(st.permutations(range(30)))
def test_the_canonical_order_follows_the_records_wherever_they_stand(rows: list[int]) -> None:
    table = town(20, seed=14)[0].slice(0, 30)
    kinds = dict(KINDS)

    def ordered(records: pa.Table) -> list[dict[str, str]]:
        order = canonical_order(build_fields(records, kinds), records.num_rows)
        taken: list[dict[str, str]] = records.take(pa.array(order)).to_pylist()
        return taken

    assert ordered(table) == ordered(table.take(pa.array(rows)))
