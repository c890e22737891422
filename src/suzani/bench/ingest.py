"""`bench ingest`, `bench profile`: a served platform under events, from collector to profile, over HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import numpy as np

from suzani.activity import PROCESSOR
from suzani.bench.http_client import Connection, Target
from suzani.bench.open_loop import Outcome, arrivals, at_once, drive, percentile_ms
from suzani.bench.runner import temporary_folder
from suzani.bench.serving import Server, served
from suzani.bench.traffic import Traffic
from suzani.infra import bus, keys
from suzani.infra.platform import Platform, running
from suzani.infra.settings import Settings
from suzani.kernel import now

_PATH: Final = "/v1/batch"
_SEED: Final = 7
_LOOK_SECONDS: Final = 0.2
_PROBE_SECONDS: Final = 0.1
_PROBE_LOOK_SECONDS: Final = 0.004
_MOST_PROBE_SECONDS: Final = 30.0
_DRAIN_SECONDS: Final = 120.0

Progress = Callable[[str], None]
Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Load:
    """What the platform is put under: batches of `size` events of `visitors` people over `clients` kept
    connections; `rate` events a second for `seconds`, and then for `soak_seconds` with an eye on memory;
    `steady` events a second where latency is measured."""

    rate: float = 10_000
    steady: float = 2_000
    seconds: float = 60
    soak_seconds: float = 0
    size: int = 50
    visitors: int = 20_000
    clients: int = 8


@dataclass(frozen=True, slots=True)
class _Bench:
    """A served platform, with keys to send and to read, and a look into its database."""

    server: Server
    platform: Platform
    log: bus.Bus
    write_key: str
    read_key: str
    load: Load

    async def processed(self) -> tuple[int, int]:
        """Events that took effect so far, and those that wait."""
        async with self.platform.db.transaction() as tx:
            lags = [lag for lag in await bus.lags(tx, self.log) if lag.consumer == PROCESSOR]
        return sum(lag.next_offset for lag in lags), sum(lag.behind for lag in lags)


def measure_ingest(load: Load, progress: Progress) -> Figures:
    """The ceiling, then `load.rate`, then latency at `load.steady`; figures by name. Raises Unavailable."""

    async def phases(bench: _Bench) -> Figures:
        progress("as fast as it goes")
        ceiling = await _ceiling(bench)
        progress(f"{load.rate:,.0f} events/s for {load.seconds:g} s")
        held = await _held(bench, load.rate, seed=_SEED + 1)
        progress(f"{load.steady:,.0f} events/s for {load.seconds:g} s, with probes")
        figures = ceiling | held | await _visible(bench)
        if load.soak_seconds:
            progress(f"{load.rate:,.0f} events/s for {load.soak_seconds:g} s")
            figures |= await _soaked(bench)
        return figures

    return asyncio.run(_measured(load, phases))


def measure_profile(load: Load, requests_per_second: float, progress: Progress) -> Figures:
    """Profiles read at a rate, first in quiet and then under `load.steady` events a second."""

    async def phases(bench: _Bench) -> Figures:
        progress("fill")
        await _held(bench, load.rate, seed=_SEED, seconds=10)
        progress(f"{requests_per_second:g} reads/s in quiet")
        quiet = await _read(bench, requests_per_second)
        progress(f"{requests_per_second:g} reads/s under {load.steady:,.0f} events/s")
        async with _stream(bench, load.steady, _SEED + 3):
            busy = await _read(bench, requests_per_second)
        return {f"quiet_{name}": value for name, value in quiet.items()} | {
            f"under_events_{name}": value for name, value in busy.items()
        }

    return asyncio.run(_measured(load, phases))


async def _measured(load: Load, phases: Callable[[_Bench], Awaitable[Figures]]) -> Figures:
    with temporary_folder() as folder:
        settings = Settings(folder / "platform", system_dir=folder / "system")
        write_key, read_key = await _keys(settings)
        with served(settings, _answers) as server:
            async with running(settings) as platform, bus.open_bus(platform.db, settings) as log:
                bench = _Bench(server, platform, log, write_key, read_key, load)
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


async def _ceiling(bench: _Bench) -> Figures:
    """Events a second when senders never wait for a due time, and who is busy meanwhile."""
    before, _ = await bench.processed()
    spent, started = bench.server.cpu_seconds(), time.perf_counter()
    own = time.process_time()
    requests = int(bench.load.rate * 2 * bench.load.seconds / bench.load.size)
    driving = asyncio.create_task(_drive(bench, at_once(requests), _SEED))
    await asyncio.wait([driving], timeout=bench.load.seconds)
    seconds = time.perf_counter() - started
    done, waiting = await bench.processed()
    shares = _shares(spent, bench.server.cpu_seconds(), seconds)
    shares["cores_sender"] = round((time.process_time() - own) / seconds, 2)
    driving.cancel()
    await asyncio.wait([driving])
    await _drained(bench)
    accepted = done - before + waiting
    return {
        "ceiling_accepted_per_second": round(accepted / seconds),
        "ceiling_processed_per_second": round((done - before) / seconds),
        **shares,
    }


def _shares(before: Mapping[str, float], after: Mapping[str, float], seconds: float) -> Figures:
    """Cores that each role kept busy."""
    return {
        f"cores_{role}": round((spent - before.get(role, 0.0)) / seconds, 2) for role, spent in after.items()
    }


async def _held(bench: _Bench, rate: float, seed: int, seconds: float | None = None) -> Figures:
    """A rate held: how it was answered, how far the processor was behind at most and at the end."""
    seconds = seconds or bench.load.seconds
    before, _ = await bench.processed()
    started = time.perf_counter()
    driving = asyncio.create_task(_drive(bench, arrivals(rate / bench.load.size, seconds, seed), seed))
    lags = []
    while not driving.done():
        lags.append((await bench.processed())[1])
        await asyncio.wait([driving], timeout=_LOOK_SECONDS)
    outcome, sent_seconds = driving.result(), time.perf_counter() - started
    await _drained(bench)
    done, _ = await bench.processed()
    return {
        "held_accepted_per_second": round(outcome.succeeded * bench.load.size / sent_seconds),
        "held_processed_per_second": round((done - before) / (time.perf_counter() - started)),
        "held_answer_p50_ms": percentile_ms(outcome.latency_seconds, 50),
        "held_answer_p99_ms": percentile_ms(outcome.latency_seconds, 99),
        "held_most_behind_events": max(lags),
        "held_refused": float(outcome.failed),
    }


async def _soaked(bench: _Bench) -> Figures:
    """A rate held for long: memory and lag at the start (after a tenth of the time) and at the end."""
    seconds = bench.load.soak_seconds
    first = {"soak_first_mib": bench.server.mib()}
    begun = await _held(bench, bench.load.rate, _SEED + 4, seconds / 10)
    first["soak_warm_mib"] = bench.server.mib()
    ended = await _held(bench, bench.load.rate, _SEED + 5, seconds * 9 / 10)
    return first | {
        "soak_last_mib": bench.server.mib(),
        "soak_first_most_behind_events": begun["held_most_behind_events"],
        "soak_last_most_behind_events": ended["held_most_behind_events"],
        "soak_processed_per_second": ended["held_processed_per_second"],
    }


async def _visible(bench: _Bench) -> Figures:
    """Milliseconds from the answer to an event to its being on the profile, under a steady stream."""
    waits: list[float] = []
    async with _stream(bench, bench.load.steady, _SEED + 2):
        until = time.perf_counter() + bench.load.seconds
        number = 0
        while time.perf_counter() < until:
            number += 1
            waits.append(await _probe(bench, number))
            await asyncio.sleep(_PROBE_SECONDS)
    seen = np.array(waits)
    return {
        "visible_p50_ms": percentile_ms(seen, 50),
        "visible_p99_ms": percentile_ms(seen, 99),
        "visible_probes": float(len(waits)),
    }


async def _probe(bench: _Bench, number: int) -> float:
    """Seconds until the event of somebody new is on their profile."""
    post = Connection(Target.parse(bench.server.url, "/v1/track"))
    get = Connection(Target.parse(bench.server.url, "/"), {"Authorization": f"Bearer {bench.read_key}"})
    body = f'{{"writeKey":"{bench.write_key}","userId":"probe-{number}","event":"App Opened"}}'
    try:
        await post.post(body.encode())
        answered = time.perf_counter()
        while await get.get(f"/v1/profiles/user_id:probe-{number}?fields=traits".encode()) != 200:
            if time.perf_counter() - answered > _MOST_PROBE_SECONDS:
                break
            await asyncio.sleep(_PROBE_LOOK_SECONDS)
        return time.perf_counter() - answered
    finally:
        await post.close()
        await get.close()


async def _read(bench: _Bench, rate: float) -> Figures:
    """Profiles of known and unknown visitors, read at a rate."""
    due = arrivals(rate, bench.load.seconds, _SEED)
    draw = np.random.default_rng(_SEED).integers(0, bench.load.visitors // 4, 5_000)
    paths = [f"/v1/profiles/user_id:u{number}".encode() for number in draw]
    headers = {"Authorization": f"Bearer {bench.read_key}"}
    connections = [
        Connection(Target.parse(bench.server.url, "/"), headers) for _ in range(bench.load.clients)
    ]
    try:
        outcome = await drive([connection.get for connection in connections], paths, due)
    finally:
        for connection in connections:
            await connection.close()
    return {
        "p50_ms": percentile_ms(outcome.latency_seconds, 50),
        "p99_ms": percentile_ms(outcome.latency_seconds, 99),
        "per_second": round(outcome.per_second, 1),
        "failed": float(outcome.failed),
    }


@asynccontextmanager
async def _stream(bench: _Bench, rate: float, seed: int) -> AsyncIterator[None]:
    """A steady stream of events while the block runs."""
    due = arrivals(rate / bench.load.size, bench.load.seconds * 2 + 60, seed)
    driving = asyncio.create_task(_drive(bench, due, seed))
    try:
        yield
    finally:
        driving.cancel()
        await asyncio.wait([driving])
        await _drained(bench)


async def _drive(bench: _Bench, due: np.ndarray, seed: int) -> Outcome:
    load = bench.load
    traffic = Traffic(bench.write_key, load.visitors, load.size, seed)
    connections = [Connection(Target.parse(bench.server.url, _PATH)) for _ in range(load.clients)]
    try:
        return await drive([connection.post for connection in connections], traffic, due)
    finally:
        for connection in connections:
            await connection.close()


async def _drained(bench: _Bench) -> None:
    """Wait until everything that was accepted took effect."""
    until = time.monotonic() + _DRAIN_SECONDS
    # What is waited for happens in other processes.
    while (await bench.processed())[1] and time.monotonic() < until:  # noqa: ASYNC110
        await asyncio.sleep(_LOOK_SECONDS)
