"""How much is taken at once: so many events a second of one key, and no more than workers keep up with."""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from suzani.infra.keys import Key
from suzani.kernel import Busy, SuzaniError, TooMany

BURST_SECONDS: Final = 10
"""How many seconds' worth of events may come at once."""

LOOK_SECONDS: Final = 1.0
"""How often it is looked how many events wait."""

BUSY_SECONDS: Final = 5
"""When a sender is to come again while too many wait."""


class TokenBuckets:
    """One bucket a key, filled by its `rate` (events a second; none: no limit). In memory of one process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[int, tuple[float, float]] = {}

    def take(self, key: Key, events: int) -> None:
        """Take so many out of the key's bucket. Raises TooMany with when there will be enough.

        A request larger than the whole bucket passes when that is full, and leaves a debt.
        """
        rate = key.settings.get("rate")
        if not rate:
            return
        most = float(rate * BURST_SECONDS)
        now = self._clock()
        level, at = self._buckets.get(key.key_id, (most, now))
        level = min(most, level + (now - at) * rate)
        missing = min(events, most) - level
        if missing > 0:
            wait = max(1, math.ceil(missing / rate))
            raise TooMany(f"key {key.hint}… may send {rate:,} events a second", wait)
        self._buckets[key.key_id] = level - events, now


class Backlog:
    """Whether the workers keep up: beyond so many events that wait on the log, senders are told to wait.

    `waiting` counts them; it is asked at most once in `LOOK_SECONDS`, and a failing one stands in nobody's
    way: whether the log takes events is told by sending.
    """

    def __init__(
        self,
        waiting: Callable[[], Awaitable[int]],
        most: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._waiting = waiting
        self._most = most
        self._clock = clock
        self._looked_at = float("-inf")
        self._behind = 0

    async def check(self) -> None:
        """Raises Busy while too many events wait."""
        now = self._clock()
        if now - self._looked_at > LOOK_SECONDS:
            self._looked_at = now
            with suppress(SuzaniError):
                self._behind = await self._waiting()
        if self._behind > self._most:
            raise Busy(f"{self._behind:,} events wait to be processed", BUSY_SECONDS)
