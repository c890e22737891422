"""Waking consumers by PostgreSQL's notifications: one listening connection for all consumers of a process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import psycopg

_CHANNEL: Final = "suzani_bus"
_RECONNECT_SECONDS: Final = 1.0


class Bell:
    """A bell for one reader of a topic."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake who waits, or will wait without clearing it first."""
        self._rung.set()

    def clear(self) -> None:
        """Forget what was rung so far."""
        self._rung.clear()

    async def wait(self, timeout_seconds: float) -> None:
        """Return once it has rung, or after the timeout."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._rung.wait(), timeout_seconds)


class Doorbell:
    """Listens for topics that were appended to, while anybody has a bell."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._bells: list[Bell] = []
        self._listener: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def bell(self, topic: str) -> AsyncIterator[Bell]:
        """A bell that rings for the topic as long as the block lasts."""
        bell = Bell(topic)
        self._bells.append(bell)
        if self._listener is None:
            self._listener = asyncio.create_task(self._listen())
        try:
            yield bell
        finally:
            self._bells.remove(bell)
            if not self._bells:
                await self._stop()

    async def _stop(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.cancel()
            with suppress(asyncio.CancelledError):
                await listener

    async def _listen(self) -> None:
        while True:
            with suppress(psycopg.Error, OSError):  # consumers look by themselves now and then, meanwhile
                await self._listen_once()
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _listen_once(self) -> None:
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
            await connection.execute(f"listen {_CHANNEL}".encode())
            for bell in self._bells:  # for what came before anybody listened
                bell.ring()
            async for notification in connection.notifies():
                for bell in self._bells:
                    if bell.topic == notification.payload:
                        bell.ring()
