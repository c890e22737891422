from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suzani.identity.models.comparisons import LABELS, Levels, level_count
from suzani.identity.pairs.matching import compare
from suzani.identity.pairs.packing import Packed, pack
from suzani.identity.standardising.fields import Field, build_fields
from suzani.kernel import Kind
from tests.identity.people import KINDS, town

VALUES: dict[Kind, list[str]] = {
    Kind.SEX: ["male", "female"],
    Kind.BIRTH_DATE: ["19800307", "19800308", "19800703", "19810307", "20011231", "19800370", "20011213"],
    Kind.NATIONAL_ID: ["31503800100115", "31503800100125", "31503800100225", "41503800100334"],
    Kind.EMAIL: ["ann@mail.uz", "ann@post.uz", "anna@mail.uz", "bob@mail.uz", "ann.lee@x.uz"],
    Kind.ADDRESS: ["12 5 navoi", "12 navoi", "12 6 navoi", "furkat 7", "12 5 navoyi", "1 furkat"],
}
WORDS = (
    "ali alisher karim karimov karimova kerimov salim salimov a k kim kimov maria anna-maria sasha".split()
)


def field_of(kind: Kind, values: list[str]) -> Field:
    """A record for each value; "" is a missing one."""
    distinct = [value for value in dict.fromkeys(values) if value]
    codes = [distinct.index(value) if value else -1 for value in values]
    return Field("it", kind, distinct, np.array(codes, dtype=np.int32)[:, None])


def levels_among(field: Field) -> Levels:
    """The levels of all rows with all rows (rows × rows)."""
    rows = field.rows
    left, right = np.divmod(np.arange(rows**2), max(rows, 1))
    return compare(pack([field], rows), left, right).reshape(rows, rows)


def label(kind: Kind, left: str, right: str) -> str:
    levels = levels_among(field_of(kind, [left, right]))
    assert levels[0, 1] == levels[1, 0]
    return LABELS[kind][int(levels[0, 1])]


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("karim", "karim", "exact"),
        ("", "karim", "missing"),
        ("khasan", "hasan", "same form"),
        ("natalya", "natalia", "same form"),
        ("alexander", "sasha", "same form"),
        ("karimov", "karimof", "near"),
        ("karimov", "kraimov", "near"),
        ("maria luisa", "maria", "near"),
        ("karim", "k", "initial"),
        ("karim", "s", "different"),
        ("karimov", "karimova", "near"),
        ("abdullaev", "abdurakhmanov", "similar"),
        ("karim", "salim", "different"),
        ("lola", "olim", "different"),
    ],
)
def test_names_are_compared_by_form_and_slips(left: str, right: str, expected: str) -> None:
    assert label(Kind.GIVEN_NAME, left, right) == expected


def test_names_that_sound_alike_are_similar() -> None:
    assert label(Kind.FAMILY_NAME, "eshmetov", "ishmatovo") in ("similar", "near")


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("19800307", "19800307", "exact"),
        ("19800307", "19800308", "one slip"),
        ("19800307", "19800703", "one slip"),
        ("19800312", "19800321", "one slip"),
        ("19800307", "19810308", "two slips"),
        ("19800307", "19801128", "same year"),
        ("19800307", "20010307", "same month and day"),
        ("19800307", "20011128", "different"),
        ("19800307", "", "missing"),
    ],
)
def test_dates_are_compared_by_digits_and_parts(left: str, right: str, expected: str) -> None:
    assert label(Kind.BIRTH_DATE, left, right) == expected


