from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import psycopg
import pytest

from suzani.identity import Asked, Limits, Resolved, Resolver, resolve
from suzani.identity.indexing import snapshot
from suzani.identity.indexing.mirror import Mirror
from suzani.identity.indexing.opening import snapshot_in
from suzani.identity.indexing.snapshot import Snapshot
from suzani.infra.db import Database
from suzani.infra.platform import Platform
from suzani.kernel import Busy, Conflict, InvalidInput, SuzaniError, now
from tests.identity.online_bank import (
    STRANGER,
    live,
    looked_up,
    one,
    rows,
    said,
    said_by,
    to_store,
    typed_again,
)


async def test_who_is_known_is_recognised_however_typed(platform: Platform, resolver: Resolver) -> None:
    known = (await live(platform))[:60]
    found = [await one(resolver, looked_up(typed_again(record, i))) for i, record in enumerate(known)]
    right = sum(a.person_id == record["person_id"] for a, record in zip(found, known, strict=True))
    assert right >= 54
    assert all(len(answer.nearest) <= 5 for answer in found)


async def test_a_stranger_is_nobody_until_stored(platform: Platform, resolver: Resolver) -> None:
    nobody = await one(resolver, looked_up(STRANGER))
    assert (nobody.person_id, nobody.is_new, nobody.record_id) == (None, True, None)
    stored = await one(resolver, to_store(platform, "new-1", STRANGER))
    assert stored.is_new
    assert stored.record_id
    again = await one(resolver, looked_up({**STRANGER, "given_name": "Хуршид"}))
    assert (again.person_id, again.is_new) == (stored.person_id, False)
    [row] = await rows(
        platform, "select * from identity.membership where record_id = %(id)s", id=stored.record_id
    )
    assert row["person_id"] == stored.person_id
    [change] = await rows(platform, "select * from identity.change order by change_id desc limit 1")
    assert change["cause"] == "online"


async def test_looking_up_leaves_no_trace(platform: Platform, resolver: Resolver) -> None:
    counts = (
        "select (select count(*) from sources.record) as r, (select count(*) from identity.change) as c, "
    )
    counts += "(select count(*) from sources.load) as l, "
    counts += "(select last_value from identity.person_person_id_seq) as p"
    before = await rows(platform, counts)
    size = len(mirror_in(resolver).index)
    for record in (await live(platform))[:10]:
        await one(resolver, looked_up(said(record)))
    await one(resolver, looked_up(STRANGER))
    assert await rows(platform, counts) == before
    assert len(mirror_in(resolver).index) == size


def mirror_in(resolver: Resolver) -> Mirror:
    return resolver._mirror


async def test_a_pair_weighs_what_the_run_gave_it(platform: Platform, resolver: Resolver) -> None:
    records = {record["record_id"]: record for record in await live(platform)}
    edges = await rows(platform, "select * from identity.edge order by probability desc, record_a limit 250")
    compared = 0
    for edge in edges:
        a, b = records[edge["record_a"]], edge["record_b"]
        found = await one(resolver, looked_up(said(a), 100))
        for near in found.nearest:
            if near.best_record_id == b:
                assert near.weight_bits == pytest.approx(edge["weight_bits"], abs=0.011)
                assert {name: list(told) for name, told in near.evidence.items()} == edge["evidence"]
                compared += 1
    assert compared >= 15


async def test_the_same_record_stored_twice_is_one_record(platform: Platform, resolver: Resolver) -> None:
    first = await one(resolver, to_store(platform, "new-1", STRANGER))
    second = await one(resolver, to_store(platform, "new-1", STRANGER))
    assert (first.record_id, first.person_id) == (second.record_id, second.person_id)
    assert not second.is_new


async def test_another_process_sees_what_was_stored(
    platform: Platform, resolver: Resolver, other: Resolver
) -> None:
    stored = await one(resolver, to_store(platform, "new-1", STRANGER))
    assert (await one(other, looked_up(STRANGER))).person_id == stored.person_id
    there = await one(other, to_store(platform, "new-2", STRANGER, "lending"))
    assert (there.person_id, there.is_new) == (stored.person_id, False)
    changed = {**STRANGER, "family_name": "Узбекова", "given_name": "Ким", "birth_date": "1990-01-02"}
    changed |= {"phone": "+998 90 111 22 33", "address": "Бухара, 1", "email": "k@x.example"}
    moved = await one(other, to_store(platform, "new-2", changed, "lending"))
    assert moved.person_id != stored.person_id
    assert (await one(resolver, looked_up(changed))).person_id == moved.person_id


