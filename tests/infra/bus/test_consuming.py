"""Consumers: each message once and in order, whatever fails, and the work shared among workers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import psycopg
import pytest

from suzani.infra.bus import Bus, Message, Received, consume, forget, lags
from suzani.infra.bus.consuming import spans
from suzani.infra.db import Database, Query, Tx, execute, fetch
from suzani.kernel import InvalidInput, NotFound, Unavailable

EFFECTS = Query("select value, refused from effect order by id")


class Recorder:
    """A consumer whose effects are rows; `fault` may raise for what it is given."""

    def __init__(self, fault: Callable[[Sequence[Received]], None] = lambda batch: None) -> None:
        self.name, self.topic = "recorder", "events"
        self.batches: list[int] = []
        self._fault = fault

    async def handle(self, tx: Tx, batch: Sequence[Received]) -> None:
        self.batches.append(len(batch))
        insert = Query("insert into effect (value) select unnest(%(values)s::bytea[])")
        await execute(tx, insert, values=[message.value for message in batch])
        self._fault(batch)

    async def refuse(self, tx: Tx, message: Received, error: Exception) -> None:
        insert = Query("insert into effect (value, refused) values (%(value)s, %(error)s)")
        await execute(tx, insert, value=message.value, error=str(error))


@pytest.fixture(autouse=True)
async def _effects(database: Database) -> None:
    async with database.transaction() as tx:
        await execute(
            tx,
            Query("create table effect (id bigint generated always as identity, value bytea, refused text)"),
        )


def numbered(start: int, count: int) -> list[Message]:
    return [Message(b"%d" % (n % 10), b"%d" % n) for n in range(start, start + count)]


async def effects(db: Database) -> list[int]:
    async with db.transaction() as tx:
        return [int(row["value"]) for row in await fetch(tx, EFFECTS) if row["refused"] is None]


async def refused(db: Database) -> list[int]:
    async with db.transaction() as tx:
        return [int(row["value"]) for row in await fetch(tx, EFFECTS) if row["refused"] is not None]


@asynccontextmanager
async def consuming(db: Database, bus: Bus, *consumers: Recorder, batch: int = 100) -> AsyncIterator[None]:
    """A worker for each consumer, stopped as they should be at the end."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for consumer in consumers:
            group.create_task(consume(db, bus, consumer, stop=stop, batch=batch))
        try:
            yield
        finally:
            stop.set()


async def until_read(db: Database, bus: Bus, consumers: int = 1) -> None:
    """Wait until the consumers have nothing left to read."""
    async with asyncio.timeout(60):
        while True:
            async with db.transaction() as tx:
                found = await lags(tx, bus)
            if len({lag.consumer for lag in found}) == consumers and not any(lag.behind for lag in found):
                return
            await asyncio.sleep(0.02)


async def test_every_message_is_handled_once_and_in_order(bus: Bus, database: Database) -> None:
    recorder = Recorder()
    async with consuming(database, bus, recorder):
        for start in range(0, 1000, 250):
            await bus.send("events", numbered(start, 250))
        await until_read(database, bus)
    handled = await effects(database)
    assert sorted(handled) == list(range(1000))
    assert all([n for n in handled if n % 10 == key] == list(range(key, 1000, 10)) for key in range(10))
    assert max(recorder.batches) <= 100


async def test_what_was_there_before_the_consumer_is_read_too(bus: Bus, database: Database) -> None:
    await bus.send("events", numbered(0, 30))
    async with consuming(database, bus, Recorder()):
        await until_read(database, bus)
    assert sorted(await effects(database)) == list(range(30))


async def test_a_consumer_goes_on_where_it_stopped(bus: Bus, database: Database) -> None:
    for start in (0, 50):
        await bus.send("events", numbered(start, 50))
        async with consuming(database, bus, Recorder()):
            await until_read(database, bus)
    assert sorted(await effects(database)) == list(range(100))


async def test_consumers_of_other_names_each_read_everything(bus: Bus, database: Database) -> None:
    first, second = Recorder(), Recorder()
    second.name = "other"
    await bus.send("events", numbered(0, 20))
    async with consuming(database, bus, first, second):
        await until_read(database, bus, consumers=2)
    assert sorted(await effects(database)) == sorted([*range(20), *range(20)])


async def test_a_fault_that_passes_is_tried_again_and_counts_once(bus: Bus, database: Database) -> None:
    faults = [ValueError("once"), Unavailable("away")]

    def fault(batch: Sequence[Received]) -> None:
        if faults:
            raise faults.pop()

    await bus.send("events", numbered(0, 50))
    async with consuming(database, bus, Recorder(fault)):
        await until_read(database, bus)
    assert sorted(await effects(database)) == list(range(50))
    assert await refused(database) == []


