"""One record after the other against everything known, in this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TypeVar

import numpy as np

from suzani.bench.open_loop import Floats, percentile_ms

T = TypeVar("T")


@dataclass(frozen=True)
class Latencies:
    """Seconds that each query took, in order."""

    seconds: Floats

    @property
    def p50_us(self) -> float:
        """Median in microseconds."""
        return percentile_ms(self.seconds, 50) * 1000

    @property
    def p99_us(self) -> float:
        """99th percentile in microseconds."""
        return percentile_ms(self.seconds, 99) * 1000


def measure_each(resolve: Callable[[T], object], queries: Sequence[T], *, warm_up: int = 100) -> Latencies:
    """How long each query takes on its own; the first `warm_up` are asked once more before, unmeasured."""
    for query in queries[:warm_up]:
        resolve(query)
    seconds = np.empty(len(queries))
    for number, query in enumerate(queries):
        started = perf_counter()
        resolve(query)
        seconds[number] = perf_counter() - started
    return Latencies(seconds)
