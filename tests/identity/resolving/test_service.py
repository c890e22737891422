from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import psycopg
import pytest

from suzani.identity import resolve
from suzani.identity.resolving.service import resolve_if_changed
from suzani.infra import jobs
from suzani.infra.db import Query, execute, fetch
from suzani.infra.platform import Platform
from tests.identity.people import KINDS, town

Row = dict[str, Any]
AT = datetime(2026, 1, 2, tzinfo=UTC)


async def rows(platform: Platform, text: str, **params: Any) -> list[Row]:
    async with platform.db.transaction() as tx:
        return await fetch(tx, Query(text), **params)


async def change(platform: Platform, text: str, **params: Any) -> None:
    async with platform.db.transaction() as tx:
        await execute(tx, Query(text), **params)


def records_of_town(people: int = 20, seed: int = 41) -> tuple[list[Row], list[int]]:
    """Records as `sources.record` holds them, and their true persons."""
    table, truth = town(people, seed=seed, noise=0.0, copies=(1, 2, 3))
    records = table.select(list(KINDS)).to_pylist()
    for record in records:
        record["birth_date"] = date.fromisoformat(record["birth_date"])
        record["sex"] = {"M": "male", "F": "female"}[record["sex"]]
    return records, truth.tolist()


async def add(platform: Platform, records: list[Row]) -> list[int]:
    """Put records of one system into the tables; returns their ids."""
    load = """
        insert into sources.load (system, file, file_digest, mapping_digest, mode, state, started_at)
        values ('bank', 'f', 'd', 'm', 'delta', 'done', %(at)s) returning load_id
    """
    names = list(KINDS)
    text = f"""
        insert into sources.record ({", ".join(names)}, system, key, digest, load_id, created_load, file_no,
            row_no, created_at, updated_at)
        values ({", ".join(f"%({name})s" for name in names)}, 'bank', gen_random_uuid()::text, ''::bytea,
            %(load)s, %(load)s, 1, 1, now(), now())
        returning record_id
    """
    async with platform.db.transaction() as tx:
        [loaded] = await fetch(tx, Query(load), at=AT)
        found = [await fetch(tx, Query(text), load=loaded["load_id"], **record) for record in records]
        return [int(one[0]["record_id"]) for one in found]


async def persons_of(platform: Platform) -> dict[int, int]:
    """The person of every record."""
    found = await rows(platform, "select record_id, person_id from identity.membership")
    return {row["record_id"]: row["person_id"] for row in found}


@pytest.fixture
async def bank(platform: Platform) -> tuple[list[int], list[int]]:
    """Ids of the loaded records and their true persons; nothing is resolved yet."""
    records, truth = records_of_town()
    return await add(platform, records), truth


Bank = tuple[list[int], list[int]]


async def test_a_run_writes_persons_memberships_and_edges(platform: Platform, bank: Bank) -> None:
    ids, truth = bank
    heard: list[str] = []
    report = await resolve(platform, progress=heard.append)
    persons = await persons_of(platform)
    assert set(persons) == set(ids)
    pairs = {(truth[i], persons[record]) for i, record in enumerate(ids)}
    assert len(pairs) == len(set(truth)) == len(set(persons.values())) == report.persons == report.new_persons
    [run] = await rows(platform, "select * from identity.run")
    assert (run["run_id"], run["state"], run["records"]) == (report.run_id, "done", len(ids))
    assert (run["persons"], run["edges"], run["candidates"]) == (
        report.persons,
        report.edges,
        report.candidates,
    )
    assert run["finished_at"] >= run["started_at"]
    assert run["model"]["format"] == "suzani-identity-model"
    assert run["report"]["records"] == len(ids)
    kept = await rows(platform, "select person_id from identity.person where retired_at is null")
    assert {row["person_id"] for row in kept} == set(persons.values())
    assert heard[0] == "read records"
    assert heard[-1] == "write persons"


