"""Nothing is lost and nothing counts twice, whichever process is killed (kill -9) while messages flow."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from suzani.infra.bus import Bus, Message, lags, open_bus
from suzani.infra.bus.kafka.bus import KafkaBus
from suzani.infra.cluster import Cluster
from suzani.infra.db import Database, execute, fetch
from suzani.infra.migrate import migrate
from suzani.infra.postmaster import find_running
from suzani.infra.queries import Query
from suzani.infra.server import ServerUse, use_server
from suzani.infra.settings import Settings
from suzani.kernel import Unavailable
from tests.infra.bus.broker import Broker
from tests.infra.bus.worker import TABLE, TOPIC

ROOT = Path(__file__).resolve().parents[3]
KILLS = 3
DICE = random.Random(4)


class Workers:
    """Two worker processes, of which one can be killed and replaced at any time."""

    def __init__(self, settings: Settings) -> None:
        self._command = [
            sys.executable, "-m", "tests.infra.bus.worker", settings.database_url or "", settings.bus.text
        ]  # fmt: skip
        self._running = [self._start() for _ in range(2)]

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command, cwd=ROOT, stderr=subprocess.DEVNULL)

    async def kill_one(self) -> None:
        place = DICE.randrange(2)
        self._running[place].kill()
        self._running[place].wait()
        self._running[place] = self._start()

    def stop(self) -> None:
        for process in self._running:
            process.kill()
            process.wait()


@asynccontextmanager
async def sending(db: Database, bus: Bus) -> AsyncIterator[set[bytes]]:
    """Senders at work during the block, by both ways; the set fills with what was acknowledged.

    What failed is sent again until it is, as clients do.
    """
    acknowledged: set[bytes] = set()
    stop = asyncio.Event()

    async def one(messages: list[Message], in_transaction: bool) -> None:
        if in_transaction:
            async with db.transaction() as tx:
                await bus.append(tx, TOPIC, messages)
        else:
            await bus.send(TOPIC, messages)

    async def sender(name: int) -> None:
        count = 0
        while not stop.is_set():
            messages = [Message(b"%d" % n, b"%d/%d/%d" % (name, count, n)) for n in range(50)]
            while True:
                try:
                    await one(messages, in_transaction=name % 4 == 0)
                    break
                except Unavailable:
                    await asyncio.sleep(0.1)
            acknowledged.update(message.value for message in messages)
            count += 1
            await asyncio.sleep(0.02)

    async with asyncio.TaskGroup() as group:
        for name in range(8):
            group.create_task(sender(name))
        try:
            yield acknowledged
        finally:
            stop.set()


async def under_load(db: Database, settings: Settings, kill: Callable[[Workers], Awaitable[None]]) -> None:
    """Kill something at random moments while messages flow; then compare what was sent with the effects."""
    async with db.transaction() as tx:
        await execute(tx, TABLE)
    async with open_bus(db, settings) as bus:
        workers = Workers(settings)
        try:
            await all_at_work(db)
            async with sending(db, bus) as acknowledged:
                for _ in range(KILLS):
                    await asyncio.sleep(1 + DICE.random())
                    await kill(workers)
                await asyncio.sleep(1)
            await all_read(db, bus)
        finally:
            workers.stop()
        await compare(db, bus, acknowledged)


async def all_at_work(db: Database) -> None:
    """Wait until both workers read: one that finds no database when it starts would only end."""
    async with asyncio.timeout(60):
        while True:
            async with db.transaction() as tx:
                if len(await fetch(tx, Query("select from bus.worker"))) == 2:
                    return
            await asyncio.sleep(0.1)


async def all_read(db: Database, bus: Bus) -> None:
    """Wait until the workers have read everything, in the outbox too."""
    async with asyncio.timeout(300):
        while True:
            try:
                async with db.transaction() as tx:
                    outbox = await fetch(
                        tx,
                        Query(
                            "select from bus.cursor where consumer = 'relay' "
                            "and next_offset < bus.end_of(topic, partition)"
                        ),
                    )
                    found = [lag for lag in await lags(tx, bus) if lag.consumer == "effects"]
                if found and not outbox and not any(lag.behind for lag in found):
                    return
            except Unavailable:
                pass
            await asyncio.sleep(0.2)


async def compare(db: Database, bus: Bus, acknowledged: set[bytes]) -> None:
    """Every message of the log had its effect once; every acknowledged one is among them."""
    async with db.transaction() as tx:
        effects = await fetch(tx, Query("select * from effect"))
        ends = await bus.ends(tx, TOPIC)
    places = [(row["partition"], row["its_offset"]) for row in effects]
    assert len(places) == len(set(places))
    assert acknowledged <= {row["value"] for row in effects}
    assert len(acknowledged) > 1_000
    marks = sum(ends.values()) - len(places)  # offsets without a message: Kafka's marks of transactions
    assert marks >= 0
    assert marks == 0 or isinstance(bus, KafkaBus)


async def test_workers_are_killed(bus_settings: Settings, database: Database) -> None:
    await under_load(database, bus_settings, lambda workers: workers.kill_one())
    async with database.transaction() as tx:
        values = await fetch(tx, Query("select value from effect"))
    assert len(values) == len({row["value"] for row in values})


async def test_kafka_is_killed(broker: Broker, bus_settings: Settings, database: Database) -> None:
    if bus_settings.bus.kafka is None:
        pytest.skip("only where the log is Kafka")

    async def kill(workers: Workers) -> None:
        broker.kill()
        await asyncio.to_thread(broker.start)

    await under_load(database, bus_settings, kill)


@pytest.fixture
def embedded(scratch: Path) -> Settings:
    """Settings for a PostgreSQL of this test alone."""
    folder = scratch / f"killed-{secrets.token_hex(4)}"
    folder.mkdir()
    folder.chmod(0o711)
    return Settings(folder / "data", system_dir=folder / "system")


@pytest.fixture
def server(embedded: Settings) -> Iterator[ServerUse]:
    """That PostgreSQL."""
    use = use_server(embedded)
    yield use
    use.leave()


def until_dead(cluster: Cluster) -> None:
    """A killed process may live on for a moment."""
    while find_running(cluster) is not None:
        time.sleep(0.02)


async def test_postgresql_is_killed(embedded: Settings, server: ServerUse, bus_settings: Settings) -> None:
    own = replace(bus_settings, database_url=server.url)
    await migrate(server.url)

    async def kill(workers: Workers) -> None:
        running = find_running(server.cluster)
        assert running is not None
        os.kill(running.pid, signal.SIGKILL)
        await asyncio.to_thread(until_dead, server.cluster)
        await asyncio.to_thread(server.ensure_running, embedded)

    db = await Database.connect(server.url)
    try:
        await under_load(db, own, kill)
    finally:
        await db.close()
