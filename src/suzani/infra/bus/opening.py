"""Which log a process uses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from suzani.infra.bus.postgres import PostgresBus
from suzani.infra.bus.types import Bus
from suzani.infra.db import Database
from suzani.infra.settings import Settings


@asynccontextmanager
async def open_bus(db: Database, settings: Settings) -> AsyncIterator[Bus]:
    """The log that SUZANI_BUS names; what was sent is written before the block ends."""
    address = settings.bus
    bus = PostgresBus(db, partitions=address.partitions, keep_hours=address.keep_hours)
    try:
        yield bus
    finally:
        await bus.close()
