from __future__ import annotations

import json

import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from suzani.identity.standardising.fields import Field, standardise, standardise_record
from suzani.identity.standardising.norms import Norms
from suzani.kernel import InvalidInput, Kind
from tests.identity.people import pinfl

Row = dict[str, str | None]
UNSHRUNK = settings(deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
"""Rows of twenty columns take minutes to shrink and are as easy to read as they come."""
KINDS = {
    "first": Kind.GIVEN_NAME, "second": Kind.GIVEN_NAME, "last": Kind.FAMILY_NAME, "maiden": Kind.FAMILY_NAME,
    "middle": Kind.PATRONYMIC, "full": Kind.FULL_NAME, "born": Kind.BIRTH_DATE, "sex": Kind.SEX,
    "id": Kind.NATIONAL_ID, "tax": Kind.NATIONAL_ID, "passport": Kind.DOCUMENT, "home": Kind.PHONE,
    "mobile": Kind.PHONE, "mail": Kind.EMAIL, "street": Kind.STREET, "house": Kind.HOUSE, "city": Kind.CITY,
    "zip": Kind.POSTCODE, "firm": Kind.ORGANISATION, "note": Kind.TEXT, "suffix": Kind.GENERATION,
    "none": Kind.IGNORE,
}  # fmt: skip
IDS = [pinfl("1980-03-15", "M", 1), pinfl("1981-04-16", "F", 2), pinfl("2001-01-01", "F", 3)]
PARTS = {"y": Kind.BIRTH_YEAR, "m": Kind.BIRTH_MONTH, "d": Kind.BIRTH_DAY}
WORDS = ["Karim", "Karimova", "Каримов", "Лола", "Smith", "Lee, Ann", "Nodir qizi", "Валиевич", "Smith Ann",
         "김민준", "Каримов Али Вали ўғли", "Dr. Ann O'Neil-Lee", "x" * 300, "oʻgʻli",
         "Smith Jr.", "Karimova (Petrova)", "Smith (Jones), Ann III", "Sidorova née Kim", "jr"]  # fmt: skip
TYPED: dict[Kind, list[str]] = {
    Kind.BIRTH_DATE: ["03/04/1980", "4.13.1980", "25-12-1990", "1980-03-15", "01.01.1900", "5 may 1970"],
    Kind.SEX: ["M", "ж", "erkak", "2"],
    Kind.NATIONAL_ID: [*IDS, "123", "0000"],
    Kind.DOCUMENT: ["AA 7654321", "АВ1234568", "№ ٣٤٥٦٧٨", "AA0000000"],
    Kind.PHONE: ["+998 90 123-45-78", "٩٠ ١٢٣ ٤٥ ٧٨", "901112233", "1234567"],
    Kind.EMAIL: ["Ann@Mail.UZ", "Ann <ann@mail.uz>", "test@x.uz", "ян@почта.рф"],
    Kind.STREET: ["ул. Навои", "Main Street", "12A"],
    Kind.POSTCODE: ["100000", "AB1 2CD", "0000"],
    Kind.BIRTH_YEAR: ["1980", "80"],
    Kind.BIRTH_MONTH: ["5", "13"],
    Kind.BIRTH_DAY: ["31", "3"],
}
ODD = st.one_of(
    st.text(max_size=15), st.sampled_from(["", " ", "NA", "İ", "nİl", "-", "Σ", "²", "ﬁ", "\n", "½"])
)


def typed(kind: Kind) -> st.SearchStrategy[str | None]:
    """What people type into a column of a kind."""
    return st.one_of(st.none(), st.sampled_from(TYPED.get(kind, WORDS)), ODD)


def rows_of(kinds: dict[str, Kind]) -> st.SearchStrategy[list[Row]]:
    return st.lists(st.fixed_dictionaries({name: typed(kind) for name, kind in kinds.items()}), max_size=12)


SETS = st.one_of(st.just(KINDS), st.sets(st.sampled_from(sorted(KINDS | PARTS))).map(
    lambda names: {name: (KINDS | PARTS)[name] for name in sorted(names)}
))  # fmt: skip


def table_of(rows: list[Row], columns: list[str]) -> pa.Table:
    return pa.table({name: pa.array([row[name] for row in rows], pa.string()) for name in columns})


def values_of(fields: list[Field], row: int) -> dict[str, tuple[str, ...]]:
    return {
        f.name: tuple(f.texts[c].as_py() if c >= 0 else "" for c in f.codes[row].tolist()) for f in fields
    }


@UNSHRUNK
@given(st.data())
def test_a_record_has_the_same_values_in_any_company(data: st.DataObject) -> None:
    kinds = data.draw(SETS)
    rows = data.draw(rows_of(kinds))
    full, norms = standardise(table_of(rows, list(kinds)), kinds)
    norms = Norms.from_json(norms.to_json())
    chosen = data.draw(st.lists(st.sampled_from(range(len(rows))), unique=True)) if rows else []
    some, same = standardise(table_of([rows[at] for at in chosen], list(kinds)), kinds, norms)
    assert same == norms
    assert [(f.name, f.kind, f.codes.shape[1], f.scheme) for f in some] == [
        (f.name, f.kind, f.codes.shape[1], f.scheme) for f in full
    ]
    for at, row in enumerate(chosen):
        expected = values_of(full, row)
        assert values_of(some, at) == expected
        assert standardise_record(rows[row], norms) == expected


@UNSHRUNK
@given(rows_of(KINDS), rows_of(KINDS), st.sets(st.sampled_from(sorted(set(KINDS) - {"none"}))))
def test_a_new_record_alone_is_read_as_in_a_table(
    known: list[Row], new: list[Row], dropped: set[str]
) -> None:
    _, norms = standardise(table_of(known, list(KINDS)), KINDS)
    fields, _ = standardise(table_of(new, [name for name in KINDS if name not in dropped]), {}, norms)
    for at, row in enumerate(new):
        record = {name: value for name, value in row.items() if name not in dropped}
        assert standardise_record(record, norms) == values_of(fields, at)


@UNSHRUNK
@given(rows_of(KINDS))
def test_standard_values_are_short_and_in_ascii(rows: list[Row]) -> None:
    for field in standardise(table_of(rows, list(KINDS)), KINDS)[0]:
        assert all(0 < len(value) <= 256 for value in field.texts.to_pylist())
        assert field.kind is Kind.EMAIL or all(value.isascii() for value in field.texts.to_pylist())


def people(count: int) -> tuple[dict[str, Kind], list[Row]]:
    """Records with a month-first date column, an agent's phone, and full names family name first."""
    kinds = {
        "name": Kind.FULL_NAME,
        "born": Kind.BIRTH_DATE,
        "phone": Kind.PHONE,
        "sex": Kind.SEX,
        "id": Kind.NATIONAL_ID,
    }
    stems = "Karim Bot Dav Fom Gam Hil Mar Nor Rust Tosh Zak Pet Vas Lev".split()
    rows: list[Row] = [
        {"name": f"{stems[at % 14]}ov Ali", "born": f"{at % 12 + 1}/{at % 15 + 14}/1980", "sex": "M",
         "phone": "71 200 11 22", "id": pinfl("1980-03-15", "M", at)}
        for at in range(count)
    ]  # fmt: skip
    return kinds, rows


def test_norms_tell_how_the_data_is_written() -> None:
    kinds, rows = people(30)
    _, norms = standardise(table_of(rows, list(kinds)), kinds)
    assert norms.day_first == {"born": False}
    assert norms.family_first == {"name": True}
    assert norms.shared == {"phone": ("712001122",)}
    assert norms.scheme_of("id") is not None
    assert "sex" not in norms.shape


def test_a_single_record_is_read_as_the_others_were() -> None:
    kinds, rows = people(30)
    _, norms = standardise(table_of(rows, list(kinds)), kinds)
    record = {"name": "Lee Bruce", "born": "3/4/1980", "phone": "712001122", "sex": "F", "other": "x"}
    assert standardise_record(record, norms) == {
        "given_name": ("bruce",), "family_name": ("lee",), "birth_date": ("19800304",), "phone": ("",),
        "id": ("",),
    }  # fmt: skip


def test_nothing_is_learned_with_norms() -> None:
    kinds, rows = people(30)
    _, norms = standardise(table_of(rows, list(kinds)), kinds)
    other = table_of(
        [{"name": "Bruce Lee", "born": "25/12/1980", "phone": "901112233"}], ["name", "born", "phone"]
    )
    fields, after = standardise(other, {}, norms)
    assert after is norms
    assert values_of(fields, 0)["family_name"] == ("bruce",)
    assert values_of(fields, 0)["birth_date"] == ("19801225",)
    assert values_of(fields, 0)["id"] == ("",)


def test_a_lone_surrogate_in_a_record_is_no_crash() -> None:
    _, norms = standardise(
        pa.table({"mail": ["a@b.uz"], "last": ["Lee"]}), {"mail": Kind.EMAIL, "last": Kind.FAMILY_NAME}
    )
    assert standardise_record({"mail": "a\ud800@b.uz", "last": "\udfff"}, norms)["email"] == ("a?@b.uz",)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"format": "else"}, "no identity norms"),
        ({"version": 2}, "version 2"),
        ({"columns": [["a", "no such kind"]]}, "no such kind"),
        ({"columns": [["a", "phone"], ["a", "email"]]}, "twice"),
        ({"fields": [["phone", "phone", 0, None]]}, "0 alternatives"),
        ({"fields": [["id", "national_id", 1, "ssn"]]}, "unknown identifier"),
        ({"day_first": {"a": "yes"}}, "day_first"),
        ({"name_scores": []}, "name_scores"),
    ],
)
def test_norms_that_cannot_be_read_name_what_is_wrong(change: dict[str, object], says: str) -> None:
    good = json.loads(Norms(columns=(("a", Kind.PHONE),)).to_json())
    with pytest.raises(InvalidInput, match=says):
        Norms.from_json(json.dumps(good | change), "saved")


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 100_000, "1e999", '"x"'])
def test_text_that_is_no_norms_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="norms"):
        Norms.from_json(text)
