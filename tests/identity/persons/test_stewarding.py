from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest

from suzani.identity import affected_persons, mark_read, resolve
from suzani.identity.persons.stewarding import join, record_ids, revoke, separate
from suzani.identity.persons.undoing import undo
from suzani.infra.db import Query, fetch
from suzani.infra.platform import Platform
from suzani.kernel import Conflict, InvalidInput, NotFound, Unavailable
from tests.identity.resolving.test_service import (
    COPY_EVIDENCE,
    add,
    change,
    persons_of,
    records_of_town,
    rows,
)

WHO: dict[str, Any] = {"actor": "ann", "reason": "seen the papers"}


class Town:
    """A resolved town: records by person, largest person first."""

    def __init__(self, platform: Platform, persons: dict[int, int]) -> None:
        self.platform = platform
        self.records: dict[int, list[int]] = {}
        for record, person in persons.items():
            self.records.setdefault(person, []).append(record)
        self.ids = sorted(self.records, key=lambda person: (-len(self.records[person]), person))

    async def now(self) -> dict[int, int]:
        return await persons_of(self.platform)

    async def affected(self) -> tuple[int, ...] | None:
        """What the feed has for a reader since the last time."""
        async with self.platform.db.transaction() as tx:
            found = await affected_persons(tx, "test")
            await mark_read(tx, "test", found.up_to)
        return found.persons


@pytest.fixture
async def town(platform: Platform) -> Town:
    await add(platform, records_of_town()[0])
    await resolve(platform)
    town = Town(platform, await persons_of(platform))
    await town.affected()
    return town


async def live(town: Town) -> dict[int, bool]:
    found = await rows(town.platform, "select person_id, retired_at is null as lives from identity.person")
    return {row["person_id"]: row["lives"] for row in found}


async def test_joined_persons_are_one_at_once_and_after_the_next_run(town: Town) -> None:
    large, small = town.ids[0], town.ids[-1]
    outcome = await join(town.platform, persons=[small, large], **WHO)
    after = await town.now()
    assert {after[record] for record in (*town.records[large], *town.records[small])} == {large}
    assert (outcome.persons, outcome.retired, outcome.created) == ((large,), (small,), 0)
    assert outcome.moves == len(town.records[small])
    assert len(outcome.constraints) == len(town.records[large]) + len(town.records[small]) - 1
    assert await town.affected() == tuple(sorted([large, small]))
    await resolve(town.platform)
    assert await town.now() == after
    [gone] = await rows(town.platform, "select * from identity.person where retired_at is not null")
    assert (gone["person_id"], gone["merged_into"]) == (small, large)


async def test_joined_records_bring_their_persons_along(town: Town) -> None:
    one, other = town.ids[0], town.ids[1]
    outcome = await join(town.platform, records=[town.records[one][0], town.records[other][0]], **WHO)
    assert len(outcome.constraints) == 1
    after = await town.now()
    assert len({after[record] for record in (*town.records[one], *town.records[other])}) == 1


async def test_separated_records_leave_to_a_new_person_and_stay_apart(town: Town) -> None:
    person = town.ids[0]
    leaving, staying = town.records[person][:2], town.records[person][2:]
    outcome = await separate(town.platform, leaving, person=person, **WHO)
    after = await town.now()
    assert {after[record] for record in staying} == {person}
    [new] = {after[record] for record in leaving}
    assert new not in town.ids
    assert (outcome.created, outcome.retired, outcome.moves) == (1, (), 2)
    assert await town.affected() == (person, new)
    await resolve(town.platform)
    assert await town.now() == after


async def test_records_in_no_group_follow_the_nearer_side(town: Town) -> None:
    person = town.ids[0]
    a, b, c = town.records[person][:3]
    await change(
        town.platform, "delete from identity.edge where (record_a, record_b) = (%(b)s, %(c)s)", b=b, c=c
    )
    await separate(town.platform, [a], [b], person=None, **WHO)
    after = await town.now()
    assert after[a] == after[c] != after[b]


@pytest.mark.parametrize("again", [0, 2])
async def test_an_undone_join_is_as_before_however_often(town: Town, again: int) -> None:
    before = await town.now()
    outcome = await join(town.platform, persons=town.ids[:2], **WHO)
    joined = await town.now()
    latest = outcome.change_id
    for turn in range(1 + again):
        undone = await undo(town.platform, latest, **WHO)
        latest = undone.change_id
        assert await town.now() == (joined if turn % 2 else before)
        active = await rows(town.platform, "select from identity.constraint where revoked_at is null")
        assert len(active) == (len(outcome.constraints) if turn % 2 else 0)
    await resolve(town.platform)
    assert await town.now() == before
    assert all((await live(town)).values())


