"""What every log promises to producers and consumers, whatever carries it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence

import pytest

from suzani.infra.bus import Bus, Message, Received
from suzani.infra.db import Database

PARTITIONS = 4


def numbered(start: int, count: int, keys: int = 10) -> list[Message]:
    return [Message(f"k{n % keys}".encode(), f"v{n}".encode()) for n in range(start, start + count)]


async def everything(bus: Bus, db: Database, topic: str, at_least: int = 0) -> list[Received]:
    """All messages of a topic, once there are as many as expected."""
    async with asyncio.timeout(60):
        while True:
            async with db.transaction() as tx:
                starts, ends = await bus.starts(tx, topic), await bus.ends(tx, topic)
            found = await between(bus, db, topic, starts, ends)
            if len(found) >= at_least:
                return found
            await asyncio.sleep(0.02)


async def between(
    bus: Bus, db: Database, topic: str, starts: Mapping[int, int], ends: Mapping[int, int]
) -> list[Received]:
    """All messages from some offsets to others, in as many readings as it takes."""
    places, found = dict(starts), list[Received]()
    async with asyncio.timeout(60), bus.reader(topic) as reader:
        while any(places[p] < ends[p] for p in places):
            async with db.transaction() as tx:
                got, reached = await reader.read(
                    tx, {p: range(at, ends[p]) for p, at in places.items() if at < ends[p]}
                )
            places |= reached
            found += got
    return found


def by_key(received: Sequence[Received]) -> dict[bytes, list[bytes]]:
    found = defaultdict(list)
    for message in received:
        found[message.key].append(message.value)
    return dict(found)


async def test_what_is_sent_is_read_once_and_in_the_order_of_its_key(bus: Bus, database: Database) -> None:
    await bus.send("events", numbered(0, 700))
    await bus.send("events", numbered(700, 900))
    received = await everything(bus, database, "events")
    expected = by_key([Received(0, 0, *message) for message in numbered(0, 1600)])
    assert by_key(received) == expected


async def test_offsets_grow_within_a_partition_and_end_where_the_bus_says(
    bus: Bus, database: Database
) -> None:
    await bus.send("events", numbered(0, 300))
    received = await everything(bus, database, "events")
    async with database.transaction() as tx:
        ends = await bus.ends(tx, "events")
    assert set(ends) == set(range(PARTITIONS))
    for partition in ends:
        offsets = [message.offset for message in received if message.partition == partition]
        assert offsets == sorted(set(offsets))
        assert not offsets or offsets[-1] == ends[partition] - 1


async def test_keys_and_values_are_any_bytes(bus: Bus, database: Database) -> None:
    messages = [
        Message(b"", b""),
        Message(b"\0\xff", bytes(range(256)) * 40),
        Message(b"k" * 300, b"x" * 300_000),
    ]
    await bus.send("events", messages)
    received = await everything(bus, database, "events")
    assert sorted((m.key, m.value) for m in received) == sorted(messages)


async def test_a_span_is_read_from_the_middle(bus: Bus, database: Database) -> None:
    await bus.send("events", [Message(b"same", b"%d" % n) for n in range(1200)])
    async with database.transaction() as tx:
        ends = await bus.ends(tx, "events")
    [partition] = [p for p, end in ends.items() if end]
    received = await between(bus, database, "events", {partition: 511}, {partition: 530})
    assert [message.value for message in received] == [b"%d" % n for n in range(511, 530)]


async def test_concurrent_senders_all_find_their_messages_in_the_log(bus: Bus, database: Database) -> None:
    await asyncio.gather(*(bus.send("events", numbered(n * 50, 50, keys=7)) for n in range(40)))
    received = await everything(bus, database, "events")
    assert sorted(m.value for m in received) == sorted(m.value for m in numbered(0, 2000))


async def test_topics_are_apart(bus: Bus, database: Database) -> None:
    await asyncio.gather(bus.send("events", numbered(0, 5)), bus.send("segments", numbered(5, 3)))
    assert len(await everything(bus, database, "events")) == 5
    assert len(await everything(bus, database, "segments")) == 3
    async with database.transaction() as tx:
        assert await bus.topics(tx) == ["events", "segments"]


async def test_nothing_sent_leaves_nothing(bus: Bus, database: Database) -> None:
    await bus.send("events", [])
    async with database.transaction() as tx:
        await bus.append(tx, "events", [])
    assert await everything(bus, database, "events") == []


async def test_a_topic_nobody_wrote_to_is_empty(bus: Bus, database: Database) -> None:
    async with database.transaction() as tx:
        assert dict(await bus.ends(tx, "events")) == dict.fromkeys(range(PARTITIONS), 0)


async def test_messages_have_the_time_they_were_appended(bus: Bus, database: Database) -> None:
    await bus.send("events", [Message(b"a", b"1")])
    async with database.transaction() as tx:
        ends = await bus.ends(tx, "events")
        [partition] = [p for p, end in ends.items() if end]
        assert set(await bus.times(tx, "events", dict.fromkeys(ends, 0))) == {partition}


async def test_who_waits_is_woken_when_something_is_sent(bus: Bus, database: Database) -> None:
    async with bus.reader("events") as reader:
        async with database.transaction() as tx:
            await reader.ends(tx)
        await bus.send("events", numbered(0, 1))
        async with asyncio.timeout(10):
            await reader.wait(60)


async def test_what_is_appended_comes_with_the_transaction_or_not_at_all(
    bus: Bus, database: Database
) -> None:
    async def fail() -> None:
        async with database.transaction() as tx:
            await bus.append(tx, "events", numbered(0, 10))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with database.transaction() as tx:
        await bus.append(tx, "events", numbered(10, 10))
        await bus.append(tx, "segments", numbered(20, 1))
    received = await everything(bus, database, "events", at_least=10)
    assert by_key(received) == {message.key: [message.value] for message in numbered(10, 10)}
