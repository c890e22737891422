from __future__ import annotations

from typing import Any

import psycopg
import pytest

from suzani.identity import join, undo
from suzani.infra import jobs
from suzani.infra.db import Database, Query, execute, fetch
from suzani.infra.platform import Platform
from suzani.kernel import NotFound
from suzani.profiles import customer, load_survivorship, rebuild, rebuild_all
from suzani.profiles.jobs import REBUILD, rebuild_profiles, register
from tests.profiles import bank

ALL = Query("select * from profiles.profile order by person_id")
ANALYSED = Query(
    "select attname from pg_attribute where attrelid = 'profiles.profile'::regclass and attnum > 0 "
    "and attstattarget is distinct from 0 order by 1"
)


async def everything(database: Database) -> list[dict[str, Any]]:
    async with database.transaction() as tx:
        return await fetch(tx, ALL)


async def test_rebuilding_some_gives_what_rebuilding_all_gives(profiled: Database) -> None:
    before = await everything(profiled)
    async with profiled.transaction() as tx:
        await execute(
            tx, Query("update profiles.profile set display_name = 'stale', city = null where person_id < 3")
        )
    async with profiled.transaction() as tx:
        assert await rebuild(tx, [1, 2], load_survivorship(), bank.NOW) == 2
    assert await everything(profiled) == before


async def test_the_size_of_batches_changes_nothing(profiled: Database) -> None:
    before = await everything(profiled)
    seen: list[tuple[int, int]] = []
    async with profiled.transaction() as tx:
        built = await rebuild_all(
            tx,
            load_survivorship(),
            bank.NOW,
            batch=2,
            progress=lambda done, total: seen.append((done, total)),
        )
    assert built == 6
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert await everything(profiled) == before


async def test_only_columns_that_are_asked_for_are_analysed_before_and_after_a_rebuild(
    profiled: Database,
) -> None:
    for _ in range(2):
        async with profiled.transaction() as tx:
            rows = await fetch(tx, ANALYSED)
        assert [row["attname"] for row in rows] == [
            "person_id", "product_count", "record_count", "search", "systems",
        ]  # fmt: skip
        async with profiled.transaction() as tx:
            await rebuild_all(tx, load_survivorship(), bank.NOW)


async def test_readers_see_the_old_profiles_until_the_new_ones_are_complete(profiled: Database) -> None:
    async with profiled.transaction() as tx:
        await execute(tx, Query("update sources.record set family_name = 'Новый', full_name = null"))
    read: list[str] = []

    async def look() -> None:
        async with profiled.transaction() as other:
            rows = await fetch(other, Query("select family_name from profiles.profile where person_id = 1"))
            read.append(rows[0]["family_name"])

    async def build_and_fail() -> None:
        async with profiled.transaction() as tx:
            await rebuild_all(tx, load_survivorship(), bank.NOW)
            raise RuntimeError

    await look()
    with pytest.raises(RuntimeError):
        await build_and_fail()
    await look()
    async with profiled.transaction() as tx:
        await rebuild_all(tx, load_survivorship(), bank.NOW)
    await look()
    assert read == ["Каримов", "Каримов", "Новый"]


async def test_a_person_without_live_records_loses_the_profile(profiled: Database) -> None:
    async with profiled.transaction() as tx:
        await execute(tx, Query("update sources.record set deleted_at = now() where record_id = 109"))
    async with profiled.transaction() as tx:
        assert await rebuild(tx, [bank.JOHNSON], load_survivorship(), bank.NOW) == 0
        with pytest.raises(NotFound, match="has no profile"):
            await customer(tx, bank.JOHNSON)


async def test_an_empty_database_has_no_profiles(database: Database) -> None:
    async with database.transaction() as tx:
        assert await rebuild_all(tx, load_survivorship(), bank.NOW) == 0
    assert await everything(database) == []


async def test_the_job_runs_on_changed_identities(platform: Platform) -> None:
    register()
    assert REBUILD in jobs.SUBSCRIPTIONS["identity.changed"]
    async with platform.db.transaction() as tx:
        await bank.fill(tx)
    assert await rebuild_profiles(platform, run_id=1) == 6


async def test_the_job_builds_only_those_that_changed_since(platform: Platform) -> None:
    async with platform.db.transaction() as tx:
        await bank.fill(tx)
    assert await rebuild_profiles(platform) == 6
    assert await rebuild_profiles(platform) == 0
    joined = await join(platform, persons=[bank.KIM, bank.KIM_TWIN], actor="ann", reason="one man")
    before = {row["person_id"]: row["built_at"] for row in await everything(platform.db)}
    assert await rebuild_profiles(platform) == 1
    after = {row["person_id"]: row["built_at"] for row in await everything(platform.db)}
    assert before.keys() - after.keys() == {bank.KIM_TWIN}
    assert {person for person in after if after[person] != before[person]} == {bank.KIM}
    await undo(platform, joined.change_id, actor="ann", reason="twins")
    assert await rebuild_profiles(platform) == 2
    async with platform.db.transaction() as tx:
        assert (await customer(tx, bank.KIM_TWIN)).profile.record_count == 1


async def test_what_a_failed_rebuild_did_not_do_is_done_the_next_time(platform: Platform) -> None:
    async with platform.db.transaction() as tx:
        await bank.fill(tx)
    await rebuild_profiles(platform)
    await join(platform, persons=[bank.KIM, bank.KIM_TWIN], actor="ann", reason="one man")
    async with platform.db.transaction() as tx:
        await execute(
            tx, Query("alter table profiles.profile add constraint never check (record_count < 3) not valid")
        )
    with pytest.raises(psycopg.errors.CheckViolation):
        await rebuild_profiles(platform)
    async with platform.db.transaction() as tx:
        await execute(tx, Query("alter table profiles.profile drop constraint never"))
    assert await rebuild_profiles(platform) == 1
