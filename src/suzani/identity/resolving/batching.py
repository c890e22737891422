"""What waits while a batch is under way becomes the next batch: no request is delayed for others to come."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Generic, TypeVar

from suzani.kernel import Busy, Unavailable

Q = TypeVar("Q")
A = TypeVar("A")


@dataclass(slots=True)
class Waiting(Generic[Q, A]):
    """One request on its way: what was asked, since when it waits, and its answer to come."""

    asked: Q
    since: float = field(default_factory=monotonic)
    answer: asyncio.Future[A] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def fail(self, error: BaseException) -> None:
        """Answer with an error, unless nobody waits any more."""
        if not self.answer.done():
            self.answer.set_exception(error)

    def succeed(self, found: A) -> None:
        """Answer, unless nobody waits any more."""
        if not self.answer.done():
            self.answer.set_result(found)


class Lane(Generic[Q, A]):
    """A bounded queue whose requests are handled batch by batch, in order.

    `handle` answers every request of a batch; what it raises fails all that it has not answered. No two
    requests of one batch have the same `name`, unless that is None.
    """

    def __init__(
        self, handle: Callable[[Sequence[Waiting[Q, A]]], Awaitable[None]],
        name: Callable[[Q], Hashable | None], *, batch: int, waiting: int,
    ) -> None:  # fmt: skip
        self._handle, self._name = handle, name
        self._batch, self._most = batch, waiting
        self._queue: deque[Waiting[Q, A]] = deque()
        self._wake = asyncio.Event()
        self._work = asyncio.create_task(self._run())

    def put(self, asked: Sequence[Q]) -> list[asyncio.Future[A]]:
        """Queue requests; returns their answers to come. Raises Busy when too many wait already."""
        if self._work.done():
            raise Unavailable("requests of this kind are not taken any more", hint="Restart the server.")
        if len(self._queue) + len(asked) > self._most:
            raise Busy(f"{len(self._queue):,} requests are waiting already", 1)
        waiting = [Waiting[Q, A](one) for one in asked]
        self._queue.extend(waiting)
        self._wake.set()
        return [one.answer for one in waiting]

    async def close(self) -> None:
        """Stop; requests that still wait fail with Unavailable."""
        self._work.cancel()
        with suppress(asyncio.CancelledError):
            await self._work
        while self._queue:
            self._queue.popleft().fail(Unavailable("the server stops"))

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            while batch := self._next():
                await self._one(batch)
            self._wake.clear()

    async def _one(self, batch: Sequence[Waiting[Q, A]]) -> None:
        try:
            await self._handle(batch)
        except Exception as error:  # whatever it is, those who wait are told, and the lane goes on
            for one in batch:
                one.fail(error)
        except BaseException:
            for one in batch:
                one.fail(Unavailable("the server stops"))
            raise

    def _next(self) -> list[Waiting[Q, A]]:
        """What waits, in order, up to a second request of one name."""
        batch: list[Waiting[Q, A]] = []
        names: set[Hashable] = set()
        while self._queue and len(batch) < self._batch:
            name = self._name(self._queue[0].asked)
            if name is not None and name in names:
                break
            one = self._queue.popleft()
            if not one.answer.done():
                names.add(name)
                batch.append(one)
        return batch
