"""Where consumers stand in the log: kept in PostgreSQL for every bus, and moved with their effects."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final
from uuid import UUID

from suzani.infra.bus.types import Bus, Consumer, Lag
from suzani.infra.db import Tx, execute, fetch, load_queries
from suzani.kernel import NotFound

_SEEN_SECONDS: Final = 15.0
_queries = load_queries("suzani.infra.bus", "positions.sql")


async def register(tx: Tx, bus: Bus, consumer: Consumer) -> None:
    """Make the consumer known in every partition of its topic; a new one begins with the oldest message."""
    starts = await bus.starts(tx, consumer.topic)
    places = {"partitions": list(starts), "starts": list(starts.values())}
    await execute(tx, _queries.register, consumer=consumer.name, topic=consumer.topic, **places)


async def claim(tx: Tx, consumer: Consumer, ends: Mapping[int, int], mine: Collection[int]) -> dict[int, int]:
    """Partitions with something to read, with where to begin: this worker's until the transaction ends.

    At most this worker's share of them, and of those that no other worker holds; first those of `mine`.
    """
    rows = await fetch(
        tx,
        _queries.claim,
        consumer=consumer.name,
        topic=consumer.topic,
        partitions=list(ends),
        ends=list(ends.values()),
        mine=list(mine),
        seconds=_SEEN_SECONDS,
    )
    return {row["partition"]: row["next_offset"] for row in rows}


async def move(tx: Tx, consumer: Consumer, offsets: Mapping[int, int]) -> None:
    """Set where the consumer goes on, in partitions that were claimed in this transaction."""
    places = {"partitions": list(offsets), "offsets": list(offsets.values())}
    await execute(tx, _queries.move, consumer=consumer.name, topic=consumer.topic, **places)


async def report_for_work(tx: Tx, consumer: str, worker: UUID) -> None:
    """Say that this worker reads for the consumer: to be said again within 15 seconds."""
    await execute(tx, _queries.report_for_work, worker=worker, consumer=consumer)


async def sign_off(tx: Tx, worker: UUID) -> None:
    """Say that this worker reads no more."""
    await execute(tx, _queries.sign_off, worker=worker)


async def passed(tx: Tx, topic: str) -> dict[int, int]:
    """The offset before which every consumer of the topic has read, of the partitions that have consumers."""
    return {row["partition"]: row["place"] for row in await fetch(tx, _queries.passed, topic=topic)}


async def lags(tx: Tx, bus: Bus) -> list[Lag]:
    """How far every consumer is in every partition, by topic, consumer and partition."""
    found: list[Lag] = []
    rows = await fetch(tx, _queries.positions)
    for topic in dict.fromkeys(row["topic"] for row in rows):
        ends = await bus.ends(tx, topic)
        for consumer in dict.fromkeys(row["consumer"] for row in rows if row["topic"] == topic):
            places = {
                row["partition"]: row["next_offset"]
                for row in rows
                if row["topic"] == topic and row["consumer"] == consumer
            }
            unread = {p: place for p, place in places.items() if place < ends.get(p, 0)}
            times = await bus.times(tx, topic, unread) if unread else {}
            found += [
                Lag(consumer, topic, p, place, ends.get(p, place), times.get(p))
                for p, place in places.items()
            ]
    return found


async def forget(tx: Tx, consumer: str) -> None:
    """Hold nothing back for a consumer any longer; should it come again, it begins with the oldest message.

    Raises NotFound for one that is not known.
    """
    if not await execute(tx, _queries.forget, consumer=consumer):
        known = {row["consumer"] for row in await fetch(tx, _queries.positions)}
        raise NotFound.among("consumer of the log", consumer, known)
