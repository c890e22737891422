"""Several statements in one message to the server, and their answers in one message back.

The driver has pipelines too, but sends each statement of one by itself. For a handful of statements that come
a hundred times a second that takes longer than what they do. Messages may also follow one another without
waiting (`Stream`).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from itertools import compress, count
from typing import Any, Final, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

import psycopg
from psycopg.adapt import Transformer
from psycopg.errors import InvalidSqlStatementName, error_from_result
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult

from suzani.infra.db import Database, Tx
from suzani.infra.queries import Query, numbered

T = TypeVar("T")
Param: TypeAlias = str | int | datetime | None
Rows: TypeAlias = Callable[[], list[dict[str, Any]]]
"""The rows of a statement; there once its message has been answered."""

_Asked: TypeAlias = list[tuple[bytes, list[bytes | None]]]
"""Statements and their parameters."""

_END: Final = ExecStatus.PIPELINE_SYNC
_BEGIN: Final = Query("begin")
_COMMIT: Final = Query("commit")

_numbers: Final = count()


class Message:
    """Statements for a connection on which the driver has no pipeline open.

    What is sent while no transaction is open, and what the same object sends after it, is prepared once for
    the connection. Other statements are not: inside a transaction nothing tells whether the server still
    knows them, since the driver lets it forget everything prepared when tables change.

    The server infers the types of parameters; a place that does not show its own states it
    (`%(ids)s::bigint[]`). Without `begin`, outside a transaction, all statements are one transaction.
    """

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._prepares = False
        self._statements: _Asked = []
        self._answers: list[PGresult] = []

    def add(self, query: Query, /, **params: Param) -> Rows:
        """Add a statement; its `%(name)s` places take `params`.

        Raises psycopg's DataError for a text with a NUL character.
        """
        known = numbered(query)
        assert known is not None, query.name  # noqa: S101 - our own statements state no formats
        text, names = known
        place, answers = len(self._statements), self._answers
        self._statements.append((text, [_said(params[name]) for name in names]))
        return lambda: _rows(self._tx, answers[place])

    def begin(self) -> None:
        """Begin a transaction."""
        self.add(_BEGIN)

    def commit(self) -> None:
        """Commit the transaction: when the message has been answered, it is durable."""
        self.add(_COMMIT)

    async def send(self) -> None:
        """Send all statements and wait for their answers; more can be added then, for another message.

        Raises psycopg's error for the first that failed; none after it was run. Cancelled, it closes the
        connection, since what became of the statements is not known.
        """
        outside = self._tx.pgconn.transaction_status == TransactionStatus.IDLE
        self._prepares |= outside
        try:
            await self._exchange()
        except InvalidSqlStatementName:
            if not outside:
                raise
            await self._tx.rollback()
            await self._exchange()
        self._statements, self._answers = [], []

    async def _exchange(self) -> None:
        wire = _wire_of(self._tx)
        try:
            await wire.send(self._statements, self._prepares, self._answers)
        except BaseException:
            if not wire.is_sound:
                wire.give_up()
                await self._tx.close()
            raise

    def follow(self) -> asyncio.Future[None]:
        """Send all statements, which begin and commit a transaction, behind what is on its way already."""
        return _wire_of(self._tx).send(self._statements, True, self._answers)


class Stream:
    """Messages on a connection of their own, each sent while those before it may still be on their way.

    They run in their order. Once one has failed, so do those that are sent after it, until `settled` has been
    waited for: the server does nothing more in a transaction that failed.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._held = AsyncExitStack()
        self._tx: Tx | None = None
        self._answers: set[asyncio.Future[None]] = set()
        self._failed = False

    @property
    def under_way(self) -> int:
        """Messages that are not answered yet."""
        return len(self._answers)

    async def message(self) -> Message:
        """A message that has begun a transaction, for `send`. Raises as `Database.autocommit`."""
        message = Message(await self._connection())
        message.begin()
        return message

    async def ask(self, question: Callable[[Tx], Awaitable[T]]) -> T:
        """What the database answers when no message is under way; `settled` has been waited for."""
        return await question(await self._connection())

    async def _connection(self) -> Tx:
        if self._tx is None:
            self._tx = await self._held.enter_async_context(self._db.autocommit())
        return self._tx

    def send(self, message: Message) -> asyncio.Future[None]:
        """Commit and send a message; what is returned is done when it is durable, or has psycopg's error."""
        message.commit()
        answer = message.follow()
        self._answers.add(answer)
        answer.add_done_callback(self._note)
        return answer

    def _note(self, answer: asyncio.Future[None]) -> None:
        self._answers.discard(answer)
        self._failed |= answer.cancelled() or answer.exception() is not None

    async def room(self, most: int) -> None:
        """Wait until fewer than `most` messages are under way."""
        while len(self._answers) >= most:
            await asyncio.wait(self._answers, return_when=asyncio.FIRST_COMPLETED)

    async def settled(self) -> None:
        """Wait until no message is under way; after a failure the next ones can succeed again."""
        await self.room(1)
        if self._failed:
            await self.close()

    async def close(self) -> None:
        """Let go of the connection; a message that is under way fails."""
        tx, self._tx, self._failed = self._tx, None, False
        if tx is None:
            return
        wire = _wire_of(tx)
        if wire.is_sound:
            await tx.rollback()
        else:
            wire.give_up()
            await tx.close()
        await self._held.aclose()