async def test_an_undone_separation_is_as_before(town: Town) -> None:
    before, person = await town.now(), town.ids[0]
    outcome = await separate(town.platform, town.records[person][:1], person=person, **WHO)
    apart = await town.now()
    undone = await undo(town.platform, outcome.change_id, **WHO)
    assert await town.now() == before
    await resolve(town.platform)
    assert await town.now() == before
    await undo(town.platform, undone.change_id, **WHO)
    assert await town.now() == apart
    await resolve(town.platform)
    assert await town.now() == apart


async def merged_by_a_run(town: Town) -> tuple[int, int, int]:
    """Let a run merge the smallest person into the largest; both persons and the change."""
    small, large = town.ids[-1], town.ids[0]
    await change(town.platform, COPY_EVIDENCE, them=town.records[small], it=town.records[large][0])
    await resolve(town.platform)
    [row] = await rows(town.platform, "select change_id from identity.change order by change_id desc limit 1")
    return small, large, int(row["change_id"])


async def test_a_merge_of_a_run_can_be_undone_for_good_and_the_undo_too(town: Town) -> None:
    before = await town.now()
    small, large, merge = await merged_by_a_run(town)
    merged = await town.now()
    assert merged[town.records[small][0]] == large
    undone = await undo(town.platform, merge, **WHO)
    assert await town.now() == before
    assert undone.revived == (small,)
    await resolve(town.platform)
    assert await town.now() == before
    await undo(town.platform, undone.change_id, **WHO)
    assert await town.now() == merged
    await resolve(town.platform)
    assert await town.now() == merged


async def test_a_split_of_a_run_can_be_undone(town: Town) -> None:
    before, person, other = await town.now(), town.ids[0], town.ids[1]
    leaving = town.records[person][:1]
    await change(town.platform, COPY_EVIDENCE, them=leaving, it=town.records[other][0])
    await resolve(town.platform)
    assert (await town.now())[leaving[0]] == other
    [row] = await rows(town.platform, "select max(change_id) as it from identity.change")
    await undo(town.platform, row["it"], **WHO)
    assert await town.now() == before
    await resolve(town.platform)
    assert await town.now() == before


async def test_a_later_merge_stands_when_an_earlier_one_is_undone(town: Town) -> None:
    a, b, c = town.ids[2], town.ids[1], town.ids[0]
    before = await town.now()
    first = await join(town.platform, records=[town.records[a][0], town.records[b][0]], **WHO)
    [ab] = first.persons
    second = await join(town.platform, records=[town.records[b][0], town.records[c][0]], **WHO)
    await undo(town.platform, first.change_id, **WHO)
    after = await town.now()
    assert {after[record] for record in town.records[a]} == {a}
    assert {after[record] for record in (*town.records[b], *town.records[c])} == set(second.persons)
    await undo(town.platform, second.change_id, **WHO)
    assert await town.now() == before
    assert ab in (a, b)


async def test_a_record_that_came_since_follows_the_nearer_side(town: Town) -> None:
    _, large, merge = await merged_by_a_run(town)
    records, _ = records_of_town()
    [new] = await add(town.platform, [records[town.records[large][1] - 1]])
    await resolve(town.platform)
    assert (await town.now())[new] == large
    await undo(town.platform, merge, **WHO)
    assert (await town.now())[new] == large


async def test_a_constraint_that_contradicts_others_is_refused_naming_them(town: Town) -> None:
    a, b = town.ids[:2]
    x, y, z = town.records[a][0], town.records[b][0], town.records[town.ids[2]][0]
    first = await join(town.platform, records=[x, y], **WHO)
    second = await join(town.platform, records=[y, z], actor="bob", reason="called")
    before = await town.now()
    with pytest.raises(Conflict) as caught:
        await separate(town.platform, [x], [z], **WHO)
    for constraint, change_id, actor in (
        (first.constraints[0], first.change_id, "ann"),
        (second.constraints[0], second.change_id, "bob"),
    ):
        assert f"constraint {constraint} of change {change_id}, by {actor}" in str(caught.value)
    assert "bank/" in str(caught.value)
    assert "suzani person undo" in str(caught.value)
    assert await town.now() == before
    assert len(await rows(town.platform, "select from identity.constraint")) == 2


