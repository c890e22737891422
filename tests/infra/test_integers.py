from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from suzani.infra.db import Database, Query, execute, fetch
from suzani.infra.integers import Ints, copy_integers, moment, moments

AT = datetime(2026, 2, 3, 4, 5, 6, 789_012, tzinfo=UTC)
CREATE = Query("create temporary table held (number bigint, at timestamptz, same timestamptz)")


@pytest.mark.parametrize("rows", [0, 3, 70_000])
async def test_values_arrive_as_they_were(database: Database, rows: int) -> None:
    number = np.arange(rows, dtype=np.int64) - 2**40
    at_us = np.full(rows, round(AT.timestamp() * 1_000_000), dtype=np.int64)
    async with database.transaction() as tx:
        await execute(tx, CREATE)
        columns: dict[str, Ints | int] = {"number": number, "at": moments(at_us), "same": moment(AT)}
        await copy_integers(tx, "held", rows, columns)
        found = await fetch(tx, Query("select * from held order by number"))
    assert [row["number"] for row in found] == number.tolist()
    assert {row["at"] for row in found} == {row["same"] for row in found} == ({AT} if rows else set())


async def test_times_before_1970_keep_their_microseconds(database: Database) -> None:
    early = datetime(1931, 5, 6, 7, 8, 9, 250_001, tzinfo=UTC)
    async with database.transaction() as tx:
        await execute(tx, CREATE)
        await copy_integers(tx, "held", 1, {"at": moment(early)})
        [row] = await fetch(tx, Query("select at from held"))
    assert row["at"] == early
