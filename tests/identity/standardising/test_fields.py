from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suzani.identity.standardising.fields import Field, build_fields
from suzani.identity.values.dictionary import encode, recode, restandardise
from suzani.identity.values.texts import as_list
from suzani.kernel import Kind
from tests.identity.people import pinfl


def fields_of(kinds: dict[str, Kind], **columns: Sequence[str | None]) -> dict[str, Field]:
    table = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    return {field.name: field for field in build_fields(table, kinds)}


def shown(field: Field) -> list[list[str]]:
    """The values of every record."""
    values = field.texts.to_pylist()
    return [[values[code] for code in row if code >= 0] for row in field.codes.tolist()]


@pytest.mark.parametrize(
    "nothing",
    ["", "  ", "NA", "n/a", "NULL", "None", "-", "?", "unknown", "нет", "Не указано", "yo'q", "없음"],
)
def test_a_word_for_nothing_is_missing(nothing: str) -> None:
    encoded = encode(pa.array([nothing, "x", None, f" {nothing} "]))
    assert encoded.codes.tolist()[0] == encoded.codes.tolist()[2] == encoded.codes.tolist()[3] == -1
    assert encoded.values[encoded.codes[1]] == "x"


def test_equal_forms_share_one_code() -> None:
    encoded = restandardise(
        encode(pa.array(["A", "a ", "b", None])), lambda v: [x.lower() for x in as_list(v)]
    )
    assert encoded.codes[0] == encoded.codes[1] != encoded.codes[2]
    assert encoded.codes[3] == -1


@given(st.lists(st.one_of(st.none(), st.sampled_from(["a", "b", "", "NA", " a", "c"]))))
def test_encoding_and_decoding_gives_the_trimmed_values_back(values: list[str | None]) -> None:
    encoded = encode(pa.chunked_array([pa.array(values, pa.string())]))
    decoded = [encoded.values[code] if code >= 0 else None for code in encoded.codes.tolist()]
    assert decoded == [None if v is None or v.strip() in ("", "NA") else v.strip() for v in values]


@given(st.lists(st.sampled_from(["", "x", "y", "z"]), min_size=1), st.data())
def test_recoding_keeps_what_every_record_says(forms: list[str], data: st.DataObject) -> None:
    codes = data.draw(st.lists(st.integers(-1, len(forms) - 1)))
    recoded = recode(forms, np.array(codes, dtype=np.int32))
    assert len(set(recoded.values)) == len(recoded.values)
    said = [forms[code] if code >= 0 else "" for code in codes]
    assert [recoded.values[code] if code >= 0 else "" for code in recoded.codes.tolist()] == said


def test_a_column_without_usable_values_leaves_no_field() -> None:
    kinds = {"a": Kind.PHONE, "b": Kind.BIRTH_DATE, "c": Kind.GIVEN_NAME, "d": Kind.IGNORE}
    assert not fields_of(kinds, a=["0000000"], b=["01.01.1900"], c=["-"], d=["x"])


def test_a_table_without_rows_leaves_no_field() -> None:
    kinds = dict.fromkeys(Kind)
    table = pa.table({kind.value: pa.array([], pa.string()) for kind in kinds})
    assert build_fields(table, {kind.value: kind for kind in kinds}) == []


def test_two_phone_columns_are_alternatives_of_one_field() -> None:
    fields = fields_of(
        {"home": Kind.PHONE, "mobile": Kind.PHONE},
        home=["+998 71 200-11-22", None],
        mobile=["90 333 44 55", "71 200 11 22"],
    )
    assert shown(fields["phone"]) == [["712001122", "903334455"], ["712001122"]]


def test_a_maiden_name_is_an_alternative_family_name() -> None:
    fields = fields_of(
        {"first": Kind.GIVEN_NAME, "last": Kind.FAMILY_NAME, "maiden": Kind.FAMILY_NAME},
        first=["Anna", "Anna"],
        last=["Petrova", "Sidorova"],
        maiden=["Sidorova", None],
    )
    assert shown(fields["family_name"]) == [["petrova", "sidorova"], ["sidorova"]]


def test_given_family_and_middle_names_share_one_list_of_values() -> None:
    fields = fields_of(
        {"first": Kind.GIVEN_NAME, "last": Kind.FAMILY_NAME},
        first=["Karim", "Salim"],
        last=["Salim", "Karim"],
    )
    assert fields["given_name"].values is fields["family_name"].values


def test_a_birth_date_is_put_together_from_three_columns() -> None:
    kinds = {"y": Kind.BIRTH_YEAR, "m": Kind.BIRTH_MONTH, "d": Kind.BIRTH_DAY}
    fields = fields_of(kinds, y=["1980", "1981", None], m=["3", "12", "1"], d=["07", "", "1"])
    assert shown(fields["birth_date"]) == [["19800307"], [], []]


def test_a_birth_date_column_is_preferred_to_its_parts() -> None:
    kinds = {"y": Kind.BIRTH_YEAR, "m": Kind.BIRTH_MONTH, "d": Kind.BIRTH_DAY, "born": Kind.BIRTH_DATE}
    fields = fields_of(kinds, y=["1980"], m=["3"], d=["7"], born=["01.02.1990"])
    assert shown(fields["birth_date"]) == [["19900201"]]


