from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suzani.identity.files.evaluation import evaluate_partition
from suzani.identity.learning.engine import Resolution, check_fit, resolve_fields
from suzani.identity.models.model import Model
from suzani.identity.pairs.partition import Constraints, Options
from suzani.identity.standardising.fields import build_fields
from suzani.kernel import InvalidInput, Kind
from tests.identity.packs import INTERACTIONS, groups, model_of_town, table_from
from tests.identity.people import KINDS, NO_ID, household, table_of, town, twin, typed

Ints = npt.NDArray[np.int64]


def resolved(table: pa.Table, kinds: Mapping[str, Kind] = KINDS, model: Model | None = None) -> Resolution:
    return resolve_fields(build_fields(table, dict(kinds)), table.num_rows, model=model)


@pytest.mark.parametrize("kinds", [KINDS, {}], ids=["fields", "no fields"])
def test_no_records_are_no_persons(kinds: Mapping[str, Kind]) -> None:
    result = resolved(town(5)[0].slice(0, 0), kinds)
    assert (result.persons, result.candidates, len(result.edges)) == (0, 0, 0)


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
    assert any(kind is Kind.NATIONAL_ID for _, kind in result.judged.records.fields)
    assert result.persons == 2 * len(people)
    assert all(len(numbers) == 1 for numbers in numbers_held(table, result.person).values())


def test_a_record_without_an_id_never_joins_two_valid_ids() -> None:
    source = Random(6)
    rows = []
    for _ in range(80):
        person = household(source)[0]
        rows += [typed(source, someone, 0) for someone in (person, twin(person), person)]
        rows[-1]["national_id"] = None
    table = table_from(rows)
    held = numbers_held(table, resolved(table).person)
    assert all(len(numbers) == 1 for numbers in held.values())


def test_a_label_is_the_smallest_row_of_its_person() -> None:
    label = resolved(town(100, seed=12)[0]).person
    assert all(label[row] <= row and label[label[row]] == label[row] for row in range(len(label)))


def test_edges_join_each_pair_once_and_cover_every_decision() -> None:
    result = resolved(town(100, seed=13)[0])
    edges = result.edges
    assert np.all(edges.left < edges.right)
    pairs = list(zip(edges.left.tolist(), edges.right.tolist(), strict=True))
    assert len(set(pairs)) == len(pairs)
    assert edges.levels.shape == (len(pairs), len(result.judged.records.fields))
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


def test_every_phase_is_announced_and_timed() -> None:
    for people in (5, 60):
        heard: list[str] = []
        table, _ = town(people)
        result = resolve_fields(build_fields(table, KINDS), table.num_rows, progress=heard.append)
        phases = list(dict.fromkeys(heard))
        assert phases[0] == "pack"
        assert [phase for phase in phases if phase in ("train", "score", "partition")] == [
            "train",
            "score",
            "partition",
        ]
        assert set(result.seconds) == set(phases)


def test_a_report_counts_candidates_by_rule() -> None:
    result = resolved(town(200, seed=14)[0])
    assert result.candidates == sum(result.rules.values())
    assert result.knowledge.plan is not None
    assert list(result.rules) == [" + ".join(rule) for rule in result.knowledge.plan.rules]
    assert result.lost == 0
    assert result.estimated_blocking_recall == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("rules", [(("phone",), ("date", "name")), (("given", "family"),)])
def test_rules_may_be_told(rules: tuple[tuple[str, ...], ...]) -> None:
    table, truth = town(80, seed=15)
    result = resolve_fields(build_fields(table, KINDS), table.num_rows, options=Options(rules=rules))
    assert tuple(result.rules) == tuple(" + ".join(rule) for rule in rules)
    assert evaluate_partition(result.person, truth).pairwise.precision > 0.95


@pytest.mark.parametrize("people", [10, 300])
def test_what_a_run_learned_gives_the_same_persons_again(people: int) -> None:
    table, _ = town(people, seed=16, noise=0.3)
    fields = build_fields(table, KINDS)
    once = resolve_fields(fields, table.num_rows)
    again = resolve_fields(fields, table.num_rows, knowledge=once.knowledge)
    assert (once.knowledge.plan is None) is (people == 10)
    assert np.array_equal(again.person, once.person)
    assert again.knowledge is once.knowledge
    assert np.array_equal(again.edges.left, once.edges.left)
    assert np.array_equal(again.edges.right, once.edges.right)
    assert np.allclose(again.edges.odds_bits, once.edges.odds_bits)
    assert np.array_equal(again.edges.levels, once.edges.levels)


