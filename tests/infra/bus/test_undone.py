"""What a transaction of Kafka's undid takes offsets, and is passed over."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from pathlib import Path

from confluent_kafka import Producer

from suzani.infra.bus import Message, Received, consume, open_bus
from suzani.infra.bus_address import BusAddress
from suzani.infra.db import Database, Tx
from suzani.infra.settings import Settings
from tests.infra.bus.broker import Broker

UNDONE = 1_000
BATCH = 10


class Kept:
    """A consumer that stops once it has what it waits for."""

    name = "kept"
    topic = "things"

    def __init__(self, wanted: int) -> None:
        self.values: list[bytes] = []
        self.stop = asyncio.Event()
        self._wanted = wanted

    async def handle(self, tx: Tx, batch: Sequence[Received]) -> None:
        self.values += [message.value for message in batch]
        if len(self.values) >= self._wanted:
            self.stop.set()

    async def refuse(self, tx: Tx, message: Received, error: Exception) -> None:
        raise error


def undo(broker: Broker, topic: str) -> None:
    """Append far more than is read at a time, and take it back."""
    producer = Producer({"bootstrap.servers": broker.address, "transactional.id": secrets.token_hex(4)})
    producer.init_transactions(30)
    producer.begin_transaction()
    for number in range(UNDONE):
        producer.produce(topic, b"undone %d" % number, b"k", partition=0)
    producer.flush(30)
    producer.abort_transaction(30)


async def test_a_long_stretch_that_was_undone_holds_nobody_up(
    broker: Broker, database: Database, database_url: str, tmp_path: Path
) -> None:
    prefix = f"test-{secrets.token_hex(4)}."
    address = BusAddress.parse(f"kafka://{broker.address}?partitions=1&prefix={prefix}")
    async with open_bus(database, Settings(tmp_path, database_url=database_url, bus=address)) as bus:
        await bus.send("things", [Message(b"k", b"before")])
        await asyncio.to_thread(undo, broker, f"{prefix}things")
        await bus.send("things", [Message(b"k", b"after %d" % number) for number in range(25)])
        consumer = Kept(26)
        async with asyncio.timeout(60):
            await consume(database, bus, consumer, stop=consumer.stop, batch=BATCH)
    assert consumer.values == [b"before", *(b"after %d" % number for number in range(25))]
