"""Arrow tables into PostgreSQL and out again, unchanged whatever the text."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from suzani.infra.db import Database, Query, copy_in, copy_out, execute, fetch, fetch_one
from suzani.kernel import InvalidInput

HARD_TEXTS = [
    "",
    None,
    " ",
    '"',
    '""',
    ",",
    "\\",
    "\\.",
    "\\N",
    "NULL",
    "null",
    "a\nb",
    "a\r\nb",
    "\r",
    "\n",
    "O‘zbekiston",
    "김철수",
    "Ёлкин",
    "😀",
    "﻿bom",
    "{a,b}",
    "\x01\x1f\x7f",
    "\t",
    "'; drop table x; --",
    "%s %(x)s {}",
]


@pytest.fixture
async def db(empty_database_url: str) -> AsyncIterator[Database]:
    database = await Database.connect(empty_database_url, pool_size=2)
    yield database
    await database.close()


async def roundtrip(db: Database, columns: str, table: pa.Table) -> pa.Table:
    async with db.transaction() as tx:
        await execute(tx, Query(f"create temp table t (row_no int generated always as identity, {columns})"))
        assert await copy_in(tx, "t", table) == table.num_rows
        result = await copy_out(tx, Query("select * from t order by row_no"), table.schema)
        await execute(tx, Query("drop table t"))
    return result


async def test_any_text_survives_and_null_stays_distinct_from_empty(db: Database) -> None:
    table = pa.table({"a": HARD_TEXTS, "b": list(reversed(HARD_TEXTS))})
    assert (await roundtrip(db, "a text, b text", table)).equals(table)


async def test_one_column_of_nulls_and_empties_survives(db: Database) -> None:
    table = pa.table({"a": pa.array([None, "", None, ""], pa.string())})
    assert (await roundtrip(db, "a text", table)).equals(table)


@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(texts=st.lists(st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
async def test_every_text_comes_back_as_it_was(db: Database, texts: list[str | None]) -> None:
    table = pa.table({"a": pa.array(texts, pa.string())})
    assert (await roundtrip(db, "a text", table)).equals(table)


async def test_every_type_comes_back_as_it_was(db: Database) -> None:
    moment = datetime(2024, 2, 29, 23, 59, 59, 123456, tzinfo=UTC)
    columns: dict[str, tuple[str, pa.DataType, list[Any]]] = {
        "b": ("boolean", pa.bool_(), [True, False, None]),
        "i": ("integer", pa.int32(), [1, -1, None]),
        "l": ("bigint", pa.int64(), [2**62, -(2**62), None]),
        "r": ("real", pa.float32(), [0.5, -0.25, None]),
        "d": ("double precision", pa.float64(), [1e300, 0.1, None]),
        "m": (
            "numeric(20,2)",
            pa.decimal128(20, 2),
            [Decimal("123456789012345678.90"), Decimal("-0.01"), None],
        ),
        "day": ("date", pa.date32(), [date(1900, 1, 1), date(2024, 2, 29), None]),
        "at": ("timestamptz", pa.timestamp("us", "UTC"), [moment, datetime(1899, 1, 1, tzinfo=UTC), None]),
        "raw": ("bytea", pa.binary(), [b"\x00\xff\\", b"", None]),
        "texts": ("text[]", pa.list_(pa.string()), [['a"b', "c,d", "\\", "{}", "", None, "NULL"], [], None]),
        "ids": ("bigint[]", pa.list_(pa.int64()), [[1, None, 3], [], None]),
    }
    table = pa.table({name: pa.array(values, kind) for name, (_, kind, values) in columns.items()})
    sql_columns = ", ".join(f"{name} {sql_type}" for name, (sql_type, _, _) in columns.items())
    result = await roundtrip(db, sql_columns, table)
    assert result.to_pylist() == table.to_pylist()
    assert result.schema.equals(table.schema)


async def test_a_slice_of_binary_and_lists_is_copied_as_that_slice(db: Database) -> None:
    table = pa.table(
        {"raw": pa.array([b"a", None, b"bc", b"d"]), "texts": pa.array([["x"], None, ["y", "z"], []])}
    ).slice(1, 2)
    result = await roundtrip(db, "raw bytea, texts text[]", table)
    assert result.to_pylist() == table.to_pylist()


async def test_structs_and_maps_become_json_and_dictionaries_become_text(db: Database) -> None:
    table = pa.table(
        {
            "s": pa.array([{"a": 1, "b": "ж"}, None], pa.struct([("a", pa.int64()), ("b", pa.string())])),
            "m": pa.array([[("k", "v")], None], pa.map_(pa.string(), pa.string())),
            "w": pa.array(["x", None]).dictionary_encode(),
        }
    )
    async with db.transaction() as tx:
        await execute(tx, Query("create temp table t (s jsonb, m jsonb, w text)"))
        await copy_in(tx, "t", table)
        rows = await fetch(tx, Query("select * from t"))
    assert rows == [
        {"s": {"a": 1, "b": "ж"}, "m": {"k": "v"}, "w": "x"},
        {"s": None, "m": None, "w": None},
    ]


async def test_a_nul_character_is_refused_and_names_its_column(db: Database) -> None:
    table = pa.table({"a": ["fine"], "b": ["not\0fine"]})
    with pytest.raises(InvalidInput, match="NUL character in b"):
        await roundtrip(db, "a text, b text", table)


async def test_a_table_of_no_rows_copies_nothing(db: Database) -> None:
    table = pa.table({"a": pa.array([], pa.string())})
    assert (await roundtrip(db, "a text", table)).equals(table)


async def test_many_batches_arrive_in_order(db: Database) -> None:
    table = pa.table({"a": [f"строка {n}" for n in range(70_000)]})
    assert (await roundtrip(db, "a text", table)).equals(table)


async def test_copy_out_takes_parameters_and_a_literal_percent_sign(db: Database) -> None:
    async with db.transaction() as tx:
        query = Query("select %(text)s::text as a, '100%%' as b;")
        table = await copy_out(tx, query, pa.schema([("a", pa.string()), ("b", pa.string())]), text="o'x")
    assert table.to_pylist() == [{"a": "o'x", "b": "100%"}]


async def _insert_and_fail(db: Database) -> None:
    async with db.transaction() as tx:
        assert await execute(tx, Query("insert into kept values (1), (2)")) == 2
        raise ZeroDivisionError


async def test_a_failing_block_leaves_nothing_behind(db: Database) -> None:
    async with db.transaction() as tx:
        await execute(tx, Query("create table kept (a int)"))
    with pytest.raises(ZeroDivisionError):
        await _insert_and_fail(db)
    async with db.transaction() as tx:
        assert await fetch_one(tx, Query("select count(*) as n from kept")) == {"n": 0}
        assert await fetch_one(tx, Query("select * from kept where a = %(a)s"), a=1) is None


async def test_an_error_of_the_statement_is_not_taken_for_a_lost_server(db: Database) -> None:
    async def fail() -> None:
        async with db.transaction() as tx:
            await execute(tx, Query("do $$ begin raise exception using errcode = '55P03'; end $$"))

    with pytest.raises(psycopg.errors.LockNotAvailable):
        await fail()