async def test_every_edge_explains_itself(platform: Platform, bank: Bank) -> None:
    report = await resolve(platform)
    edges = await rows(platform, "select * from identity.edge")
    assert len(edges) == report.edges > 0
    persons = await persons_of(platform)
    strongest = max(edges, key=lambda edge: float(edge["weight_bits"]))
    assert persons[strongest["record_a"]] == persons[strongest["record_b"]]
    for edge in edges:
        assert edge["record_a"] < edge["record_b"]
        assert 0 <= edge["probability"] <= 1
        bits = [bits for _, bits in edge["evidence"].values()]
        assert sum(bits) == pytest.approx(edge["weight_bits"], abs=0.2)


async def test_resolving_again_keeps_every_id_and_makes_none(platform: Platform, bank: Bank) -> None:
    await resolve(platform)
    before = await rows(platform, "select * from identity.membership order by record_id")
    again = await resolve(platform)
    assert (again.new_persons, again.retired_persons) == (0, 0)
    assert await rows(platform, "select * from identity.membership order by record_id") == before
    assert len(await rows(platform, "select from identity.person")) == again.persons


async def test_new_records_join_the_person_they_belong_to(platform: Platform) -> None:
    records, truth = records_of_town()
    first = await add(platform, records)
    await resolve(platform)
    before = await persons_of(platform)
    second = await add(platform, records[:10])
    report = await resolve(platform)
    after = await persons_of(platform)
    assert {record: after[record] for record in first} == before
    assert [after[record] for record in second] == [before[record] for record in first[:10]]
    assert (report.new_persons, report.retired_persons) == (0, 0)
    assert len(truth) == len(first)


COPY_EVIDENCE = (
    "update sources.record r set updated_at = now(), "
    + ", ".join(f"{name} = o.{name}" for name in KINDS)
    + " from sources.record o where r.record_id = any(%(them)s) and o.record_id = %(it)s"
)


async def test_a_merge_retires_one_person_and_says_into_whom(platform: Platform, bank: Bank) -> None:
    ids, truth = bank
    await resolve(platform)
    before = await persons_of(platform)
    counts = np.bincount(truth)
    small, large = int(np.flatnonzero(counts == 1)[0]), int(counts.argmax())
    moved = [ids[i] for i, person in enumerate(truth) if person == small]
    target = ids[truth.index(large)]
    await change(platform, COPY_EVIDENCE, them=moved, it=target)
    report = await resolve(platform)
    after = await persons_of(platform)
    assert all(after[record] == before[target] == after[target] for record in moved)
    assert (report.new_persons, report.retired_persons) == (0, 1)
    [gone] = await rows(platform, "select * from identity.person where retired_at is not null")
    assert (gone["person_id"], gone["merged_into"]) == (before[moved[0]], before[target])


async def test_a_split_leaves_the_id_with_the_larger_part(platform: Platform, bank: Bank) -> None:
    ids, truth = bank
    large = int((np.bincount(truth) == 3).argmax())
    own = [ids[i] for i, person in enumerate(truth) if person == large]
    other = ids[next(i for i, person in enumerate(truth) if person != large)]
    await resolve(platform)
    before = await persons_of(platform)
    await change(platform, COPY_EVIDENCE, them=own[:1], it=other)
    await resolve(platform)
    after = await persons_of(platform)
    assert after[own[0]] == before[other]
    assert after[own[1]] == after[own[2]] == before[own[1]]


async def test_deleted_records_leave_and_a_person_without_records_is_retired(
    platform: Platform, bank: Bank
) -> None:
    ids, truth = bank
    await resolve(platform)
    before = await persons_of(platform)
    counts = np.bincount(truth)
    alone, group = int(np.flatnonzero(counts == 1)[0]), int(counts.argmax())
    lone = ids[truth.index(alone)]
    member, *others = [ids[i] for i, person in enumerate(truth) if person == group]
    await change(
        platform,
        "update sources.record set deleted_at = now() where record_id = any(%(ids)s)",
        ids=[lone, member],
    )
    report = await resolve(platform)
    after = await persons_of(platform)
    assert set(ids) - set(after) == {lone, member}
    assert {after[record] for record in others} == {before[member]}
    assert (report.new_persons, report.retired_persons) == (0, 1)
    [gone] = await rows(platform, "select * from identity.person where retired_at is not null")
    assert (gone["person_id"], gone["merged_into"]) == (before[lone], None)
    left = await rows(
        platform,
        "select from identity.edge where record_a = any(%(x)s) or record_b = any(%(x)s)",
        x=[lone, member],
    )
    assert not left


