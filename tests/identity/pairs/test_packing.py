from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suzani.identity.models.comparisons import LABELS, level_count
from suzani.identity.pairs.packing import WAYS, pack, texts_of
from suzani.identity.standardising.fields import Field, build_fields
from suzani.kernel import Kind
from tests.identity.packs import fields_of_town
from tests.identity.people import town


@given(st.lists(st.text(max_size=6), max_size=8))
def test_texts_are_laid_out_one_after_another(values: list[str]) -> None:
    text, start = texts_of(values)
    read = [bytes(text[a:b]).decode() for a, b in itertools.pairwise(start)]
    assert read == values
    again, begins = texts_of(pa.array(["before", *values], pa.string()).slice(1))
    assert [bytes(again[a:b]).decode() for a, b in itertools.pairwise(begins)] == values


def test_every_kind_that_has_levels_has_a_way_to_compare() -> None:
    assert set(WAYS) == set(LABELS)


def test_records_say_packed_what_their_fields_say() -> None:
    fields, truth = fields_of_town(40, 1, 0.3, True)
    records = pack(fields, len(truth))
    text, start = records.values.text, records.values.start
    for f, field in enumerate(fields):
        _, first, count, exact = records.layout.table[f].tolist()
        assert exact == level_count(field.kind) - 1
        for packed, codes in zip(records.codes[:, first : first + count], field.codes, strict=True):
            filled = packed[: np.count_nonzero(packed >= 0)]
            said = [bytes(text[start[code] : start[code + 1]]).decode() for code in filled]
            assert said == field.said(codes[codes >= 0])
    assert records.filled.tolist() == [max(int(field.filled.sum()), 1) for field in fields]
    assert sorted(records.layout.order.tolist()) == list(range(len(fields)))


def test_some_of_the_records_keep_the_frequencies_of_all() -> None:
    fields, truth = fields_of_town(40, 1, 0.3, True)
    records = pack(fields, len(truth))
    rows = np.array([5, 2, 9])
    few = records.take(rows)
    assert few.rows == 3
    assert np.array_equal(few.codes, records.codes[rows])
    assert np.array_equal(few.keys, records.keys[rows])
    assert np.array_equal(few.contents, records.contents[rows])
    assert few.counts is records.counts
    assert np.array_equal(few.filled, records.filled)


@given(st.permutations(range(30)))
def test_what_a_record_says_has_one_hash_and_its_keys_wherever_it_stands(rows: list[int]) -> None:
    table = town(30, seed=3)[0].slice(0, 30)
    kinds = {name: Kind(name) for name in ("given_name", "family_name", "birth_date", "city", "sex")}
    here = pack(build_fields(table, kinds), 30)
    there = pack(build_fields(table.take(pa.array(rows)), kinds), 30)
    assert np.array_equal(there.contents, here.contents[rows])
    assert np.array_equal(there.keys, here.keys[rows])


@pytest.mark.parametrize("rows", [0, 3])
def test_records_without_fields_are_packed(rows: int) -> None:
    records = pack([], rows)
    assert (records.rows, records.fields, records.sources) == (rows, (), ())


def test_family_names_are_counted_apart_from_given_ones() -> None:
    names = ["karim", "salim"]
    given_names = Field("given_name", Kind.GIVEN_NAME, names, np.array([[0], [0], [1]], dtype=np.int32))
    families = Field("family_name", Kind.FAMILY_NAME, names, np.array([[1], [1], [0]], dtype=np.int32))
    records = pack([given_names, families], 3)
    assert [counts.tolist() for counts in records.counts] == [[2, 1], [1, 2]]
    assert records.lists.tolist() == [[0, 2], [0, 2]]
