"""Random sequences of runs, joins, separations and undos on a small town, and what holds whatever happens."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suzani.identity import (
    affected_persons,
    current_ids,
    history,
    join,
    mark_read,
    persons_at,
    record_history,
    resolve,
    separate,
    undo,
)
from suzani.infra.platform import Platform
from suzani.kernel import Conflict, InvalidInput
from tests.identity.resolving.test_service import (
    COPY_EVIDENCE,
    add,
    change,
    persons_of,
    records_of_town,
    rows,
)

WHO: dict[str, Any] = {"actor": "ann", "reason": "because"}
RECORDS = 14
SPARE = 3
"""Records that are deleted at first."""

Step = tuple[str, int, int]
NUMBER = st.integers(0, RECORDS - 1)
DECISIONS = st.sampled_from(["join", "join records", "leave", "separate"])
STEPS = st.lists(
    st.tuples(
        st.one_of(DECISIONS, st.sampled_from(["undo", "undo last", "resolve", "copy", "delete", "restore"])),
        NUMBER,
        NUMBER,
    ),
    max_size=9,
)
SLOW = settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

EMPTY = """
    truncate identity.run, identity.change, identity.person, identity.membership, identity.edge,
        identity.move, identity.person_change, identity.feed_cursor, identity.constraint, sources.record,
        sources.load cascade
