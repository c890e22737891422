"""The log in Apache Kafka; positions, and what is appended in transactions, stay in PostgreSQL."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final

import psycopg

from suzani.infra.bus import positions
from suzani.infra.bus.consuming import consume, pause
from suzani.infra.bus.kafka.reading import KafkaReader, first_times
from suzani.infra.bus.kafka.relay import Relay
from suzani.infra.bus.kafka.sending import Sending
from suzani.infra.bus.kafka.topics import Topics
from suzani.infra.bus.postgres import PostgresBus
from suzani.infra.bus.types import Message, Reader
from suzani.infra.bus_address import BusAddress, KafkaAddress
from suzani.infra.db import Database, Tx
from suzani.kernel import SuzaniError, now

_TRIM_SECONDS: Final = 300.0
_LEAD_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 1.0
_WHICH_DATABASE: Final = """
    select system_identifier, timeline_id, oid
    from pg_control_system(), pg_control_checkpoint(), pg_database
    where datname = current_database()
"""
_RELAY_LOCK: Final = 0x53555A414E4952

_log = logging.getLogger(__name__)


class KafkaBus:
    """Topics in Kafka; what a transaction appends waits in PostgreSQL for the relay, which `keep` runs."""

    def __init__(self, db: Database, address: BusAddress, kafka: KafkaAddress) -> None:
        self._db = db
        self._kafka = kafka
        self._keep_hours = address.keep_hours
        self._topics = Topics(kafka, address.partitions)
        self._sending = Sending(kafka)
        self._outbox = PostgresBus(db, partitions=1, keep_hours=address.keep_hours)

    async def close(self) -> None:
        """Wait until what was sent is acknowledged."""
        await self._sending.close()

    def _name(self, topic: str) -> str:
        return self._kafka.prefix + topic

    async def send(self, topic: str, messages: Sequence[Message]) -> None:
        """Append, acknowledged by all replicas in sync."""
        if messages:
            await self._topics.made(self._name(topic))
            await self._sending.send(self._name(topic), messages)

    async def append(self, tx: Tx, topic: str, messages: Sequence[Message]) -> None:
        """Append through the outbox."""
        if messages:
            await self._outbox.append(tx, topic, messages)

    @asynccontextmanager
    async def reader(self, topic: str) -> AsyncIterator[Reader]:
        """Reading the topic with a client of its own."""
        reader = KafkaReader(self._kafka, self._topics, self._name(topic))
        try:
            yield reader
        finally:
            await reader.close()

    async def starts(self, tx: Tx, topic: str) -> Mapping[int, int]:
        """The offset of the first message that is kept, of every partition."""
        return await self._topics.starts(self._name(topic))

    async def ends(self, tx: Tx, topic: str) -> Mapping[int, int]:
        """The offset after the last message, of every partition."""
        return await self._topics.ends(self._name(topic))

    async def times(self, tx: Tx, topic: str, offsets: Mapping[int, int]) -> Mapping[int, datetime]:
        """When the messages at these offsets were appended, of those that are there."""
        return await asyncio.to_thread(first_times, self._kafka, self._name(topic), offsets)

    async def topics(self, tx: Tx) -> list[str]:
        """Every topic of the platform, by name."""
        return [name.removeprefix(self._kafka.prefix) for name in await self._topics.names()]

    async def trim(self) -> None:
        """Drop what is old enough and every consumer has passed, here and in the outbox."""
        await self._outbox.trim()
        kept_from = now() - timedelta(hours=self._keep_hours)
        for topic in await self._own_topics():
            async with self._db.transaction() as tx:
                passed = await positions.passed(tx, topic)
            name = self._name(topic)
            starts, ends = await self._topics.starts(name), await self._topics.ends(name)
            young = ends | await self._topics.since(name, int(kept_from.timestamp() * 1000))
            until = {p: min(young[p], passed.get(p, young[p])) for p in starts}
            dropping = {p: offset for p, offset in until.items() if offset > starts[p]}
            if dropping:
                await self._topics.drop_before(name, dropping)

    async def _own_topics(self) -> list[str]:
        async with self._db.transaction() as tx:
            return await self.topics(tx)

    async def keep(self, *, stop: asyncio.Event) -> None:
        """Trim the log every few minutes, and relay what transactions append, unless another process does."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._trim_often(stop))
            group.create_task(self._relay_alone(stop))

    async def _trim_often(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self.trim()
            except SuzaniError as error:
                _log.warning("the log was not trimmed: %s", error.message)
            await pause(stop, _TRIM_SECONDS)

    async def _relay_alone(self, stop: asyncio.Event) -> None:
        """Relay for as long as this process holds the lock; two at once would do no harm, but be slow."""
        while not stop.is_set():
            try:
                async with await psycopg.AsyncConnection.connect(self._db.url, autocommit=True) as session:
                    while not stop.is_set() and not await _leads(session):
                        await pause(stop, _LEAD_SECONDS)
                    await self._relay(session, stop)
            except (psycopg.Error, OSError) as error:
                _log.warning("the relay to Kafka pauses: %s", error)
            await pause(stop, _LOOK_SECONDS)

    async def _relay(self, session: psycopg.AsyncConnection, stop: asyncio.Event) -> None:
        """Relay every topic of the outbox until told to stop, or until the session is lost."""
        ending, outbox = asyncio.Event(), await _identity(session)
        relayed: set[str] = set()
        async with asyncio.TaskGroup() as group:
            try:
                while not stop.is_set():
                    for topic in await self._new_topics(relayed):
                        relay = Relay(self._kafka, topic, outbox)
                        group.create_task(consume(self._db, self._outbox, relay, stop=ending))
                        relayed.add(topic)
                    await pause(stop, _LOOK_SECONDS)
                    await session.execute("select 1")
            except (psycopg.Error, OSError) as error:
                _log.warning("the relay to Kafka pauses: %s", error)
            finally:
                ending.set()

    async def _new_topics(self, relayed: set[str]) -> list[str]:
        """The topics of the outbox that are not relayed yet; none while Kafka is away."""
        try:
            async with self._db.transaction() as tx:
                found = sorted(set(await self._outbox.topics(tx)) - relayed)
            for topic in found:
                await self._topics.made(self._name(topic))
        except SuzaniError as error:
            _log.warning("the relay to Kafka waits: %s", error.message)
            return []
        return found


async def _leads(session: psycopg.AsyncConnection) -> bool:
    cursor = await session.execute("select pg_try_advisory_lock(%s)", [_RELAY_LOCK])
    row = await cursor.fetchone()
    return bool(row and row[0])


async def _identity(session: psycopg.AsyncConnection) -> str:
    """Which database this is: another one once it was restored, to whatever server and by whatever means."""
    cursor = await session.execute(_WHICH_DATABASE)
    return "-".join(map(str, await cursor.fetchone() or ()))
