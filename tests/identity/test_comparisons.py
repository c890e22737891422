from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suzani.identity.comparisons import LABELS, Comparator, level_count
from suzani.identity.fields import Field, build_fields
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


def label(kind: Kind, left: str, right: str) -> str:
    levels = Comparator([field_of(kind, [left, right])]).compare(np.array([0]), np.array([1]))
    return LABELS[kind][int(levels[0, 0])]


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
    levels = Comparator(fields).compare(np.array([0]), np.array([1]))[:, 0].tolist()
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
    levels = Comparator([field]).compare(np.array([0, 0, 1]), np.array([1, 2, 2]))
    assert [LABELS[Kind.PHONE][level] for level in levels[0]] == ["exact", "different", "different"]


def test_no_pairs_have_no_levels() -> None:
    nothing = np.empty(0, dtype=np.int64)
    field = field_of(Kind.CITY, ["x"])
    assert Comparator([field]).compare(nothing, nothing).shape == (1, 0)
    assert Comparator([]).compare(nothing, nothing).shape == (0, 0)


def samples(kind: Kind) -> st.SearchStrategy[str]:
    known = st.sampled_from(VALUES.get(kind, WORDS))
    if kind is Kind.SEX:
        return known
    if kind is Kind.BIRTH_DATE:
        return known | st.from_regex(r"\A(19|20)[0-9]{2}[01][0-9][0-3][0-9]\Z")
    if kind is Kind.EMAIL:
        return known | st.from_regex(r"\A[abc]{1,4}@[abc]{1,4}\Z")
    return known | st.text(alphabet="abk1 ", min_size=1, max_size=8).map(str.strip).filter(bool)


@pytest.mark.parametrize("kind", LABELS)
@given(data=st.data())
def test_a_comparison_is_symmetric_and_exact_is_the_highest_level(kind: Kind, data: st.DataObject) -> None:
    values = data.draw(st.lists(samples(kind) | st.just(""), min_size=2, max_size=6))
    left, right = np.divmod(np.arange(len(values) ** 2), len(values))
    levels = Comparator([field_of(kind, values)]).compare(left, right)[0]
    backwards = Comparator([field_of(kind, values[::-1])]).compare(
        len(values) - 1 - right, len(values) - 1 - left
    )[0]
    assert levels.tolist() == Comparator([field_of(kind, values)]).compare(right, left)[0].tolist()
    assert levels.tolist() == backwards.tolist()
    for a, b, level in zip(left, right, levels.tolist(), strict=True):
        if not values[a] or not values[b]:
            assert level == 0
        elif values[a] == values[b]:
            assert level == level_count(kind) - 1
        else:
            assert 1 <= level < level_count(kind) - 1 or level == 1


@cache
def town_comparator() -> Comparator:
    table, _ = town(120, seed=3, noise=0.4)
    return Comparator(build_fields(table, KINDS))


@given(st.lists(st.tuples(st.integers(0, 119), st.integers(0, 119)), max_size=30))
def test_records_compare_the_same_either_way_round(pairs: list[tuple[int, int]]) -> None:
    left, right = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    comparator = town_comparator()
    forwards, backwards = comparator.compare(left, right), comparator.compare(right, left)
    assert np.array_equal(forwards, backwards)
    # What one pair shows does not depend on the pairs it is compared with.
    for index, (a, b) in enumerate(pairs):
        alone = comparator.compare(np.array([a]), np.array([b]))
        assert alone[:, 0].tolist() == forwards[:, index].tolist()