"""
LIVES = "update sources.record set deleted_at = {}, updated_at = now() where record_id = %(it)s"


class Walk:
    """A town, what was seen of it after every change, and the ids there were."""

    def __init__(self, platform: Platform, records: list[int]) -> None:
        self.platform, self.records = platform, records
        self.persons: dict[int, int] = {}
        self.seen: dict[int, dict[int, int]] = {}
        self.times: dict[int, datetime] = {}
        self.ids: set[int] = set()

    @classmethod
    async def start(cls, platform: Platform) -> Walk:
        await change(platform, EMPTY)
        walk = cls(platform, await add(platform, records_of_town(12)[0][:RECORDS]))
        for record in walk.records[:SPARE]:
            await change(platform, LIVES.format("now()"), it=record)
        await resolve(platform)
        await walk.look()
        return walk

    async def look(self) -> None:
        """Check everything that holds after any change, and remember the state."""
        before, self.persons = self.persons, await persons_of(self.platform)
        [last] = await rows(
            self.platform, "select change_id, at from identity.change order by change_id desc limit 1"
        )
        self.seen[last["change_id"]], self.times[last["change_id"]] = self.persons, last["at"]
        await self._check_persons()
        await self._check_constraints()
        async with self.platform.db.transaction() as tx:
            affected = await affected_persons(tx, "walk")
            await mark_read(tx, "walk", affected.up_to)
        moved = {
            person
            for record in {*before, *self.persons}
            if before.get(record) != self.persons.get(record)
            for person in (before.get(record), self.persons.get(record))
            if person is not None
        }
        assert affected.persons is None or moved <= set(affected.persons)

    async def _check_persons(self) -> None:
        found = await rows(self.platform, "select * from identity.person")
        lives = {row["person_id"] for row in found if row["retired_at"] is None}
        assert lives == set(self.persons.values())
        known = {row["person_id"]: row["merged_into"] for row in found}
        assert all(person > max(self.ids, default=0) for person in known.keys() - self.ids)
        assert self.ids <= known.keys()
        self.ids = set(known)
        for person in known:
            end, passed = person, set[int]()
            while end not in lives and known[end] is not None:
                assert end not in passed
                passed.add(end)
                end = known[end]
            assert end in lives or known[end] is None

    async def _check_constraints(self) -> None:
        for row in await rows(self.platform, "select * from identity.constraint where revoked_at is null"):
            if row["record_a"] in self.persons and row["record_b"] in self.persons:
                same = self.persons[row["record_a"]] == self.persons[row["record_b"]]
                assert same == (row["kind"] == "must")

    async def check_the_past(self) -> None:
        """What the lineage tells of every earlier moment is what was seen then."""
        async with self.platform.db.transaction() as tx:
            for change_id, moment in self.times.items():
                assert await persons_at(tx, self.records, moment) == self.seen[change_id]
            for person in self.ids:
                events = await history(tx, person)
                had = set[int]()
                for event in events:
                    had |= {moved.record_id for moved in event.came}
                    had -= {moved.record_id for moved in event.left}
                assert had == {record for record, now in self.persons.items() if now == person}
                assert set(await current_ids(tx, person)) <= set(self.persons.values())
            for record, person in self.persons.items():
                stays = await record_history(tx, record)
                assert (stays[-1].person_id, stays[-1].until) == (person, None)

    async def step(self, name: str, one: int, other: int) -> None:
        """One step; a refused one changes nothing."""
        a, b = self.records[one], self.records[other]
        try:
            await getattr(self, "_" + name.replace(" ", "_"))(a, b)
        except (Conflict, InvalidInput):
            assert await persons_of(self.platform) == self.persons
            return
        await self.look()

    async def _join(self, a: int, b: int) -> None:
        await join(self.platform, persons=self._persons(a, b), **WHO)

    async def _join_records(self, a: int, b: int) -> None:
        await join(self.platform, records=[a, b], **WHO)

    async def _leave(self, a: int, b: int) -> None:
        [person, *_] = self._persons(a)
        await separate(self.platform, [a], person=person, **WHO)

    async def _separate(self, a: int, b: int) -> None:
        await separate(self.platform, [a], [b], **WHO)

    def _persons(self, *records: int) -> list[int]:
        if not self.persons.keys() >= set(records):
            raise InvalidInput("not now")
        return [self.persons[record] for record in records]

    async def _undo(self, a: int, b: int) -> None:
        changes = sorted(self.seen)
        await undo(self.platform, changes[(a + b) % len(changes)], persons=self._some(a), **WHO)

    def _some(self, a: int) -> list[int] | None:
        return self._persons(a) if a % 3 == 0 else None

    async def _undo_last(self, a: int, b: int) -> None:
        """Undoing the last change restores exactly what was, but for the new and the gone."""
        *_, before, last = [0, *sorted(self.seen)]
        await undo(self.platform, last, **WHO)
        now = await persons_of(self.platform)
        then = self.seen.get(before, {})
        assert {record: now[record] for record in then.keys() & now.keys()} == {
            record: then[record] for record in then.keys() & now.keys()
        }

    async def _resolve(self, a: int, b: int) -> None:
        await resolve(self.platform)

    async def _copy(self, a: int, b: int) -> None:
        await change(self.platform, COPY_EVIDENCE, them=[a], it=b)
        await resolve(self.platform)

    async def _delete(self, a: int, b: int) -> None:
        await change(self.platform, LIVES.format("now()"), it=a)
        await resolve(self.platform)

    async def _restore(self, a: int, b: int) -> None:
        await change(self.platform, LIVES.format("null"), it=self.records[a % SPARE])
        await resolve(self.platform)


@SLOW
@given(steps=STEPS)
async def test_whatever_happens_persons_constraints_feed_and_lineage_agree(
    platform: Platform, steps: list[Step]
) -> None:
    walk = await Walk.start(platform)
    for step in steps:
        await walk.step(*step)
    await walk.check_the_past()


@SLOW
@given(steps=st.lists(st.tuples(DECISIONS, NUMBER, NUMBER), min_size=2, max_size=8))
async def test_decisions_undone_in_reverse_leave_what_was_before_them(
    platform: Platform, steps: list[Step]
) -> None:
    walk = await Walk.start(platform)
    first = sorted(walk.seen)[0]
    for step in steps:
        await walk.step(*step)
    for made in sorted(walk.seen, reverse=True)[:-1]:
        await undo(platform, made, **WHO)
    assert await persons_of(platform) == walk.seen[first]
    assert not await rows(platform, "select from identity.constraint where revoked_at is null")
    await resolve(platform)
    assert await persons_of(platform) == walk.seen[first]


@SLOW
@given(steps=st.lists(st.tuples(DECISIONS, NUMBER, NUMBER), min_size=1, max_size=6))
async def test_the_next_run_keeps_whom_stewards_joined_and_separated(
    platform: Platform, steps: list[Step]
) -> None:
    walk = await Walk.start(platform)
    for step in steps:
        await walk.step(*step)
    await resolve(platform)
    await walk.look()


async def test_history_is_empty_for_nobody(platform: Platform) -> None:
    async with platform.db.transaction() as tx:
        for ask in (history, current_ids):
            with pytest.raises(Exception, match="no person has the id 7"):
                await ask(tx, 7)