@dataclass(frozen=True, slots=True)
class _Sent:
    """A message on its way: which answers are those of its statements, and where they go; the statements that
    are prepared by it, the answers so far, and what is done when all are there."""

    wanted: list[bool]
    kept: list[PGresult]
    fresh: list[bytes]
    answers: list[PGresult] = field(default_factory=list)
    done: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class _Wire:
    """The driver's library at one connection, and the messages on their way over it, first sent first."""

    def __init__(self, connection: PGconn) -> None:
        self._connection, self._socket = connection, -1
        self._loop = asyncio.get_running_loop()
        self._under_way: deque[_Sent] = deque()
        self._names: dict[bytes, bytes] = {}
        self._gave_up = False

    @property
    def is_sound(self) -> bool:
        """Whether nothing is under way and the connection has not failed."""
        return not (self._under_way or self._gave_up)

    def send(self, asked: _Asked, prepares: bool, kept: list[PGresult]) -> asyncio.Future[None]:
        """Send statements, prepared under names if they are to be; their answers go to `kept`."""
        sent = _Sent([], kept, [])
        self._under_way.append(sent)
        try:
            if len(self._under_way) == 1:
                self._connection.enter_pipeline_mode()
                self._socket = self._connection.socket
                self._loop.add_reader(self._socket, self._read)
            for text, params in asked:
                self._queue(sent, text, params, prepares)
            self._connection.pipeline_sync()
            self._write()
        except psycopg.Error as error:
            self.give_up(error)
        return sent.done

    def _queue(self, sent: _Sent, text: bytes, params: list[bytes | None], prepares: bool) -> None:
        """Hand a statement to the library."""
        if not prepares:
            self._connection.send_query_params(text, params)
        else:
            name = self._names.get(text)
            if name is None:
                name = self._names[text] = f"message_{next(_numbers)}".encode()
                sent.fresh.append(text)
                sent.wanted.append(False)
                self._connection.send_prepare(name, text)
            self._connection.send_query_prepared(name, params)
        sent.wanted.append(True)

    def _write(self) -> None:
        """Send what is queued, the rest when the server has room for it."""
        try:
            if self._connection.flush():
                self._loop.add_writer(self._socket, self._write)
            else:
                self._loop.remove_writer(self._socket)
        except psycopg.Error as error:
            self.give_up(error)

    def _read(self) -> None:
        """Take in what the server has sent."""
        connection, under_way = self._connection, self._under_way
        try:
            connection.consume_input()
            while under_way and not connection.is_busy():
                answer = connection.get_result()
                if answer is None:
                    continue
                if answer.status == _END:
                    self._end()
                else:
                    under_way[0].answers.append(answer)
        except psycopg.Error as error:
            self.give_up(error)

    def _end(self) -> None:
        """All of the first message is answered."""
        if len(self._under_way) == 1:
            self._loop.remove_reader(self._socket)
            self._connection.exit_pipeline_mode()
        sent = self._under_way.popleft()
        if sent.done.done():
            return
        failed = next((answer for answer in sent.answers if answer.status == ExecStatus.FATAL_ERROR), None)
        if failed is None:
            sent.kept.extend(compress(sent.answers, sent.wanted))
            sent.done.set_result(None)
            return
        error = error_from_result(failed)
        # What the message was to prepare may not have been: it gets another name the next time.
        for text in [*self._names] if isinstance(error, InvalidSqlStatementName) else sent.fresh:
            self._names.pop(text, None)
        sent.done.set_exception(error)

    def give_up(self, error: psycopg.Error | None = None) -> None:
        """Wait for nothing more: the connection has failed, or will be closed."""
        self._gave_up = True
        error = error or psycopg.OperationalError("the connection was closed before the answer came")
        if self._socket >= 0:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
        while self._under_way:
            sent = self._under_way.popleft()
            if not sent.done.done():
                sent.done.set_exception(error)


_wires: WeakKeyDictionary[Tx, _Wire] = WeakKeyDictionary()


def _wire_of(tx: Tx) -> _Wire:
    wire = _wires.get(tx)
    if wire is None:
        wire = _wires[tx] = _Wire(tx.pgconn)
    return wire


def _rows(tx: Tx, answer: PGresult) -> list[dict[str, Any]]:
    names = [(answer.fname(column) or b"").decode() for column in range(answer.nfields)]
    values = Transformer(tx)
    values.set_pgresult(answer)
    return values.load_rows(0, answer.ntuples, lambda row: dict(zip(names, row, strict=True)))


def _said(value: Param) -> bytes | None:
    if value is None:
        return None
    said = (value.isoformat() if isinstance(value, datetime) else str(value)).encode()
    if b"\0" in said:
        # The library would take it for the end.
        raise psycopg.DataError("a text for PostgreSQL cannot have a NUL character in it")
    return said
