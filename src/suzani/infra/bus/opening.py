"""Which log a process uses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from suzani.infra.bus.postgres import PostgresBus
from suzani.infra.bus.types import Bus
from suzani.infra.bus_address import BusAddress
from suzani.infra.db import Database
from suzani.infra.settings import Settings
from suzani.kernel import Unavailable

if TYPE_CHECKING:
    from suzani.infra.bus.kafka.bus import KafkaBus


@asynccontextmanager
async def open_bus(db: Database, settings: Settings) -> AsyncIterator[Bus]:
    """The log that SUZANI_BUS names; what was sent is written before the block ends.

    Raises Unavailable when it is Kafka and the client of Kafka is not installed.
    """
    bus = _bus(db, settings.bus)
    try:
        yield bus
    finally:
        await bus.close()


def _bus(db: Database, address: BusAddress) -> PostgresBus | KafkaBus:
    if address.kafka is None:
        return PostgresBus(db, partitions=address.partitions, keep_hours=address.keep_hours)
    try:
        from suzani.infra.bus.kafka.bus import KafkaBus
    except ModuleNotFoundError as error:
        raise Unavailable(
            "SUZANI_BUS is Kafka, whose client is not installed", hint="Run: pip install 'suzani[kafka]'"
        ) from error
    return KafkaBus(db, address, address.kafka)
