from __future__ import annotations

import random
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suzani.identity.values.documents import IDENTIFIERS, Identifier, Identifiers, scheme_of
from suzani.kernel import InvalidInput

# Worked by hand. PINFL, weights 7 3 1: 3×7+1×3+5×1+0×7+3×3+8×1+0×7+0×3+1×1+0×7+0×3+1×1+1×7 = 55 → 5.
# INN, first weights 7 2 4 10 3 5 9 4 6 8 on 5001007322: 35+0+0+10+0+0+63+12+12+16 = 148, 148 mod 11 = 5;
# second weights 3 7 2 4 10 3 5 9 4 6 8 on 50010073225: 15+0+0+4+0+0+35+27+8+12+40 = 141, mod 11 = 9.
# SNILS 112-233-445: 9+8+14+12+15+12+12+... = 1×9+1×8+2×7+2×6+3×5+3×4+4×3+4×2+5×1 = 95 → 95.
# RRN, weights 2 3 4 5 6 7 8 9 2 3 4 5 on 800101100000: 16+0+0+5+0+7+8 = 36, 36 mod 11 = 3, 11-3 = 8.
# INN of a company, weights 2 4 10 3 5 9 4 6 8 on 770708389: 14+28+0+21+0+72+12+48+72 = 267, 267 mod 11 = 3.
# IIN, weights 1 to 11 on 90050130012: 9+0+0+20+0+6+21+0+0+10+22 = 88, 88 mod 11 = 0. BIN, the same on
# 99054000001: 9+18+0+20+20+11 = 78, 78 mod 11 = 1.
VALID = {
    "pinfl": ("31503800100115", "19800315", "male"),
    "inn": ("500100732259", "", ""),
    "snils": ("11223344595", "", ""),
    "rrn": ("8001011000008", "19800101", "male"),
    "inn_company": ("7707083893", "", ""),
    "iin": ("900501300120", "19900501", "male"),
    "bin": ("990540000011", "", ""),
    "kg_pin": ("10105199000015", "19900501", "female"),
}


FIRST_DIGITS = {"pinfl": ["3"], "iin": ["900101", "851231", "010615"], "kg_pin": ["10105199", "23112200"]}
WITHOUT_CHECK_DIGIT = {"kg_pin"}


@pytest.mark.parametrize("name", VALID)
def test_a_number_worked_out_by_hand_is_valid_and_tells_what_it_holds(name: str) -> None:
    number, birth_date, sex = VALID[name]
    scheme = IDENTIFIERS[name]
    assert len(number) == scheme.length
    assert scheme.is_valid(number)
    assert (scheme.birth_date(number), scheme.sex(number)) == (birth_date, sex)


def test_every_scheme_that_can_be_checked_has_an_example() -> None:
    assert {name for name, scheme in IDENTIFIERS.items() if scheme.checked} == set(VALID)


@pytest.mark.parametrize("name", sorted(set(VALID) - WITHOUT_CHECK_DIGIT))
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
        own = VALID.get(name, [""])[0]
        for values in (numbers, pa.array(numbers)):
            assert scheme.valid(values).tolist() == [number == own != "" for number in numbers]
        assert scheme.valid([]).tolist() == []


def test_a_pinfl_of_no_known_century_is_invalid() -> None:
    assert not any(IDENTIFIERS["pinfl"].is_valid(f"{first}" + "0" * 13) for first in "0123456789")


def random_numbers(length: int, count: int = 2_000) -> list[str]:
    source = random.Random(length)
    return [f"{source.randrange(10**length):0{length}}" for _ in range(count)]


@pytest.mark.parametrize("length", [9, 11, 12, 13, 14])
def test_chance_numbers_are_taken_for_no_scheme(length: int) -> None:
    assert scheme_of(random_numbers(length)) is None


@pytest.mark.parametrize("name", VALID)
def test_a_column_of_valid_numbers_with_some_slips_has_its_scheme(name: str) -> None:
    scheme = IDENTIFIERS[name]
    numbers = random_numbers(scheme.length, 20_000)
    if name in FIRST_DIGITS:
        numbers = [first + number[len(first) :] for number in numbers for first in FIRST_DIGITS[name]]
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


