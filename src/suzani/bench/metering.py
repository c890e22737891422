"""What work costs: wall seconds, and processor seconds over all threads and finished child processes."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from suzani.bench.types import Cost


def cpu_seconds() -> float:
    """User and system seconds of this process, all its threads, and its finished children."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def peak_mib() -> float:
    """The most memory this process held so far, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


class Meter:
    """Costs by phase, in the order in which the phases were entered."""

    def __init__(self) -> None:
        self.costs: dict[str, Cost] = {}
        self._entered = ""
        self._spent = Cost()

    @property
    def seconds(self) -> dict[str, float]:
        """Wall seconds by phase."""
        return {name: cost.seconds for name, cost in self.costs.items()}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add what happens inside to the phase."""
        before = _spent()
        yield
        self._add(name, before)

    def enter(self, name: str) -> None:
        """Add what happens from now on to the phase, until another is entered ("": none)."""
        if self._entered:
            self._add(self._entered, self._spent)
        self._entered, self._spent = name, _spent()

    def _add(self, name: str, before: Cost) -> None:
        now = _spent()
        spent = Cost(now.seconds - before.seconds, now.cpu_seconds - before.cpu_seconds)
        self.costs[name] = self.costs.get(name, Cost()) + spent


def _spent() -> Cost:
    return Cost(time.perf_counter(), cpu_seconds())
