"""What waits while a batch is under way becomes the next batch: no request is delayed for others to come."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
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


Handle = Callable[[Sequence[Waiting[Q, A]], Callable[[], None]], Awaitable[None]]
"""Answers all requests of a batch; what it raises fails those that it has not answered. It may call what it
is given to let the next batch begin before it has ended."""


class Lane(Generic[Q, A]):
    """A bounded queue whose requests are handled batch by batch, in order.

    No two requests that are being handled have the same `name`, unless that is None.
    """

    def __init__(
        self, handle: Handle[Q, A], name: Callable[[Q], Hashable | None], *, batch: int, waiting: int
    ) -> None:
        self._handle, self._name = handle, name
        self._batch, self._most = batch, waiting
        self._queue: deque[Waiting[Q, A]] = deque()
        self._names: set[Hashable] = set()
        self._wake = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()
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
        tasks = [self._work, *self._under_way]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        while self._queue:
            self._queue.popleft().fail(Unavailable("the server stops"))

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            while batch := self._next():
                begun = asyncio.Event()
                task = asyncio.create_task(self._one(batch, begun.set))
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)
                await begun.wait()
            self._wake.clear()

    async def _one(self, batch: Sequence[Waiting[Q, A]], let_next: Callable[[], None]) -> None:
        try:
            await self._handle(batch, let_next)
        except Exception as error:  # whatever it is, those who wait are told, and the lane goes on
            for one in batch:
                one.fail(error)
        except BaseException:
            for one in batch:
                one.fail(Unavailable("the server stops"))
            raise
        finally:
            self._names.difference_update(self._name(one.asked) for one in batch)
            # A request of one of these names may be what comes next.
            self._wake.set()
            let_next()

    def _next(self) -> list[Waiting[Q, A]]:
        """What waits, in order, up to a request of a name that is being handled."""
        batch: list[Waiting[Q, A]] = []
        while self._queue and len(batch) < self._batch:
            name = self._name(self._queue[0].asked)
            if name in self._names:
                break
            one = self._queue.popleft()
            if not one.answer.done():
                batch.append(one)
                if name is not None:
                    self._names.add(name)
        return batch
