"""`bench ingest`: a served platform under events, from collector to profile, over HTTP."""

from __future__ import annotations

import asyncio
import time
from typing import Final

import numpy as np

from suzani.bench.event_load import (
    LOOK_SECONDS,
    Bench,
    Effort,
    Figures,
    Load,
    Progress,
    drained,
    drive_events,
    measured,
    stream,
)
from suzani.bench.http_client import Connection, Target
from suzani.bench.open_loop import arrivals, at_once, percentile_ms

_SEED: Final = 7
_PROBE_SECONDS: Final = 0.1
_PROBE_LOOK_SECONDS: Final = 0.01
_MOST_PROBE_SECONDS: Final = 30.0


def measure_ingest(load: Load, progress: Progress) -> Figures:
    """The ceiling, then `load.rate`, then latency at `load.steady`; figures by name. Raises Unavailable."""

    async def phases(bench: Bench) -> Figures:
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

    return asyncio.run(measured(load, phases))


async def _ceiling(bench: Bench) -> Figures:
    """Events a second when senders never wait for a due time, and who is busy meanwhile."""
    before, _ = await bench.processed()
    effort, started = Effort(bench.server), time.perf_counter()
    requests = int(bench.load.rate * 2 * bench.load.seconds / bench.load.size)
    driving = asyncio.create_task(drive_events(bench, at_once(requests), _SEED))
    await asyncio.wait([driving], timeout=bench.load.seconds)
    seconds = time.perf_counter() - started
    done, waiting = await bench.processed()
    cores = effort.cores("ceiling")
    driving.cancel()
    await asyncio.wait([driving])
    await drained(bench)
    accepted = done - before + waiting
    return {
        "ceiling_accepted_per_second": round(accepted / seconds),
        "ceiling_processed_per_second": round((done - before) / seconds),
        **cores,
    }


async def _held(bench: Bench, rate: float, seed: int, seconds: float | None = None) -> Figures:
    """A rate held: how it was answered, how far the processor was behind at most and at the end."""
    seconds = seconds or bench.load.seconds
    before, _ = await bench.processed()
    effort, started = Effort(bench.server), time.perf_counter()
    driving = asyncio.create_task(drive_events(bench, arrivals(rate / bench.load.size, seconds, seed), seed))
    lags = []
    while not driving.done():
        lags.append((await bench.processed())[1])
        await asyncio.wait([driving], timeout=LOOK_SECONDS)
    outcome, sent_seconds = driving.result(), time.perf_counter() - started
    cores = effort.cores("held")
    await drained(bench)
    done, _ = await bench.processed()
    return {
        "held_accepted_per_second": round(outcome.succeeded * bench.load.size / sent_seconds),
        "held_processed_per_second": round((done - before) / (time.perf_counter() - started)),
        "held_answer_p50_ms": percentile_ms(outcome.latency_seconds, 50),
        "held_answer_p99_ms": percentile_ms(outcome.latency_seconds, 99),
        "held_most_behind_events": max(lags),
        "held_refused": float(outcome.failed),
        **cores,
    }


async def _soaked(bench: Bench) -> Figures:
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


async def _visible(bench: Bench) -> Figures:
    """Milliseconds from the answer to an event to its being on the profile, under a steady stream."""
    waits: list[float] = []
    async with stream(bench, bench.load.steady, _SEED + 2):
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


async def _probe(bench: Bench, number: int) -> float:
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
