"""What the log in PostgreSQL does beside what every log does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suzani.infra.bus import Message
from suzani.infra.bus.grouping import MOST_WAITING_BYTES, GroupCommit
from suzani.infra.bus.packing import MOST_BYTES, MOST_MESSAGES, pack, unpack
from suzani.infra.bus.postgres import PostgresBus
from suzani.infra.db import Database, Query, fetch_one
from suzani.kernel import Busy, Unavailable
from tests.infra.bus.positions import read_to


@pytest.fixture
async def postgres(database: Database) -> AsyncIterator[PostgresBus]:
    bus = PostgresBus(database, partitions=2, keep_hours=0)
    yield bus
    await bus.close()


async def ends(db: Database, bus: PostgresBus) -> dict[int, int]:
    async with db.transaction() as tx:
        return dict(await bus.ends(tx, "events"))


async def starts(db: Database, bus: PostgresBus) -> dict[int, int]:
    async with db.transaction() as tx:
        return dict(await bus.starts(tx, "events"))


FEW = [Message(b"%d" % n, b"%d" % n) for n in range(40)]


async def test_a_late_commit_cannot_be_passed(database: Database, postgres: PostgresBus) -> None:
    async with database.transaction() as late:
        await postgres.append(late, "events", [Message(b"key", b"first")])
        sending = asyncio.create_task(postgres.send("events", [Message(b"key", b"second")]))
        await asyncio.sleep(0.2)
        assert set((await ends(database, postgres)).values()) == {0}
    await sending
    async with database.transaction() as tx:
        found = await postgres.read(tx, "events", {0: range(9), 1: range(9)})
    assert [(message.offset, message.value) for message in found] == [(0, b"first"), (1, b"second")]


async def test_transactions_that_append_to_many_topics_do_not_block_one_another_for_good(
    database: Database, postgres: PostgresBus
) -> None:
    async def some(number: int) -> None:
        async with database.transaction() as tx:
            await postgres.append(tx, "events", FEW[number:] + FEW[:number])

    await asyncio.gather(*map(some, range(20)))
    assert sum((await ends(database, postgres)).values()) == 20 * len(FEW)


async def test_what_all_have_read_is_dropped_a_generation_at_a_time(
    database: Database, postgres: PostgresBus
) -> None:
    await postgres.send("events", FEW)
    first = await ends(database, postgres)
    await read_to(database, 1_000)
    for _ in range(2):
        await postgres.trim()
        assert set((await starts(database, postgres)).values()) == {0}
    await postgres.send("events", FEW)
    await postgres.trim()
    assert await starts(database, postgres) == first
    assert await ends(database, postgres) == {p: 2 * end for p, end in first.items()}


async def test_offsets_go_on_when_everything_was_dropped(database: Database, postgres: PostgresBus) -> None:
    await postgres.send("events", FEW)
    first = await ends(database, postgres)
    for _ in range(4):
        await postgres.trim()
    assert await starts(database, postgres) == first == await ends(database, postgres)
    await postgres.send("events", FEW)
    async with database.transaction() as tx:
        found = await postgres.read(tx, "events", {p: range(at, 999) for p, at in first.items()})
    assert sorted(message.value for message in found) == sorted(message.value for message in FEW)


async def test_what_a_consumer_has_not_read_stays(database: Database, postgres: PostgresBus) -> None:
    await postgres.send("events", FEW)
    last = max((await ends(database, postgres)).values()) - 1
    await read_to(database, last)
    for _ in range(5):
        await postgres.trim()
    assert set((await starts(database, postgres)).values()) == {0}
    await read_to(database, last + 1)
    await postgres.trim()
    assert await starts(database, postgres) == await ends(database, postgres)


async def test_trimming_gives_way_to_who_reads_for_long(database: Database, postgres: PostgresBus) -> None:
    await postgres.send("events", FEW)
    async with database.transaction() as tx:
        await postgres.read(tx, "events", {0: range(9)})
        await postgres.trim()
    async with database.transaction() as tx:
        row = await fetch_one(tx, Query("select generation from bus.rotation"))
    assert row == {"generation": 0}


async def test_senders_are_told_when_the_writing_failed_and_may_send_again() -> None:
    written: list[Message] = []
    faults: list[Exception] = [Unavailable("gone")]

    async def write(by_topic: dict[str, list[Message]]) -> None:
        await asyncio.sleep(0.01)
        if faults:
            raise faults.pop()
        written.extend(by_topic["events"])

    group = GroupCommit(write)
    with pytest.raises(Unavailable):
        await group.send("events", FEW)
    await asyncio.gather(*(group.send("events", FEW) for _ in range(3)))
    assert len(written) == 3 * len(FEW)


async def test_senders_are_turned_away_when_too_much_waits() -> None:
    release = asyncio.Event()

    async def write(by_topic: dict[str, list[Message]]) -> None:
        await release.wait()

    group = GroupCommit(write)
    large = [Message(b"", bytes(MOST_WAITING_BYTES // 2))]
    sending = []
    for _ in range(3):
        sending.append(asyncio.create_task(group.send("events", large)))
        await asyncio.sleep(0.01)
    with pytest.raises(Busy):
        await group.send("events", large)
    release.set()
    await asyncio.gather(*sending)


@given(
    st.lists(st.tuples(st.binary(max_size=20), st.binary(max_size=2_000)), min_size=1, max_size=60),
    st.integers(0, 70),
    st.integers(0, 70),
)
def test_what_is_packed_is_unpacked_whole_or_in_part(
    pairs: list[tuple[bytes, bytes]], start: int, stop: int
) -> None:
    messages = [Message(*pair) for pair in pairs]
    found, after = [], 0
    for packed in pack(messages):
        after += packed.messages
        found += unpack(3, after - 1, packed, range(start, stop))
    assert [(m.offset, m.key, m.value) for m in found] == [
        (offset, *message) for offset, message in enumerate(messages) if start <= offset < stop
    ]


def test_bodies_are_bounded_in_messages_and_bytes() -> None:
    small = [Message(b"k", b"v")] * 5_000
    large = [Message(b"k", bytes(MOST_BYTES // 3))] * 10
    assert max(packed.messages for packed in pack(small)) <= MOST_MESSAGES
    assert sum(packed.messages for packed in pack(small)) == 5_000
    assert max(packed.size for packed in pack(large)) <= MOST_BYTES + 1_000