def test_a_number_without_a_check_goes_by_its_form_and_is_never_valid() -> None:
    stir = IDENTIFIERS["stir"]
    assert stir.has_form(["301234567", "001234567", "30123456", "x"]).tolist() == [True, False, False, False]
    assert not stir.valid(["301234567"]).any()
    assert scheme_of([f"3012345{number:02}" for number in range(50)]) is None


def test_the_second_weights_of_an_iin_count_where_the_first_give_ten() -> None:
    # On 90010130081 the weights 1 to 11 give 9+4+6+21+80+11 = 131, mod 11 = 10; the second, 3 to 11, 1, 2,
    # give 27+6+8+27+8+2 = 78, mod 11 = 1. On 90010130080 both give ten (120 and 76): there is no such number.
    iin = IDENTIFIERS["iin"]
    assert [digit for digit in "0123456789" if iin.is_valid(f"90010130081{digit}")] == ["1"]
    assert not any(iin.is_valid(f"90010130080{digit}") for digit in "0123456789")


@pytest.mark.parametrize("number", ["901301300120", "900532300120", "900501900120", "900501000120"])
def test_an_iin_must_hold_a_date_and_a_sex(number: str) -> None:
    assert not any(IDENTIFIERS["iin"].is_valid(number[:-1] + digit) for digit in "0123456789")


def test_kazakh_and_russian_numbers_of_one_length_are_told_apart() -> None:
    inns = [n for n in random_numbers(12, 40_000) if IDENTIFIERS["inn"].is_valid(n)][:100]
    source = random.Random(1)
    born = [f"{source.randrange(50, 100)}{source.randrange(1, 13):02}{source.randrange(1, 29):02}3"
            f"{source.randrange(10**5):05}" for _ in range(4_000)]  # fmt: skip
    iins = [n for n in born if IDENTIFIERS["iin"].is_valid(n)][:100]
    assert len(inns) == len(iins) == 100
    for share in (0.0, 0.2):
        assert scheme_of([*inns, *iins[: int(100 * share)]]) is IDENTIFIERS["inn"]
        assert scheme_of([*iins, *inns[: int(100 * share)]]) is IDENTIFIERS["iin"]


def test_the_check_digit_of_a_foreigner_in_korea_is_two_more() -> None:
    # Weights on 800101500000: 16+0+0+5+0+7+8×5 = 68, 68 mod 11 = 2, 11-2 = 9, and two more: 11, so 1.
    assert IDENTIFIERS["rrn"].is_valid("8001015000001")
    assert not IDENTIFIERS["rrn"].is_valid("8001015000009")


@pytest.mark.parametrize(("name", "number"), [("pinfl", "39913800100115"), ("rrn", "8013011000008")])
def test_an_impossible_birth_date_is_none(name: str, number: str) -> None:
    assert IDENTIFIERS[name].birth_date(number) == ""


def test_a_deployment_adds_schemes_by_an_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bank_numbers.py").write_text(
        "from suzani.identity.values.documents import Identifier\n"
        "NUMBERS = [Identifier('card', 6, lambda digits: digits.sum(axis=1) % 10 == 0)]\n"
    )
    info = tmp_path / "bank_numbers-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bank-numbers\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[suzani.identifiers]\ncards = bank_numbers:NUMBERS\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    known = Identifiers()
    assert set(known) == {*IDENTIFIERS, "card"}
    assert known["card"].valid(["123455", "123454", "1"]).tolist() == [True, False, False]


THIS_SCHEME = Identifier("pinfl", 14, lambda digits: np.ones(len(digits), dtype=bool))
NOT_A_SCHEME = "pinfl"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("no_such_module:thing", "cannot be loaded"),
        (f"{__name__}:NO_SUCH_NAME", "cannot be loaded"),
        (f"{__name__}:NOT_A_SCHEME", "is no Identifier"),
        (f"{__name__}:THIS_SCHEME", "a scheme 'pinfl' already"),
    ],
)
def test_a_broken_plugin_says_which_and_why(value: str, reason: str) -> None:
    known = Identifiers([EntryPoint("odd", value, "suzani.identifiers")])
    with pytest.raises(InvalidInput, match=reason) as raised:
        known["pinfl"]
    assert "'odd'" in raised.value.message
    assert raised.value.hint
