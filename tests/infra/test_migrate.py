"""Migrations: forward only, once each, on new databases and on those with data."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from suzani.infra.migrate import known_migrations, known_names, migrate, migration_state
from suzani.kernel import Conflict, InvalidInput


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package of migrations of this test's own, named `steps`."""
    folder = tmp_path / "steps"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "0001_first.sql").write_text("create table a (x int); insert into a values (1);")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    sys.modules.pop("steps", None)


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


async def test_a_new_database_gets_every_migration_once(empty_database_url: str) -> None:
    applied = await migrate(empty_database_url)
    assert applied[0] == "procrastinate/schema.sql"
    assert [name for name in applied if "/" not in name] == [m.name for m in known_migrations()]
    assert await migrate(empty_database_url) == []
    state = await migration_state(empty_database_url)
    assert (set(state.applied), state.pending, state.unknown) == (known_names(), (), ())


async def test_state_of_a_database_that_was_never_migrated(empty_database_url: str) -> None:
    state = await migration_state(empty_database_url)
    assert state.applied == ()
    assert set(state.pending) == known_names()


async def test_a_later_migration_keeps_the_data_that_is_there(empty_database_url: str, package: Path) -> None:
    await migrate(empty_database_url, "steps")
    (package / "0002_second.sql").write_text("alter table a add y int not null default 2;")
    assert await migrate(empty_database_url, "steps") == ["0002_second.sql"]
    assert rows(empty_database_url, "select x, y from a") == [(1, 2)]


async def test_a_failing_migration_leaves_nothing_and_names_itself(
    empty_database_url: str, package: Path
) -> None:
    (package / "0002_second.sql").write_text("create table b (y int); select 1 / 0;")
    with pytest.raises(psycopg.errors.DivisionByZero) as caught:
        await migrate(empty_database_url, "steps")
    assert "0002_second.sql" in str(caught.value.__notes__)
    assert rows(empty_database_url, "select to_regclass('a') is null, to_regclass('b') is null") == [
        (False, True)
    ]
    assert (await migration_state(empty_database_url, "steps")).pending == ("0002_second.sql",)


async def test_a_database_of_a_newer_version_is_refused(empty_database_url: str, package: Path) -> None:
    (package / "0002_newer.sql").write_text("create table b (y int);")
    await migrate(empty_database_url, "steps")
    (package / "0002_newer.sql").unlink()
    with pytest.raises(Conflict, match=r"newer version of Suzani \(it has 0002_newer\.sql\)"):
        await migrate(empty_database_url, "steps")


async def test_a_released_migration_that_was_changed_is_refused(
    empty_database_url: str, package: Path
) -> None:
    await migrate(empty_database_url, "steps")
    (package / "0001_first.sql").write_text("create table a (x bigint);")
    with pytest.raises(Conflict, match=r"another text of 0001_first\.sql"):
        await migrate(empty_database_url, "steps")


async def test_processes_that_migrate_at_once_apply_each_step_once(empty_database_url: str) -> None:
    results = await asyncio.gather(*(migrate(empty_database_url) for _ in range(3)))
    assert sorted(map(bool, results)) == [False, False, True]


async def test_a_foreign_queue_in_the_database_is_refused(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("create table procrastinate_jobs (id int)")
    with pytest.raises(Conflict, match="not Suzani's"):
        await migrate(empty_database_url)


@pytest.mark.parametrize("name", ["first.sql", "0001_again.sql"])
def test_a_migration_without_a_number_of_its_own_is_refused(package: Path, name: str) -> None:
    (package / name).write_text("select 1;")
    with pytest.raises(InvalidInput, match="number of its own"):
        known_migrations("steps")