async def test_a_must_link_over_a_cannot_link_is_refused_until_that_is_taken_back(town: Town) -> None:
    person = town.ids[0]
    one = town.records[person][:1]
    outcome = await separate(town.platform, one, person=person, **WHO)
    with pytest.raises(Conflict, match="are two persons \\(constraint"):
        await join(town.platform, persons=outcome.persons, **WHO)
    for constraint in outcome.constraints:
        await revoke(town.platform, constraint, actor="bob", reason="mistake")
    with pytest.raises(Conflict, match="taken back by bob already"):
        await revoke(town.platform, outcome.constraints[0], **WHO)
    await join(town.platform, persons=outcome.persons, **WHO)


async def test_must_links_connect_through_deleted_records(town: Town) -> None:
    x, y, z = (town.records[person][0] for person in town.ids[:3])
    await join(town.platform, records=[x, y, z], **WHO)
    await change(
        town.platform,
        "update sources.record set deleted_at = now(), updated_at = now() where record_id = %(y)s",
        y=y,
    )
    await resolve(town.platform)
    after = await town.now()
    assert after[x] == after[z]
    with pytest.raises(Conflict, match="contradicts"):
        await separate(town.platform, [x], [z], **WHO)
    with pytest.raises(Conflict, match="is deleted"):
        await join(town.platform, records=[x, y], **WHO)


async def test_an_undo_against_later_decisions_is_refused_naming_them(town: Town) -> None:
    small, large, merge = await merged_by_a_run(town)
    later = await join(town.platform, records=[town.records[small][0], town.records[large][0]], **WHO)
    with pytest.raises(Conflict, match=f"of change {later.change_id}, by ann"):
        await undo(town.platform, merge, **WHO)
    await undo(town.platform, later.change_id, **WHO)
    await undo(town.platform, merge, **WHO)
    assert (await town.now())[town.records[small][0]] == small


async def test_what_was_undone_is_not_undone_again(town: Town) -> None:
    outcome = await join(town.platform, persons=town.ids[:2], **WHO)
    first = await undo(town.platform, outcome.change_id, **WHO)
    with pytest.raises(Conflict, match=f"was undone by change {first.change_id} already"):
        await undo(town.platform, outcome.change_id, **WHO)
    second = await undo(town.platform, first.change_id, **WHO)
    third = await undo(town.platform, outcome.change_id, **WHO)
    with pytest.raises(Conflict, match=f"was undone by change {third.change_id} already"):
        await undo(town.platform, outcome.change_id, **WHO)
    assert second.change_id < third.change_id


async def test_a_run_with_several_merges_is_undone_for_named_persons(town: Town) -> None:
    pairs = ((town.ids[-1], town.ids[0]), (town.ids[-2], town.ids[1]))
    before = await town.now()
    for small, large in pairs:
        await change(town.platform, COPY_EVIDENCE, them=town.records[small], it=town.records[large][0])
    await resolve(town.platform)
    [row] = await rows(town.platform, "select max(change_id) as it from identity.change")
    with pytest.raises(InvalidInput, match="4 persons in 2 unrelated groups"):
        await undo(town.platform, row["it"], **WHO)
    with pytest.raises(InvalidInput, match="neither merged nor split person"):
        await undo(town.platform, row["it"], persons=[town.ids[4]], **WHO)
    await undo(town.platform, row["it"], persons=[pairs[0][0]], **WHO)
    with pytest.raises(Conflict, match="already"):
        await undo(town.platform, row["it"], persons=[pairs[0][1]], **WHO)
    await undo(town.platform, row["it"], persons=[pairs[1][1]], **WHO)
    assert await town.now() == before