async def test_one_person_many_times_at_once_is_one_person(
    platform: Platform, resolver: Resolver, other: Resolver
) -> None:
    copies = [to_store(platform, f"new-{i}", {**STRANGER, "phone": f"99871299990{i % 9}"}) for i in range(50)]
    found = await asyncio.gather(
        *(one(resolver if i % 2 else other, asked) for i, asked in enumerate(copies))
    )
    assert len({answer.person_id for answer in found[-1:]}) == 1
    ids = [answer.record_id for answer in found]
    persons = await rows(
        platform, "select distinct person_id from identity.membership where record_id = any(%(ids)s)", ids=ids
    )
    assert len(persons) == 1


async def test_online_gives_the_persons_that_a_run_gives(platform: Platform, resolver: Resolver) -> None:
    known = (await live(platform))[:200]
    asked = [to_store(platform, f"again-{i}", typed_again(r, i), "lending") for i, r in enumerate(known)]
    await resolver.resolve(asked[:150])
    for record in asked[150:]:
        await one(resolver, record)
    before = {row["record_id"]: row["person_id"] for row in await live(platform)}
    clusters = await _same_with_knowledge(platform, resolver)
    assert clusters == _grouped(before)


def _grouped(person_of: dict[int, int]) -> set[frozenset[int]]:
    groups: dict[int, set[int]] = {}
    for record, person in person_of.items():
        groups.setdefault(person, set()).add(record)
    return {frozenset(group) for group in groups.values()}


async def _same_with_knowledge(platform: Platform, resolver: Resolver) -> set[frozenset[int]]:
    """Persons among all records as a fresh index of everything finds them."""
    fresh = await Mirror.opened(platform)
    records = [row["record_id"] for row in await live(platform)]
    region = fresh.index.resolve(records, {})
    return _grouped(dict(zip(region.record_id.tolist(), region.cluster.tolist(), strict=True)))


async def test_a_lost_connection_leaves_nothing_half_done(platform: Platform, resolver: Resolver) -> None:
    kill = "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() "
    kill += "and datname = current_database()"
    asked = [to_store(platform, f"new-{i}", {**STRANGER, "address": f"{i}"}) for i in range(60)]

    async def killer() -> None:
        async with await psycopg.AsyncConnection.connect(platform.db.url, autocommit=True) as connection:
            for _ in range(3):
                await asyncio.sleep(0.02)
                await connection.execute(kill)

    found, _ = await asyncio.gather(asyncio.gather(*(resolver.resolve([a]) for a in asked)), killer())
    await platform.db.pool.check()
    answered = [answer for [answer] in found if isinstance(answer, Resolved)]
    stored = await rows(platform, "select record_id from sources.record where key like 'new-%%'")
    settled = await rows(
        platform,
        "select r.record_id from sources.record r join identity.membership m using (record_id) "
        "where r.key like 'new-%%'",
    )
    assert len(stored) == len(settled), "every stored record has its person"
    assert {answer.record_id for answer in answered} <= {row["record_id"] for row in stored}
    after = await one(resolver, to_store(platform, "last", STRANGER))
    assert after.record_id
    assert (await one(resolver, looked_up(STRANGER))).person_id == after.person_id


async def test_a_run_under_way_makes_storing_wait_but_not_looking_up(platform: Platform) -> None:
    resolver = await Resolver.opened(platform, Limits(wait_seconds=0.2))
    try:
        async with platform.db.transaction() as tx:
            await tx.execute("select pg_advisory_xact_lock(hashtext('suzani identity run'))")
            [refused] = await resolver.resolve([to_store(platform, "new-1", STRANGER)])
            assert isinstance(refused, Busy)
            assert refused.retry_after_seconds > 0
            assert (await one(resolver, looked_up(STRANGER))).is_new
        assert (await one(resolver, to_store(platform, "new-1", STRANGER))).record_id
    finally:
        await resolver.close()


