"""The database as every capability sees it: transactions, named queries, and bulk copies of Arrow tables.

Nothing here knows whether the server is embedded or outside. Database work is async; command line edges use
`asyncio.run`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from suzani.infra.bulk import copy_in, copy_out
from suzani.infra.failures import translated, unreachable
from suzani.infra.queries import Nested, Queries, Query, Statement, compiled, load_queries, numbered
from suzani.kernel import Unavailable

Tx = psycopg.AsyncConnection[dict[str, Any]]
"""A connection inside a transaction; rows are dictionaries."""

OLDEST_SERVER: Final = 150000
"""The oldest server that is supported, as libpq numbers versions (PostgreSQL 15)."""

_CONNECT_TIMEOUT_SECONDS: Final = 15
_RECONNECT_SECONDS: Final = 5.0
"""How long attempts to connect grow rarer before they begin anew: what waits after an outage."""

__all__ = [
    "OLDEST_SERVER",
    "Database",
    "Nested",
    "Queries",
    "Query",
    "Tx",
    "copy_in",
    "copy_out",
    "execute",
    "fetch",
    "fetch_one",
    "load_queries",
    "translated",
]


class Database:
    """A pool of connections to one PostgreSQL database."""

    def __init__(self, url: str, pool: AsyncConnectionPool[Tx]) -> None:
        self.url = url
        self._pool = pool
        self._check: asyncio.Task[None] | None = None

    @classmethod
    async def connect(cls, url: str, *, pool_size: int = 8) -> Database:
        """Open a pool of at most `pool_size` connections to `url`.

        Raises Unavailable when the server cannot be reached, refuses the login, or is older than 15.
        """
        await _check(url)
        pool: AsyncConnectionPool[Tx] = AsyncConnectionPool(
            url,
            connection_class=psycopg.AsyncConnection[dict[str, Any]],
            kwargs={"row_factory": dict_row, "client_encoding": "utf8"},
            min_size=1,
            max_size=pool_size,
            configure=_configure,
            reconnect_timeout=_RECONNECT_SECONDS,
            reconnect_failed=AsyncConnectionPool.check,
            open=False,
            name="suzani",
        )
        await pool.open(wait=True, timeout=_CONNECT_TIMEOUT_SECONDS)
        return cls(url, pool)

    @property
    def pool(self) -> AsyncConnectionPool[Tx]:
        """The pool itself, for libraries that want one (Procrastinate)."""
        return self._pool

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """A transaction: committed when the block ends, rolled back when it raises.

        It is open from the start, so that a `tx.transaction()` inside the block is a savepoint.
        Raises Unavailable when the server is gone or its disk is full; other database errors pass through.
        """
        async with self.autocommit() as tx, tx.transaction():
            yield tx

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator[Tx]:
        """A connection on which every statement is a transaction of its own: for a single one, which so takes
        one message to the server and one back.

        After `Message.begin` all statements are one transaction, which ends with the block as that of
        `transaction` does: for one whose beginning shall go to the server with what comes first. Raises as
        `transaction` does.
        """
        with translated():
            async with self._pool.connection() as connection:
                try:
                    yield connection
                finally:
                    if connection.broken:
                        self._check_others()

    def _check_others(self) -> None:
        # When a server goes away, it leaves as many broken connections as the pool has, and each would fail
        # somebody who is given it. A task of its own: cancelled half-way, a check forgets connections.
        if self._check is None or self._check.done():
            self._check = asyncio.create_task(self._pool.check())

    async def close(self) -> None:
        """Close every connection; work in progress is rolled back by the server."""
        if self._check is not None:
            self._check.cancel()
        await self._pool.close()


async def _check(url: str) -> None:
    """One plain connection first: its errors say what is wrong, where a pool would only time out."""
    try:
        connection = await psycopg.AsyncConnection.connect(url, connect_timeout=_CONNECT_TIMEOUT_SECONDS)
    except psycopg.Error as error:
        raise unreachable(error) from error
    async with connection:
        version = connection.info.server_version
    if version < OLDEST_SERVER:
        raise Unavailable(
            f"the database server is PostgreSQL {version // 10000}, which is too old",
            hint=f"Suzani needs PostgreSQL {OLDEST_SERVER // 10000} or newer.",
        )


async def _configure(connection: Tx) -> None:
    # Transactions are begun by `Database.transaction` alone.
    await connection.set_autocommit(True)
    # Statements are few and come again and again.
    connection.prepare_threshold = 1
    await connection.execute("set timezone to 'UTC'")


async def _run(tx: Tx, query: Statement, params: Mapping[str, Any]) -> psycopg.AsyncCursor[dict[str, Any]]:
    known = numbered(query) if isinstance(query, Query) else None
    if known is None:
        return await tx.execute(compiled(query), params)
    text, names = known
    return await psycopg.AsyncRawCursor(tx).execute(text, [params[name] for name in names])


async def fetch(tx: Tx, query: Statement, /, **params: Any) -> list[dict[str, Any]]:
    """Every row of a query; its `%(name)s` places take `params`. A plain % is written %%."""
    cursor = await _run(tx, query, params)
    return await cursor.fetchall()


async def fetch_one(tx: Tx, query: Statement, /, **params: Any) -> dict[str, Any] | None:
    """The first row of a query, or None when it has none."""
    cursor = await _run(tx, query, params)
    return await cursor.fetchone()


async def execute(tx: Tx, query: Statement, /, **params: Any) -> int:
    """Run a statement; returns the number of rows it touched (0 for a statement that touches none)."""
    cursor = await _run(tx, query, params)
    return max(cursor.rowcount, 0)
