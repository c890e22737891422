"""Collector, workers, database and broker are killed at random moments under load, by SIGKILL: what was
acknowledged is on the profiles, once."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import psutil
import pytest

from suzani.activity import PROCESSOR, store
from suzani.activity.rules import load_rules
from suzani.bench.http_client import Connection, Target
from suzani.infra import keys
from suzani.infra.bus import lags, open_bus
from suzani.infra.bus_address import BusAddress
from suzani.infra.db import Database
from suzani.infra.platform import Platform, running
from suzani.infra.settings import Settings
from suzani.infra.supervisor import HOST
from suzani.kernel import now
from tests.infra.bus.broker import Broker
from tests.infra.test_supervisor import free_port

USERS = 40
BATCH = 20
VICTIMS = ("pages", "events", "postgres", "events", "pages", "postgres")
"""By the service's name; fewer of each than the supervisor takes for a service that cannot run."""

KAFKA_VICTIMS = ("kafka", "pages", "events", "postgres", "kafka")

PAUSE_SECONDS = (1.0, 4.0)
SENDERS = 3


class Served:
    """`suzani up` in a folder of its own."""

    def __init__(self, settings: Settings, port: int) -> None:
        self.settings, self.port = settings, port
        command = [sys.executable, "-c", "from suzani.main import main; main()", "up", "--port", str(port)]
        self.process = subprocess.Popen(command, env=settings.to_environment())

    def pids(self) -> dict[str, list[int]]:
        """What can be killed, by kind."""
        found = defaultdict(list)
        for child in psutil.Process(self.process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                for argument in child.cmdline():
                    if argument.startswith("suzani.main:serve_"):
                        found[argument.removeprefix("suzani.main:serve_")].append(child.pid)
        for path in (self.settings.data_dir, self.settings.system_dir):
            for pid_file in path.glob("**/postmaster.pid"):
                with suppress(OSError, ValueError, IndexError):
                    found["postgres"].append(int(pid_file.read_text().splitlines()[0]))
        return found


@contextmanager
def up(settings: Settings) -> Iterator[Served]:
    running_platform = Served(settings, free_port())
    try:
        yield running_platform
    finally:
        running_platform.process.send_signal(signal.SIGTERM)
        running_platform.process.wait(60)


class Sender:
    """Sends batches one after another; each until it is acknowledged, as SDKs do."""

    def __init__(self, port: int, key: str, number: int) -> None:
        self.sent: dict[str, set[str]] = defaultdict(set)
        self.acknowledged: dict[str, set[str]] = defaultdict(set)
        self._connection = Connection(Target(HOST, port, "/v1/batch"))
        self._key, self._number = key, number

    async def send(self, done: asyncio.Event) -> None:
        batch = 0
        while not done.is_set():
            batch += 1
            events = [self._event(batch, place) for place in range(BATCH)]
            body = msgspec.json.encode({"writeKey": self._key, "batch": events})
            for event in events:
                self.sent[event["userId"]].add(event["messageId"])
            while not await self._is_taken(body):  # noqa: ASYNC110 (the server comes back by itself)
                await asyncio.sleep(0.1)
            for event in events:
                self.acknowledged[event["userId"]].add(event["messageId"])
        await self._connection.close()

    def _event(self, batch: int, place: int) -> dict[str, str]:
        user = random.Random(batch * BATCH + place).randrange(USERS)
        message = f"{self._number}-{batch}-{place}"
        return {"type": "track", "event": "App Opened", "userId": f"u{user}", "messageId": message}

    async def _is_taken(self, body: bytes) -> bool:
        try:
            return await self._connection.post(body) == 200
        except OSError:
            return False


async def killing(served: Served, done: asyncio.Event, broker: Broker | None) -> None:
    """Kill each of the victims, in a random order, at random moments; wait a little in the end."""
    draw = random.Random(20)
    victims = list(KAFKA_VICTIMS if broker else VICTIMS)
    draw.shuffle(victims)
    while victims:
        await asyncio.sleep(draw.uniform(*PAUSE_SECONDS))
        if victims[-1] == "kafka" and broker:
            broker.kill()
            await asyncio.to_thread(broker.start)
            victims.pop()
        elif alive := served.pids()[victims[-1]]:
            with suppress(psutil.NoSuchProcess):
                psutil.Process(draw.choice(alive)).kill()
                victims.pop()
    await asyncio.sleep(PAUSE_SECONDS[1])
    done.set()


async def drained(platform: Platform) -> None:
    """Wait until all that is on the log took effect."""
    deadline = time.monotonic() + 120
    async with open_bus(platform.db, platform.settings) as bus:
        while time.monotonic() < deadline:
            async with platform.db.transaction() as tx:
                if not sum(lag.behind for lag in await lags(tx, bus) if lag.consumer == PROCESSOR):
                    return
            await asyncio.sleep(0.3)
    raise AssertionError("the events did not take effect")


async def stored(db: Database) -> dict[str, list[str]]:
    """Message ids by user, as they are kept."""
    found = defaultdict(list)
    async with db.transaction() as tx:
        rows = await tx.execute(
            "select body ->> 'user_id' as user, body ->> 'message_id' as id from activity.event"
        )
        async for row in rows:
            found[row["user"]].append(row["id"])
    return found


async def counted(platform: Platform) -> dict[str, int]:
    """Numbers of events by user, as the profiles have them."""
    rules = load_rules(platform.data_dir)
    async with platform.db.transaction() as tx:
        rows = await tx.execute("select value, subject_id from stitching.identifier where kind = 'user_id'")
        subjects = {row["value"]: row["subject_id"] async for row in rows}
        states = await store.states(tx, rules.traits, subjects.values())
    return {user: states[subject].events for user, subject in subjects.items()}


@pytest.fixture(params=["postgres", "kafka"])
def log(request: pytest.FixtureRequest) -> Broker | None:
    """The broker that carries the log; None where PostgreSQL does."""
    return request.getfixturevalue("broker") if request.param == "kafka" else None


@pytest.fixture
def own_settings(scratch: Path, log: Broker | None) -> Settings:
    folder = scratch / f"killing-{'kafka' if log else 'postgres'}"
    folder.mkdir()
    folder.chmod(0o711)
    bus = BusAddress.parse(f"kafka://{log.address}?prefix=killing.") if log else BusAddress()
    return Settings(folder / "data", system_dir=folder / "system", bus=bus)


async def test_what_was_acknowledged_is_on_the_profiles_once_whatever_is_killed(
    own_settings: Settings, log: Broker | None
) -> None:
    async with running(own_settings) as platform, platform.db.transaction() as tx:
        _, key = await keys.create_key(tx, "source", "app", now(), {"channel": "app"})
    with up(own_settings) as served:
        done = asyncio.Event()
        senders = [Sender(served.port, key, number) for number in range(SENDERS)]
        await asyncio.gather(killing(served, done, log), *(sender.send(done) for sender in senders))
        async with running(own_settings) as platform:
            await drained(platform)
            kept, profiles = await stored(platform.db), await counted(platform)
    for user in {user for sender in senders for user in sender.sent}:
        acknowledged = set().union(*(sender.acknowledged[user] for sender in senders))
        sent = set().union(*(sender.sent[user] for sender in senders))
        assert acknowledged <= set(kept[user]) <= sent
        assert len(kept[user]) == len(set(kept[user]))
        assert profiles[user] == len(kept[user])
