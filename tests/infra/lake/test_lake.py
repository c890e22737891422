"""The lake: each row once, whatever is killed; many small files become one while readers read."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from suzani.infra.db import Database, Query, execute
from suzani.infra.lake import Lake, compact, days, files, keep, show, store, write
from suzani.infra.lake.compacting import merged
from suzani.infra.lake.keeping import clean
from suzani.infra.lake.showing import exchange

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TODAY, YESTERDAY = NOON.date(), NOON.date() - timedelta(days=1)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def rows(*numbers: int, days_ago: int = 0) -> pa.Table:
    at = [NOON - timedelta(days=days_ago)] * len(numbers)
    return pa.table({"n": list(numbers), "at": pa.array(at, pa.timestamp("us", "UTC"))})


async def written(db: Database, lake: Lake, *tables: pa.Table) -> None:
    """Each table added in a transaction of its own."""
    for table in tables:
        async with db.transaction() as tx:
            await write(tx, lake, "events", table, "at")


def seen(lake: Lake) -> list[int]:
    """What an engine finds that knows of nothing but the folder."""
    glob = str(lake.folder / "events/**/*.parquet")
    found = duckdb.connect().execute(f"select n from read_parquet('{glob}', hive_partitioning = true)")
    return sorted(n for (n,) in found.fetchall())


async def listed(db: Database, lake: Lake, first: date | None = None) -> list[int]:
    """What the lake's own list of files holds."""
    async with db.transaction() as tx:
        paths = await files(tx, lake, "events", first)
    return sorted(n for path in paths for n in pq.read_table(path).column("n").to_pylist())


async def test_rows_are_shown_by_day_once_they_are_committed(database: Database, lake: Lake) -> None:
    both = pa.concat_tables([rows(1, 2), rows(3, days_ago=1)])
    async with database.transaction() as tx:
        await write(tx, lake, "events", both, "at")
        assert await show(database, lake) == 0
    assert await show(database, lake) == 2
    assert seen(lake) == await listed(database, lake) == [1, 2, 3]
    assert await listed(database, lake, TODAY) == [1, 2]
    assert [path.parent.name for path in sorted(lake.folder.glob("events/*/*"))] == [
        f"day={YESTERDAY}", f"day={TODAY}",
    ]  # fmt: skip
    async with database.transaction() as tx:
        assert [(day.day, day.files, day.rows) for day in await days(tx)] == [
            (YESTERDAY, 1, 1),
            (TODAY, 1, 2),
        ]


async def test_rows_of_a_failed_transaction_are_never_seen_and_their_files_go(
    database: Database, lake: Lake
) -> None:
    async def fail() -> None:
        async with database.transaction() as tx:
            await write(tx, lake, "events", rows(1), "at")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    await show(database, lake)
    await clean(database, lake)
    assert len(list(lake.folder.glob("**/*.parquet"))) == 1
    await clean(database, lake, grace_seconds=-1)
    assert list(lake.folder.glob("**/*.parquet")) == []


async def test_no_rows_make_no_file(database: Database, lake: Lake) -> None:
    await written(database, lake, rows(1).slice(1))
    assert await listed(database, lake) == []


async def test_small_files_of_a_day_become_one(database: Database, lake: Lake) -> None:
    await written(database, lake, *(rows(n) for n in range(5)), rows(7, days_ago=1))
    await show(database, lake)
    assert await compact(database, lake) == 0
    assert await compact(database, lake, quiet_seconds=0) == 1
    assert len(list(lake.folder.glob("events/*/*.parquet"))) == 2
    assert seen(lake) == await listed(database, lake) == [0, 1, 2, 3, 4, 7]
    assert await compact(database, lake, quiet_seconds=0) == 0


async def test_files_never_shown_are_compacted_too(database: Database, lake: Lake) -> None:
    await written(database, lake, rows(1), rows(2))
    await compact(database, lake, quiet_seconds=0)
    assert seen(lake) == await listed(database, lake) == [1, 2]


async def test_who_has_the_list_can_read_on_while_files_are_replaced(database: Database, lake: Lake) -> None:
    await written(database, lake, rows(1), rows(2))
    async with database.transaction() as tx:
        paths = await files(tx, lake, "events")
    await compact(database, lake, quiet_seconds=0)
    await clean(database, lake)
    assert sorted(n for path in paths for n in pq.read_table(path).column("n").to_pylist()) == [1, 2]
    await clean(database, lake, grace_seconds=-1)
    assert not any(path.exists() for path in paths)
    assert seen(lake) == await listed(database, lake) == [1, 2]


async def test_compaction_killed_before_the_folder_changed_is_finished_by_the_next(
    database: Database, lake: Lake
) -> None:
    await written(database, lake, rows(1), rows(2))
    await show(database, lake)
    async with database.transaction() as tx:
        [small] = await store.to_compact(tx, small_bytes=10**9, quiet_seconds=0, many=2)
        await store.replace(tx, small.files, merged(lake, small))
    assert seen(lake) == await listed(database, lake) == [1, 2]
    assert await show(database, lake) == 1
    assert seen(lake) == await listed(database, lake) == [1, 2]
    assert len(list(lake.folder.glob("events/*/*.parquet"))) == 1


async def test_showing_killed_half_way_is_done_again(database: Database, lake: Lake) -> None:
    await written(database, lake, rows(1), rows(2))
    await show(database, lake)
    async with database.transaction() as tx:
        await execute(tx, Query("update lake.file set shown_at = null"))
    assert await show(database, lake) == 1
    assert seen(lake) == [1, 2]


async def test_columns_that_came_later_are_null_in_older_rows(database: Database, lake: Lake) -> None:
    later = rows(2).append_column("channel", pa.array(["web"]))
    await written(database, lake, rows(1), later)
    await compact(database, lake, quiet_seconds=0)
    async with database.transaction() as tx:
        [path] = await files(tx, lake, "events")
    assert pq.read_table(path).select(["n", "channel"]).to_pylist() == [
        {"n": 1, "channel": None},
        {"n": 2, "channel": "web"},
    ]


async def test_a_lake_that_is_kept_shows_what_is_written(database: Database, lake: Lake) -> None:
    await written(database, lake, rows(1))
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(keep(database, lake, stop=stop))
        async with asyncio.timeout(60):
            while not list(lake.folder.glob("events/*/*.parquet")):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        stop.set()
    assert seen(lake) == [1]


def test_folders_change_names(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    exchange(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "a" / "b").exists()
    assert (tmp_path / "b" / "a").exists()
