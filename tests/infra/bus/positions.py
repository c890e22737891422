"""Where consumers stand, as tests of the log want it."""

from __future__ import annotations

from suzani.infra.db import Database, Query, execute


async def read_to(db: Database, offset: int) -> None:
    """A consumer of the topic that has read each partition up to an offset."""
    insert = Query(
        "insert into bus.cursor select 'c', 'events', n, %(offset)s from generate_series(0, 1) as n "
        "on conflict (consumer, topic, partition) do update set next_offset = excluded.next_offset"
    )
    async with db.transaction() as tx:
        await execute(tx, insert, offset=offset)
