from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from suzani.infra.db import Database, Nested, Query, execute, fetch_one
from suzani.kernel import Unavailable


@dataclass
class Kept:
    number: int
    at: datetime


async def test_a_transaction_is_kept_whole_or_not_at_all(database: Database) -> None:
    async with database.transaction() as tx:
        await execute(tx, Query("create table kept (number int)"))
    try:
        async with database.transaction() as tx:
            await execute(tx, Query("insert into kept values (1)"))
            raise KeyError
    except KeyError:
        pass
    async with database.transaction() as tx:
        assert await fetch_one(tx, Query("select * from kept")) is None


async def test_one_broken_connection_is_met_where_many_are_left_behind(database: Database) -> None:
    everybody = asyncio.Barrier(4)

    async def backend() -> int:
        async with database.transaction() as tx:
            await everybody.wait()
            return tx.info.backend_pid

    before = await asyncio.gather(*(backend() for _ in range(4)))
    end = Query("select pg_terminate_backend(pid) from unnest(%(pids)s::integer[]) as pid")
    async with await psycopg.AsyncConnection.connect(database.url, row_factory=dict_row) as other:
        await execute(other, end, pids=before)
    with pytest.raises(Unavailable):
        await backend()
    await asyncio.sleep(0.1)
    everybody = asyncio.Barrier(4)
    after = await asyncio.gather(*(backend() for _ in range(4)))
    assert set(after).isdisjoint(before)


async def test_each_statement_is_a_transaction_of_its_own_while_reading(database: Database) -> None:
    now = Query("select now() as at, pg_current_xact_id_if_assigned() as id")
    async with database.autocommit() as tx:
        first, second = await fetch_one(tx, now), await fetch_one(tx, now)
    assert first is not None
    assert second is not None
    assert first["at"] < second["at"]


async def test_places_are_filled_by_name_wherever_they_stand(database: Database) -> None:
    query = Query(
        "select %(b)s::int as b, %(a)s::int + %(b)s::int as sum, 7 %% 4 as rest, %(data)b::bytea as data"
    )
    text = Query("select %(b)s::int as b, %(a)s::int + %(b)s::int as sum, 7 %% 4 as rest, 'x'::bytea as data")
    async with database.transaction() as tx:
        for one in (query, text):
            found = await fetch_one(tx, one, a=1, b=2, data=b"x", unused=3)
            assert found == {"b": 2, "sum": 3, "rest": 3, "data": b"x"}


async def nested(database: Database, query: Nested[Any], **places: str) -> list[Any]:
    """What a query finds inside one that has the column `number`, 7."""
    column = query.column("found", **places)
    async with database.autocommit() as tx:
        row = await fetch_one(tx, sql.SQL("select {} from (select 7 as number) as its").format(column))
    assert row is not None
    return query.read(row["found"])


async def test_a_query_nested_in_another_gives_all_its_rows(database: Database) -> None:
    text = "select n as number, %(since)s::timestamptz as at from generate_series(1, %(number)s) as n"
    found = await nested(
        database, Nested(Query(text), Kept), number="its.number", since="'2026-11-02 14:00+05'"
    )
    assert found == [Kept(number, datetime(2026, 11, 2, 9, tzinfo=UTC)) for number in range(1, 8)]


async def test_a_nested_query_without_rows_gives_none(database: Database) -> None:
    assert await nested(database, Nested(Query("select 1 as one where false"), dict)) == []


async def test_a_nested_query_may_take_remainders_and_gives_exact_fractions(database: Database) -> None:
    query = Nested(Query("select 17 %% %(number)s as rest, 1234567890.10 as amount"), dict[str, Any])
    [found] = await nested(database, query, number="its.number")
    assert found["rest"] == 3
    assert str(found["amount"]) == "1234567890.10"
