from __future__ import annotations

import pytest

from suzani.infra.db import Database, Query, Tx, execute
from suzani.profiles import audit, audit_stamp, load_survivorship, rebuild_all
from suzani.profiles.types import Count, Size
from tests.profiles import bank


async def test_the_audit_counts_what_is_there(tx: Tx) -> None:
    found = await audit(tx)
    assert (found.records, found.persons, found.unresolved_records) == (10, 6, 0)
    assert found.duplicate_share == pytest.approx(0.4)
    assert found.by_systems == (Size(1, 3), Size(2, 2), Size(3, 1))
    assert sum(size.size * size.persons for size in found.by_records) == found.records
    assert found.consent == (Count("denied", 1), Count("granted", 1), Count("missing", 4))
    assert found.consent_conflicts == 1
    assert found.quarantine == (Count("wrong_type", 1),)
    assert found.biggest[0].records == 3
    assert found.latest_run
    assert found.latest_run.edges == 4


async def test_systems_share_persons_both_ways_counted_once(tx: Tx) -> None:
    shared = {(pair.system_a, pair.system_b): pair.persons for pair in (await audit(tx)).shared}
    assert shared["cards", "core_banking"] == 1
    assert shared["cards", "cards"] == 3
    assert all(a <= b for a, b in shared)


async def test_an_empty_database_has_an_audit_of_nothing(database: Database) -> None:
    async with database.transaction() as tx:
        found = await audit(tx)
    assert (found.records, found.persons, found.duplicate_share, found.latest_run) == (0, 0, 0.0, None)


async def test_the_stamp_changes_with_what_the_audit_counts(profiled: Database) -> None:
    async def stamp() -> object:
        async with profiled.transaction() as tx:
            return await audit_stamp(tx)

    first = await stamp()
    assert await stamp() == first
    async with profiled.transaction() as tx:
        await execute(tx, Query("update sources.quarantine set state = 'dismissed'"))
    second = await stamp()
    async with profiled.transaction() as tx:
        await rebuild_all(tx, load_survivorship(), bank.NOW)
    assert len({first, second, await stamp()}) == 3
