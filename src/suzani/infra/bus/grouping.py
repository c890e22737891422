"""Group commit: what many callers send at once is written together, in one transaction."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from suzani.infra.bus.packing import bytes_of
from suzani.infra.bus.types import Message
from suzani.kernel import Busy

Write: TypeAlias = Callable[[dict[str, list[Message]]], Awaitable[None]]
"""Makes the messages of each topic durable, all or none."""

MOST_WAITING_BYTES: Final = 64 * 1024 * 1024
"""What may wait in memory to be written; beyond it callers are sent away."""

_MOST_AT_ONCE_BYTES: Final = 8 * 1024 * 1024
_RETRY_AFTER_SECONDS: Final = 1

_PACE_SECONDS: Final = 0.02
"""Writings begin no closer than this: each costs the same whether it is of ten messages or of a thousand."""


@dataclass(frozen=True, slots=True)
class _Sent:
    topic: str
    messages: Sequence[Message]
    size: int
    written: asyncio.Future[None]


class GroupCommit:
    """Callers wait while one writing is under way or has just been, and then share the next one."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._waiting: list[_Sent] = []
        self._waiting_bytes = 0
        self._writer: asyncio.Task[None] | None = None
        self._begun_at = float("-inf")

    async def send(self, topic: str, messages: Sequence[Message]) -> None:
        """Return once the messages are written. Raises Busy when too much waits, else what writing raised."""
        size = bytes_of(messages)
        if self._waiting and self._waiting_bytes + size > MOST_WAITING_BYTES:
            raise Busy("more is sent than can be written", _RETRY_AFTER_SECONDS)
        sent = _Sent(topic, messages, size, asyncio.get_running_loop().create_future())
        self._waiting.append(sent)
        self._waiting_bytes += size
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all())
        await sent.written

    async def close(self) -> None:
        """Wait until everything is written."""
        if self._writer is not None:
            await self._writer

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(self._begun_at + _PACE_SECONDS - time.monotonic())
                self._begun_at = time.monotonic()
                await self._write_group(self._next_group())
        finally:
            self._writer = None

    def _next_group(self) -> list[_Sent]:
        count = size = 0
        for sent in self._waiting:
            if count and size + sent.size > _MOST_AT_ONCE_BYTES:
                break
            count, size = count + 1, size + sent.size
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        self._waiting_bytes -= size
        return group

    async def _write_group(self, group: list[_Sent]) -> None:
        by_topic: dict[str, list[Message]] = {}
        for sent in group:
            by_topic.setdefault(sent.topic, []).extend(sent.messages)
        error: Exception | None = None
        try:
            await self._write(by_topic)
        except Exception as raised:  # it is raised where it belongs, in the callers
            error = raised
        for sent in group:
            if sent.written.done():  # its caller was cancelled
                continue
            if error is None:
                sent.written.set_result(None)
            else:
                sent.written.set_exception(error)
