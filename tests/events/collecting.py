"""What tests of the way in have in common: a key, a log, and what came to lie on it."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from suzani.events import TOPIC, Event, decode, open_intake
from suzani.events.store import Asked, Quarantined, quarantined
from suzani.infra.bus import Bus, open_bus
from suzani.infra.keys import create_key
from suzani.infra.platform import Platform
from suzani.kernel import now
from suzani.web import build_api
from suzani.web.collector import Collector


async def log_of(platform: Platform, bus: Bus) -> list[Event]:
    """Every event on the log."""
    async with bus.reader(TOPIC) as reader, platform.db.transaction() as tx:
        starts, ends = await bus.starts(tx, TOPIC), await reader.ends(tx)
        spans = {partition: range(starts[partition], end) for partition, end in ends.items()}
        return [decode(message.value) for message in (await reader.read(tx, spans)).messages]


async def quarantine_of(platform: Platform, state: str | None = "open") -> list[Quarantined]:
    """Every event in quarantine."""
    async with platform.db.transaction() as tx:
        return await quarantined(tx, Asked(state=state))


async def new_key(platform: Platform, source: str = "web", role: str = "source", **settings: Any) -> str:
    """A key's secret."""
    async with platform.db.transaction() as tx:
        _, secret = await create_key(tx, role, source, now(), {"channel": "web"} | settings)
    return secret


def basic(secret: str) -> dict[str, str]:
    """The header that shows a key."""
    return {"authorization": "Basic " + base64.b64encode(f"{secret}:".encode()).decode()}


@dataclass(frozen=True, slots=True)
class Collecting:
    """A collector in this process, and what it has taken."""

    platform: Platform
    bus: Bus
    http: httpx.AsyncClient
    secret: str

    async def post(self, path: str, body: Any = None, **how: Any) -> httpx.Response:
        """Send JSON (or `content`) with the key."""
        headers = basic(self.secret) | how.pop("headers", {})
        sent = {"content": how.pop("content")} if "content" in how else {"json": body}
        return await self.http.post(path, headers=headers, **sent, **how)

    async def events(self) -> list[Event]:
        return await log_of(self.platform, self.bus)

    async def quarantined(self) -> list[Quarantined]:
        return await quarantine_of(self.platform)


@asynccontextmanager
async def collecting(platform: Platform) -> AsyncIterator[Collecting]:
    secret = await new_key(platform)
    async with (
        open_bus(platform.db, platform.settings) as bus,
        open_intake(platform, bus) as intake,
    ):
        transport = httpx.ASGITransport(Collector(build_api(platform), intake))
        async with httpx.AsyncClient(transport=transport, base_url="http://collector.example") as http:
            yield Collecting(platform, bus, http, secret)
