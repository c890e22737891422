"""Reading a topic: effects and positions committed together, the work shared among workers, poison set aside.

In every turn a worker takes a fair share of the partitions that have something to read, by locking their
positions; so order holds within a partition, a worker that joins or is killed needs no announcement, and a
turn counts once or not at all.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

import psycopg

from suzani.infra.bus import positions
from suzani.infra.bus.types import Bus, Consumer, Reader, Received
from suzani.infra.db import Database, Tx
from suzani.infra.failures import translated
from suzani.kernel import SuzaniError, Unavailable

_TRIES: Final = 3
_FIRST_WAIT_SECONDS: Final = 0.1
_LONGEST_WAIT_SECONDS: Final = 10.0
_REPORT_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 1.0

_log = logging.getLogger(__name__)


async def consume(
    db: Database,
    bus: Bus,
    consumer: Consumer,
    *,
    stop: asyncio.Event,
    batch: int = 2000,
    pace_seconds: float = 0.02,
) -> None:
    """Hand the topic's messages to the consumer, each once and in order, until told to stop.

    At most `batch` messages make a turn; one that finds fewer is followed by the next `pace_seconds` after
    it began. What fails is tried again, then searched for the message at fault, which alone is refused; while
    the database or the bus is away, it waits. A turn under way is finished before it returns.
    """
    async with bus.reader(consumer.topic) as reader:
        worker = _Worker(db, bus, reader, consumer, batch)
        try:
            while not stop.is_set():
                began = time.monotonic()
                wait_seconds = await worker.turn()
                if wait_seconds:
                    await pause(stop, wait_seconds)
                elif not worker.had:
                    await _first(reader.wait(_LOOK_SECONDS), stop.wait())
                if worker.had < batch:
                    await pause(stop, began + pace_seconds - time.monotonic())
        finally:
            await worker.leave()


class _Worker:
    """One process's reading for a consumer. `had`: how many messages its last turn handled."""

    def __init__(self, db: Database, bus: Bus, reader: Reader, consumer: Consumer, batch: int) -> None:
        self._db = db
        self._bus = bus
        self._reader = reader
        self._consumer = consumer
        self._batch = batch
        self._id = uuid4()
        self._reported_at = float("-inf")
        self._mine: frozenset[int] = frozenset()
        self._failures = 0
        self.had = 0

    async def turn(self) -> float:
        """Handle what there is; returns how many seconds to wait before trying again, after a failure."""
        self.had = 0
        try:
            await self._report()
            self.had = await self._handle_some()
        except Exception as error:  # whatever a consumer raises, the rest must flow on
            self._failures += 1
            _log.warning("consumer %s failed (%d): %s", self._consumer.name, self._failures, _said(error))
            return min(_FIRST_WAIT_SECONDS * 4.0 ** min(self._failures - 1, 8), _LONGEST_WAIT_SECONDS)
        self._failures = 0
        return 0.0

    async def leave(self) -> None:
        """Let the others share what this worker had."""
        try:
            async with self._db.transaction() as tx:
                await positions.sign_off(tx, self._id)
        except Unavailable:
            return

    async def _report(self) -> None:
        if time.monotonic() < self._reported_at + _REPORT_SECONDS:
            return
        async with self._db.transaction() as tx:
            await positions.register(tx, self._bus, self._consumer)
            await positions.report_for_work(tx, self._consumer.name, self._id)
        self._reported_at = time.monotonic()

    async def _handle_some(self) -> int:
        async with self._db.transaction() as tx:
            ends = await self._reader.ends(tx)
            claimed = await positions.claim(tx, self._consumer, ends, self._mine)
            if not claimed:
                return 0
            self._mine = frozenset(claimed)
            messages, reached = await self._reader.read(tx, spans(claimed, ends, self._batch))
            if messages:
                await self._handle(tx, messages)
            await positions.move(tx, self._consumer, reached)
        return len(messages)

    async def _handle(self, tx: Tx, messages: Sequence[Received]) -> None:
        if self._failures < _TRIES - 1:
            await self._consumer.handle(tx, messages)
        else:
            await _handle_in_parts(tx, self._consumer, messages)


async def _handle_in_parts(tx: Tx, consumer: Consumer, messages: Sequence[Received]) -> None:
    """Handle all but the messages at fault, which are found by halving, and refused."""
    try:
        with translated():
            async with tx.transaction():
                await consumer.handle(tx, messages)
    except (Unavailable, psycopg.OperationalError):
        raise
    except Exception as error:
        if len(messages) > 1:
            middle = len(messages) // 2
            await _handle_in_parts(tx, consumer, messages[:middle])
            await _handle_in_parts(tx, consumer, messages[middle:])
            return
        [message] = messages
        _log.warning("consumer %s refuses %s: %s", consumer.name, message[:2], _said(error))
        await consumer.refuse(tx, message, error)


def spans(claimed: Mapping[int, int], ends: Mapping[int, int], batch: int) -> dict[int, range]:
    """What to read of each claimed partition: at most `batch` messages in all, shared out evenly; pure.

    Partitions with little to read leave their share to the others.
    """
    found: dict[int, range] = {}
    left = batch
    by_lag = sorted(claimed, key=lambda partition: ends[partition] - claimed[partition])
    for place, partition in enumerate(by_lag):
        start = claimed[partition]
        count = min(ends[partition] - start, left // (len(by_lag) - place))
        left -= count
        if count:
            found[partition] = range(start, start + count)
    return found


def _said(error: Exception) -> str:
    """One line for the log: without the data that an error of the database may quote."""
    if isinstance(error, SuzaniError):
        return error.message
    if isinstance(error, psycopg.Error):
        return f"{type(error).__name__}: {error.diag.message_primary or ''}"
    return f"{type(error).__name__}: {error}"


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait some seconds, or until told to stop."""
    if seconds > 0:
        await _first(asyncio.sleep(seconds), stop.wait())


async def _first(*waits: Coroutine[Any, Any, object]) -> None:
    """Wait until one of them is over; the others are cancelled. Raises what it raised."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
