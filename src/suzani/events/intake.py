"""Taking events in: a body is told apart, its events go to the log or to quarantine, and only then is it said
that they were taken."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from suzani.events import store
from suzani.events.envelope import TOPIC
from suzani.events.limits import Backlog, TokenBuckets
from suzani.events.moments import moment_of
from suzani.events.reading import Sent, Sorted, origin_of, read_body, sort_one, sort_out
from suzani.infra.bus import Bus, lags
from suzani.infra.db import Database
from suzani.infra.keys import Key, KeyRing

ROLE: Final = "source"
"""The role of keys that send events."""


@dataclass(frozen=True, slots=True)
class Taken:
    """How many events of a request are on the log, and how many in quarantine; both are durable."""

    accepted: int
    quarantined: int


class Intake:
    """The way in of one process. Who gives the parts closes them."""

    def __init__(self, db: Database, bus: Bus, keys: KeyRing, backlog: Backlog) -> None:
        self._db = db
        self._bus = bus
        self._keys = keys
        self._backlog = backlog
        self._buckets = TokenBuckets()

    async def take(self, secret: str, body: bytes, received_at: int, call: str = "") -> Taken:
        """Take the events of a body: one of the kind `call`, or a batch.

        `secret` is the key that the request shows, '' where only its body may. `received_at`: microseconds.
        Raises Unauthorised, Forbidden, Malformed, TooLarge, TooMany and Busy; after an error nothing is owed
        to the sender, but some events may have been taken, which is why each has an id.
        """
        key = await self._keys.find(secret, ROLE) if secret else None
        sent = read_body(body, call)
        if key is None:
            key = await self._keys.find(sent.write_key, ROLE)
        self._buckets.take(key, len(sent.raws))
        await self._backlog.check()
        found = _sorted(sent, key, received_at)
        if found.refused:
            async with self._db.transaction() as tx:
                await store.keep(tx, found.refused, moment_of(received_at))
        if found.messages:
            await self._bus.send(TOPIC, found.messages)
        return Taken(len(found.messages), len(found.refused))


@asynccontextmanager
async def open_intake(db: Database, bus: Bus, most_waiting: int) -> AsyncIterator[Intake]:
    """The way in of this process, which sends senders away while more than `most_waiting` events wait."""

    async def waiting() -> int:
        async with db.transaction() as tx:
            found = await lags(tx, bus)
        behind: Counter[str] = Counter()
        for lag in found:
            if lag.topic == TOPIC:
                behind[lag.consumer] += lag.behind
        return max(behind.values(), default=0)

    keys = KeyRing(db)
    try:
        yield Intake(db, bus, keys, Backlog(waiting, most_waiting))
    finally:
        await keys.close()


def _sorted(sent: Sent, key: Key, received_at: int) -> Sorted:
    """The events of a request. A single one that cannot be taken is refused: its sender is told why."""
    origin = origin_of(sent, key.name, key.settings.get("channel", ""), received_at)
    return Sorted([sort_one(sent, origin)], []) if sent.call else sort_out(sent, origin)
