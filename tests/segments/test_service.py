from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest

from suzani import segments
from suzani.infra.db import Database, Tx, fetch_one
from suzani.infra.queries import Query
from suzani.kernel import NotFound
from suzani.segments import Change, Facts
from tests.segments.given import NOW, rules

FIRST = rules("segments: {callers: {traits.calls: {gte: 2}}, quiet: {segments.callers: false}}")
SECOND = rules("segments: {callers: {traits.calls: {gte: 5}}, spenders: {traits.spend: {gte: 1}}}")
HOUR = timedelta(hours=1)


@pytest.fixture
async def tx(database: Database) -> AsyncIterator[Tx]:
    async with database.transaction() as opened:
        await segments.put_in_force(opened, FIRST, NOW)
        yield opened


def reader(calls: dict[int, int]) -> segments.FactsReader:
    """Reads subjects out of a temporary table, a hundred at a time, as facts with a number of calls."""

    async def read(tx: Tx, /) -> AsyncIterator[Sequence[tuple[int, Facts]]]:
        await tx.execute("create temporary table if not exists known (subject_id bigint, calls int)")
        await tx.execute("truncate known")
        for subject, count in calls.items():
            await tx.execute("insert into known values (%s, %s)", (subject, count))
        after = 0
        while True:
            cursor = await tx.execute(
                "select * from known where subject_id > %s order by subject_id limit 100", (after,)
            )
            rows = await cursor.fetchall()
            if not rows:
                return
            yield [(row["subject_id"], Facts(traits={"calls": row["calls"], "spend": 0})) for row in rows]
            after = rows[-1]["subject_id"]

    return read


def entered(subject: int, segment: str) -> Change:
    return Change(subject, segment, entered=True, at=NOW)


def left(subject: int, segment: str) -> Change:
    return Change(subject, segment, entered=False, at=NOW)


async def test_changes_are_written_once_with_their_history(tx: Tx) -> None:
    wanted = [entered(1, "callers"), entered(2, "callers"), left(3, "callers")]
    assert await segments.apply_changes(tx, wanted, NOW) == wanted[:2]
    assert await segments.apply_changes(tx, wanted, NOW + HOUR) == []
    assert await segments.apply_changes(tx, [], NOW) == []
    both = [left(1, "callers"), entered(1, "quiet")]
    assert await segments.apply_changes(tx, both, NOW + HOUR) == both
    assert await segments.memberships(tx, [1, 2, 3]) == {1: {"quiet"}, 2: {"callers"}}
    history = await segments.history(tx, 1)
    assert [(change.segment, change.entered, change.at) for change in history] == [
        ("quiet", True, NOW + HOUR),
        ("callers", False, NOW + HOUR),
        ("callers", True, NOW),
    ]


async def test_what_subjects_are_in_is_told_with_since_when(tx: Tx) -> None:
    await segments.apply_changes(tx, [entered(7, "quiet"), entered(7, "callers")], NOW)
    found = await segments.segments_of(tx, 7)
    assert [(each.segment, each.entered_at) for each in found] == [("callers", NOW), ("quiet", NOW)]
    assert await segments.segments_of(tx, 8) == []
    assert await segments.memberships(tx, []) == {}
    assert await segments.counts(tx) == {"callers": 1, "quiet": 1}


async def test_members_come_in_pages(tx: Tx) -> None:
    await segments.apply_changes(tx, [entered(n, "callers") for n in range(1, 251)], NOW)
    pages = [[each.subject_id for each in await segments.members(tx, "callers")]]
    while pages[-1]:
        page = await segments.members(tx, "callers", after=pages[-1][-1])
        pages.append([each.subject_id for each in page])
    assert [len(page) for page in pages] == [100, 100, 50, 0]
    assert [subject for page in pages for subject in page] == list(range(1, 251))
    with pytest.raises(NotFound, match="segment 'caller'"):
        await segments.members(tx, "caller")


async def test_putting_the_same_in_force_again_changes_nothing(tx: Tx) -> None:
    found, gone = await segments.put_in_force(tx, FIRST, NOW + HOUR)
    assert (found, gone) == (segments.InForce(), [])
    since = await fetch_one(tx, Query("select max(in_force_since) as at from segments.definition"))
    assert since == {"at": NOW}


async def test_whoever_was_in_a_segment_that_is_no_more_leaves_it(tx: Tx) -> None:
    await segments.apply_changes(tx, [entered(1, "quiet"), entered(2, "callers")], NOW)
    found, gone = await segments.put_in_force(tx, SECOND, NOW + HOUR)
    assert (found.new, found.changed, found.retired) == (("spenders",), ("callers",), ("quiet",))
    assert gone == [Change(1, "quiet", entered=False, at=NOW + HOUR)]
    assert await segments.memberships(tx, [1, 2]) == {2: {"callers"}}
    assert await segments.counts(tx) == {"callers": 1, "spenders": 0}
    again, _ = await segments.put_in_force(tx, FIRST, NOW + HOUR)
    assert (again.new, again.retired) == (("quiet",), ("spenders",))


async def test_everyone_is_held_against_changed_definitions(tx: Tx) -> None:
    calls = {subject: subject % 4 for subject in range(1, 301)}
    assert set(await segments.unsettled(tx)) == {"callers", "quiet"}
    found = await segments.settle(tx, FIRST, reader(calls), NOW)
    assert len(found) == 300
    assert await segments.counts(tx) == {"callers": 150, "quiet": 150}
    assert await segments.unsettled(tx) == ()
    assert await segments.settle(tx, FIRST, reader(calls), NOW) == []
    await segments.put_in_force(tx, SECOND, NOW)
    assert set(await segments.unsettled(tx)) == {"callers", "spenders"}
    assert len(await segments.settle(tx, SECOND, reader(calls), NOW)) == 150
    assert await segments.counts(tx) == {"callers": 0, "spenders": 0}


async def test_a_preview_counts_and_writes_nothing(tx: Tx) -> None:
    calls = {subject: subject % 4 for subject in range(1, 301)}
    asked = FIRST.declaring("segments: {thrice: {segments.callers: true, traits.calls: 3}}", "asked.yaml")
    found = await segments.preview(tx, asked, ["thrice", "quiet"], reader(calls), NOW)
    assert (found.subjects, found.sizes) == (300, {"thrice": 75, "quiet": 150})
    assert found.sample["thrice"] == tuple(range(3, 43, 4))
    assert await segments.counts(tx) == {"callers": 0, "quiet": 0}
    with pytest.raises(NotFound):
        await segments.preview(tx, asked, ["twice"], reader(calls), NOW)
