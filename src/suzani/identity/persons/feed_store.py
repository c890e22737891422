"""The readers' side of the feed of affected persons: how far each is, and pruning what all have read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from suzani.identity.persons.types import Affected
from suzani.infra.db import Tx, execute, fetch, fetch_one, load_queries
from suzani.kernel import NotFound

_queries = load_queries("suzani.identity.persons", "feed.sql")


@dataclass(frozen=True, slots=True)
class FeedReader:
    """A reader of the feed: how many entries are before it, and `since` when the oldest of them waits."""

    consumer: str
    behind: int
    since: datetime | None


async def affected_persons(tx: Tx, consumer: str) -> Affected:
    """Persons that changed since the consumer last marked the feed read; everyone if it never did."""
    position = await fetch_one(tx, _queries.feed_position, consumer=consumer)
    end = await fetch_one(tx, _queries.feed_end)
    up_to = int(end["seq"]) if end else 0
    if position is None:
        return Affected(None, up_to)
    after = int(position["seq"])
    everyone = await fetch_one(tx, _queries.everyone_since, after=after, up_to=up_to)
    if everyone and everyone["found"]:
        return Affected(None, up_to)
    persons = await fetch(tx, _queries.persons_since, after=after, up_to=up_to)
    return Affected(tuple(row["person_id"] for row in persons), up_to)


async def mark_read(tx: Tx, consumer: str, up_to: int) -> None:
    """Remember how far a consumer has read the feed; never moves back."""
    await execute(tx, _queries.move_cursor, consumer=consumer, up_to=up_to)


async def feed_readers(tx: Tx) -> list[FeedReader]:
    """Everyone who has read the feed and was not forgotten, by name."""
    return [FeedReader(**row) for row in await fetch(tx, _queries.readers)]


async def forget_reader(tx: Tx, consumer: str) -> None:
    """Wait for a reader no longer; should it come again, it is told that everyone changed.

    Raises NotFound for one that never read.
    """
    if not await execute(tx, _queries.forget_reader, consumer=consumer):
        known = [reader.consumer for reader in await feed_readers(tx)]
        raise NotFound.among("reader of the feed", consumer, known)


async def prune_feed(tx: Tx, before: datetime) -> int:
    """Drop the entries from before a moment that every reader has passed; returns how many."""
    return await execute(tx, _queries.prune, before=before)
