"""A foreign Kafka topic becomes events, each once, whatever happens in between."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

pytest.importorskip("confluent_kafka", reason="the extra `kafka` is not installed")

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from suzani.events import store
from suzani.events.following import Following, follow
from suzani.events.mapping import Mapping
from suzani.infra.bus import Bus, open_bus
from suzani.infra.bus_address import KafkaAddress
from suzani.infra.platform import Platform
from suzani.kernel import Conflict, NotFound
from tests.events.collecting import log_of, quarantine_of
from tests.infra.bus.broker import Broker

MAPPING = Mapping(event="kind", user_id="client", properties={"amount": "sum"}, rest=False)


@pytest.fixture
async def bus(platform: Platform) -> AsyncIterator[Bus]:
    async with open_bus(platform.db, platform.settings) as opened:
        yield opened


@pytest.fixture
def topic(broker: Broker) -> str:
    name = f"foreign-{secrets.token_hex(4)}"
    admin = AdminClient({"bootstrap.servers": broker.address})
    admin.create_topics([NewTopic(name, 3, 1)])[name].result(30)
    return name


def produce(broker: Broker, topic: str, *values: bytes | None) -> None:
    producer = Producer({"bootstrap.servers": broker.address})
    for value in values:
        producer.produce(topic, value)
    producer.flush(30)


def payment(number: int) -> bytes:
    return json.dumps({"kind": "Payment Made", "client": number, "sum": number}).encode()


@asynccontextmanager
async def following(platform: Platform, bus: Bus, what: Following) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(follow(platform, bus, what, stop=stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def until(platform: Platform, bus: Bus, events: int, quarantined: int = 0) -> None:
    async with asyncio.timeout(60):
        while True:
            found = len(await log_of(platform, bus)), len(await quarantine_of(platform))
            if found == (events, quarantined):
                return
            await asyncio.sleep(0.1)


async def test_messages_become_events_once_over_restarts(
    platform: Platform, bus: Bus, broker: Broker, topic: str
) -> None:
    what = Following(KafkaAddress(broker.address), topic, "payments", MAPPING)
    produce(broker, topic, *(payment(i) for i in range(500)), b"no json", None)
    async with following(platform, bus, what):
        await until(platform, bus, 500, 2)
    produce(broker, topic, *(payment(i) for i in range(500, 700)))
    async with following(platform, bus, what):
        await until(platform, bus, 700, 2)
    events = await log_of(platform, bus)
    assert sorted(event.properties["amount"] for event in events) == list(range(700))
    assert len({event.message for event in events}) == 700
    assert {event.source for event in events} == {"payments"}
    assert all(topic in one.way for one in await quarantine_of(platform))


async def test_two_followers_do_not_take_the_same_messages(platform: Platform) -> None:
    async with platform.db.transaction() as tx:
        assert await store.move_followed(tx, "s", "t", 0, None, 10)
        assert not await store.move_followed(tx, "s", "t", 0, None, 10)
        assert not await store.move_followed(tx, "s", "t", 0, 5, 15)
        assert await store.move_followed(tx, "s", "t", 0, 10, 15)


async def test_a_topic_that_is_not_there_is_told(platform: Platform, bus: Bus, broker: Broker) -> None:
    what = Following(KafkaAddress(broker.address), "nowhere", "payments", MAPPING)
    with pytest.raises((NotFound, Conflict)):
        await follow(platform, bus, what, stop=asyncio.Event())
