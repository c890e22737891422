from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suzani.identity.documents import IDENTIFIERS, scheme_of

# Worked by hand. PINFL, weights 7 3 1: 3×7+1×3+5×1+0×7+3×3+8×1+0×7+0×3+1×1+0×7+0×3+1×1+1×7 = 55 → 5.
# INN, first weights 7 2 4 10 3 5 9 4 6 8 on 5001007322: 35+0+0+10+0+0+63+12+12+16 = 148, 148 mod 11 = 5;
# second weights 3 7 2 4 10 3 5 9 4 6 8 on 50010073225: 15+0+0+4+0+0+35+27+8+12+40 = 141, mod 11 = 9.
# SNILS 112-233-445: 9+8+14+12+15+12+12+... = 1×9+1×8+2×7+2×6+3×5+3×4+4×3+4×2+5×1 = 95 → 95.
# RRN, weights 2 3 4 5 6 7 8 9 2 3 4 5 on 800101100000: 16+0+0+5+0+7+8 = 36, 36 mod 11 = 3, 11-3 = 8.
VALID = {
    "pinfl": ("31503800100115", "19800315", "male"),
    "inn": ("500100732259", "", ""),
    "snils": ("11223344595", "", ""),
    "rrn": ("8001011000008", "19800101", "male"),
}


@pytest.mark.parametrize("name", IDENTIFIERS)
def test_a_number_worked_out_by_hand_is_valid_and_tells_what_it_holds(name: str) -> None:
    number, birth_date, sex = VALID[name]
    scheme = IDENTIFIERS[name]
    assert len(number) == scheme.length
    assert scheme.is_valid(number)
    assert (scheme.birth_date(number), scheme.sex(number)) == (birth_date, sex)


@pytest.mark.parametrize("name", IDENTIFIERS)
def test_a_wrong_check_digit_is_seen(name: str) -> None:
    number = VALID[name][0]
    for digit in set("0123456789") - {number[-1]}:
        assert not IDENTIFIERS[name].is_valid(number[:-1] + digit)


@pytest.mark.parametrize(
    ("first", "century", "sex"),
    [("3", "19", "male"), ("4", "19", "female"), ("5", "20", "male"), ("6", "20", "female")],
)
def test_a_pinfl_tells_century_and_sex_by_its_first_digit(first: str, century: str, sex: str) -> None:
    scheme = IDENTIFIERS["pinfl"]
    assert scheme.birth_date(f"{first}0203040000000") == f"{century}040302"
    assert scheme.sex(f"{first}0203040000000") == sex


@pytest.mark.parametrize(
    ("seventh", "century", "sex"),
    [("1", "19", "male"), ("2", "19", "female"), ("3", "20", "male"), ("4", "20", "female"),
     ("5", "19", "male"), ("8", "20", "female"), ("9", "18", "male"), ("0", "18", "female")],
)  # fmt: skip
def test_an_rrn_tells_century_and_sex_by_its_seventh_digit(seventh: str, century: str, sex: str) -> None:
    scheme = IDENTIFIERS["rrn"]
    assert scheme.birth_date(f"040302{seventh}000000") == f"{century}040302"
    assert scheme.sex(f"040302{seventh}000000") == sex


def test_numbers_are_checked_together_as_each_alone() -> None:
    for name, scheme in IDENTIFIERS.items():
        numbers = [*(number for number, _, _ in VALID.values()), "", "x" * scheme.length, "²" * scheme.length]
        assert scheme.valid(numbers).tolist() == [number == VALID[name][0] for number in numbers]
        assert scheme.valid([]).tolist() == []


def test_a_pinfl_of_no_known_century_is_invalid() -> None:
    assert not any(IDENTIFIERS["pinfl"].is_valid(f"{first}" + "0" * 13) for first in "0123456789")


def random_numbers(length: int, count: int = 2_000) -> list[str]:
    source = random.Random(length)
    return [f"{source.randrange(10**length):0{length}}" for _ in range(count)]


@pytest.mark.parametrize("length", [9, 11, 12, 13, 14])
def test_chance_numbers_are_taken_for_no_scheme(length: int) -> None:
    assert scheme_of(random_numbers(length)) is None


@pytest.mark.parametrize("name", IDENTIFIERS)
def test_a_column_of_valid_numbers_with_some_slips_has_its_scheme(name: str) -> None:
    scheme = IDENTIFIERS[name]
    numbers = random_numbers(scheme.length, 20_000)
    if name == "pinfl":
        numbers = ["3" + number[1:] for number in numbers]
    valid = [number for number in numbers if scheme.is_valid(number)]
    assert len(valid) > 50
    assert scheme_of([*valid[:50], *random_numbers(scheme.length, 5)]) is scheme


def test_a_few_valid_numbers_among_other_documents_make_no_scheme() -> None:
    assert scheme_of([VALID["pinfl"][0]] * 3 + [f"aa{number:07}" for number in range(10)]) is None
    assert scheme_of([VALID["inn"][0]] * 2) is None
    assert scheme_of([]) is None


@given(st.sampled_from(sorted(IDENTIFIERS)), st.data())
def test_any_digits_of_the_right_length_can_be_checked(name: str, data: st.DataObject) -> None:
    scheme = IDENTIFIERS[name]
    digits = data.draw(st.text(alphabet="0123456789", min_size=scheme.length, max_size=scheme.length))
    if scheme.is_valid(digits):
        assert scheme.birth_date(digits) == "" or len(scheme.birth_date(digits)) == 8
        assert scheme.sex(digits) in ("", "male", "female")


@given(st.lists(st.text()))
def test_any_column_can_be_asked_for_its_scheme(values: list[str]) -> None:
    assert scheme_of(values) is None or len(values) >= 3
