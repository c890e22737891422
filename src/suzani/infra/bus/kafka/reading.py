"""Reading from Kafka without its groups: partitions and offsets are told by the positions in PostgreSQL."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from itertools import takewhile
from typing import Final

from confluent_kafka import Consumer, KafkaError, TopicPartition
from confluent_kafka import Message as KafkaMessage

from suzani.infra.bus.kafka.client import client_settings, kafka_errors, meaning
from suzani.infra.bus.kafka.topics import Topics
from suzani.infra.bus.types import Reading, Received
from suzani.infra.bus_address import KafkaAddress
from suzani.infra.db import Tx
from suzani.kernel import SuzaniError, Unavailable

_POLL_SECONDS: Final = 0.02
_PATIENCE_SECONDS: Final = 2.0
_LOOK_SECONDS: Final = (0.01, 0.1)
_AT_ONCE: Final = 1_000

READER_SETTINGS: Final = {
    "group.id": "suzani",  # a name that the client needs; nothing is kept under it
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "error",
    "isolation.level": "read_committed",
    "enable.partition.eof": True,
    "fetch.wait.max.ms": 50,
    "fetch.error.backoff.ms": 100,
    "queued.max.messages.kbytes": 16 * 1024,
}


class KafkaReader:
    """One reading of a topic; its client stays where it is from one time to the next."""

    def __init__(self, address: KafkaAddress, topics: Topics, name: str) -> None:
        self._name = name
        self._topics = topics
        self._ends: Mapping[int, int] = {}
        self._places = _Places(address, name)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="kafka reader")

    async def ends(self, tx: Tx) -> Mapping[int, int]:
        """The offset after the last message, of every partition."""
        self._ends = await self._topics.ends(self._name)
        return self._ends

    async def read(self, tx: Tx, spans: Mapping[int, range]) -> Reading:
        """The messages of the spans, as far as they arrive in time."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._places.read, spans)

    async def wait(self, timeout_seconds: float) -> None:
        """Look where the topic ends: often at first, then ten times a second.

        Returns at once when Kafka does not answer: the next turn says so.
        """
        deadline = time.monotonic() + timeout_seconds
        seconds, longest = _LOOK_SECONDS
        while time.monotonic() < deadline:
            await asyncio.sleep(seconds)
            try:
                if await self._topics.ends(self._name) != self._ends:
                    return
            except Unavailable:
                return
            seconds = min(seconds * 1.5, longest)

    async def close(self) -> None:
        """Leave Kafka."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._places.close)
        self._thread.shutdown(wait=False)


class _Places:
    """The partitions that a client reads, and what it has of them already; used by one thread at a time.

    `_next`: the offset where the messages handed out end; `_held`: those after it that have arrived;
    `_ended`: the offset before which all have. Marks of transactions take offsets too, without a message.
    """

    def __init__(self, address: KafkaAddress, name: str) -> None:
        self._name = name
        with kafka_errors():
            self._client = Consumer(client_settings(address, **READER_SETTINGS))
        self._next: dict[int, int] = {}
        self._held: dict[int, deque[Received]] = {}
        self._ended: dict[int, int] = {}

    def read(self, spans: Mapping[int, range]) -> Reading:
        """The messages of the spans that arrive while others do, or within two seconds; blocks."""
        try:
            with kafka_errors():
                self._go_to(spans)
                self._receive(spans)
        except SuzaniError:
            self._leave()
            raise
        found = [message for partition, span in spans.items() for message in self._hand_out(partition, span)]
        return Reading(found, {partition: self._next[partition] for partition in spans})

    def close(self) -> None:
        self._client.close()

    def _leave(self) -> None:
        self._client.unassign()
        for kept in (self._next, self._held, self._ended):
            kept.clear()

    def _go_to(self, spans: Mapping[int, range]) -> None:
        """Read these partitions and no others, each from the start of its span."""
        leaving = [p for p, place in self._next.items() if p not in spans or spans[p].start != place]
        if leaving:
            self._client.incremental_unassign([TopicPartition(self._name, p) for p in leaving])
        for partition in leaving:
            del self._next[partition], self._held[partition], self._ended[partition]
        coming = [TopicPartition(self._name, p, s.start) for p, s in spans.items() if p not in self._next]
        if coming:
            self._client.incremental_assign(coming)
        for place in coming:
            self._next[place.partition] = place.offset
            self._held[place.partition] = deque()
            self._ended[place.partition] = place.offset

    def _receive(self, spans: Mapping[int, range]) -> None:
        """Take in messages until the spans are whole, their partitions end, or no more come."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            missing = sum(self._missing(p, span) for p, span in spans.items())
            if not missing:
                return
            arrived = self._client.consume(min(missing, _AT_ONCE), _POLL_SECONDS)
            for message in arrived:
                self._take(message)
            if not arrived and any(self._held.values()):
                return

    def _missing(self, partition: int, span: range) -> int:
        held = self._held[partition]
        return max(0, span.stop - max(held[-1].offset + 1 if held else span.start, self._ended[partition]))

    def _take(self, message: KafkaMessage) -> None:
        error, (partition, offset) = message.error(), _place(message)
        if error is None:
            received = Received(partition, offset, message.key() or b"", message.value() or b"")
            self._held[partition].append(received)
        elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - how the client names it
            self._ended[partition] = offset
        else:
            raise meaning(error)

    def _hand_out(self, partition: int, span: range) -> list[Received]:
        held = self._held[partition]
        found = list(takewhile(lambda message: message.offset < span.stop, held))
        for _ in found:
            held.popleft()
        # What lies between was undone with its transaction, however much longer than a span it is.
        passed = held[0].offset if held else max(self._ended[partition], found[-1].offset + 1 if found else 0)
        self._next[partition] = max(self._next[partition], passed)
        return found


def _place(message: KafkaMessage) -> tuple[int, int]:
    """Partition and offset; what comes from a broker has both."""
    partition, offset = message.partition(), message.offset()
    return (-1 if partition is None else partition, -1 if offset is None else offset)


def first_times(address: KafkaAddress, name: str, offsets: Mapping[int, int]) -> dict[int, datetime]:
    """When the messages at these offsets were appended, of those that arrive within two seconds; blocks."""
    found: dict[int, datetime] = {}
    ended: set[int] = set()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    with kafka_errors(), closing(Consumer(client_settings(address, **READER_SETTINGS))) as client:
        client.assign([TopicPartition(name, p, offset) for p, offset in offsets.items()])
        while found.keys() | ended != offsets.keys() and time.monotonic() < deadline:
            for message in client.consume(len(offsets), _POLL_SECONDS):
                partition, _ = _place(message)
                if message.error() is not None:
                    ended.add(partition)
                else:
                    found.setdefault(partition, datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC))
    return found
