from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suzani.identity.standardising.fields import Field, build_fields
from suzani.identity.values.parts import sex_of_family_name
from suzani.kernel import Kind

Parts = dict[str, list[str]]


def words(field: Field) -> list[str]:
    """The first alternative of every record, "" where there is none."""
    values = field.texts.to_pylist()
    return [values[code] if code >= 0 else "" for code in field.codes[:, 0].tolist()]


def split(*full_names: str | None, **columns: list[str | None]) -> Parts:
    """Parts of names given whole, beside columns that keep the parts apart."""
    kinds = {"full": Kind.FULL_NAME, "given": Kind.GIVEN_NAME, "family": Kind.FAMILY_NAME,
             "given_2": Kind.GIVEN_NAME, "middle": Kind.PATRONYMIC}  # fmt: skip
    whole = {"full": list(full_names), **columns}
    rows = max(map(len, whole.values()))
    table = pa.table({n: pa.array([*v, *[None] * (rows - len(v))], pa.string()) for n, v in whole.items()})
    return {field.name: words(field) for field in build_fields(table, kinds)}


@pytest.mark.parametrize(
    "written",
    [
        "Каримов Али Валиевич",
        "Али Валиевич Каримов",
        "Каримов, Али Валиевич",
        "KARIMOV ALI VALIEVICH",
        "Karimov Ali Vali oʻgʻli",
        "Karimov Ali Valio'g'li",
        "Каримов Али Вали угли",
    ],
)
def test_a_full_name_of_any_order_gives_its_parts(written: str) -> None:
    parts = split(written)
    assert parts["given_name"] == ["ali"]
    assert parts["family_name"] == ["karimov"]
    assert parts["middle_name"][0].startswith("vali")


@pytest.mark.parametrize("patronymic", ["Nodir qizi", "Nodirqizi", "Нодир кизи", "Nodirovna"])
def test_a_patronymic_written_apart_or_together_is_the_fathers_name(patronymic: str) -> None:
    parts = split(f"Karimova Lola {patronymic}")
    assert parts == {
        "given_name": ["lola"],
        "family_name": ["karimova"],
        "middle_name": ["nodir"],
        **({"sex": parts["sex"]} if "sex" in parts else {}),
    }


def test_most_names_of_a_file_decide_where_the_family_name_stands() -> None:
    first = split("Petrov Ivan", "Sidorova Anna", "Kuznetsov Oleg", "Lee Bruce")
    assert first["family_name"][-1] == "lee"
    last = split("Ivan Petrov", "Anna Sidorova", "Oleg Kuznetsov", "Bruce Lee")
    assert last["family_name"][-1] == "lee"


def test_the_order_is_learned_from_records_that_keep_the_parts_apart() -> None:
    known: list[str | None] = ["Smith", "Jones", "Brown", "Taylor"] * 5
    given: list[str | None] = ["Adam", "Bella", "Chris", "Dora"] * 5
    names = [None] * 20 + ["Smith Bella", "Jones Chris", "Taylor Adam"]
    parts = split(*names, given=given, family=known)
    assert parts["family_name"][-3:] == ["smith", "jones", "taylor"]
    assert parts["given_name"][-3:] == ["bella", "chris", "adam"]


def test_a_part_kept_apart_is_not_overruled_by_the_full_name() -> None:
    parts = split("Wrong Name", given=["Ann"], family=["Lee"])
    assert (parts["given_name"], parts["family_name"]) == (["ann"], ["lee"])


def test_a_record_without_parts_takes_them_from_its_full_name() -> None:
    parts = split("Anna Sidorova", "Ivan Petrov", given=["Bella", None], family=["Petrova", None])
    assert parts["given_name"] == ["bella", "ivan"]
    assert parts["family_name"] == ["petrova", "petrov"]


def test_a_second_given_name_is_a_middle_name() -> None:
    parts = split(given=["Anna"], given_2=["Maria"], family=["Lee"])
    assert parts["middle_name"] == ["maria"]


def test_a_single_word_is_a_given_name() -> None:
    assert split("Madonna") == {"given_name": ["madonna"]}


@pytest.mark.parametrize(
    ("name", "sex"),
    [("karimova", "female"), ("karimov", "male"), ("valievich", "male"), ("nodirovna", "female"),
     ("nodir qizi", "female"), ("valiogli", "male"), ("kim", ""), ("", "")],
)  # fmt: skip
def test_the_form_of_a_name_shows_the_sex(name: str, sex: str) -> None:
    assert sex_of_family_name(name) == sex


@given(st.lists(st.text(alphabet="абвкоич ,-'qizlog", max_size=25), min_size=1, max_size=8))
def test_no_word_of_a_full_name_appears_out_of_nothing(names: list[str]) -> None:
    table = pa.table({"full": pa.array(names, pa.string())})
    for field in build_fields(table, {"full": Kind.FULL_NAME}):
        assert field.rows == len(names)
        assert np.all(field.codes < len(field.values))
