"""Several statements in one message to the server, and their answers in one message back.

The driver has pipelines too, but sends each statement of one by itself. For a handful of statements that come
a hundred times a second that takes longer than what they do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from itertools import compress, count
from typing import Any, Final, TypeAlias
from weakref import WeakKeyDictionary

import psycopg
from psycopg.adapt import Transformer
from psycopg.errors import InvalidSqlStatementName, error_from_result
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult

from suzani.infra.db import Tx
from suzani.infra.queries import Query, numbered

Param: TypeAlias = str | int | datetime | None
Rows: TypeAlias = Callable[[], list[dict[str, Any]]]
"""The rows of a statement; there once its message has been answered."""

_END: Final = ExecStatus.PIPELINE_SYNC
_BEGIN: Final = Query("begin")
_COMMIT: Final = Query("commit")

_numbers: Final = count()
_prepared: WeakKeyDictionary[Tx, dict[bytes, bytes]] = WeakKeyDictionary()
"""The names of the statements that each connection has prepared, by their text."""


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
        self._statements: list[tuple[bytes, list[bytes | None]]] = []
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
            answers = await self._exchange()
        except InvalidSqlStatementName:
            _prepared.pop(self._tx, None)
            if not outside:
                raise
            await self._tx.rollback()
            answers = await self._exchange()
        self._answers.extend(answers)
        self._statements, self._answers = [], []

    async def _exchange(self) -> list[PGresult]:
        """Send all statements; their answers."""
        connection = self._tx.pgconn
        names = _prepared.setdefault(self._tx, {})
        before = len(names)
        try:
            connection.enter_pipeline_mode()
            wanted = self._queue(connection, names)
            await _flush(connection)
            answers = await _answers(connection)
            connection.exit_pipeline_mode()
        except BaseException:
            if not self._tx.broken:
                await self._tx.close()
            raise
        failed = next((answer for answer in answers if answer.status == ExecStatus.FATAL_ERROR), None)
        if failed is not None:
            # What the message was to prepare may not have been: it gets another name the next time.
            for text in list(names)[before:]:
                del names[text]
            raise error_from_result(failed)
        return [*compress(answers, wanted)]

    def _queue(self, connection: PGconn, names: dict[bytes, bytes]) -> list[bool]:
        """Hand all statements to the driver's library; which of the answers to come are theirs."""
        wanted = []
        for text, params in self._statements:
            if not self._prepares:
                connection.send_query_params(text, params)
            else:
                name = names.get(text)
                if name is None:
                    name = names[text] = f"message_{next(_numbers)}".encode()
                    connection.send_prepare(name, text)
                    wanted.append(False)
                connection.send_query_prepared(name, params)
            wanted.append(True)
        connection.pipeline_sync()
        return wanted


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


async def _flush(connection: PGconn) -> None:
    """Send what is queued; what the server answers meanwhile is taken in, or both sides would wait."""
    while connection.flush():
        await _ready(connection, writing=True)
        connection.consume_input()


async def _answers(connection: PGconn) -> list[PGresult]:
    """The answers of all statements."""
    answers: list[PGresult] = []
    while True:
        while not connection.is_busy():
            answer = connection.get_result()
            if answer is None:
                continue
            if answer.status == _END:
                return answers
            answers.append(answer)
        await _ready(connection)
        connection.consume_input()


async def _ready(connection: PGconn, writing: bool = False) -> None:
    """Wait until the server has sent something, or takes something if `writing`."""
    loop, socket = asyncio.get_running_loop(), connection.socket
    ready: asyncio.Future[None] = loop.create_future()

    def wake() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(socket, wake)
    if writing:
        loop.add_writer(socket, wake)
    try:
        await ready
    finally:
        loop.remove_reader(socket)
        if writing:
            loop.remove_writer(socket)
