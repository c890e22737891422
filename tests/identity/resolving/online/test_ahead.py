"""Batches stored ahead of the database: what was believed wrongly is found out, and nothing is half-done."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import psycopg
import pytest

from suzani import sources
from suzani.identity import Asked, Limits, Resolved, Resolver, join
from suzani.identity.indexing.mirror import Mirror
from suzani.identity.resolving.service import resolve_if_changed
from suzani.infra.db import Database
from suzani.infra.platform import Platform
from suzani.kernel import Busy, now
from tests.identity.online_bank import STRANGER, live, looked_up, one, rows, said_by, to_store, typed_again

LOCK = "select pg_advisory_xact_lock(hashtext('suzani identity run'))"


@pytest.fixture
async def ahead(platform: Platform, resolver: Resolver) -> Resolver:
    """A resolver that stores new records ahead of the database from now on."""
    await one(resolver, to_store(platform, "first", {"given_name": "Olim", "family_name": "Hojiyev"}))
    assert resolver._ahead.takes(128)
    return resolver


def stranger(number: int) -> dict[str, str]:
    return {**STRANGER, "address": f"{number}", "phone": f"+998 71 299 {number:04}"}


async def assert_as_stored(platform: Platform, resolver: Resolver) -> None:
    """The memory of a resolver is what the database holds, and every stored record has its person."""
    await one(resolver, looked_up(STRANGER))
    fresh = await Mirror.opened(platform)
    assert said_by(resolver._mirror) == said_by(fresh)
    without = "select from sources.record r left join identity.membership m using (record_id) "
    assert not await rows(platform, without + "where m.person_id is null and r.deleted_at is null")


async def test_batches_overtake_nobody_and_all_are_kept(platform: Platform, ahead: Resolver) -> None:
    known = (await live(platform))[:120]
    asked = [to_store(platform, f"new-{i}", typed_again(r, i), "lending") for i, r in enumerate(known)]
    found = [await asyncio.gather(*(one(ahead, a) for a in asked[at : at + 7])) for at in range(0, 120, 7)]
    answers = [answer for batch in found for answer in batch]
    kept = await rows(platform, "select record_id, key from sources.record where key like 'new-%%'")
    assert {f"new-{i}": a.record_id for i, a in enumerate(answers)} == {
        r["key"]: r["record_id"] for r in kept
    }
    counts = await rows(platform, "select count(*), max(change_id) from identity.change")
    assert counts[0]["count"] == counts[0]["max"], "changes are numbered one by one"
    await assert_as_stored(platform, ahead)


async def test_a_record_that_was_there_is_replaced_not_doubled(platform: Platform, ahead: Resolver) -> None:
    first = to_store(platform, "new-1", STRANGER)
    assert first.store is not None
    async with platform.db.transaction() as tx:
        [there] = (await sources.put(tx, [first.store], now())).record_ids
    answers = await asyncio.gather(
        *(one(ahead, to_store(platform, f"new-{i}", stranger(i))) for i in range(1, 9))
    )
    assert answers[0].record_id == there
    assert len(await rows(platform, "select from sources.record where key like 'new-%%'")) == 8
    await assert_as_stored(platform, ahead)


async def test_what_others_changed_meanwhile_is_seen(
    platform: Platform, ahead: Resolver, other: Resolver
) -> None:
    for turn in range(6):
        theirs = await one(other, to_store(platform, f"theirs-{turn}", stranger(turn), "lending"))
        ours = await one(ahead, to_store(platform, f"ours-{turn}", stranger(turn)))
        assert ours.person_id == theirs.person_id
    await assert_as_stored(platform, ahead)


async def test_one_that_is_refused_takes_no_other_with_it(platform: Platform, ahead: Resolver) -> None:
    def spoilt(asked: Asked) -> Asked:
        assert asked.store is not None
        return replace(asked, store=replace(asked.store, values={**asked.store.values, "sex": "neither"}))

    asked = [to_store(platform, f"new-{i}", stranger(i)) for i in range(40)]
    asked = [spoilt(one_) if i % 10 == 3 else one_ for i, one_ in enumerate(asked)]
    found = await asyncio.gather(*(ahead.resolve([one_]) for one_ in asked), return_exceptions=True)
    for i, outcome in enumerate(found):
        if i % 10 == 3:
            assert isinstance(outcome, psycopg.errors.CheckViolation)
        else:
            assert isinstance(outcome, list)
            assert isinstance(outcome[0], Resolved)
    assert len(await rows(platform, "select from sources.record where key like 'new-%%'")) == 36
    await assert_as_stored(platform, ahead)
    again = await one(ahead, to_store(platform, "later", stranger(0)))
    assert not again.is_new


async def test_nobody_is_told_of_what_may_still_fail(platform: Platform) -> None:
    resolver = await Resolver.opened(platform, Limits(wait_seconds=0.4))
    try:
        await one(resolver, to_store(platform, "first", {"given_name": "Olim", "family_name": "Hojiyev"}))
        assert resolver._ahead.takes(1)
        async with platform.db.transaction() as tx:
            await tx.execute(LOCK)
            storing = asyncio.create_task(resolver.resolve([to_store(platform, "new-1", STRANGER)]))
            await asyncio.sleep(0.02)
            assert (await one(resolver, looked_up(STRANGER))).is_new
            [refused] = await storing
            assert isinstance(refused, Busy)
        assert (await one(resolver, looked_up(STRANGER))).is_new
        assert (await one(resolver, to_store(platform, "new-1", STRANGER))).is_new
        await assert_as_stored(platform, resolver)
    finally:
        await resolver.close()


async def test_a_lost_connection_leaves_memory_and_database_alike(
    platform: Platform, ahead: Resolver
) -> None:
    kill = "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() "
    kill += "and datname = current_database()"

    async def killer() -> None:
        async with await psycopg.AsyncConnection.connect(platform.db.url, autocommit=True) as connection:
            for _ in range(4):
                await asyncio.sleep(0.03)
                await connection.execute(kill)

    async def storing() -> None:
        for at in range(0, 60, 5):
            await asyncio.gather(
                *(ahead.resolve([to_store(platform, f"new-{i}", stranger(i))]) for i in range(at, at + 5))
            )

    await asyncio.gather(storing(), killer())
    await platform.db.pool.check()
    await assert_as_stored(platform, ahead)


async def test_ids_in_stock_never_run_out(platform: Platform, ahead: Resolver) -> None:
    before, known = len(ahead._ahead.stock), (await live(platform))[:900]
    for at in range(0, 900, 100):
        asked = [
            to_store(platform, f"new-{no}", typed_again(known[no], no), "lending")
            for no in range(at, at + 100)
        ]
        assert all(isinstance(answer, Resolved) for answer in await ahead.resolve(asked))
    assert len(ahead._ahead.stock) > before - 900
    await assert_as_stored(platform, ahead)


async def test_many_hands_at_once_leave_what_one_would(
    platform: Platform, ahead: Resolver, other: Resolver
) -> None:
    known = (await live(platform))[:80]
    named = [record["record_id"] for record in known]

    async def store(resolver: Resolver, name: str, system: str) -> None:
        for i, record in enumerate(known):
            await one(resolver, to_store(platform, f"{name}-{i}", typed_again(record, i), system))
            if i % 4 == 0:  # says something else now
                await one(resolver, to_store(platform, f"{name}-{i}", stranger(i), system))

    async def steward() -> None:
        for a, b in zip(named[:12:2], named[1:12:2], strict=True):
            await join(platform, records=[a, b], actor="Olim", reason="one person")
            await asyncio.sleep(0.05)

    async def worker() -> None:
        db = await Database.connect(platform.db.url, pool_size=2)
        try:
            for i in range(5):
                typed = to_store(platform, f"file-{i}", typed_again(known[-i], 100 + i)).store
                assert typed is not None
                async with db.transaction() as tx:
                    await sources.put(tx, [typed], now())
                await resolve_if_changed(replace(platform, db=db))
        finally:
            await db.close()

    hands = store(ahead, "ours", "lending"), store(other, "theirs", "cards"), steward(), worker()
    await asyncio.gather(*hands)
    await assert_as_stored(platform, ahead)
    await assert_as_stored(platform, other)
    fresh = await Mirror.opened(platform)
    records = await live(platform)
    region = fresh._closed({record["record_id"] for record in records}, [])
    cluster = dict(zip(region.record_id.tolist(), region.cluster.tolist(), strict=True))
    pairs = {(record["person_id"], cluster[record["record_id"]]) for record in records}
    assert len(pairs) == len({person for person, _ in pairs}) == len({named for _, named in pairs})
