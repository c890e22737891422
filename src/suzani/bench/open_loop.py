"""Load at a stated rate: requests are due at set times, whether or not earlier ones were answered.

Latency counts from when a request was due, not from when a free connection sent it, so that a stall of the
server shows in every request it held up (Tene's "coordinated omission").
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Send = Callable[[bytes], Awaitable[int]]
"""Sends one request body and returns the status of the answer; raises OSError when there is none."""

NO_ANSWER = 0
_SUCCESS = range(200, 300)


@dataclass(frozen=True)
class Outcome:
    """What came back: `latency_seconds` of answered requests of any status, counts by status (0: no answer),
    and the `seconds` from the first due time to the last answer."""

    latency_seconds: Floats
    statuses: dict[int, int]
    seconds: float

    @property
    def succeeded(self) -> int:
        """Requests answered with a status of 200 to 299."""
        return sum(count for status, count in self.statuses.items() if status in _SUCCESS)

    @property
    def failed(self) -> int:
        """All others."""
        return sum(self.statuses.values()) - self.succeeded

    @property
    def per_second(self) -> float:
        """Successes a second."""
        return self.succeeded / self.seconds if self.seconds else 0.0


def arrivals(rate: float, seconds: float, seed: int) -> Floats:
    """Due times, in seconds from the start, of a Poisson stream of `rate` a second.

    Exponential gaps: real clients do not come evenly, and evenness would flatter the tail.
    """
    generator = np.random.default_rng(seed)
    expected = rate * seconds
    gaps = generator.exponential(1 / rate, int(expected + 6 * np.sqrt(expected) + 16))
    due = np.cumsum(gaps)
    return np.asarray(due[due < seconds])


def at_once(requests: int) -> Floats:
    """Due times of requests that all wait from the start: they measure throughput, not latency."""
    return np.zeros(requests)


async def drive(connections: Sequence[Send], bodies: Sequence[bytes], due: Floats) -> Outcome:
    """Send `bodies[i]` (from the first again when they run out) at `due[i]` over the first free connection.

    `due` must not decrease. A connection that raises OSError counts as no answer and goes on.
    """
    state = _Drive(bodies, due)
    await asyncio.gather(*(state.work(send) for send in connections))
    return Outcome(np.array(state.latencies), dict(state.statuses), perf_counter() - state.start)


@dataclass
class _Drive:
    bodies: Sequence[bytes]
    due: Floats
    next: int = 0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    start: float = field(default_factory=perf_counter)

    async def work(self, send: Send) -> None:
        """Take the next request, wait until it is due, send it; until none is left."""
        while self.next < len(self.due):
            index, self.next = self.next, self.next + 1
            wait = self.start + self.due[index] - perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            await self._one(send, index)

    async def _one(self, send: Send, index: int) -> None:
        try:
            status = await send(self.bodies[index % len(self.bodies)])
        except OSError:
            self.statuses[NO_ANSWER] += 1
            return
        self.statuses[status] += 1
        self.latencies.append(perf_counter() - self.start - float(self.due[index]))


def percentile_ms(latency_seconds: Floats, percent: float) -> float:
    """A percentile in milliseconds: the smallest latency that so many per cent do not exceed; 0 for none."""
    if not len(latency_seconds):
        return 0.0
    return float(np.percentile(latency_seconds, percent, method="inverted_cdf")) * 1000
