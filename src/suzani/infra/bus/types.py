"""The log as its producers and consumers see it, whatever carries it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


class Bus(Protocol):
    """A log of topics, each of a fixed number of partitions in which offsets grow in the order of reading."""

    async def send(self, topic: str, messages: Sequence[Message]) -> None:
        """Append; durable when it returns. Raises Unavailable, after which some may have been appended."""

    async def append(self, tx: Tx, topic: str, messages: Sequence[Message]) -> None:
        """Append once the caller's transaction is committed, or not at all."""

    async def read(self, tx: Tx, topic: str, offsets: Mapping[int, int], limit: int) -> list[Received]:
        """At most `limit` messages from these offsets on, in order within each partition; none skipped."""

    async def ends(self, tx: Tx, topic: str) -> Mapping[int, int]:
        """The offset after the last message, of every partition."""
