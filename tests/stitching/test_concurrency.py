"""Several stitch at once: nobody waits in a circle, and it comes out as if one came after the other."""

from __future__ import annotations

import asyncio
from random import Random

from suzani.events import Event
from suzani.infra.platform import Platform
from suzani.stitching import stitch
from tests.stitching.stream import NOW, RULES, rows, seen, take, together


async def test_two_who_meet_a_new_identifier_at_once_agree(platform: Platform) -> None:
    async with platform.db.transaction() as first:
        mine = await stitch(first, RULES, [seen(1, anonymous_id="a"), seen(2, user_id="u")], NOW)
        other = asyncio.create_task(take(platform, seen(3, anonymous_id="a", user_id="v")))
        await asyncio.sleep(0.2)
        assert not other.done()
    found = await other
    assert found.subject_of[0] == mine.subject_of[0] or found.merged == (
        (mine.subject_of[0], *found.subject_of),
    )
    assert await together(platform) == {frozenset("av"), frozenset("u")}


async def test_many_at_once_come_out_as_one_after_the_other(platform: Platform) -> None:
    events = _events(400, seed=7)
    batches = [events[place::8] for place in range(8)]
    await asyncio.gather(*(_each(platform, batch) for batch in batches))
    apart = await together(platform)
    reasons = "select weak_id, strong_id from stitching.link where joined"
    joined = len(await rows(platform, reasons))
    for table in ("identifier", "subject", "link", "move"):
        await rows(platform, f"with gone as (delete from stitching.{table}) select 1")
    await take(platform, *events)
    assert await together(platform) == apart
    assert len(await rows(platform, reasons)) == joined


async def _each(platform: Platform, events: list[Event]) -> None:
    for start in range(0, len(events), 10):
        await take(platform, *events[start : start + 10])


def _events(count: int, seed: int) -> list[Event]:
    source = Random(seed)
    return [
        seen(
            n,
            user_id=source.choice([None, None, f"u{source.randrange(12)}"]),
            anonymous_id=f"a{source.randrange(40)}",
            device_id=source.choice([None, f"d{source.randrange(15)}"]),
            product_number=source.choice([None, None, f"p{source.randrange(6)}"]),
        )
        for n in range(count)
    ]
