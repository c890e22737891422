from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from suzani.bench.blocking import NARROW, WIDE, applicable, with_date_parts
from suzani.bench.columns import ID, columns_of, fields_of
from suzani.identity.standardising.fields import Field, build_fields
from suzani.kernel import Kind

_KINDS = {
    "given": Kind.GIVEN_NAME,
    "family": Kind.FAMILY_NAME,
    "maiden": Kind.FAMILY_NAME,
    "born": Kind.BIRTH_DATE,
    "mobile": Kind.PHONE,
    "home": Kind.PHONE,
    "national_id": Kind.NATIONAL_ID,
    "city": Kind.CITY,
}
_RECORDS = {
    "given": ["Хасан", "Khasan", None, "Olim"],
    "family": ["Каримов", "Karimov", "Karimova", "Aliyev"],
    "maiden": [None, None, "Rahimova", None],
    "born": ["1980-05-17", "17.05.1980", None, "1990-01-02"],
    "mobile": ["+998 90 123-45-67", None, "901234567", "+998 91 765-43-21"],
    "home": ["+998 71 222-33-44", None, None, None],
    "national_id": ["42811541615417", None, "30509991548973", None],
    "city": ["Ташкент", "Tashkent", "Bukhara", None],
}


@pytest.fixture
def fields() -> list[Field]:
    return build_fields(pa.table({k: pa.array(v, pa.string()) for k, v in _RECORDS.items()}), _KINDS)


def _said(item: Field) -> list[list[str | None]]:
    values = item.texts.to_pylist()
    return [[values[code] if code >= 0 else None for code in row] for row in item.codes.tolist()]


def test_fields_survive_the_way_through_columns_and_a_file(fields: list[Field], tmp_path: Path) -> None:
    pq.write_table(columns_of(fields, pa.array(range(4))), tmp_path / "columns.parquet")
    found = fields_of(pq.read_table(tmp_path / "columns.parquet"))
    assert [(item.name, item.kind, item.scheme) for item in found] == [
        (item.name, item.kind, item.scheme) for item in fields
    ]
    assert [_said(item) for item in found] == [_said(item) for item in fields]
    assert all(item.codes.dtype == np.int32 for item in found)


def test_name_fields_share_one_list_of_values_again(fields: list[Field]) -> None:
    found = {item.name: item for item in fields_of(columns_of(fields, pa.array(range(4))))}
    assert found["given_name"].values is found["family_name"].values


def test_further_values_have_columns_of_their_own_and_names_their_forms(fields: list[Field]) -> None:
    table = columns_of(fields, pa.array(["a", "b", "c", "d"]))
    assert table.column(ID).to_pylist() == ["a", "b", "c", "d"]
    assert {"phone", "phone_2", "family_name_2", "given_name_folded", "given_name_sound"} <= set(
        table.column_names
    )
    folded = table.column("given_name_folded").to_pylist()
    assert folded[0] == folded[1] is not None
    assert folded[2] is None


def test_dates_are_cut_into_year_and_month_and_day_for_blocking() -> None:
    table = with_date_parts(pa.table({"birth_date": ["19800517", None]}))
    assert table.column("birth_year").to_pylist() == ["1980", None]
    assert table.column("birth_month_day").to_pylist() == ["0517", None]


def test_rules_on_columns_that_are_not_there_are_left_out() -> None:
    table = pa.table({"phone": ["1"], "birth_date": ["19800517"]})
    assert applicable(WIDE, table) == (("phone",), ("birth_date",))
    assert applicable(NARROW, table) == (("phone",),)
