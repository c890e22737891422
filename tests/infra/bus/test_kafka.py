"""What the log in Kafka does beside what every log does."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from suzani.infra.backup import back_up, restore
from suzani.infra.bus import Bus, Message, open_bus
from suzani.infra.bus.kafka.bus import KafkaBus
from suzani.infra.bus_address import BusAddress
from suzani.infra.db import Database
from suzani.infra.settings import Settings
from suzani.kernel import SuzaniError
from tests.infra.bus.broker import PASSWORD, USER, Broker
from tests.infra.bus.conftest import kept
from tests.infra.bus.positions import read_to
from tests.infra.bus.test_contract import everything

PARTITIONS = 2
FEW = [Message(b"%d" % n, b"%d" % n) for n in range(40)]
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def options() -> str:
    """Options of an address, with topics of this test alone."""
    return f"partitions={PARTITIONS}&prefix=test-{secrets.token_hex(4)}."


@asynccontextmanager
async def kafka_keeping(db: Database, broker: Broker, hours: int) -> AsyncIterator[KafkaBus]:
    """A log that keeps what everybody has read for so many hours."""
    address = BusAddress.parse(f"kafka://{broker.address}?{options()}")
    assert address.kafka is not None
    bus = KafkaBus(db, BusAddress(partitions=PARTITIONS, keep_hours=hours), address.kafka)
    yield bus
    await bus.close()


async def bounds(db: Database, bus: Bus) -> tuple[dict[int, int], dict[int, int]]:
    """Where each partition begins and ends."""
    async with db.transaction() as tx:
        return dict(await bus.starts(tx, "events")), dict(await bus.ends(tx, "events"))


async def test_what_all_have_read_is_dropped_and_offsets_go_on(database: Database, broker: Broker) -> None:
    async with kafka_keeping(database, broker, hours=0) as bus:
        await bus.send("events", FEW)
        _, first = await bounds(database, bus)
        await read_to(database, 10)
        await bus.trim()
        assert await bounds(database, bus) == ({0: 10, 1: 10}, first)
        await read_to(database, 1_000)
        await bus.trim()
        assert await bounds(database, bus) == (first, first)
        await bus.send("events", FEW)
        found = await everything(bus, database, "events", len(FEW))
    assert sorted(message.value for message in found) == sorted(message.value for message in FEW)


async def test_what_is_young_is_kept_whoever_has_read_it(database: Database, broker: Broker) -> None:
    async with kafka_keeping(database, broker, hours=24) as bus:
        await bus.send("events", FEW)
        await read_to(database, 1_000)
        await bus.trim()
        assert (await bounds(database, bus))[0] == {0: 0, 1: 0}


def secured(broker: Broker, password: str = PASSWORD) -> BusAddress:
    """The broker's secured door, opened with a password."""
    login, ca = f"{USER}:{quote(password, safe='')}", broker.certificate
    return BusAddress.parse(f"kafka://{login}@{broker.secured}?{options()}&tls=yes&sasl=plain&ca={ca}")


async def test_a_cluster_with_tls_and_passwords_is_written_to_and_read(
    broker: Broker, database: Database, tmp_path: Path
) -> None:
    async with open_bus(database, Settings(tmp_path, bus=secured(broker))) as bus, kept(bus):
        await bus.send("events", FEW)
        async with database.transaction() as tx:
            await bus.append(tx, "events", FEW)
        found = await everything(bus, database, "events", 2 * len(FEW))
    assert len(found) == 2 * len(FEW)


@pytest.mark.parametrize("wrong", ["password", "certificate"])
async def test_a_cluster_that_refuses_or_is_not_genuine_is_an_error_of_the_domain(
    broker: Broker, database: Database, tmp_path: Path, wrong: str
) -> None:
    address = secured(broker, "guessed") if wrong == "password" else secured(broker)
    if wrong == "certificate":
        assert address.kafka is not None
        del address.kafka.security["ssl.ca.location"]
    async with open_bus(database, Settings(tmp_path, bus=address)) as bus:
        with pytest.raises(SuzaniError, match="Kafka"):
            await bus.send("events", FEW)


async def appended(settings: Settings, values: Sequence[bytes], in_all: int) -> set[bytes]:
    """Append messages in a transaction; returns all that are on the log once they are there."""
    db = await Database.connect(settings.database_url or "")
    async with open_bus(db, settings) as bus, kept(bus):
        async with db.transaction() as tx:
            await bus.append(tx, "events", [Message(value, value) for value in values])
        found = await everything(bus, db, "events", in_all)
    await db.close()
    return {message.value for message in found}


async def test_what_is_appended_after_a_restore_reaches_kafka(
    broker: Broker, database_url: str, tmp_path: Path
) -> None:
    address = BusAddress.parse(f"kafka://{broker.address}?{options()}")
    settings, file = Settings(tmp_path, database_url=database_url, bus=address), tmp_path / "bank.backup"
    await appended(settings, [b"a"], 1)
    await asyncio.to_thread(back_up, settings, database_url, file, NOON)
    await appended(settings, [b"b", b"c"], 3)
    await asyncio.to_thread(restore, settings, database_url, file, force=True)
    assert await appended(settings, [b"d", b"e"], 5) == {b"a", b"b", b"c", b"d", b"e"}