async def test_wrong_input_is_told(town: Town) -> None:
    platform, (a, b) = town.platform, town.ids[:2]
    with pytest.raises(NotFound, match="no person has the id 999999"):
        await join(platform, persons=[a, 999999], **WHO)
    with pytest.raises(NotFound, match="no record 999999"):
        await join(platform, records=[town.records[a][0], 999999], **WHO)
    with pytest.raises(InvalidInput, match="at least two"):
        await join(platform, persons=[a, a], **WHO)
    with pytest.raises(InvalidInput, match="needs a reason"):
        await join(platform, persons=[a, b], actor="ann", reason=" ")
    with pytest.raises(InvalidInput, match=f"not of person {a}: bank/"):
        await separate(platform, town.records[b], person=a, **WHO)
    with pytest.raises(InvalidInput, match="but not all"):
        await separate(platform, town.records[a], person=a, **WHO)
    with pytest.raises(InvalidInput, match="two groups that are to be"):
        await separate(platform, town.records[a], town.records[a], **WHO)
    with pytest.raises(InvalidInput, match="at least two groups"):
        await separate(platform, town.records[a], **WHO)
    with pytest.raises(NotFound, match="no change 999"):
        await undo(platform, 999, **WHO)
    with pytest.raises(NotFound, match="no constraint 999"):
        await revoke(platform, 999, **WHO)
    with pytest.raises(Conflict, match="merged and split nobody"):
        await undo(platform, 1, **WHO)
    joined = await join(platform, persons=[a, b], **WHO)
    with pytest.raises(Conflict, match=f"decided already, in change {joined.change_id}"):
        await join(platform, records=[*town.records[a], *town.records[b]], **WHO)
    with pytest.raises(Conflict, match=f"person {b} was retired: person {a} has taken over"):
        await join(platform, persons=[a, b], **WHO)
    async with platform.db.transaction() as tx:
        with pytest.raises(InvalidInput, match="SYSTEM/KEY"):
            await record_ids(tx, ["bank"])
        with pytest.raises(NotFound, match="there is no record bank/nobody"):
            await record_ids(tx, ["bank/nobody"])


async def test_stewards_and_runs_at_once_come_one_after_the_other(town: Town) -> None:
    a, b, c = town.ids[:3]
    await asyncio.gather(
        join(town.platform, persons=[a, b], **WHO),
        resolve(town.platform),
        join(town.platform, records=[town.records[b][0], town.records[c][0]], **WHO),
        resolve(town.platform),
    )
    after = await town.now()
    assert len({after[record] for person in (a, b, c) for record in town.records[person]}) == 1
    lives = [person for person, alive in (await live(town)).items() if alive]
    assert set(lives) == set(after.values())
    affected = await town.affected()
    assert affected is not None
    assert {a, b, c} <= set(affected)


async def test_of_two_equal_decisions_at_once_one_is_told_that_it_is_too_late(town: Town) -> None:
    a, b = town.ids[:2]
    results = await asyncio.gather(
        *(join(town.platform, persons=[a, b], **WHO) for _ in range(2)), return_exceptions=True
    )
    assert sorted(isinstance(result, Conflict) for result in results) == [False, True]


async def test_a_killed_connection_leaves_nothing_half_done(town: Town) -> None:
    """The server ends the connection of a run between edges and the end of the run."""
    tables = ("change", "move", "person", "person_change", "membership", "edge", "run")

    async def everything() -> list[list[dict[str, object]]]:
        return [
            await rows(town.platform, f"select * from identity.{table} order by 1, 2") for table in tables
        ]

    await change(
        town.platform, COPY_EVIDENCE, them=town.records[town.ids[-1]], it=town.records[town.ids[0]][0]
    )
    before = await everything()
    await change(
        town.platform,
        "create function pg_temp_kill() returns trigger language plpgsql as"
        " $$ begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$",
    )
    for table in ("membership", "person_change", "edge"):
        await change(
            town.platform,
            f"create trigger kill after insert or update on identity.{table} execute function pg_temp_kill()",
        )
        with pytest.raises((psycopg.OperationalError, Unavailable)):
            await resolve(town.platform)
        await change(town.platform, f"drop trigger kill on identity.{table}")
        assert await everything() == before
    await resolve(town.platform)
    assert (await town.now())[town.records[town.ids[-1]][0]] == town.ids[0]


async def test_the_feed_tells_each_reader_once_and_keeps_what_was_not_marked(town: Town) -> None:
    a, b = town.ids[:2]
    async with town.platform.db.transaction() as tx:
        assert (await affected_persons(tx, "another")).persons is None
    await join(town.platform, persons=[a, b], **WHO)
    async with town.platform.db.transaction() as tx:
        first = await affected_persons(tx, "test")
        assert first == await affected_persons(tx, "test")
        await mark_read(tx, "test", first.up_to)
        assert (await affected_persons(tx, "test")).persons == ()
        kinds = await fetch(tx, Query("select person_id, kind from identity.person_change order by seq"))
    assert first.persons == tuple(sorted([a, b]))
    assert [(row["person_id"], row["kind"]) for row in kinds[1:]] == [(a, "changed"), (b, "retired")]


async def test_a_record_that_says_something_new_affects_its_person(town: Town) -> None:
    person = town.ids[0]
    await change(
        town.platform,
        "update sources.record set occupation = 'baker', updated_at = now() where record_id = %(it)s",
        it=town.records[person][0],
    )
    await resolve(town.platform)
    assert await town.affected() == (person,)
    await resolve(town.platform)
    assert await town.affected() == ()