async def test_when_all_records_are_deleted_everybody_is_retired(platform: Platform, bank: Bank) -> None:
    first = await resolve(platform)
    await change(platform, "update sources.record set deleted_at = now()")
    report = await resolve(platform)
    assert (report.records, report.persons, report.retired_persons) == (0, 0, first.persons)
    assert await persons_of(platform) == {}


async def test_a_platform_without_records_can_be_resolved(platform: Platform) -> None:
    report = await resolve(platform)
    assert (report.records, report.persons, report.edges, report.new_persons) == (0, 0, 0, 0)
    [run] = await rows(platform, "select state from identity.run")
    assert run["state"] == "done"


async def everything(platform: Platform) -> list[list[Row]]:
    tables = ("run", "person", "membership", "edge")
    return [await rows(platform, f"select * from identity.{table} order by 1, 2") for table in tables]


@pytest.mark.parametrize("resolved_before", [False, True])
async def test_a_failure_in_the_middle_leaves_nothing_behind(
    platform: Platform, bank: Bank, resolved_before: bool
) -> None:
    if resolved_before:
        await resolve(platform)
        await change(platform, "update sources.record set deleted_at = now() where record_id < 20")
    before = await everything(platform)
    # Edges are written last; a database that refuses them undoes persons and memberships too.
    await change(
        platform, "alter table identity.edge add constraint never check (weight_bits is null) not valid"
    )
    with pytest.raises(psycopg.errors.CheckViolation):
        await resolve(platform)
    assert await everything(platform) == before
    await change(platform, "alter table identity.edge drop constraint never")
    assert (await resolve(platform)).persons > 0


async def test_an_interrupted_run_leaves_nothing_behind(platform: Platform, bank: Bank) -> None:
    def stop(phase: str) -> None:
        if phase == "write persons":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await resolve(platform, progress=stop)
    assert await everything(platform) == [[], [], [], []]


async def test_two_runs_at_once_come_one_after_the_other(platform: Platform, bank: Bank) -> None:
    reports = await asyncio.gather(resolve(platform), resolve(platform))
    assert sorted(report.new_persons for report in reports) == [0, reports[0].persons]
    assert len(await rows(platform, "select from identity.person")) == reports[0].persons


async def after_identity(platform: Platform) -> None:
    """Stands for what others do once persons have changed."""


async def test_a_run_tells_others_and_a_failed_one_does_not(
    platform: Platform, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "tests.after_identity"
    monkeypatch.setitem(jobs.JOBS, name, jobs.Job(name, after_identity))
    monkeypatch.setitem(jobs.SUBSCRIPTIONS, "identity.changed", [name])
    queued = "select from procrastinate_jobs where task_name = %(name)s"
    await change(platform, "alter table identity.edge add constraint never check (weight_bits is null)")
    with pytest.raises(psycopg.errors.CheckViolation):
        await resolve(platform)
    assert len(await rows(platform, queued, name=name)) == 0
    await change(platform, "alter table identity.edge drop constraint never")
    await resolve(platform)
    assert len(await rows(platform, queued, name=name)) == 1


async def test_records_that_did_not_change_are_not_resolved_again(platform: Platform, bank: Bank) -> None:
    assert await resolve_if_changed(platform) is not None
    assert await resolve_if_changed(platform) is None
    await add(platform, records_of_town(3, seed=42)[0])
    assert await resolve_if_changed(platform) is not None
    await change(
        platform,
        "update sources.record set deleted_at = now(), updated_at = now() where record_id = %(it)s",
        it=bank[0][0],
    )
    assert await resolve_if_changed(platform) is not None
    assert await resolve_if_changed(platform) is None