@pytest.mark.parametrize("bad", [{17}, {0, 1, 2, 49}, {25, 43}])
async def test_the_message_at_fault_is_refused_and_the_rest_flows_on(
    bus: Bus, database: Database, bad: set[int]
) -> None:
    def fault(batch: Sequence[Received]) -> None:
        if any(int(message.value) in bad for message in batch):
            raise InvalidInput("poison")

    await bus.send("events", numbered(0, 50))
    async with consuming(database, bus, Recorder(fault)):
        await until_read(database, bus)
        await bus.send("events", numbered(50, 50))
        await until_read(database, bus)
    assert sorted(await refused(database)) == sorted(bad)
    assert sorted(await effects(database)) == sorted(set(range(100)) - bad)


async def test_an_error_of_sql_in_a_batch_refuses_its_message_alone(bus: Bus, database: Database) -> None:
    class Dividing(Recorder):
        async def handle(self, tx: Tx, batch: Sequence[Received]) -> None:
            await super().handle(tx, batch)
            for message in batch:
                await execute(tx, Query("select 1 / %(n)s::integer"), n=int(message.value))

    await bus.send("events", numbered(0, 20))
    async with consuming(database, bus, Dividing()):
        await until_read(database, bus)
    assert await refused(database) == [0]
    assert sorted(await effects(database)) == list(range(1, 20))


async def test_a_database_that_is_away_refuses_nothing(bus: Bus, database: Database) -> None:
    faults: list[Exception] = [psycopg.errors.DeadlockDetected()] * 4

    def fault(batch: Sequence[Received]) -> None:
        if faults:
            raise faults.pop()

    await bus.send("events", numbered(0, 10))
    async with consuming(database, bus, Recorder(fault)):
        await until_read(database, bus)
    assert await refused(database) == []
    assert sorted(await effects(database)) == list(range(10))


async def test_workers_share_the_partitions(bus: Bus, database: Database) -> None:
    class Slow(Recorder):
        async def handle(self, tx: Tx, batch: Sequence[Received]) -> None:
            await asyncio.sleep(0.02)
            await super().handle(tx, batch)

    first, second = Slow(), Slow()
    async with consuming(database, bus, first, second, batch=20):
        for start in range(0, 2000, 200):
            await bus.send("events", numbered(start, 200))
        await until_read(database, bus)
    handled = await effects(database)
    assert sorted(handled) == list(range(2000))
    assert all([n for n in handled if n % 10 == key] == list(range(key, 2000, 10)) for key in range(10))
    assert min(sum(first.batches), sum(second.batches)) > 200


async def test_a_long_transaction_elsewhere_holds_nobody_up(bus: Bus, database: Database) -> None:
    async with database.transaction() as other:
        await execute(other, Query("create table unrelated (a int)"))
        await bus.send("events", numbered(0, 10))
        async with consuming(database, bus, Recorder()):
            await until_read(database, bus)
        assert sorted(await effects(database)) == list(range(10))


async def test_lag_tells_how_many_wait_and_since_when(bus: Bus, database: Database) -> None:
    async with consuming(database, bus, Recorder()):
        await bus.send("events", numbered(0, 10))
        await until_read(database, bus)
    await bus.send("events", numbered(10, 20))
    async with database.transaction() as tx:
        found = await lags(tx, bus)
    assert sum(lag.behind for lag in found) == 20
    assert all((lag.since is not None) == (lag.behind > 0) for lag in found)


async def test_a_forgotten_consumer_begins_with_the_oldest_message(bus: Bus, database: Database) -> None:
    for _ in range(2):
        await bus.send("events", numbered(0, 5))
        async with consuming(database, bus, Recorder()):
            await until_read(database, bus)
        async with database.transaction() as tx:
            await forget(tx, "recorder")
    assert len(await effects(database)) == 5 + 10
    async with database.transaction() as tx:
        with pytest.raises(NotFound, match="recorder"):
            await forget(tx, "recorder")


def test_a_turn_is_shared_out_evenly_and_small_partitions_leave_their_share() -> None:
    ends = {0: 1000, 1: 10, 2: 1000, 3: 7}
    found = spans({0: 0, 1: 5, 2: 500}, ends, 100)
    assert found == {1: range(5, 10), 2: range(500, 547), 0: range(48)}
    assert sum(map(len, spans(dict.fromkeys(range(4), 0), ends, 3).values())) == 3
