"""The log as its producers and consumers see it, whatever carries it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from suzani.infra.db import Tx


class Message(NamedTuple):
    """Something to be appended; messages with the same key stay in order."""

    key: bytes
    value: bytes


class Received(NamedTuple):
    """Something read: where it stands, and what was appended."""

    partition: int
    offset: int
    key: bytes
    value: bytes


class Reading(NamedTuple):
    """What was read: the messages, and where to go on in each partition."""

    messages: list[Received]
    reached: Mapping[int, int]


class Reader(Protocol):
    """One reading of a topic from its beginning on; a consumer has its own."""

    async def ends(self, tx: Tx) -> Mapping[int, int]:
        """The offset after the last message, of every partition."""

    async def read(self, tx: Tx, spans: Mapping[int, range]) -> Reading:
        """The messages of these ranges of offsets, by partition, in order; none is skipped.

        Fewer may come when they arrive slowly: then the rest of a partition is for the next time.
        """

    async def wait(self, timeout_seconds: float) -> None:
        """Return once something may have been appended since `ends` was asked last, or after the timeout."""


class Bus(Protocol):
    """A log of topics, each of a fixed number of partitions in which offsets grow in the order of reading.

    A topic is made when it is first used.
    """

    async def send(self, topic: str, messages: Sequence[Message]) -> None:
        """Append; durable when it returns.

        Raises Busy when too much waits to be written already, and nothing was appended; Unavailable when the
        log cannot be reached, after which some may have been appended.
        """

    async def append(self, tx: Tx, topic: str, messages: Sequence[Message]) -> None:
        """Append once the caller's transaction is committed, or not at all.

        Others wait to append to the same partitions until the transaction ends: call it last.
        """

    def reader(self, topic: str) -> AbstractAsyncContextManager[Reader]:
        """Reading the topic, for as long as the block lasts."""

    async def starts(self, tx: Tx, topic: str) -> Mapping[int, int]:
        """The offset of the first message that is kept, of every partition."""

    async def ends(self, tx: Tx, topic: str) -> Mapping[int, int]:
        """The offset after the last message, of every partition."""

    async def times(self, tx: Tx, topic: str, offsets: Mapping[int, int]) -> Mapping[int, datetime]:
        """When the messages at these offsets were appended, of those that are there."""

    async def topics(self, tx: Tx) -> list[str]:
        """Every topic of the platform, by name."""

    async def trim(self) -> None:
        """Drop what is older than the bus keeps and every consumer has passed."""

    async def keep(self, *, stop: asyncio.Event) -> None:
        """Look after the log until told to stop: trim it, and whatever else has to be done.

        To be run in one process at least; in several it does no harm.
        """


class Consumer(Protocol):
    """What is done with the messages of a topic: each message once, however often it is tried."""

    name: str
    topic: str

    async def handle(self, tx: Tx, batch: Sequence[Received]) -> None:
        """Put the effects of a batch into the transaction, which is committed with the position.

        What it raises rolls everything back; the batch comes again, later or in parts.
        """

    async def refuse(self, tx: Tx, message: Received, error: Exception) -> None:
        """Keep a message that cannot be handled, alone and after retries, in quarantine, with the reason."""


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a consumer is in a partition. `since`: when the oldest message it has not read was appended."""

    consumer: str
    topic: str
    partition: int
    next_offset: int
    end: int
    since: datetime | None = None

    @property
    def behind(self) -> int:
        """Messages that it has not read."""
        return max(0, self.end - self.next_offset)