async def test_after_another_run_everything_is_read_anew(platform: Platform, resolver: Resolver) -> None:
    stored = await one(resolver, to_store(platform, "new-1", STRANGER))
    await resolve(platform)
    again = await one(resolver, looked_up(STRANGER))
    assert again.person_id == stored.person_id


async def test_a_snapshot_and_what_came_after_it_are_what_the_database_holds(
    platform: Platform, resolver: Resolver
) -> None:
    path = snapshot_in(platform)
    assert path.exists(), "the run or the first to open wrote one"
    known = (await live(platform))[:30]
    again = [to_store(platform, f"again-{i}", typed_again(r, i), "lending") for i, r in enumerate(known)]
    await resolver.resolve(again)
    await resolver.resolve([to_store(platform, "again-1", STRANGER, "lending")])
    from_snapshot = await Mirror.opened(platform)
    path.unlink()
    from_records = await Mirror.opened(platform)
    assert said_by(from_snapshot) == said_by(from_records) == said_by(mirror_in(resolver))


@pytest.mark.parametrize("spoil", ["damaged", "older run", "other database"])
async def test_a_snapshot_that_does_not_serve_is_left_alone(
    platform: Platform, resolver: Resolver, spoil: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = snapshot_in(platform)
    before = said_by(mirror_in(resolver))
    if spoil == "damaged":
        path.write_bytes(path.read_bytes()[:-100])
    else:
        state = snapshot.state_of(path)
        assert state is not None
        kept = snapshot.read(path, mirror_in(resolver).index.learned.knowledge.words)
        other = {"run_id": 99} if spoil == "older run" else {"changed_at": now()}
        few = Snapshot(replace(state, **other), kept.record_id[:5], kept.packed.take(np.arange(5)))
        snapshot.write(path, few)
    with caplog.at_level("INFO"):
        assert said_by(await Mirror.opened(platform)) == before
    assert "reading all records" in caplog.text
    assert said_by(await Mirror.opened(platform)) == before


async def test_one_that_cannot_be_stored_does_not_spoil_the_others(
    platform: Platform, resolver: Resolver
) -> None:
    good, bad = to_store(platform, "new-1", STRANGER), to_store(platform, "new-2", STRANGER)
    assert bad.store is not None
    spoilt = replace(bad, store=replace(bad.store, values={**bad.store.values, "sex": "neither"}))
    found = await asyncio.gather(
        *(resolver.resolve([asked]) for asked in (good, spoilt)), return_exceptions=True
    )
    assert isinstance(found[0], list)
    assert isinstance(found[0][0], Resolved)
    assert isinstance(found[1], psycopg.errors.CheckViolation)
    assert len(await rows(platform, "select * from sources.record where key like 'new-%%'")) == 1


async def test_more_than_a_request_may_hold_is_refused(resolver: Resolver) -> None:
    with pytest.raises(InvalidInput, match="too many at once"):
        await resolver.resolve([Asked({})] * 501)


async def test_a_record_that_a_file_brought_but_nobody_resolved_gets_its_person(
    platform: Platform, resolver: Resolver
) -> None:
    first = await one(resolver, to_store(platform, "new-1", STRANGER))
    async with platform.db.transaction() as tx:
        await tx.execute("delete from identity.membership where record_id = %s", [first.record_id])
    fresh = await Resolver.opened(replace(platform, db=await Database.connect(platform.db.url, pool_size=2)))
    again = await one(fresh, to_store(platform, "new-1", STRANGER))
    assert again.record_id == first.record_id
    assert again.person_id is not None
    await fresh.close()
    await fresh._platform.db.close()


async def test_before_the_first_run_there_is_nothing_to_look_up_by(
    platform: Platform,
) -> None:
    async with platform.db.transaction() as tx:
        await tx.execute("delete from identity.knowledge")
    with pytest.raises(Conflict, match="not been resolved") as raised:
        await Resolver.opened(platform)
    assert isinstance(raised.value, SuzaniError)