@pytest.mark.parametrize(
    ("kind", "left", "right", "expected"),
    [
        (Kind.SEX, "male", "male", "exact"),
        (Kind.SEX, "male", "female", "different"),
        (Kind.NATIONAL_ID, "31503800100115", "31503800100115", "exact"),
        (Kind.NATIONAL_ID, "31503800100115", "31503800100151", "one slip"),
        (Kind.NATIONAL_ID, "31503800100115", "31503800200125", "two slips"),
        (Kind.NATIONAL_ID, "31503800100115", "41603800200125", "different"),
        (Kind.DOCUMENT, "aa7654321", "aa765432", "one slip"),
        (Kind.PHONE, "901234578", "901234578", "exact"),
        (Kind.PHONE, "711234578", "901234578", "same ending"),
        (Kind.PHONE, "901234578", "901234579", "one slip"),
        (Kind.PHONE, "901234578", "909876543", "different"),
        (Kind.EMAIL, "ann@mail.uz", "ann@mail.uz", "exact"),
        (Kind.EMAIL, "ann.lee1980@mail.uz", "ann.lee1980@mail.ru", "near"),
        (Kind.EMAIL, "ann@mail.uz", "ann@gmail.com", "same mailbox name"),
        (Kind.EMAIL, "annlee@mail.uz", "annleee@gmail.com", "similar"),
        (Kind.EMAIL, "ann@mail.uz", "bob@gmail.com", "different"),
        (Kind.EMAIL, "ann@international-trade.uz", "bob@international-trade.uz", "different"),
        (Kind.EMAIL, "anna.lee@trade.uz", "anna.leee@trade.uz", "near"),
        (Kind.EMAIL, "anna.karimova@trade.uz", "ana.karim@trade.uz", "similar"),
        (Kind.EMAIL, "anna.lee@trade.uz", "anna.lee2trad@.uz", "near"),
        (Kind.POSTCODE, "100170", "100170", "exact"),
        (Kind.POSTCODE, "100170", "100171", "one slip"),
        (Kind.POSTCODE, "100170", "100999", "same area"),
        (Kind.POSTCODE, "100170", "220345", "different"),
        (Kind.ADDRESS, "12 5 navoi toshkent", "12 5 navoi toshkent", "exact"),
        (Kind.ADDRESS, "12 5 navoi toshkent", "12 5 navoi", "contained"),
        (Kind.ADDRESS, "12 5 bunyodkor toshkent", "12 5 bunyodkr toshkent", "near"),
        (Kind.ADDRESS, "12 5 bunyodkor toshkent", "12 6 bunyodkor toshkent", "similar"),
        (Kind.ADDRESS, "12 5 navoi", "77 furkat samarkand", "different"),
        (Kind.CITY, "toshkent", "toshkent", "exact"),
        (Kind.CITY, "toshkent", "toshkant", "near"),
        (Kind.CITY, "toshkent", "samarkand", "different"),
        (Kind.TEXT, "engineer", "enginer", "near"),
    ],
)
def test_every_kind_has_its_levels(kind: Kind, left: str, right: str, expected: str) -> None:
    assert label(kind, left, right) == expected


def compare_people(*rows: tuple[str, str]) -> list[str]:
    """Levels of given and family name of the first record with the second."""
    table = pa.table({"g": pa.array([g for g, _ in rows]), "f": pa.array([f for _, f in rows])})
    fields = build_fields(table, {"g": Kind.GIVEN_NAME, "f": Kind.FAMILY_NAME})
    packed = pack(fields, table.num_rows)
    levels, backwards = compare(packed, np.array([0, 1]), np.array([1, 0])).tolist()
    assert levels == backwards
    return [LABELS[field.kind][level] for field, level in zip(fields, levels, strict=True)]


def test_swapped_given_and_family_names_are_near() -> None:
    assert compare_people(("Botir", "Salimov"), ("Salimov", "Botir")) == ["near", "near"]
    assert compare_people(("Botir", "Salimov"), ("Salimof", "Botir")) == ["near", "near"]


def test_names_that_are_right_are_not_taken_for_swapped() -> None:
    assert compare_people(("Karim", "Karim"), ("Karim", "Karim")) == ["exact", "exact"]
    assert compare_people(("Botir", "Salimov"), ("Botir", "Olimov"))[0] == "exact"


def test_a_family_name_in_the_place_of_a_given_one_is_near() -> None:
    assert compare_people(("Salimov", ""), ("Botir", "Salimov")) == ["missing", "near"]


def test_the_best_alternative_counts() -> None:
    codes = np.array([[0, 1], [1, -1], [-1, 2]], dtype=np.int32)
    field = Field("phone", Kind.PHONE, ["901112233", "935554433", "977776655"], codes)
    levels = levels_among(field)
    assert [LABELS[Kind.PHONE][levels[pair]] for pair in ((0, 1), (0, 2), (1, 2))] == [
        "exact",
        "different",
        "different",
    ]


