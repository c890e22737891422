"""New records stored ahead of the database: resolved by what is in memory, and all that follows sent at once.

What is believed is checked by the statements themselves: that nobody has stored the records before, and that
nobody else has changed persons since. So a batch takes one message there and one back, and the next is
resolved while that is on its way. Where a belief was wrong nothing is written, and the batch is stored the
careful way (`online`), as are those after it for a while.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from suzani import sources
from suzani.identity.indexing.mirror import Mirror, Said, Settled
from suzani.identity.indexing.pool import Standard
from suzani.identity.persons import store
from suzani.identity.persons.types import NewChange
from suzani.infra.db import Database
from suzani.infra.message import Message, Stream
from suzani.kernel import now
from suzani.sources import Typed

_UNDER_WAY: Final = 2
"""Batches on their way at most, the one that is being resolved included."""

_LOCK_SECONDS: Final = 0.05
"""Who waits longer for the lock of identity waits the careful way: others can look up meanwhile."""

_FEWEST, _TAKEN = 256, 1_024
"""Ids in stock below which more are taken, and how many."""

_LONGEST_PAUSE: Final = 64
"""Batches that are stored the careful way after what was believed proved wrong again and again."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Stock:
    """Ids taken for records and persons to come; those that are never used are missing for ever."""

    def __init__(self) -> None:
        self.records: deque[int] = deque()
        self.persons: deque[int] = deque()

    def __len__(self) -> int:
        return min(len(self.records), len(self.persons))

    def add_refill(self, message: Message) -> Callable[[], None]:
        """Let a message that holds `store.lock` take more, if few are left; what is returned is to be called
        when it is answered."""
        if len(self) >= _FEWEST:
            return lambda: None
        records = sources.add_taken_ids(message, _TAKEN)
        persons = store.add_taken_ids(message, _TAKEN)

        def refill() -> None:
            self.records.extend(records())
            self.persons.extend(persons().tolist())

        return refill


@dataclass(frozen=True, slots=True)
class Sent:
    """A batch on its way: the ids of its records, what was settled, and what is done when that is durable or
    has psycopg's error."""

    record_ids: list[int]
    settled: Settled
    durable: asyncio.Future[None]


class Ahead:
    """Sends batches of new records ahead of the database. Who uses it is alone with the mirror."""

    def __init__(self, db: Database, mirror: Mirror, statement_seconds: float) -> None:
        self._mirror, self._statement_seconds = mirror, statement_seconds
        self._stream = Stream(db)
        self.stock = Stock()
        self._careful = 0
        self._pause, self._next_pause = 1, 1

    def takes(self, records: int) -> bool:
        """Whether so many records can be sent now."""
        return not (self._careful or self._pause) and len(self.stock) >= records

    async def send(
        self, change: NewChange, rows: Sequence[Typed], standards: Sequence[Standard]
    ) -> Sent | None:
        """Resolve records and send what follows; None if that is too much, or a batch before them failed.

        To be awaited alone with the mirror. Raises as `Database.autocommit`.
        """
        message, at = await self._stream.message(), now()
        ids = [self.stock.records.popleft() for _ in rows]
        touched = [*ids]
        try:
            store.add_lock_within(message, _LOCK_SECONDS, self._statement_seconds)
            sources.add_put_new(message, rows, ids, at)
            said = Said(ids, standards, [microseconds(at)] * len(ids), ids)
            settled = await self._mirror.settle_ahead(
                message, change, said, self._former_persons, self.stock.persons, at
            )
            touched += settled.person if settled else ()
            if settled is None or self._pause:
                self._mirror.forget(touched)
                return None
            refill = self.stock.add_refill(message)
            durable = self._stream.send(message)
        except BaseException:
            self._mirror.forget(touched)
            raise
        durable.add_done_callback(partial(self._answered, touched, refill))
        return Sent(ids, settled, durable)

    async def _former_persons(self, record_ids: npt.NDArray[np.int64]) -> dict[int, int]:
        """As the database tells it once it holds all that was sent before."""
        await self._stream.settled()
        return await self._stream.ask(partial(store.former_persons, record_id=record_ids))

    def _answered(
        self, touched: Sequence[int], refill: Callable[[], None], durable: asyncio.Future[None]
    ) -> None:
        if not durable.cancelled() and durable.exception() is None:
            self._mirror.stored()
            refill()
            self._next_pause = max(self._next_pause // 2, 1)
            return
        self._mirror.forget(touched)
        if not self._pause:
            self._pause = self._next_pause
            self._next_pause = min(2 * self._next_pause, _LONGEST_PAUSE)

    async def room(self) -> None:
        """Wait until another batch may be sent."""
        await self._stream.room(_UNDER_WAY)

    async def settled(self) -> None:
        """Wait until no batch is on its way."""
        await self._stream.settled()

    @contextmanager
    def held(self) -> Iterator[None]:
        """For as long as a batch is stored the careful way: no other is sent."""
        self._careful += 1
        try:
            yield
        finally:
            self._careful -= 1

    def note(self, as_believed: bool) -> None:
        """What the careful way found: whether all would have been as it is believed here."""
        if as_believed:
            self._pause = max(self._pause - 1, 0)
        else:
            self._pause = max(self._pause, 1)

    async def close(self) -> None:
        """Let go of the connection."""
        await self._stream.close()


def microseconds(at: datetime) -> int:
    """Since 1970."""
    return (at - _EPOCH) // timedelta(microseconds=1)
