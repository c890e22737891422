"""The log as tables of PostgreSQL."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

import psycopg

from suzani.infra.bus.consuming import pause
from suzani.infra.bus.doorbell import Bell, Doorbell
from suzani.infra.bus.grouping import GroupCommit
from suzani.infra.bus.packing import MOST_MESSAGES, Packed, pack, partition_of, unpack
from suzani.infra.bus.types import Message, Reader, Reading, Received
from suzani.infra.db import Database, Tx, execute, fetch, fetch_one, load_queries
from suzani.kernel import Unavailable

_TRIM_SECONDS: Final = 300.0

_log = logging.getLogger(__name__)
_queries = load_queries("suzani.infra.bus")


class PostgresBus:
    """Topics in PostgreSQL. New ones get `partitions`; what all have read is kept for `keep_hours`."""

    def __init__(self, db: Database, *, partitions: int, keep_hours: float) -> None:
        self._db = db
        self._partitions = partitions
        self._keep_hours = keep_hours
        self._partitions_of: dict[str, int] = {}
        self._sending = GroupCommit(self._write)
        self._doorbell = Doorbell(db.url)

    async def close(self) -> None:
        """Wait until what was sent is written."""
        await self._sending.close()

    async def send(self, topic: str, messages: Sequence[Message]) -> None:
        """Append, in one transaction with what others send at the same time."""
        if messages:
            await self._sending.send(topic, messages)

    async def append(self, tx: Tx, topic: str, messages: Sequence[Message]) -> None:
        """Append in the caller's transaction."""
        if messages:
            await self._append(tx, {topic: messages})

    async def _write(self, by_topic: dict[str, list[Message]]) -> None:
        async with self._db.autocommit() as tx:
            await self._append(tx, by_topic)

    async def _append(self, tx: Tx, by_topic: Mapping[str, Sequence[Message]]) -> None:
        rows = [
            (topic, partition, packed)
            for topic in sorted(by_topic)
            for partition, messages in self._divided(by_topic[topic], await self._made(tx, topic))
            for packed in pack(messages)
        ]
        await execute(
            tx,
            _queries.append,
            topics=[topic for topic, _, _ in rows],
            partitions=[partition for _, partition, _ in rows],
            counts=[packed.messages for _, _, packed in rows],
            sizes=[packed.size for _, _, packed in rows],
            bodies=[packed.body for _, _, packed in rows],
        )

    def _divided(self, messages: Sequence[Message], partitions: int) -> list[tuple[int, list[Message]]]:
        by_partition: dict[int, list[Message]] = {}
        for message in messages:
            by_partition.setdefault(partition_of(message[0], partitions), []).append(message)
        return sorted(by_partition.items())

    async def _made(self, tx: Tx, topic: str) -> int:
        """The number of partitions of a topic, which is made if it is not there: for good, whatever becomes
        of the caller's transaction, and by a connection of its own, lest all wait for one more of the pool.
        """
        if topic not in self._partitions_of:
            row = await fetch_one(tx, _queries.topic, topic=topic)
            if row is None:
                async with await psycopg.AsyncConnection.connect(self._db.url) as own:
                    made = {"topic": topic, "partitions": self._partitions}
                    await own.execute(_queries.make_topic.text.encode(), made)
                row = await fetch_one(tx, _queries.topic, topic=topic)
            self._partitions_of[topic] = row["partitions"] if row else self._partitions
        return self._partitions_of[topic]

    @asynccontextmanager
    async def reader(self, topic: str) -> AsyncIterator[Reader]:
        """Reading the topic, woken by PostgreSQL's notifications."""
        async with self._doorbell.bell(topic) as bell:
            yield _PostgresReader(self, topic, bell)

    async def read(self, tx: Tx, topic: str, spans: Mapping[int, range]) -> list[Received]:
        """All messages of the spans."""
        async with tx.cursor(binary=True) as cursor:
            await cursor.execute(
                _queries.read.text.encode(),
                {
                    "topic": topic,
                    "partitions": list(spans),
                    "starts": [span.start for span in spans.values()],
                    "stops": [span.stop for span in spans.values()],
                    "most": MOST_MESSAGES,
                },
            )
            rows = await cursor.fetchall()
        received: list[Received] = []
        for row in rows:
            packed = Packed(row["messages"], row["size"], row["body"])
            received += unpack(row["partition"], row["last_offset"], packed, spans[row["partition"]])
        return received

    async def starts(self, tx: Tx, topic: str) -> Mapping[int, int]:
        """The offset of the first message that is kept, of every partition."""
        await self._made(tx, topic)
        return _places(await fetch(tx, _queries.starts, topic=topic))

    async def ends(self, tx: Tx, topic: str) -> Mapping[int, int]:
        """The offset after the last message, of every partition."""
        await self._made(tx, topic)
        return _places(await fetch(tx, _queries.ends, topic=topic))

    async def times(self, tx: Tx, topic: str, offsets: Mapping[int, int]) -> Mapping[int, datetime]:
        """When the messages at these offsets were appended, of those that are there."""
        places = {"partitions": list(offsets), "offsets": list(offsets.values())}
        rows = await fetch(tx, _queries.times, topic=topic, **places)
        return {row["partition"]: row["appended_at"] for row in rows}

    async def topics(self, tx: Tx) -> list[str]:
        """Every topic, by name."""
        return [row["topic"] for row in await fetch(tx, _queries.topics)]

    async def trim(self) -> None:
        """Go on to the next generation when it is time, unless somebody has yet to read the oldest.

        It gives up, until the next time, when a long transaction would make everybody wait for it.
        """
        try:
            async with self._db.transaction() as tx:
                await execute(tx, _queries.wait_briefly)
                await execute(tx, _queries.rotate, seconds=self._keep_hours * 3600 / 2)
        except psycopg.errors.LockNotAvailable:
            return

    async def keep(self, *, stop: asyncio.Event) -> None:
        """Trim the log every few minutes."""
        while not stop.is_set():
            try:
                await self.trim()
            except Unavailable as error:
                _log.warning("the log was not trimmed: %s", error.message)
            await pause(stop, _TRIM_SECONDS)


class _PostgresReader:
    """One reading of a topic."""

    def __init__(self, bus: PostgresBus, topic: str, bell: Bell) -> None:
        self._bus = bus
        self._topic = topic
        self._bell = bell

    async def ends(self, tx: Tx) -> Mapping[int, int]:
        self._bell.clear()
        return await self._bus.ends(tx, self._topic)

    async def read(self, tx: Tx, spans: Mapping[int, range]) -> Reading:
        messages = await self._bus.read(tx, self._topic, spans)
        return Reading(messages, {partition: span.stop for partition, span in spans.items()})

    async def wait(self, timeout_seconds: float) -> None:
        await self._bell.wait(timeout_seconds)


def _places(rows: list[dict[str, int]]) -> dict[int, int]:
    return {row["partition"]: row["place"] for row in rows}
