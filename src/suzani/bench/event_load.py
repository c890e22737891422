"""A served platform under events over HTTP, as the benchmarks of events and of profiles use it."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import psutil

from suzani.activity import PROCESSOR
from suzani.bench.http_client import Connection, Target
from suzani.bench.open_loop import Floats, Outcome, arrivals, drive
from suzani.bench.runner import temporary_folder
from suzani.bench.serving import Server, served
from suzani.bench.traffic import Traffic
from suzani.infra import bus, keys
from suzani.infra.platform import Platform, running
from suzani.infra.settings import Settings
from suzani.kernel import now

LOOK_SECONDS: Final = 0.2

_PATH: Final = "/v1/batch"
_DRAIN_SECONDS: Final = 120.0

Progress = Callable[[str], None]
Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Load:
    """What the platform is put under: batches of `size` events of `visitors` people over `clients` kept
    connections; `rate` events a second for `seconds`, and then for `soak_seconds` with an eye on memory;
    `steady` events a second where latency is measured; `event_workers` processes let events take effect."""

    rate: float = 10_000
    steady: float = 2_000
    seconds: float = 60
    soak_seconds: float = 0
    size: int = 50
    visitors: int = 20_000
    clients: int = 8
    event_workers: int = 2


@dataclass(frozen=True, slots=True)
class Bench:
    """A served platform, with keys to send and to read, and a look into its database."""

    server: Server
    platform: Platform
    log: bus.Bus
    write_key: str
    read_key: str
    load: Load

    def traffic(self, seed: int) -> Traffic:
        """The events of a seed."""
        return Traffic(self.write_key, self.load.visitors, self.load.size, seed)

    async def behind(self) -> int:
        """Messages that wait for any of the platform's own readers of the log."""
        async with self.platform.db.transaction() as tx:
            return sum(lag.behind for lag in await bus.lags(tx, self.log))

    async def processed(self) -> tuple[int, int]:
        """Events that took effect so far, and those that wait."""
        async with self.platform.db.transaction() as tx:
            lags = [lag for lag in await bus.lags(tx, self.log) if lag.consumer == PROCESSOR]
        return sum(lag.next_offset for lag in lags), sum(lag.behind for lag in lags)


async def measured(load: Load, phases: Callable[[Bench], Awaitable[Figures]]) -> Figures:
    """What the phases find on a platform that is served for them alone. Raises Unavailable."""
    with temporary_folder() as folder:
        settings = Settings(folder / "platform", system_dir=folder / "system")
        write_key, read_key = await _keys(settings)
        with as_file(files("suzani.bench") / "segments.yaml") as segments:
            shutil.copy(segments, settings.data_dir)
        with served(settings, _answers, "--event-workers", str(load.event_workers)) as server:
            async with running(settings) as platform, bus.open_bus(platform.db, settings) as log:
                bench = Bench(server, platform, log, write_key, read_key, load)
                figures = await phases(bench)
                return figures | {"served_mib": server.mib()}


async def _keys(settings: Settings) -> tuple[str, str]:
    async with running(settings) as platform, platform.db.transaction() as tx:
        _, write_key = await keys.create_key(tx, "source", "bench", now(), {"channel": "web"})
        _, read_key = await keys.create_key(tx, "channel", "bench", now())
        return write_key, read_key


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/v1/health", timeout=5):  # noqa: S310 (http, this machine)
            return True
    except HTTPError:
        return False
    except (URLError, OSError):
        return False


class Effort:
    """Who is busy from here on: the roles of the platform, the sender of the benchmark, and other machines on
    the same host, where this one is virtual ("stolen")."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._spent, self._own, self._started = server.cpu_seconds(), time.process_time(), time.perf_counter()
        self._stolen = _stolen_seconds()

    def cores(self, phase: str) -> Figures:
        """Cores that each kept busy until now."""
        seconds = time.perf_counter() - self._started
        busy = {
            role: spent - self._spent.get(role, 0.0) for role, spent in self._server.cpu_seconds().items()
        }
        busy |= {"sender": time.process_time() - self._own, "stolen": _stolen_seconds() - self._stolen}
        return {f"{phase}_cores_{role}": round(spent / seconds, 2) for role, spent in busy.items()}


def _stolen_seconds() -> float:
    return float(getattr(psutil.cpu_times(), "steal", 0.0))


@asynccontextmanager
async def stream(bench: Bench, rate: float, seed: int) -> AsyncIterator[None]:
    """A steady stream of events while the block runs."""
    due = arrivals(rate / bench.load.size, bench.load.seconds * 2 + 60, seed)
    driving = asyncio.create_task(drive_events(bench, due, seed))
    try:
        yield
    finally:
        driving.cancel()
        await asyncio.wait([driving])
        await drained(bench)


async def drive_events(bench: Bench, due: Floats, seed: int) -> Outcome:
    """Send a batch of events at each due time, in seconds from now."""
    load = bench.load
    traffic = bench.traffic(seed)
    connections = [Connection(Target.parse(bench.server.url, _PATH)) for _ in range(load.clients)]
    try:
        return await drive([connection.post for connection in connections], traffic, due)
    finally:
        for connection in connections:
            await connection.close()


async def drained(bench: Bench) -> None:
    """Wait until everything that was accepted took effect."""
    until = time.monotonic() + _DRAIN_SECONDS
    # What is waited for happens in other processes.
    while (await bench.processed())[1] and time.monotonic() < until:  # noqa: ASYNC110
        await asyncio.sleep(LOOK_SECONDS)