def test_all_parts_of_an_address_are_one_bag_of_words() -> None:
    kinds = {"no": Kind.HOUSE, "street": Kind.STREET, "line": Kind.ADDRESS}
    fields = fields_of(kinds, no=["12", None], street=["Navoi", None], line=[None, "12 Navoi str."])
    assert shown(fields["address"]) == [["12 navoi"], ["12 navoi"]]


def test_sex_is_read_in_every_language() -> None:
    words: list[str | None] = ["M", "женский", "erkak", "ayol", "남성", "여", "1", "Муж.", "F", "?"]
    fields = fields_of({"sex": Kind.SEX}, sex=words)
    said = ["".join(row) for row in shown(fields["sex"])]
    assert said == ["male", "female", "male", "female", "male", "female", "male", "male", "female", ""]


def test_sex_not_stated_is_read_off_names() -> None:
    fields = fields_of(
        {"first": Kind.GIVEN_NAME, "last": Kind.FAMILY_NAME, "middle": Kind.PATRONYMIC, "sex": Kind.SEX},
        first=["A", "B", "C", "D"],
        last=["Karimov", "Karimova", "Kim", "Karimov"],
        middle=[None, None, "Nodir qizi", None],
        sex=[None, None, None, "F"],
    )
    assert shown(fields["sex"]) == [["male"], ["female"], ["female"], ["female"]]


def test_sex_not_stated_is_read_off_valid_national_ids() -> None:
    numbers = [pinfl("1980-03-15", "M", 1), pinfl("1981-04-16", "F", 2), pinfl("2001-01-01", "F", 3)]
    fields = fields_of({"id": Kind.NATIONAL_ID}, id=[*numbers, numbers[0][:-1] + "x"])
    assert fields["id"].scheme is not None
    assert shown(fields["sex"]) == [["male"], ["female"], ["female"], []]


def test_one_sex_for_everybody_is_no_evidence() -> None:
    assert "sex" not in fields_of({"sex": Kind.SEX}, sex=["M", "M", None])


def test_a_phone_of_many_families_is_dropped_and_of_one_family_kept() -> None:
    families = ["Karimov", "Petrov", "Lee", "Smith", "Botirov", "Davidov", "Fomin", "Gaman", "Hill", "Kim",
                "Marat", "Norov", "Rustam", "Tosh"]  # fmt: skip
    kinds = {"last": Kind.FAMILY_NAME, "phone": Kind.PHONE}
    own = [f"90 555 {number:02} 77" for number in range(len(families))]
    fields = fields_of(
        kinds, last=[*families, *families, *["Karimov"] * 20],
        phone=["71 111 22 33"] * len(families) + own + ["93 444 55 66"] * 20,
    )  # fmt: skip
    held = shown(fields["phone"])
    assert held[: len(families)] == [[]] * len(families)
    assert all(held[len(families) :])


def test_a_column_named_like_a_field_of_ours_does_not_stand_in_for_it() -> None:
    fields = fields_of(
        {"given_name": Kind.TEXT, "first": Kind.GIVEN_NAME, "last": Kind.FAMILY_NAME},
        given_name=["gold card", "gold card"],
        first=["Ann", "Bob"],
        last=["Lee", "Lee"],
    )
    assert shown(fields["given_name"]) == [["ann"], ["bob"]]
    assert fields["given_name (text)"].kind is Kind.TEXT


def test_reordering_moves_records_and_keeps_values() -> None:
    field = fields_of({"p": Kind.PHONE}, p=["901112233", None, "904445566"])["phone"]
    assert shown(field.reordered(np.array([2, 0, 1]))) == [["904445566"], ["901112233"], []]


def test_a_field_counts_its_values_and_who_has_them() -> None:
    field = fields_of(
        {"p": Kind.PHONE, "q": Kind.PHONE}, p=["901112233", None, "901112233"], q=["904445566"] * 3
    )["phone"]
    assert dict(zip(field.texts.to_pylist(), field.counts.tolist(), strict=True)) == {
        "901112233": 2,
        "904445566": 3,
    }
    assert field.filled.tolist() == [True, True, True]


@given(st.data())
def test_any_text_in_any_kind_of_column_becomes_fields(data: st.DataObject) -> None:
    kinds = {kind.value: kind for kind in data.draw(st.sets(st.sampled_from(list(Kind)), min_size=1))}
    rows = data.draw(st.integers(0, 4))
    values = st.one_of(st.none(), st.text(max_size=12), st.sampled_from(["1 2 1980", "²", "12", "a@b", "-"]))
    table = pa.table(
        {
            name: pa.array(data.draw(st.lists(values, min_size=rows, max_size=rows)), pa.string())
            for name in kinds
        }
    )
    fields = build_fields(table, kinds)
    assert len({field.name for field in fields}) == len(fields)
    for field in fields:
        assert field.rows == rows
        assert field.codes.min() >= -1
        assert field.codes.max() < len(field.values)
        assert "" not in field.texts.to_pylist()
        if field.kind is Kind.BIRTH_DATE:
            assert all(len(value.encode()) == 8 for value in field.texts.to_pylist())