def test_no_pairs_have_no_levels() -> None:
    nothing = np.empty(0, dtype=np.int64)
    assert compare(pack([field_of(Kind.CITY, ["x"])], 1), nothing, nothing).shape == (0, 1)
    assert compare(pack([], 3), nothing, nothing).shape == (0, 0)
    assert compare(pack([], 3), np.array([0, 1]), np.array([1, 2])).shape == (2, 0)


def samples(kind: Kind) -> st.SearchStrategy[str]:
    known = st.sampled_from(VALUES.get(kind, WORDS))
    if kind in (Kind.SEX, Kind.GENERATION):
        return known
    if kind is Kind.BIRTH_DATE:
        return known | st.from_regex(r"\A(19|20)[0-9]{2}[01][0-9][0-3][0-9]\Z")
    if kind is Kind.EMAIL:
        return known | st.from_regex(r"\A[abc]{1,4}@[abc]{1,4}\Z")
    return known | st.text(alphabet="abk1 ", min_size=1, max_size=8).map(str.strip).filter(bool)


@pytest.mark.parametrize("kind", LABELS)
@settings(max_examples=25)
@given(data=st.data())
def test_a_comparison_is_symmetric_and_exact_is_the_highest_level(kind: Kind, data: st.DataObject) -> None:
    values = data.draw(st.lists(samples(kind) | st.just(""), min_size=2, max_size=6))
    levels = levels_among(field_of(kind, values))
    assert np.array_equal(levels, levels.T)
    assert np.array_equal(levels, levels_among(field_of(kind, values[::-1]))[::-1, ::-1])
    for (a, b), level in np.ndenumerate(levels):
        if not values[a] or not values[b]:
            assert level == 0
        elif values[a] == values[b]:
            assert level == level_count(kind) - 1
        else:
            assert 1 <= level < level_count(kind) - 1


@pytest.mark.parametrize("kind", LABELS)
@settings(max_examples=25)
@given(data=st.data())
def test_of_many_values_the_best_two_count(kind: Kind, data: st.DataObject) -> None:
    values = sorted(data.draw(st.sets(samples(kind), min_size=2, max_size=5)))
    sides = st.lists(st.integers(-1, len(values) - 1), min_size=2, max_size=2)
    codes = np.array(data.draw(st.tuples(sides, sides)), dtype=np.int32)
    alone = levels_among(Field("it", kind, values, np.arange(len(values), dtype=np.int32)[:, None]))
    both = [int(alone[a, b]) for a in codes[0] for b in codes[1] if a >= 0 and b >= 0]
    assert levels_among(Field("it", kind, values, codes))[0, 1] == max(both, default=0)


@pytest.mark.parametrize("kind", LABELS)
def test_values_of_any_length_can_be_compared(kind: Kind) -> None:
    field = field_of(kind, ["a" * 10_000, "b" * 9_999, "a" * 10_000 + "b", "ab " * 5_000, "x", ""])
    levels = levels_among(field)
    assert np.array_equal(levels, levels.T)
    assert np.all(levels[:5, :5] > 0)
    assert np.all(np.diag(levels)[:5] == level_count(kind) - 1)


@cache
def packed_town() -> Packed:
    table, _ = town(120, seed=3, noise=0.4)
    return pack(build_fields(table, KINDS), table.num_rows)


@given(st.lists(st.tuples(st.integers(0, 119), st.integers(0, 119)), max_size=30))
def test_records_compare_the_same_either_way_round(pairs: list[tuple[int, int]]) -> None:
    left, right = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    forwards, backwards = compare(packed_town(), left, right), compare(packed_town(), right, left)
    assert np.array_equal(forwards, backwards)
    # What one pair shows does not depend on the pairs it is compared with.
    for index, (a, b) in enumerate(pairs):
        assert compare(packed_town(), np.array([a]), np.array([b])).tolist() == [forwards[index].tolist()]


def test_what_two_records_show_does_not_depend_on_the_others() -> None:
    packed = packed_town()
    rows = np.arange(packed.rows)[::-3]
    left, right = np.triu_indices(len(rows), 1)
    assert np.array_equal(compare(packed.take(rows), left, right), compare(packed, rows[left], rows[right]))
