from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suzani.identity.kernels.copies import MANY
from suzani.identity.learning.engine import Resolution, resolve_fields
from suzani.identity.pairs.nodes import Nodes, find_nodes
from suzani.identity.pairs.packing import Packed, pack
from suzani.identity.pairs.partition import Constraints
from suzani.identity.standardising.fields import Field, build_fields
from suzani.kernel import Kind
from tests.identity.packs import NOTHING, Ints, fields_of_town, groups, model_of_town

KINDS = {"given": Kind.GIVEN_NAME, "family": Kind.FAMILY_NAME, "born": Kind.BIRTH_DATE}
COPY = {"given": "Aziz", "family": "Karimov", "born": "1980-02-03"}


def resolved(rows: Sequence[Mapping[str, str]]) -> Resolution:
    table = pa.table({name: pa.array([row[name] for row in rows], pa.string()) for name in COPY})
    return resolve_fields(build_fields(table, KINDS), len(rows))


def others(count: int) -> list[dict[str, str]]:
    return [
        {
            "given": f"Name{'abcdefghij'[n % 10]}{n}",
            "family": f"Family{n * 7}",
            "born": f"19{n % 90 + 10}-03-0{n % 9 + 1}",
        }
        for n in range(count)
    ]


def nodes_of(records: Packed, apart: Ints = NOTHING) -> Nodes:
    return find_nodes(records, apart, np.arange(records.rows, dtype=np.uint64))


def coded(codes: list[list[int]]) -> Packed:
    """Records that say some of four things."""
    matrix = np.array(codes, dtype=np.int32).reshape(len(codes), -1)
    return pack([Field("phone", Kind.PHONE, ["a1", "b2", "c3", "d4"], matrix)], len(codes))


@given(st.lists(st.lists(st.integers(-1, 3), min_size=2, max_size=2), min_size=1, max_size=20))
def test_records_that_say_the_very_same_are_one_node(codes: list[list[int]]) -> None:
    nodes = nodes_of(coded(codes))
    of_row = nodes.of_row.tolist()
    said = [[code for code in row if code >= 0] for row in codes]
    for a in range(len(codes)):
        for b in range(a):
            assert (of_row[a] == of_row[b]) is (said[a] == said[b])
    assert nodes.first.tolist() == [of_row.index(node) for node in range(len(nodes.first))]
    assert nodes.sizes.tolist() == [of_row.count(node) for node in range(len(nodes.first))]
    assert nodes.copied.tolist() == [node for node in range(len(nodes.first)) if of_row.count(node) > 1]
    assert nodes.copies.tolist() == [row for row in range(len(codes)) if row != nodes.first[of_row[row]]]


@given(st.permutations(range(40)))
def test_nodes_stand_in_an_order_that_the_records_make_wherever_they_stood(rows: list[int]) -> None:
    fields, _ = fields_of_town(40, 3, 0.3, True)
    few = [field.reordered(np.arange(40)) for field in fields]
    here = pack(few, 40)
    there = pack([field.reordered(np.array(rows)) for field in few], 40)
    assert np.array_equal(here.contents[nodes_of(here).first], there.contents[nodes_of(there).first])


def test_a_record_that_a_steward_spoke_of_is_a_node_of_its_own() -> None:
    records = coded([[0], [0], [0], [1], [0]])
    nodes = nodes_of(records, np.array([2, 4, 3]))
    of_row = nodes.of_row
    assert of_row[0] == of_row[1]
    assert len({int(of_row[row]) for row in (0, 2, 3, 4)}) == 4
    assert nodes.copies.tolist() == [1]


def test_numbers_tell_constrained_copies_apart_in_any_order() -> None:
    records = coded([[0], [0], [0], [1]])
    numbers = np.array([11, 12, 13, 14], dtype=np.uint64)
    some = find_nodes(records, np.array([0, 1]), numbers)
    rows = np.array([3, 1, 2, 0])
    moved = find_nodes(coded([[1], [0], [0], [0]]), np.array([1, 3]), numbers[rows])
    assert moved.of_row[3] == some.of_row[0]
    assert moved.of_row.tolist() == some.of_row[rows].tolist()


