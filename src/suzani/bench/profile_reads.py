"""`bench profile`: profiles read over HTTP at a rate, from a platform that is quiet, and under events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Final

import numpy as np

from suzani.bench.event_load import Bench, Figures, Load, Progress, drained, drive_events, measured, stream
from suzani.bench.http_client import Connection, Target
from suzani.bench.open_loop import arrivals, at_once, drive, percentile_ms
from suzani.bench.traffic import BATCHES

_SEED: Final = 7
_FILL: Final = 4 * BATCHES
"""Batches of events that there are before any profile is read: all that differ, and some of each again."""

_DRAWN: Final = 5_000
_ROLES: Final = {"pages": "web", "postgres": "postgres"}
_LOOK_SECONDS: Final = 2.0
_CALM_CORES: Final = 0.1
_MOST_CALM_SECONDS: Final = 120.0


def measure_profile(load: Load, requests_per_second: float, progress: Progress) -> Figures:
    """Profiles of known visitors read at a rate, first in quiet and then under `load.steady` events a second;
    figures by name. Raises Unavailable."""

    async def phases(bench: Bench) -> Figures:
        progress("fill")
        await drive_events(bench, at_once(_FILL), _SEED)
        await drained(bench)
        users = bench.traffic(_SEED).users
        await _calm(bench)
        progress(f"{requests_per_second:g} reads/s in quiet")
        quiet = await _read(bench, users, requests_per_second)
        progress(f"{requests_per_second:g} reads/s under {load.steady:,.0f} events/s")
        async with stream(bench, load.steady, _SEED + 1):
            busy = await _read(bench, users, requests_per_second)
        # Under events, most of the processors' time is not the readers'.
        return {f"quiet_{name}": value for name, value in quiet.items()} | {
            f"under_events_{name}": value for name, value in busy.items() if not name.startswith("cpu")
        }

    return asyncio.run(measured(load, phases))


async def _calm(bench: Bench) -> None:
    """Wait until the platform has nothing left to do: a start goes on in the background, as do jobs, and the
    lake is written to at a pace. What the database would clean up some time later it does now."""
    until = time.monotonic() + _MOST_CALM_SECONDS
    # What is waited for happens in other processes.
    while await bench.behind() and time.monotonic() < until:  # noqa: ASYNC110
        await asyncio.sleep(_LOOK_SECONDS)
    async with bench.platform.db.autocommit() as connection:
        await connection.execute("vacuum analyze")
    spent, before = float("inf"), sum(bench.server.cpu_seconds().values())
    while spent > _CALM_CORES * _LOOK_SECONDS and time.monotonic() < until:
        await asyncio.sleep(_LOOK_SECONDS)
        now = sum(bench.server.cpu_seconds().values())
        spent, before = now - before, now


async def _read(bench: Bench, users: Sequence[str], rate: float) -> Figures:
    """Milliseconds that profiles took, and what each cost of the processors."""
    draw = np.random.default_rng(_SEED).integers(0, len(users), _DRAWN)
    paths = [f"/v1/profiles/user_id:{users[number]}".encode() for number in draw]
    headers = {"Authorization": f"Bearer {bench.read_key}"}
    connections = [
        Connection(Target.parse(bench.server.url, "/"), headers) for _ in range(bench.load.clients)
    ]
    gets = [connection.get for connection in connections]
    try:
        await drive(gets, paths, at_once(_DRAWN // 10))
        before = bench.server.cpu_seconds()
        outcome = await drive(gets, paths, arrivals(rate, bench.load.seconds, _SEED))
        after = bench.server.cpu_seconds()
    finally:
        for connection in connections:
            await connection.close()
    return {
        "p50_ms": percentile_ms(outcome.latency_seconds, 50),
        "p99_ms": percentile_ms(outcome.latency_seconds, 99),
        "per_second": round(outcome.per_second, 1),
        "failed": float(outcome.failed),
    } | {
        f"cpu_ms_{name}": round((after[role] - before[role]) / max(outcome.succeeded, 1) * 1000, 3)
        for role, name in _ROLES.items()
    }
