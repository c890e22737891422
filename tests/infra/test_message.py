from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime

import psycopg
import pytest

from suzani.infra.db import Database, Query, execute, fetch
from suzani.infra.message import Message, Stream
from suzani.kernel import Unavailable

ECHO = Query("select %(text)s::text as text, %(number)s::bigint as number, %(at)s::timestamptz as at")
SLEEP = Query("select pg_sleep(60)")
KEPT = Query("select number from kept order by number")
KEEP = Query("insert into kept values (%(number)s) returning number")


@pytest.fixture
async def kept(database: Database) -> Database:
    """A database with the table `kept` of numbers."""
    async with database.transaction() as tx:
        await execute(tx, Query("create table kept (number int primary key)"))
    return database


async def numbers(database: Database) -> list[int]:
    async with database.transaction() as tx:
        return [row["number"] for row in await fetch(tx, KEPT)]


@pytest.mark.parametrize(
    ("text", "number", "at"),
    [
        ('O\'Brien \\ "Юлдуз" {a,b} 100 %', -(2**63), datetime(2026, 11, 23, 9, 30, 0, 1, tzinfo=UTC)),
        ("", 0, datetime(1, 1, 1, tzinfo=UTC)),
        (None, None, None),
    ],
)
async def test_values_come_back_as_they_went(
    database: Database, text: str | None, number: int | None, at: datetime | None
) -> None:
    async with database.autocommit() as tx:
        for _ in range(2):  # prepared by the first, known to the second
            message = Message(tx)
            first = message.add(ECHO, text=text, number=number, at=at)
            others = message.add(Query("select n from generate_series(1, %(most)s::int) as n"), most=3)
            await message.send()
            assert first() == [{"text": text, "number": number, "at": at}]
            assert others() == [{"n": 1}, {"n": 2}, {"n": 3}]


async def test_a_text_with_nul_is_refused_not_cut(database: Database) -> None:
    async with database.autocommit() as tx:
        with pytest.raises(psycopg.DataError, match="NUL"):
            Message(tx).add(ECHO, text="a\0b", number=None, at=None)


async def test_what_is_begun_in_a_message_is_kept_whole_or_not_at_all(kept: Database) -> None:
    async with kept.autocommit() as tx:
        message = Message(tx)
        message.begin()
        number = message.add(KEEP, number=1)
        await message.send()
        assert number() == [{"number": 1}]
        await execute(tx, KEEP, number=2)
    with suppress(KeyError):
        async with kept.autocommit() as tx:
            message = Message(tx)
            message.begin()
            message.add(KEEP, number=3)
            await message.send()
            raise KeyError
    assert await numbers(kept) == [1, 2]


async def test_what_is_committed_in_a_message_stays_whatever_follows(kept: Database) -> None:
    with suppress(KeyError):
        async with kept.autocommit() as tx:
            message = Message(tx)
            message.begin()
            message.add(KEEP, number=1)
            message.commit()
            await message.send()
            raise KeyError
    assert await numbers(kept) == [1]


async def test_without_a_beginning_all_is_one_transaction(kept: Database) -> None:
    async with kept.autocommit() as tx:
        message = Message(tx)
        message.add(KEEP, number=1)
        message.add(KEEP, number=1)
        with pytest.raises(psycopg.errors.UniqueViolation):
            await message.send()
    assert await numbers(kept) == []


async def test_the_first_failure_is_raised_and_the_connection_goes_on(kept: Database) -> None:
    async with kept.autocommit() as tx:
        failing = Message(tx)
        failing.add(Query("select 1 / %(number)s::int as share"), number=0)
        failing.add(KEEP, number=1)
        with pytest.raises(psycopg.errors.DivisionByZero):
            await failing.send()
        message = Message(tx)
        # The failed message was to prepare both: one of them was, the other was not.
        share = message.add(Query("select 1 / %(number)s::int as share"), number=1)
        message.add(KEEP, number=2)
        await message.send()
        assert share() == [{"share": 1}]
    assert await numbers(kept) == [2]


async def test_what_the_server_has_forgotten_is_prepared_anew(kept: Database) -> None:
    async with kept.autocommit() as tx:
        for number in (1, 2):
            message = Message(tx)
            message.begin()
            message.add(KEEP, number=number)
            message.commit()
            await message.send()
            await tx.execute("deallocate all", prepare=False)
    async with kept.autocommit() as tx:
        message = Message(tx)
        message.begin()
        message.add(KEPT)
        await message.send()
        await tx.execute("deallocate all", prepare=False)
        message = Message(tx)
        found = message.add(KEPT)
        await message.send()
        assert found() == [{"number": 1}, {"number": 2}]
    assert await numbers(kept) == [1, 2]


