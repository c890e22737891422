from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suzani.activity import TimelineEntry, TimelineFilter, facets, timeline
from tests.activity.stage import DAY, MINUTE, START, Json, Stage, track

CHANNELS = ("web", "app", "call_centre")


async def pages(stage: Stage, name: str, wanted: TimelineFilter, limit: int) -> list[TimelineEntry]:
    """Every entry, read a page at a time."""
    subject = (await stage.subject(name)).subject_id
    found: list[TimelineEntry] = []
    before = None
    while True:
        async with stage.platform.db.transaction() as tx:
            page = await timeline(tx, subject, wanted, before, limit)
        assert len(page.entries) <= limit
        found += page.entries
        before = page.next
        if before is None:
            return found


@pytest.fixture
async def busy(stage: Stage) -> Stage:
    """Somebody with events on three channels, some from before they signed in, several at one moment."""
    opened = [track("App Opened", anonymous="a1", at=START - n * DAY) for n in range(3)]
    calls = [
        track(
            "Note Taken",
            "u1",
            at=START - 2 * DAY,
            properties={"text": f"100%_sure {n}"},
            context={"channel": c},
        )
        for n, c in enumerate(CHANNELS * 3)
    ]
    await stage.happen(track("", "u1", "a1", type="identify", at=START), *opened, *calls)
    return stage


async def test_a_timeline_has_the_events_of_all_identifiers_newest_first(busy: Stage) -> None:
    found = await pages(busy, "user_id:u1", TimelineFilter(), 4)
    assert len(found) == 13
    assert [(one.at, one.message) for one in found] == sorted(
        ((one.at, one.message) for one in found), reverse=True
    )


async def test_text_is_looked_for_as_it_stands(busy: Stage) -> None:
    assert len(await pages(busy, "user_id:u1", TimelineFilter(text="100%_SURE"), 50)) == 9
    assert len(await pages(busy, "user_id:u1", TimelineFilter(text="100%_sure 3"), 50)) == 1
    assert await pages(busy, "user_id:u1", TimelineFilter(text="100_%sure"), 50) == []


async def test_facets_count_what_there_is(busy: Stage) -> None:
    async with busy.platform.db.transaction() as tx:
        found = await facets(tx, (await busy.subject("user_id:u1")).subject_id)
    assert sum(facet.events for facet in found) == 13
    assert {facet.name for facet in found} == {"", "App Opened", "Note Taken"}


_FILTERS = st.builds(
    TimelineFilter,
    channels=st.frozensets(st.sampled_from(CHANNELS)),
    types=st.frozensets(st.sampled_from(["track", "identify"])),
    names=st.frozensets(st.sampled_from(["App Opened", "Note Taken"])),
    since=st.none() | st.integers(0, 5).map(lambda days: START - days * DAY),
    until=st.none() | st.integers(0, 5).map(lambda days: START - days * DAY + MINUTE),
)


def fits(entry: TimelineEntry, wanted: TimelineFilter) -> bool:
    return (
        (not wanted.channels or entry.channel in wanted.channels)
        and (not wanted.types or entry.type in wanted.types)
        and (not wanted.names or entry.name in wanted.names)
        and (wanted.since is None or entry.at >= wanted.since)
        and (wanted.until is None or entry.at < wanted.until)
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_FILTERS, st.integers(1, 14))
async def test_pages_hold_every_event_that_fits_once(busy: Stage, wanted: TimelineFilter, limit: int) -> None:
    everything = await pages(busy, "user_id:u1", TimelineFilter(), 50)
    assert await pages(busy, "user_id:u1", wanted, limit) == [one for one in everything if fits(one, wanted)]


async def test_an_event_says_what_its_sender_said(stage: Stage) -> None:
    sent: Json = track(
        "Note Taken", "u1", properties={"a": {"b": [1, None, "ў"]}}, context={"ip": "192.0.2.1"}
    )
    await stage.happen(sent)
    [entry] = await pages(stage, "user_id:u1", TimelineFilter(), 5)
    assert entry.body["properties"] == {"a": {"b": [1, None, "ў"]}}
    assert entry.body["context"] == {"ip": "192.0.2.1"}
    assert entry.body["user_id"] == "u1"
