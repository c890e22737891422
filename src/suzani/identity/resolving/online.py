"""Single records resolved as they come: whom a record as typed belongs to, and, if it is kept, its person.

One resolver per process takes all requests. Records that come together are stored and settled by one
transaction, in which two of one person meet; each is answered when that is committed. Looking up alone
writes nothing and waits for no lock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from time import monotonic
from typing import Final

import psycopg

from suzani import sources
from suzani.identity.indexing import mirror_store
from suzani.identity.indexing.matches import Near, Told, nearest_told
from suzani.identity.indexing.mirror import Mirror, Said, Settled
from suzani.identity.indexing.mirror_store import Position
from suzani.identity.indexing.pool import Standard
from suzani.identity.learning.knowledge import Learned
from suzani.identity.persons import store
from suzani.identity.persons.types import Cause, NewChange
from suzani.identity.resolving.ahead import Ahead, microseconds
from suzani.identity.resolving.service import mirror_of
from suzani.infra import jobs
from suzani.infra.db import Tx
from suzani.infra.lane import Lane, Waiting
from suzani.infra.message import Message
from suzani.infra.platform import Platform
from suzani.kernel import Busy, InvalidInput, SuzaniError, Unavailable, now
from suzani.sources import Fate, Typed

MOST_AT_ONCE: Final = 500
"""Records that one request may hold."""

_CHANGE: Final = NewChange(Cause.ONLINE)
_RUN_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class Limits:
    """`batch`: records settled by one transaction; `waiting`: records that may wait, more are refused;
    `wait_seconds`: how long a record waits for a full run to end; `statement_seconds`: the longest that a
    statement may take; `tell_seconds`: how often readers of the feed are woken at most."""

    batch: int = 128
    waiting: int = 2_000
    wait_seconds: float = 5.0
    statement_seconds: float = 10.0
    tell_seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class Asked:
    """One record to be resolved: what it says, by attribute, how many persons to tell about, and the record
    to be stored, if it is to be."""

    attributes: dict[str, str | None]
    limit: int = 5
    store: Typed | None = None


@dataclass(frozen=True, slots=True)
class Resolved:
    """Whom a record belongs to; None for somebody new who is not stored. `nearest` are the persons that it
    is near to, best first; of a stored record, as they are with it."""

    person_id: int | None
    is_new: bool
    record_id: int | None
    nearest: tuple[Near, ...]


@dataclass(frozen=True, slots=True)
class _Kept:
    record_id: int
    person_id: int
    is_new: bool
    evidence: list[Told] | None


@dataclass(frozen=True, slots=True)
class _ToStore:
    """A record to be stored, and its standard form by what was learned when it came."""

    asked: Asked
    record: Typed
    learned: Learned
    standard: Standard


_Request = Waiting[Asked, Resolved]
_StoreRequest = Waiting[_ToStore, Resolved]


class Resolver:
    """Resolves single records against everything known. `opened` makes one, `close` ends it."""

    def __init__(self, platform: Platform, mirror: Mirror, limits: Limits | None = None) -> None:
        self._platform, self._mirror = platform, mirror
        self._limits = limits = limits or Limits()
        # Whoever looks into the mirror or changes it holds this, until its transaction has ended.
        self._alone = asyncio.Lock()
        bounds = {"batch": limits.batch, "waiting": limits.waiting}
        self._looking: Lane[Asked, Resolved] = Lane(self._look_up, lambda asked: None, **bounds)
        self._storing: Lane[_ToStore, Resolved] = Lane(self._take, _name, **bounds)
        self._ahead = Ahead(platform.db, mirror, limits.statement_seconds)
        self._untold = asyncio.Event()
        self._untold.set()
        self._telling = asyncio.create_task(self._tell())

    @classmethod
    async def opened(cls, platform: Platform, limits: Limits | None = None) -> Resolver:
        """A resolver that knows every record. Raises Conflict before the first run over all records."""
        mirror = await mirror_of(platform)
        await asyncio.to_thread(mirror.index.warm_up)
        return cls(platform, mirror, limits)

    async def close(self) -> None:
        """Stop; requests that still wait fail with Unavailable."""
        await self._looking.close()
        await self._storing.close()
        await self._ahead.close()
        self._telling.cancel()
        with suppress(asyncio.CancelledError):
            await self._telling

    async def resolve(self, asked: Sequence[Asked]) -> list[Resolved | SuzaniError]:
        """Resolve records, each by itself: one that cannot be resolved gives its error, the others answers.

        What is stored is durable when this returns. Raises Busy when too many wait already, and InvalidInput
        for more than `MOST_AT_ONCE`.
        """
        if len(asked) > MOST_AT_ONCE:
            raise InvalidInput(
                f"{len(asked):,} records are too many at once", hint=f"Send {MOST_AT_ONCE:,} or fewer."
            )
        # Done here, for as long as the transaction before waits for the database.
        stored = self._storing.put([self._prepared(one, one.store) for one in asked if one.store])
        looked = self._looking.put([one for one in asked if not one.store])
        for answer in (*stored, *looked):
            with suppress(Exception):  # told by `_outcome`
                await answer
        answers = {True: iter(stored), False: iter(looked)}
        return [_outcome(next(answers[one.store is not None])) for one in asked]

    def _prepared(self, asked: Asked, record: Typed) -> _ToStore:
        index = self._mirror.index
        return _ToStore(asked, record, index.learned, index.standardise(record.attributes))

    async def _look_up(self, batch: Sequence[_Request], let_next: Callable[[], None]) -> None:
        """Answer from the mirror, once it has caught up and holds nothing that may still fail."""
        async with self._alone:
            await self._ahead.settled()
            if not await self._mirror.is_current(self._platform.db):
                async with self._platform.db.transaction() as tx:
                    await self._mirror.catch_up(tx)
            for one in batch:
                answer = self._mirror.nearest(one.asked.attributes, one.asked.limit)
                one.succeed(Resolved(answer.person_id, answer.person_id is None, None, answer.nearest))
                await asyncio.sleep(0)

    async def _take(self, batch: Sequence[_StoreRequest], let_next: Callable[[], None]) -> None:
        """Store a batch: ahead of the database, or else the careful way.

        After a failure it is tried once more, since the connection may be to blame (storing twice changes
        nothing), then record by record, since one of them may be.
        """
        try:
            if not await self._store_ahead(batch, let_next):
                await self._store(batch, let_next)
        except Busy:
            raise
        except (Unavailable, psycopg.OperationalError):
            await self._platform.db.pool.check()
            await self._store(batch, let_next)
        except Exception as error:  # a fault that one record brings out must not fail the others
            await self._apart(batch, error, let_next)

    async def _apart(
        self, batch: Sequence[_StoreRequest], first: Exception, let_next: Callable[[], None]
    ) -> None:
        if len(batch) == 1:
            raise first
        for one in batch:
            try:
                await self._store([one], let_next)
            except Exception as error:  # whatever it is, who asked is told
                one.fail(error)

    async def _store_ahead(self, batch: Sequence[_StoreRequest], let_next: Callable[[], None]) -> bool:
        """Store a batch of new records ahead of the database; False if nothing was stored.

        The next batch may begin once this one is on its way.
        """
        if not self._ahead.takes(len(batch)):
            return False
        waiting = [one.asked for one in batch]
        async with self._alone:
            if not self._ahead.takes(len(batch)):
                return False
            sent = await self._ahead.send(
                _CHANGE, [one.record for one in waiting], [self._standard(one) for one in waiting]
            )
            if sent is None:
                return False
            kept = self._kept(sent.record_ids, sent.settled)
        found = [await self._resolved(one, own) for one, own in zip(waiting, kept, strict=True)]
        await self._ahead.room()
        let_next()
        try:
            await sent.durable
        except psycopg.Error:
            return False
        self._answer(batch, found)
        return True

    async def _store(self, batch: Sequence[_StoreRequest], let_next: Callable[[], None]) -> None:
        """Store a batch the careful way: ask what the database holds, then settle what is new. One
        transaction; the answers are given when it is committed."""
        waiting = [one.asked for one in batch]
        touched: set[int] = set()
        with self._ahead.held():
            await self._ahead.settled()
            async with AsyncExitStack() as stack:
                try:
                    async with self._platform.db.autocommit() as tx:
                        message = Message(tx)
                        put, position = await self._put(message, batch)
                        touched.update(put.record_ids)
                        await stack.enter_async_context(self._alone)
                        was_new = {*put.fates} == {Fate.NEW} and self._mirror.is_at(position)
                        await self._mirror.catch_up(tx, position)
                        kept = await self._settle(tx, message, put, waiting, touched)
                except BaseException:
                    self._mirror.forget(touched)
                    raise
                self._ahead.note(as_believed=was_new)
                # The next batch is stored while these are answered, not earlier: it would only wait for the
                # lock, and what comes meanwhile for the batch after it.
                let_next()
                found = [await self._resolved(one, own) for one, own in zip(waiting, kept, strict=True)]
        self._answer(batch, found)

    def _answer(self, batch: Sequence[_StoreRequest], found: Sequence[Resolved]) -> None:
        self._untold.set()
        for one, answer in zip(batch, found, strict=True):
            one.succeed(answer)

    async def _resolved(self, waiting: _ToStore, own: _Kept) -> Resolved:
        """The answer for a stored record: its evidence, looked up where the record was there already."""
        asked = waiting.asked
        if own.evidence is None:
            await asyncio.sleep(0)
            nearest = self._mirror.nearest(asked.attributes, asked.limit).nearest
        else:
            clip = self._mirror.index.options.clip_bits
            nearest = nearest_told(own.evidence, self._mirror.person_of, own.person_id, clip, asked.limit)
        return Resolved(own.person_id, own.is_new, own.record_id, nearest)

    async def _put(
        self, message: Message, batch: Sequence[_StoreRequest]
    ) -> tuple[sources.PutResult, Position]:
        """Begin, take the lock of identity and store records, in one message; where the database stands.
        Raises Busy when a run holds the lock longer than records wait."""
        left = self._limits.wait_seconds - (monotonic() - min(one.since for one in batch))
        message.begin()
        store.add_lock_within(message, max(left, 0.1), self._limits.statement_seconds)
        position = mirror_store.add_position(message)
        stored = sources.add_put(message, [one.asked.record for one in batch], now())
        refill = self._ahead.stock.add_refill(message)
        try:
            await message.send()
            refill()
            return stored(), position()
        except psycopg.errors.LockNotAvailable:
            raise Busy("all records are being resolved; none can be stored meanwhile", _RUN_SECONDS) from None

    async def _settle(
        self, tx: Tx, last: Message, put: sources.PutResult, waiting: Sequence[_ToStore], touched: set[int]
    ) -> list[_Kept]:
        """Let stored records find their persons, and end the transaction if any had to; ids of what may have
        changed go to `touched`."""
        said = await self._with_unsettled(tx, put, self._said(put, waiting))
        settled = Settled({}, frozenset(), {})
        if said.record_ids:
            settled, _ = await self._mirror.settle(tx, _CHANGE, said, [], put.at, last)
            touched.update(settled.person)
        return self._kept(put.record_ids, settled)

    def _kept(self, record_ids: Sequence[int], settled: Settled) -> list[_Kept]:
        person_of, created, evidence = self._mirror.person_of, settled.created, settled.evidence
        return [
            _Kept(id_, person_of[id_], person_of[id_] in created, evidence.get(id_)) for id_ in record_ids
        ]

    def _standard(self, one: _ToStore) -> Standard:
        """What a record says; one that came before the latest run is standardised anew."""
        index = self._mirror.index
        return one.standard if one.learned is index.learned else index.standardise(one.record.attributes)

    def _said(self, put: sources.PutResult, waiting: Sequence[_ToStore]) -> Said:
        """What is new of stored records."""
        ids, fates = put.record_ids, put.fates
        changed = [at for at, fate in enumerate(fates) if fate is not Fate.UNCHANGED]
        standards = [self._standard(waiting[at]) for at in changed]
        new = [ids[at] for at in changed if fates[at] is Fate.NEW]
        return Said([ids[at] for at in changed], standards, [microseconds(put.at)] * len(changed), new)

    async def _with_unsettled(self, tx: Tx, put: sources.PutResult, said: Said) -> Said:
        """What was stored, and what was there already but has not been resolved yet."""
        given, settled = set(said.record_ids), self._mirror.person_of
        missing = [record for record in put.record_ids if record not in given and record not in settled]
        if not missing:
            return said
        return said + Said.of(await sources.records_for_identity(tx, missing), self._mirror.index)

    async def _tell(self) -> None:
        """Wake the readers of the feed when persons changed, but not all the time.

        The feed itself is written with the persons: a reader that is not woken reads it the next time.
        """
        while True:
            await self._untold.wait()
            self._untold.clear()
            with suppress(Unavailable, psycopg.Error):
                async with self._platform.db.transaction() as tx:
                    await jobs.publish(tx, "identity.changed")
            await asyncio.sleep(self._limits.tell_seconds)


def _name(asked: _ToStore) -> tuple[str, str]:
    """What tells stored records apart."""
    return asked.record.system, asked.record.key


def _outcome(answer: asyncio.Future[Resolved]) -> Resolved | SuzaniError:
    """An answer, or what the domain says is wrong; other errors are raised."""
    error = answer.exception()
    if error is None:
        return answer.result()
    if isinstance(error, SuzaniError):
        return error
    raise error