async def test_a_message_larger_than_any_buffer_goes_both_ways(database: Database) -> None:
    text = "ў" * 2_000_000
    async with database.autocommit() as tx:
        message = Message(tx)
        rows = [message.add(ECHO, text=text, number=number, at=None) for number in range(4)]
        await message.send()
        assert all(row()[0]["text"] == text for row in rows)


async def test_a_cancelled_message_closes_its_connection(database: Database) -> None:
    async def sleep() -> None:
        async with database.autocommit() as tx:
            message = Message(tx)
            message.add(SLEEP)
            await message.send()

    task = asyncio.create_task(sleep())
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with database.autocommit() as tx:
        assert await fetch(tx, Query("select 1 as one")) == [{"one": 1}]


async def test_a_server_that_goes_away_is_told_as_what_it_is(database: Database) -> None:
    end = Query("select pg_terminate_backend(%(pid)s::int)")

    async def sleep(pid: asyncio.Future[int]) -> None:
        async with database.autocommit() as tx:
            pid.set_result(tx.info.backend_pid)
            message = Message(tx)
            message.add(SLEEP)
            await message.send()

    pid: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(sleep(pid))
    async with database.autocommit() as tx:
        await execute(tx, end, pid=await pid)
    with pytest.raises(Unavailable):
        await task


@pytest.fixture
async def stream(kept: Database) -> AsyncIterator[Stream]:
    opened = Stream(kept)
    yield opened
    await opened.close()


async def sent(stream: Stream, *keeps: int) -> asyncio.Future[None]:
    """A message on its way that keeps numbers."""
    message = await stream.message()
    for number in keeps:
        message.add(KEEP, number=number)
    return stream.send(message)


async def test_messages_follow_one_another_without_waiting(kept: Database, stream: Stream) -> None:
    messages = [await sent(stream, number, 100 + number) for number in range(20)]
    assert stream.under_way == 20
    await asyncio.gather(*messages)
    assert stream.under_way == 0
    assert await numbers(kept) == [*range(20), *range(100, 120)]


async def test_what_was_sent_after_a_failure_fails_too_until_that_is_settled(
    kept: Database, stream: Stream
) -> None:
    messages = [await sent(stream, *given) for given in ((1,), (2, 2), (3,), (4,))]
    outcomes = await asyncio.gather(*messages, return_exceptions=True)
    assert outcomes[0] is None
    assert isinstance(outcomes[1], psycopg.errors.UniqueViolation)
    assert all(isinstance(outcome, psycopg.errors.InFailedSqlTransaction) for outcome in outcomes[2:])
    assert await numbers(kept) == [1]
    await stream.settled()
    await (await sent(stream, 5))
    assert await numbers(kept) == [1, 5]


async def test_there_is_room_again_when_the_first_is_answered(stream: Stream) -> None:
    slow = await stream.message()
    slow.add(Query("select pg_sleep(0.3)"))
    first, second = stream.send(slow), await sent(stream, 1)
    await stream.room(2)
    assert first.done()
    await second
    await stream.room(1)


async def test_a_stream_asks_what_is_there_once_all_is_settled(stream: Stream) -> None:
    await (await sent(stream, 7))
    await stream.settled()
    assert await stream.ask(lambda tx: fetch(tx, KEPT)) == [{"number": 7}]


async def test_a_stream_outlives_its_connection(kept: Database, stream: Stream) -> None:
    pid = await stream.ask(lambda tx: fetch(tx, Query("select pg_backend_pid() as pid")))
    message = await stream.message()
    message.add(KEEP, number=1)
    message.add(SLEEP)
    waiting = [stream.send(message), await sent(stream, 2)]
    async with kept.autocommit() as tx:
        await execute(tx, Query("select pg_terminate_backend(%(pid)s::int)"), pid=pid[0]["pid"])
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(outcome, psycopg.Error) for outcome in outcomes)
    await stream.settled()
    await (await sent(stream, 3))
    assert await numbers(kept) == [3]


@pytest.mark.parametrize("used", [False, True])
async def test_a_connection_that_was_closed_unseen_fails_what_is_sent_and_is_replaced(
    kept: Database, stream: Stream, used: bool
) -> None:
    if used:
        await (await sent(stream, 1))
    await stream.ask(lambda tx: tx.close())
    with pytest.raises(psycopg.OperationalError):
        await (await sent(stream, 2))
    await stream.settled()
    await (await sent(stream, 3))
    assert await numbers(kept) == [*([1] if used else []), 3]


async def test_closing_fails_what_is_under_way(kept: Database, stream: Stream) -> None:
    message = await stream.message()
    message.add(SLEEP)
    waiting = stream.send(message)
    await asyncio.sleep(0.1)
    await stream.close()
    with pytest.raises(psycopg.OperationalError, match="closed"):
        await waiting
    await (await sent(stream, 1))
    assert await numbers(kept) == [1]