def test_no_records_have_no_nodes() -> None:
    nodes = nodes_of(pack([], 0))
    assert (len(nodes.first), len(nodes.copied), len(nodes.copies)) == (0, 0, 0)


def test_records_without_fields_all_say_the_same() -> None:
    assert nodes_of(pack([], 5)).sizes.tolist() == [5]


@pytest.mark.parametrize("count", [1, 2, 19, 20, 3_000])
def test_records_that_are_all_equal_are_one_person(count: int) -> None:
    result = resolved([COPY] * count)
    assert result.persons == 1
    # Of a great many, each has evidence to the first alone.
    assert len(result.edges) == (count * (count - 1) // 2 if count < MANY else count - 1)


def test_a_test_record_entered_a_hundred_thousand_times_is_one_person_among_others() -> None:
    many = 100_000
    rows = others(150)
    table = pa.table({name: pa.array([row[name] for row in rows], pa.string()) for name in COPY})
    copies = pa.table({name: pa.array([value] * many, pa.string()) for name, value in COPY.items()})
    both = pa.concat_tables([table.slice(0, 100), copies, table.slice(100)])
    result = resolve_fields(build_fields(both, KINDS), both.num_rows)
    copied = result.person[100 : 100 + many]
    assert set(copied.tolist()) == {100}
    assert not np.isin(np.delete(result.person, np.s_[100 : 100 + many]), copied).any()
    assert result.candidates <= 151 * 150 // 2
    assert len(result.edges) >= many - 1


def test_copies_of_a_record_stay_with_its_person_among_others() -> None:
    rows = [*others(300)[:150], *[COPY] * 500, *others(300)[150:], {**COPY, "born": "1980-03-02"}]
    person = resolved(rows).person
    assert len(set(person[150:650].tolist())) == 1
    assert np.isin(person[:150], person[150:650]).sum() == 0


def test_edges_tell_why_a_copy_belongs() -> None:
    edges = resolved([COPY] * 50).edges
    assert len(edges) == 49
    assert set(edges.left.tolist()) == {0}
    assert sorted(edges.right.tolist()) == list(range(1, 50))
    assert (edges.odds_bits > 0).all()


@pytest.mark.parametrize("count", [2, 30, 500])
def test_copies_that_would_not_match_themselves_stay_apart(count: int) -> None:
    city = next(field for field in model_of_town().fields if field.name == "city")
    model = replace(model_of_town(), fields=(city,), interactions=())
    cities = pa.array(["Toshkent"] * count + ["Buxoro"] * 5 + [None] * 4, pa.string())
    fields = build_fields(pa.table({"city": cities}), {"city": Kind.CITY})
    result = resolve_fields(fields, len(cities), model=model)
    assert result.person.tolist() == list(range(len(cities)))
    assert not (result.edges.odds_bits > 0).any()


@settings(max_examples=10)
@given(data=st.data())
def test_copies_that_a_steward_parts_are_two_persons(data: st.DataObject) -> None:
    rows = [*others(60), *[COPY] * 6]
    one, other = data.draw(st.lists(st.integers(60, 65), min_size=2, max_size=2, unique=True))
    table = pa.table({name: pa.array([row[name] for row in rows], pa.string()) for name in COPY})
    parted = Constraints((NOTHING, NOTHING), (np.array([one]), np.array([other])))
    person = resolve_fields(build_fields(table, KINDS), len(rows), constraints=parted).person
    assert person[one] != person[other]
    assert len(groups(person[60:])) == 2


def test_copies_that_a_steward_joins_with_somebody_bring_only_themselves() -> None:
    rows = [*others(60), *[COPY] * 6]
    table = pa.table({name: pa.array([row[name] for row in rows], pa.string()) for name in COPY})
    joined = Constraints((np.array([3]), np.array([62])), (NOTHING, NOTHING))
    person = resolve_fields(build_fields(table, KINDS), len(rows), constraints=joined).person
    assert person[3] == person[62]
    # Those that say the very same belong to the same person by what they say.
    assert len({int(label) for label in person[[60, 61, 63, 64, 65]]}) == 1
