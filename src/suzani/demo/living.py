"""The demo's events: sent through the collector's own way in, and taking effect as a bank's would."""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec

from suzani.activity import PROCESSOR, work
from suzani.demo.lives import events
from suzani.events import open_intake
from suzani.infra import keys
from suzani.infra.bus import Bus, lags, open_bus
from suzani.infra.db import Query, fetch, load_queries
from suzani.infra.platform import Platform
from suzani.kernel import now

CUSTOMERS: Final = 300
"""How many customers do something."""

_SOURCE: Final = "demo"
_BATCH: Final = 200
_LOOK_SECONDS: Final = 0.2

_queries = load_queries("suzani.demo")


async def live(platform: Platform, seed: int) -> None:
    """Let some customers live for four weeks, until it is all on their profiles.

    Called again, nothing happens twice: the same events are the same messages.
    """
    products: Query = _queries.products
    async with platform.db.transaction() as tx:
        numbers = [row["number"] for row in await fetch(tx, products, limit=CUSTOMERS)]
        key, secret = await keys.create_key(tx, "source", _SOURCE, now())
    async with open_bus(platform.db, platform.settings) as bus:
        async with open_intake(platform, bus) as intake:
            sent = list(events(numbers, seed, now()))
            for start in range(0, len(sent), _BATCH):
                body = msgspec.json.encode({"batch": sent[start : start + _BATCH]})
                await intake.take(secret, body, int(now().timestamp() * 1_000_000))
        await _take_effect(platform, bus)
    async with platform.db.transaction() as tx:
        await keys.revoke_key(tx, key.key_id, now())


async def _take_effect(platform: Platform, bus: Bus) -> None:
    """Run the service of events until nothing is left to do."""
    stop = asyncio.Event()
    working = asyncio.create_task(work(platform, stop))
    while not working.done() and await _behind(platform, bus):
        await asyncio.wait([working], timeout=_LOOK_SECONDS)
    stop.set()
    await working


async def _behind(platform: Platform, bus: Bus) -> bool:
    async with platform.db.transaction() as tx:
        found = [lag for lag in await lags(tx, bus) if lag.consumer == PROCESSOR]
    return not found or any(lag.behind for lag in found)
