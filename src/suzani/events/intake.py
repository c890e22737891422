"""Taking events in: a body is told apart, its events go to the log or to quarantine, and only then is it said
that they were taken."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from collections.abc import Mapping as Values
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from suzani.events import store
from suzani.events.envelope import TOPIC
from suzani.events.limits import Backlog, TokenBuckets
from suzani.events.moments import moment_of
from suzani.events.reading import Sent, Sorted, origin_of, read_body, sort_one, sort_out
from suzani.events.webhooks import check_signature, mapping_of, sort_webhook
from suzani.infra.bus import Bus, lags
from suzani.infra.db import Database
from suzani.infra.keys import Key, KeyRing
from suzani.infra.platform import Platform
from suzani.kernel import Forbidden

ROLE: Final = "source"
"""The role of keys that send events."""


@dataclass(frozen=True, slots=True)
class Taken:
    """How many events of a request are on the log, and how many in quarantine; both are durable."""

    accepted: int
    quarantined: int


class Intake:
    """The way in of one process. Who gives the parts closes them."""

    def __init__(self, data_dir: Path, db: Database, bus: Bus, keys: KeyRing, backlog: Backlog) -> None:
        self._data_dir = data_dir
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
        return await self._keep(_sorted(sent, key, received_at), received_at)

    async def take_webhook(
        self, source: str, secret: str, headers: Values[bytes, bytes], body: bytes, received_at: int
    ) -> Taken:
        """Take what another system sends, by the mapping of `source`; a signature counts in place of a key.

        Raises what `take` does, and NotFound for a source without a mapping.
        """
        mapping = mapping_of(self._data_dir, source)
        if mapping.signature is not None:
            check_signature(mapping.signature, headers, body)
        else:
            key = await self._keys.find(secret, ROLE)
            if key.name != source:
                raise Forbidden(f"this key is of source {key.name}", hint=f"Show one of {source}.")
        await self._backlog.check()
        return await self._keep(sort_webhook(source, mapping, body, received_at), received_at)

    async def _keep(self, found: Sorted, received_at: int) -> Taken:
        """Make everything durable: quarantine first, as a failing log has the sender come again."""
        if found.refused:
            async with self._db.transaction() as tx:
                await store.keep(tx, found.refused, moment_of(received_at))
        if found.messages:
            await self._bus.send(TOPIC, found.messages)
        return Taken(len(found.messages), len(found.refused))


@asynccontextmanager
async def open_intake(platform: Platform, bus: Bus) -> AsyncIterator[Intake]:
    """The way in of this process, which sends senders away while too many events wait."""

    async def waiting() -> int:
        async with platform.db.transaction() as tx:
            found = await lags(tx, bus)
        behind: Counter[str] = Counter()
        for lag in found:
            if lag.topic == TOPIC:
                behind[lag.consumer] += lag.behind
        return max(behind.values(), default=0)

    keys = KeyRing(platform.db)
    backlog = Backlog(waiting, platform.settings.backlog_events)
    try:
        yield Intake(platform.data_dir, platform.db, bus, keys, backlog)
    finally:
        await keys.close()


def _sorted(sent: Sent, key: Key, received_at: int) -> Sorted:
    """The events of a request. A single one that cannot be taken is refused: its sender is told why."""
    origin = origin_of(sent, key.name, key.settings.get("channel", ""), received_at)
    return Sorted([sort_one(sent, origin)], []) if sent.call else sort_out(sent, origin)
