"""`python -m tests.infra.bus.worker DATABASE_URL BUS`: a worker whose effects are rows, to be killed."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from suzani.infra.bus import Received, consume, open_bus
from suzani.infra.bus_address import BusAddress
from suzani.infra.db import Database, Query, Tx, execute
from suzani.infra.settings import Settings

TOPIC = "events"
TABLE = Query("create table effect (partition integer, its_offset bigint, value bytea)")
INSERT = Query(
    "insert into effect "
    "select * from unnest(%(partitions)s::integer[], %(offsets)s::bigint[], %(values)s::bytea[])"
)


class Effects:
    """A consumer that writes down what it was given."""

    name = "effects"
    topic = TOPIC

    async def handle(self, tx: Tx, batch: Sequence[Received]) -> None:
        await execute(
            tx,
            INSERT,
            partitions=[message.partition for message in batch],
            offsets=[message.offset for message in batch],
            values=[message.value for message in batch],
        )

    async def refuse(self, tx: Tx, message: Received, error: Exception) -> None:
        raise error


async def work(url: str, bus_text: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    db = await Database.connect(url)
    settings = Settings(Path("unused"), database_url=url, bus=BusAddress.parse(bus_text))
    async with open_bus(db, settings) as bus, asyncio.TaskGroup() as group:
        group.create_task(bus.keep(stop=stop))
        group.create_task(consume(db, bus, Effects(), stop=stop, batch=200))
    await db.close()


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], sys.argv[2]))