def test_pairs_are_judged_by_what_a_run_learned_whatever_else_is_there() -> None:
    table, _ = town(300, seed=17, noise=0.3)
    fields = build_fields(table, KINDS)
    knowledge = resolve_fields(fields, table.num_rows).knowledge
    whole = resolve_fields(fields, table.num_rows, knowledge=knowledge)
    # Everybody of some persons, and all that they are compared with beside.
    chosen = np.flatnonzero(np.isin(whole.person, np.unique(whole.person)[::3]))
    part = resolve_fields([f.reordered(chosen) for f in fields], len(chosen), knowledge=knowledge)
    odds = {
        (int(a), int(b)): bits
        for a, b, bits in zip(whole.edges.left, whole.edges.right, whole.edges.odds_bits, strict=True)
    }
    here = zip(chosen[part.edges.left], chosen[part.edges.right], part.edges.odds_bits, strict=True)
    shared = [(bits, odds[int(a), int(b)]) for a, b, bits in here if (int(a), int(b)) in odds]
    assert len(shared) > 50
    assert np.allclose(*np.array(shared).T)


def test_a_model_that_is_given_is_the_one_that_judges() -> None:
    table, _ = town(60, seed=18)
    model = model_of_town()
    result = resolved(table, KINDS, model)
    assert result.model is model
    assert result.model.interactions == INTERACTIONS


def test_fields_must_be_those_of_the_model_in_name_and_kind() -> None:
    fields = build_fields(town(40, seed=19)[0], KINDS)
    model = resolved(town(40, seed=19)[0]).model
    check_fit(model, fields)
    with pytest.raises(InvalidInput, match="these records have none") as refused:
        check_fit(model, [])
    assert refused.value.hint
    with pytest.raises(InvalidInput):
        check_fit(model, fields[:-1])
    with pytest.raises(InvalidInput):
        check_fit(model, [replace(fields[0], name="maiden name"), *fields[1:]])


@pytest.mark.parametrize("rows", [1, 2, 60])
def test_values_of_any_length_are_resolved(rows: int) -> None:
    person = household(Random(2))[0]
    long = "a" * 10_000
    people = [
        replace(person, given_name=long, address=f"{long} {n} " * 3, phone=str(n) * 500) for n in range(rows)
    ]
    result = resolved(table_of(*people, *people))
    assert len(result.person) == 2 * rows


def test_names_in_any_script_or_broken_encoding_are_resolved() -> None:
    table, truth = town(60, seed=20, copies=(2,))
    strange = [
        "Ёқубов Шерзод",
        "Ìåäâåäåâ",
        "Müller-Lüdenscheidt",
        "\ufffd\ufffd",
        "张伟",
        "עברית",
        "\u200b",
        "'",
        "😀",
    ]
    names = [*strange, *table.column("family_name").to_pylist()[len(strange) :]]
    index = table.schema.get_field_index("family_name")
    result = resolved(table.set_column(index, "family_name", pa.array(names, pa.string())))
    assert evaluate_partition(result.person, truth).pairwise.precision > 0.95


def test_what_stewards_said_holds_in_a_whole_run() -> None:
    table, _ = town(80, seed=21)
    fields = build_fields(table, KINDS)
    person = resolve_fields(fields, table.num_rows).person
    persons = sorted(map(sorted, groups(person)))
    (a, b, *_), (c, *_), (d, *_) = (
        next(p for p in persons if len(p) > 1),
        *[p for p in persons if len(p) == 1][:2],
    )
    constraints = Constraints((np.array([c]), np.array([d])), (np.array([b]), np.array([a])))
    found = resolve_fields(fields, table.num_rows, constraints=constraints).person
    assert person[a] == person[b]
    assert found[a] != found[b]
    assert person[c] != person[d]
    assert found[c] == found[d]


@settings(max_examples=3, suppress_health_check=[HealthCheck.too_slow])
@given(order=st.randoms())
def test_the_order_of_the_rows_does_not_change_what_stewards_said(order: Random) -> None:
    table, _ = town(70, seed=22, noise=0.3)
    fields = build_fields(table, KINDS)
    rows = list(range(table.num_rows))
    order.shuffle(rows)
    place = np.argsort(rows)
    must, cannot = (np.array([0, 9]), np.array([5, 9])), (np.array([1, 2]), np.array([3, 6]))
    here = resolve_fields(fields, len(rows), constraints=Constraints(must, cannot))
    there = resolve_fields(
        [field.reordered(np.array(rows)) for field in fields],
        len(rows),
        numbers=np.array(rows, dtype=np.uint64),
        constraints=Constraints(must, cannot).on(place),
    )
    assert {frozenset(rows[row] for row in group) for group in groups(there.person)} == groups(here.person)
